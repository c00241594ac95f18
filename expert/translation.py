"""Says what a remedy means in another framework: lines to write there, from what its log tells; changes no file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from knowledge.conditions import Clause, Condition, spell
from knowledge.records import Fact, Finding, Value
from knowledge.rulebook import Knowledge, Remedy
from knowledge.translations import TranslationDocument
from knowledge.vocabulary import Vocabulary

from .reference import Assessment
from .remedies import applicable_remedies
from .session import Session
from .strata import concluding

_SPELLED = {"multiply": "{} times what it is", "at_least": "{} at least", "at_most": "{} at most"}


@dataclass(frozen=True, slots=True)
class Edit:
    """What to write for one remedy of a run."""

    remedy: str
    title: str
    findings: tuple[str, ...]
    """Ids of the findings that it is meant for."""
    provided: tuple[str, ...]
    """What the log does not tell and has to be so."""
    lines: tuple[str, ...]
    """Lines in the language of the framework; empty for an action of a person."""
    action: str
    expect: str
    costs: str


@dataclass(frozen=True, slots=True)
class Edits:
    """Every remedy of one run, in the words of what it was trained with."""

    framework: TranslationDocument | None
    """None for a run of a plan of ours: the lines are those of its plan.yaml."""
    recognised: bool
    """Whether the log shows which framework wrote it; otherwise a loop of one's own is assumed."""
    edits: tuple[Edit, ...]
    checks: Mapping[str, tuple[str, ...]]
    """What the next log shows where it worked: measured numbers and where they have to be, by finding."""


def edits_for(session: Session, framework: str, *, recognised: bool = True) -> Edits:
    """Return the remedies of all findings of a run that was not trained from a plan of ours, the gravest first."""
    document = session.knowledge.translations[framework]
    aware = replace(session, facts={**logged_settings(session.knowledge, session.facts), **session.facts})
    offered = (
        edit
        for finding in session.findings
        for remedy, provided in _offered(aware, finding)
        if (edit := _edit(aware, finding, remedy, provided, document))
    )
    edits = merged(offered)
    return Edits(document, recognised, edits, checks_for(session, edits))


def merged(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """Return each remedy once, with every finding that it is meant for."""
    found: dict[str, Edit] = {}
    for edit in edits:
        known = found.get(edit.remedy, edit)
        found[edit.remedy] = replace(known, findings=tuple(dict.fromkeys((*known.findings, *edit.findings))))
    return tuple(found.values())


def checks_for(session: Session, edits: Iterable[Edit]) -> dict[str, tuple[str, ...]]:
    """Return for each finding that something is offered for what will tell whether it worked."""
    meant = {name for edit in edits for name in edit.findings}
    return {finding.id: checks_of(session, finding) for finding in session.findings if finding.id in meant}


def logged_settings(knowledge: Knowledge, facts: Mapping[str, Fact]) -> dict[str, Fact]:
    """Return what the log tells of settings, as facts of plan.yaml's lines; 0 may stand for untold."""
    told = {name: facts[by] for name, by in knowledge.logged.items() if by in facts and facts[by].value != 0}
    return {name: Fact(name, _fitting(knowledge, name, fact.value), "log") for name, fact in told.items()}


def _fitting(knowledge: Knowledge, name: str, value: Value) -> Value:
    whole = knowledge.vocabulary.entry(name).type == "integer"
    return max(1, round(float(value))) if whole and not isinstance(value, str) else value


def _offered(session: Session, finding: Finding) -> Iterator[tuple[Remedy, tuple[str, ...]]]:
    """The remedies of a finding that apply, and those that would if a setting that no log tells is as they need it."""
    sure = {remedy.id for remedy in applicable_remedies(session, finding)}
    assessment = Assessment(concluding(session.knowledge.pack(*session.packs)), session.facts.get)
    vocabulary = session.knowledge.vocabulary
    rule = next((one for one in session.knowledge.rules if one.id == finding.rule), None)
    for name in rule.remedies if rule else finding.remedies:
        remedy = session.knowledge.remedies[name]
        if remedy.id in sure:
            yield remedy, ()
            continue
        open_ones = [clause for clause in remedy.when if assessment.clause(clause) is not True]
        barred = any(assessment.clause(clause) is True for clause in remedy.unless)
        if open_ones and not barred and all(_is_untold(clause, session, vocabulary) for clause in open_ones):
            yield remedy, tuple(" or ".join(map(str, clause)) for clause in open_ones)


def _is_untold(clause: Clause, session: Session, vocabulary: Vocabulary) -> bool:
    """Whether a condition is about a setting that this log says nothing of."""
    return all(one.fact not in session.facts and bool(vocabulary.entry(one.fact).plan) for one in clause)


def _edit(
    session: Session, finding: Finding, remedy: Remedy, provided: tuple[str, ...], document: TranslationDocument
) -> Edit | None:
    lines = tuple(_lines(session, remedy, document))
    if not lines and not remedy.action:
        return None
    action = "" if lines else remedy.action
    return Edit(remedy.id, remedy.title, (finding.id,), provided, lines, action, remedy.expect, remedy.costs)


def _lines(session: Session, remedy: Remedy, document: TranslationDocument) -> Iterator[str]:
    whole = document.remedies.get(remedy.id)
    if whole is not None:
        yield from _placed(whole.at, whole.write, whole.remark)
        return
    if not remedy.patch or any(path not in document.settings for path in remedy.patch):
        return
    for path, wanted in remedy.patch.items():
        setting = document.settings[path]
        value, said = _new(session, path, wanted)
        if setting.values and str(value) not in setting.values:
            return
        written = setting.values.get(str(value), "") or setting.write.replace("{value}", value)
        yield from _placed(setting.at, written, "; ".join(part for part in (said, setting.remark) if part))


def _placed(at: str, written: str, remark: str) -> Iterator[str]:
    """The lines below a comment that says where they go and what is to be known of them."""
    yield f"# in {at}{': ' + remark if remark else ''}" if at else f"# {remark}"
    yield from written.rstrip().splitlines()


def _new(session: Session, path: str, wanted: Any) -> tuple[str, str]:
    """The new value as it is written, and how it follows from the old one."""
    old = next((session.facts[one.name].value for one in session.knowledge.vocabulary.entries.values()
                if one.plan == path and one.name in session.facts), None)  # fmt: skip
    if not isinstance(wanted, dict):
        return _written(wanted), "" if old is None else f"it was {_written(old)}"
    ((operation, operand),) = wanted.items()
    if operation == "from":
        return _written(session.facts[operand].value), f"from {operand}"
    if old is None or isinstance(old, str):
        known = operation != "multiply"
        return (_written(operand) if known else "..."), _SPELLED[operation].format(_written(operand))
    number = float(old)
    changed = {"multiply": number * operand, "at_least": max(number, operand), "at_most": min(number, operand)}
    value = max(1, round(changed[operation])) if isinstance(old, int) else changed[operation]
    return _written(value), f"it was {_written(old)}"


def _written(value: Any) -> str:
    if not isinstance(value, float):
        return spell(value) if isinstance(value, str) else str(value)
    text = f"{value:.4g}"
    return text if re.search(r"[.en]", text) else f"{text}.0"


def checks_of(session: Session, finding: Finding) -> tuple[str, ...]:
    """Return in the words of the vocabulary which measured numbers keep the finding up, what they are, and its limits.

    The finding is gone as soon as one of them is past its limit. One that no number keeps up is looked for again; one
    that was read from settings alone goes as they are changed, so the score has to tell what that brought.
    """
    rule = session.knowledge.rule(finding.rule)
    single = [clause[0] for clause in (rule.when if rule else ()) if len(clause) == 1]
    numbers = tuple(text for condition in single if (text := _check(session, condition)))
    if numbers:
        return numbers
    entries = session.knowledge.vocabulary.entries
    if rule and all(entries[condition.fact].plan for condition in rule.conditions if condition.fact in entries):
        return (_SCORE,)
    return (f"{finding.id} is no longer found",)


def _check(session: Session, condition: Condition) -> str:
    fact = session.facts.get(condition.fact)
    if fact is None or condition.kind != "is" or condition.operator not in _PAST or isinstance(fact.value, bool | str):
        return ""
    if not condition.fact.startswith(_MEASURED) or isinstance(condition.value, tuple):
        return ""
    limit = f"{_PAST[condition.operator]} {_written(condition.value)}"
    return f"{condition.fact}: {_written(fact.value)} now, wanted {limit}"


_SCORE = "the best validation score, better by more than seeds differ: this finding rests on settings alone"
_MEASURED = ("run.", "predictions.", "dataset.", "machine.")
"""Beginnings of the names of facts that the next run measures anew."""
_PAST = {">": "at most", ">=": "below", "<": "at least", "<=": "above"}
"""Where a number has to be for a condition to fail, by its operator."""
