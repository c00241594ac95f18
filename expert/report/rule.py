"""One rule as a page: what it says, why to believe it, and the examples that pin it."""

from __future__ import annotations

from knowledge.conditions import Clause, spell
from knowledge.rulebook import Knowledge, Rule
from knowledge.schema import Example

from .document import Bullets, Document, Heading, Paragraph


def rule_document(rule: Rule, knowledge: Knowledge) -> Document:
    """Return the page of one rule."""
    conclusion = f"{rule.then.kind} {rule.then.attribute} = {spell(rule.then.value)}"
    sources = tuple((f"{source}: {knowledge.citation(source)}", ()) for source in rule.sources)
    return (
        Heading(f"{rule.id}: {rule.title}", 1),
        Paragraph(
            f"{rule.strength.capitalize()} rule, certainty {rule.certainty:.2f}, since {rule.since}, "
            f"{rule.file}:{rule.line}."
        ),
        Heading("When"),
        Bullets(tuple((_clause(clause), ()) for clause in rule.when)),
        *_section("Needs", tuple(map(_clause, rule.needs))),
        Heading("Then"),
        Paragraph(conclusion),
        Paragraph(rule.because),
        *([Paragraph(f"Corrects its source: {rule.corrects}")] if rule.corrects else []),
        *_section("Remedies", tuple(f"{name}: {knowledge.remedies[name].title}" for name in rule.remedies)),
        Heading("Sources"),
        Bullets(sources),
        Heading("Examples"),
        Bullets(tuple((_example(example), ()) for example in rule.examples)),
    )


def _section(title: str, lines: tuple[str, ...]) -> Document:
    return (Heading(title), Bullets(tuple((line, ()) for line in lines))) if lines else ()


def _clause(clause: Clause) -> str:
    return " or ".join(map(str, clause))


def _example(example: Example) -> str:
    given = ", ".join(f"{name} = {spell(value)}" for name, value in example.given.items())
    return f"{'fires' if example.fires else 'does not fire'}: {given}"
