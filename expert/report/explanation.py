"""Explanations as documents, so that each can be read as Markdown and HTML beside its text and its JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from knowledge.conditions import spell
from knowledge.rulebook import Knowledge

from ..arguments import Argument, Dispute, Disputes
from ..assumptions import Assumptions
from ..checks import RuleCheck, check_lines
from ..consultation.suppose import Supposition
from ..explanation import Why, WhyNot
from ..mind import ChangeOfMind
from ..proof import Explanation, Proof
from ..prospects import Prospect
from ..sweep import Change
from ..whatif import Flip, Sensitivity, WhatIf
from .document import Bullets, Document, Heading, Paragraph, Table, Verbatim


def explanation_document(found: Explanation, knowledge: Knowledge) -> Document:
    """Return any explanation of a consultation as a document."""
    if isinstance(found, Proof):
        return _proof(found, knowledge)
    if isinstance(found, Why):
        return _why(found)
    if isinstance(found, WhyNot):
        return _why_not(found)
    if isinstance(found, Supposition):
        return _supposition(found)
    if isinstance(found, WhatIf):
        return _what_if(found)
    if isinstance(found, Sensitivity):
        return _sensitivity(found)
    if isinstance(found, ChangeOfMind):
        return _mind(found)
    if isinstance(found, Disputes):
        return _disputes(found)
    if isinstance(found, Assumptions):
        return _assumptions(found)
    return (Verbatim(tuple(found.lines())),)


def _proof(proof: Proof, knowledge: Knowledge) -> Document:
    because = tuple(Paragraph(step.because) for step in proof.steps if step.because)
    sources = dict.fromkeys(_sources(proof))
    rows = tuple((name, knowledge.citation(name)) for name in sources)
    cited = (Heading("Sources"), Table(("source", "citation"), rows)) if rows else ()
    tree = (Heading("The proof"), Verbatim(tuple(proof.lines())))
    return (Heading(f"How {proof.name} = {spell(proof.value)}", 1), *because, *tree, *cited)


def _sources(proof: Proof) -> Iterator[str]:
    for step in proof.steps:
        yield from step.sources
        for support in step.supports:
            yield from _sources(support)


def _why(why: Why) -> Document:
    title = Heading(f"Why {why.name} is asked", 1)
    bears = f"The answer bears on {', '.join(why.decides)}." if why.decides else "The answer bears on findings only."
    table = Table(("answer", "decisions that change", "findings that change"), tuple(map(_prospect, why.prospects)))
    outlook = (Heading("What each answer would change"), table) if why.prospects else ()
    rules = tuple(_check(f"{check.rule}: would conclude {conclusion}", check) for conclusion, check in why.rules)
    return (title, Paragraph(why.ask), Paragraph(bears), *outlook, Heading("Rules that wait for it"), Bullets(rules))


def _prospect(prospect: Prospect) -> tuple[str, ...]:
    decided = ", ".join(_becomes(change) for change in prospect.decisions)
    return prospect.answer.says, decided or "none", ", ".join(map(_becomes, prospect.findings)) or "none"


def _becomes(change: Change) -> str:
    if change.attribute.startswith("finding."):
        name = change.attribute.removeprefix("finding.")
        return name if change.after is not None else f"no longer {name}"
    return f"{change.attribute} = {'nothing' if change.after is None else spell(change.after)}"


def _check(title: str, check: RuleCheck) -> tuple[str, tuple[str, ...]]:
    return title, tuple(check_lines(check, ""))


def _why_not(found: WhyNot) -> Document:
    rules = tuple(_check(f"{check.rule}: {check.title} ({check.status})", check) for check in found.rules)
    listed = (Heading("Each rule for it"), Bullets(rules)) if rules else ()
    return (Heading(f"Why not {found.name} = {spell(found.value)}", 1), Paragraph(f"{found.outcome}."), *listed)


def _what_if(found: WhatIf) -> Document:
    said = ", ".join(f"{name} = {spell(value)}" for name, value in found.said.items())
    changes = _changes(found.changes) if found.changes else Paragraph("Nothing would change.")
    return (Heading(f"If {said}", 1), changes)


def _changes(changes: Iterable[Change]) -> Table:
    values = ((change.attribute, _value(change.before), _value(change.after), change.rule) for change in changes)
    return Table(("conclusion", "now", "then", "rule"), tuple(values))


def _value(value: object) -> str:
    return "nothing" if value is None else spell(value)  # type: ignore[arg-type]  # a value of the vocabulary


def _supposition(found: Supposition) -> Document:
    diff = (Heading("The plan"), Verbatim(found.diff)) if found.diff else ()
    refused = (Paragraph(f"There would be no plan that runs: {found.refused}"),) if found.refused else ()
    return (*_what_if(found.what), *diff, *refused)


def _sensitivity(found: Sensitivity) -> Document:
    if not found.flips:
        return (Heading("Sensitivity", 1), Paragraph("No number that is known here changes a conclusion."))
    rows = tuple(map(_flip, found.flips))
    return (Heading("Sensitivity", 1), Table(("fact", "value", "flips at", "away", "what changes"), rows))


def _flip(flip: Flip) -> tuple[str, ...]:
    return flip.name, spell(flip.value), flip.at, flip.away if flip.value else "", "; ".join(map(str, flip.changes))


def _mind(found: ChangeOfMind) -> Document:
    turns = tuple((str(turn), ()) for turn in found.turns)
    listed = Bullets(turns) if turns else Paragraph("No single fact, were it otherwise, would change it.")
    return (Heading(f"What would change {found.name} = {_value(found.value)}", 1), listed)


def _disputes(found: Disputes) -> Document:
    blocks: Document = (Heading(found.title, 1),)
    for item in found.items:
        blocks += _dispute(item)
    blocks = blocks if found.items else (*blocks, Paragraph(found.none))
    undisputed = f"The rules would not choose otherwise: {', '.join(found.undisputed)}."
    return (*blocks, Paragraph(undisputed)) if found.undisputed else blocks


def _dispute(item: Dispute) -> Document:
    left = (Paragraph("Left to the rules:"), _changes(item.costs)) if item.costs else ()
    return (
        Heading(f"{item.attribute} = {spell(item.value)}"),
        Paragraph(f"{item.settled[:1].upper()}{item.settled[1:]}."),
        Paragraph("For it:" if item.arguments else "For it: no rule."),
        *_arguments(item.arguments),
        Paragraph("Against it:" if item.rivals else "Against it: no rule."),
        *_arguments(item.rivals),
        *left,
    )


def _arguments(arguments: tuple[Argument, ...]) -> Document:
    items = tuple(
        (next(one.lines("")), (one.because, *(f"{name} ({kind}): {text}" for name, kind, text in one.sources)))
        for one in arguments
    )
    return (Bullets(items),) if items else ()


def _assumptions(found: Assumptions) -> Document:
    title = Heading("Assumptions in use", 1)
    if not found.items:
        return (title, Paragraph(found.lines()[0]))
    rows = tuple(
        (item.attribute, spell(item.value), item.because, ", ".join((*item.answers, *item.measurements)) or "nothing")
        for item in found.items
    )
    return (title, Table(("decision", "value", "because", "what could overturn it"), rows))
