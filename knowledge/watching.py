"""Which findings speak of the end of a run, so that nobody tells them of one that still goes on; tells none itself."""

from __future__ import annotations

from .schema import Document, RuleId, Texts


class AtEndDocument(Document):
    """Findings that hold of a log that has come to its end, and why not before."""

    at_end: RuleId
    findings: Texts
    because: str
    source: Texts
