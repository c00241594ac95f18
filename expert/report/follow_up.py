"""What became of the findings of an earlier run, as blocks and as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from knowledge.conditions import spell

from .document import Bullets, Document, Heading, Paragraph, Table

if TYPE_CHECKING:
    from ..consultation.follow_up import Followed, FollowUp

_NONE = "The earlier run had no finding with a remedy, so that nothing was promised."


def follow_up_blocks(follow: FollowUp) -> Document:
    """Return what changed, what was promised and what the later run shows of it."""
    changed = tuple((path, spell(old), spell(new)) for path, old, new in follow.changed)
    items = tuple((_headline(one), _details(one)) for one in follow.found)
    new = ", ".join(f"{one.id} ({one.severity})" for one in follow.new)
    return (
        Heading(f"What became of it: {follow.before.run}, then {follow.after.run}"),
        *((Table(("line of the plan", "before", "after"), changed),) if changed else ()),
        *((Paragraph(_score(follow)),) if follow.scores else ()),
        *((Bullets(items, tuple(_TONES[one.fate] for one in follow.found)),) if items else (Paragraph(_NONE),)),
        *((Paragraph(f"New in the later run: {new}."),) if new else ()),
    )


_TONES = {"gone": "note", "still there": "warning", "cannot be told": "note"}


def _headline(one: Followed) -> str:
    return f"{one.fate}: {one.finding.id}" + (f" ({one.why})" if one.why else "")


def _score(follow: FollowUp) -> str:
    assert follow.scores is not None and follow.gain is not None
    name, before, after = follow.scores
    word = "better" if follow.gain > 0 else "worse" if follow.gain < 0 else "the same"
    moved = any(path.startswith("data.") for path, _, _ in follow.changed)
    warning = "Lines of the data differ, so these two do not compare." if moved else "One run of each shows no more."
    return f"The best {name} was {before:.4g} and is {after:.4g}: {word}. {warning}"


def _details(one: Followed) -> tuple[str, ...]:
    promised = tuple(f"promised by {remedy.id}: {remedy.expect}" for remedy in one.applied)
    numbers = "; ".join(f"{name} {_shown(old)} -> {_shown(new)}" for name, old, new in one.numbers)
    return (*promised, *((numbers,) if numbers else ()))


def _shown(value: Any) -> str:
    return "not known" if value is None else f"{value:.4g}" if isinstance(value, float) else spell(value)


def follow_up_record(follow: FollowUp) -> dict[str, Any]:
    """Return the same as plain values."""
    return {
        "before": str(follow.before.series.source),
        "changed": [{"path": path, "before": old, "after": new} for path, old, new in follow.changed],
        "score": dict(zip(("metric", "before", "after"), follow.scores, strict=True)) if follow.scores else None,
        "findings": [
            {
                "id": one.finding.id, "fate": one.fate, "why": one.why, "applied": [each.id for each in one.applied],
                "numbers": [{"fact": name, "before": old, "after": new} for name, old, new in one.numbers],
            }
            for one in follow.found
        ],
        "new": [one.id for one in follow.new],
    }  # fmt: skip
