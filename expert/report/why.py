"""Why a rule exists: what it rests on, what pins it, what it meets, and what would be otherwise without it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from knowledge.conditions import spell
from knowledge.rulebook import Knowledge, Rule

from ..absence import absent, established
from ..difference import differences
from ..mutation import mutants_of, score
from ..rivals import Meeting, meetings, readers
from .document import Bullets, Document, Heading, Paragraph

_SHOWN = 12


def why_document(rule: Rule, knowledge: Knowledge) -> Document:
    """Return the reasons for one rule, and the case against it."""
    met = meetings(rule, knowledge)
    return (
        Heading(f"Why {rule.id}", 1),
        Paragraph(f"{rule.title}. {rule.because}"),
        *_section("What it rests on", _sources(rule, knowledge)),
        *_section("Where it departs from its source", (rule.corrects,) if rule.corrects else ()),
        *_section("What it reads, and who knows it", _inputs(rule, knowledge)),
        *_section("What it makes of the unmeasured", _absence(rule, knowledge)),
        *_section("What it beats", tuple(_meeting(one) for one in met if one.wins)),
        *_section("What it loses to", tuple(_meeting(one) for one in met if not one.wins)),
        *_section("Who reads it", readers(rule, knowledge)),
        *_section("What pins it", _pinned(rule, knowledge)),
        *_section("What would be otherwise without it", _without(rule, knowledge)),
    )


def _sources(rule: Rule, knowledge: Knowledge) -> tuple[str, ...]:
    kinds = []
    for source in rule.sources:
        document = knowledge.sources.get(source) or knowledge.sources[source.partition("-")[0]]
        again = f" (again with: {document.command})" if document.command else ""
        kinds.append(f"{document.kind}: {knowledge.citation(source)}{again}")
    return (*kinds, f"strength {rule.strength}, certainty {rule.certainty:.2f}")


def _inputs(rule: Rule, knowledge: Knowledge) -> tuple[str, ...]:
    lines = []
    for name in dict.fromkeys(condition.fact for condition in rule.conditions):
        entry = knowledge.vocabulary.entry(name)
        wanted = " and ".join(str(condition) for condition in rule.conditions if condition.fact == name)
        by = ", ".join(entry.supplied_by) or "other rules"
        lines.append(f"{wanted}: {entry.means} (from {by})")
    return tuple(lines)


def _absence(rule: Rule, knowledge: Knowledge) -> tuple[str, ...]:
    blind = tuple(f"may fire because {name} is unknown" for name in absent(rule))
    clean = (
        f"{name} counts as absent only when {', '.join(needed)} say so"
        for name, needed in established(rule, knowledge).items()
    )
    return (*blind, *clean)


def _meeting(meeting: Meeting) -> str:
    return f"{meeting.other}, on {meeting.on}"


def _pinned(rule: Rule, knowledge: Knowledge) -> tuple[str, ...]:
    mutants = mutants_of(rule, knowledge)
    counts = Counter(example.fires for example in rule.cases)
    alive = tuple(f"nothing notices: {mutant.change}" for mutant in mutants if not mutant.killed)
    killed = f"{len(mutants) - len(alive)} of {len(mutants)} small changes are noticed, score {score(mutants):.2f}"
    return (f"{counts[True]} cases in which it fires, {counts[False]} in which it does not", killed, *alive)


def _without(rule: Rule, knowledge: Knowledge) -> tuple[str, ...]:
    rest = tuple(other for other in knowledge.rules if other.id != rule.id)
    found = differences(knowledge, replace(knowledge, rules=rest))
    lines = []
    for one in found[:_SHOWN]:
        before, after = ("nothing" if value is None else spell(value) for value in (one.before, one.after))
        case = ", ".join(f"{name} = {spell(value)}" for name, value in one.case.items())
        lines.append(f"{one.attribute}: {before} would be {after} (given {case or 'nothing'})")
    more = len(found) - len(lines)
    return (*lines, *([f"and {more} more"] if more else []), *([] if found else ["nothing, in any case tried"]))


def _section(title: str, lines: tuple[str, ...]) -> Document:
    return (Heading(title), Bullets(tuple((line, ()) for line in lines))) if lines else ()
