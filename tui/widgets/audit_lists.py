"""The two lists of the Audit mode: findings, worst first, and the clips of the selected one. Assesses nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.content import Content

from knowledge.records import Evidence, Finding, NotAssessable

from ..steps import heading
from .findings import STYLES, UNKNOWN
from .rows import Row, Rows, fit, rule_heading, wrap

MOST_CLIPS = 1000
"""A list of more takes a second to build; the reports hold all."""
CLIP = "clip:"
"""Prefix of the ids of rows that stand for a clip; an index into `ClipList.clips` follows."""


class AuditFindings(Rows):
    """One row a finding, then what could not be assessed."""

    def __init__(self, **arguments: str) -> None:
        super().__init__(enter="more", empty="Findings appear when a data set was audited.", **arguments)

    def show(self, findings: Sequence[Finding], unsure: Sequence[NotAssessable]) -> None:
        """Show what an audit found."""
        self.empty = "Nothing was found that a rule would report."
        self.border_title = f"{len(findings)} found" + (f", {len(unsure)} not assessable" if unsure else "")
        rows = [Row(finding.id, _finding(finding)) for finding in findings]
        rows += [Row(UNKNOWN + item.id, _open(item)) for item in unsure]
        self.set_rows(rows)


class ClipList(Rows):
    """The evidence of a finding, then every clip that it counts."""

    def __init__(self, **arguments: str) -> None:
        super().__init__(enter="row", empty="This finding is about the set as a whole.", **arguments)
        self.clips: tuple[str, ...] = ()

    def show(self, evidence: Sequence[Evidence], paths: Sequence[str]) -> None:
        """Show telling examples first, then the other clips, as far as a list can be read."""
        told = [item for item in evidence if item.path]
        texts = {item.path: item.text for item in reversed(told) if item.path}
        examples = list(dict.fromkeys(item.path for item in told if item.path))
        others = [path for path in dict.fromkeys(paths) if path not in texts]
        self.clips = (*examples, *others)[:MOST_CLIPS]
        count = len(examples) + len(others)
        self.border_title = f"{count} clip{'s' * (count != 1)}" if count else "clips"
        rows = [Row(f"note:{number}", _note(item.text)) for number, item in enumerate(evidence) if not item.path]
        rows += [Row(f"{CLIP}{n}", _clip(path, texts.get(path, ""))) for n, path in enumerate(self.clips)]
        if count > MOST_CLIPS:
            more = f"{count - MOST_CLIPS} more: the report lists all "
            rows.append(Row("more", rule_heading(more), heading=True))
        self.set_rows(rows, current=f"{CLIP}0")

    @property
    def clip(self) -> str:
        """The clip under the cursor, as written in the manifest; empty when there is none."""
        return self.clips[int(self.current.removeprefix(CLIP))] if self.current.startswith(CLIP) else ""


def _finding(finding: Finding) -> Callable[[int], Content]:
    count = f" · {len(finding.paths)}" if finding.paths else ""

    def build(width: int) -> Content:
        first = Content.assemble((heading(finding), STYLES[finding.severity]), (count, "$foreground-muted"))
        return Content.assemble(first, "\n", wrap(finding.title, width, indent="  "))

    return build


def _open(item: NotAssessable) -> Callable[[int], Content]:
    return lambda width: Content.styled(fit(f"? {item.id}", width), "$foreground-muted")


def _note(text: str) -> Callable[[int], Content]:
    return lambda width: Content(wrap(text, width))


def _clip(path: str, text: str) -> Callable[[int], Content]:
    def build(width: int) -> Content:
        if not text or text == path:
            return Content(fit(path, width))
        return Content.assemble(fit(path, width), "\n", (wrap(text, width, indent="  "), "$foreground-muted"))

    return build
