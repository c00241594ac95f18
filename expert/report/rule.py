"""One rule as a page: what it says, why to believe it, what it meets, and the cases that pin it."""

from __future__ import annotations

from knowledge.conditions import Clause, spell
from knowledge.rulebook import Knowledge, Rule
from knowledge.schema import Example

from ..rivals import Meeting, meetings, readers
from .document import Bullets, Document, Heading, Paragraph

_PINS_SHOWN = 5


def rule_document(rule: Rule, knowledge: Knowledge) -> Document:
    """Return the page of one rule."""
    return (
        Heading(f"{rule.id}: {rule.title}", 1),
        Paragraph(
            f"{rule.strength.capitalize()} rule, certainty {rule.certainty:.2f}, since {rule.since}, "
            f"{rule.file}:{rule.line}."
        ),
        *([Paragraph(rule.own.sentence())] if rule.own else []),
        *_section("When", tuple(map(_clause, rule.when))),
        *_section("Needs", tuple(map(_clause, rule.needs))),
        Heading("Then"),
        Paragraph(_conclusion(rule)),
        Paragraph(rule.because),
        *([Paragraph(f"Corrects its source: {rule.corrects}")] if rule.corrects else []),
        *_section("Remedies", tuple(f"{name}: {knowledge.remedies[name].title}" for name in rule.remedies)),
        *_section("Sources", tuple(_source(source, knowledge) for source in rule.sources)),
        *_section("Beats and loses to", tuple(map(_meeting, meetings(rule, knowledge)))),
        *_section("Read by", readers(rule, knowledge)),
        *_section("Examples", tuple(map(_example, rule.examples))),
        *_pins(rule),
    )


def _conclusion(rule: Rule) -> str:
    if rule.then.kind == "finding":
        return f"finding {rule.then.finding}, severity {rule.then.severity}"
    return f"{rule.then.kind} {rule.then.attribute} = {spell(rule.then.value)}"


def _source(source: str, knowledge: Knowledge) -> str:
    document = knowledge.sources.get(source) or knowledge.sources[source.partition("-")[0]]
    again = f" (again with: {document.command})" if document.command else ""
    return f"{source}, {document.kind}: {knowledge.citation(source)}{again}"


def _meeting(meeting: Meeting) -> str:
    return f"{'beats' if meeting.wins else 'loses to'} {meeting.other} on {meeting.on}"


def _section(title: str, lines: tuple[str, ...]) -> Document:
    return (Heading(title), Bullets(tuple((line, ()) for line in lines))) if lines else ()


def _clause(clause: Clause) -> str:
    return " or ".join(map(str, clause))


def _example(example: Example) -> str:
    given = ", ".join(f"{name} = {spell(value)}" for name, value in example.given.items())
    return f"{'fires' if example.fires else 'does not fire'}: {given or 'nothing given'}"


def _pins(rule: Rule) -> Document:
    shown = tuple(map(_example, rule.pins[:_PINS_SHOWN]))
    more = len(rule.pins) - len(shown)
    return _section("Pinned by", (*shown, *([f"and {more} more in pins.yaml"] if more else [])))
