"""What users added, overrode and silenced, as it stands at the end of every report. Decides nothing."""

from __future__ import annotations

from typing import Any

from knowledge.rulebook import Knowledge

from .document import Bullets, Document, Heading

TITLE = "Own knowledge in force"


def own_blocks(knowledge: Knowledge) -> Document:
    """Say of each thing who changed it, where and why; empty where the package speaks alone."""
    if not knowledge.own:
        return ()
    return (Heading(TITLE), Bullets(tuple((own.sentence(), ()) for own in knowledge.own)))


def own_record(knowledge: Knowledge) -> dict[str, Any]:
    """Return the same as plain values; empty where the package speaks alone."""
    return {"own_knowledge": [own.record() for own in knowledge.own]} if knowledge.own else {}


def own_mark(rule_id: str, knowledge: Knowledge) -> str:
    """What stands behind the id of a rule that is not as the package wrote it."""
    rule = knowledge.rule(rule_id) if knowledge.own else None
    return f" ({rule.own.what} by the {rule.own.layer})" if rule is not None and rule.own is not None else ""
