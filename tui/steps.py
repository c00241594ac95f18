"""What the interview shows next, as records: text, field and choices of one step. Draws nothing, imports no Textual."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from knowledge.conditions import spell
from knowledge.errors import KnowledgeError
from knowledge.records import Finding, Measured, Severity, Value
from knowledge.vocabulary import Entry

from .interview import InterviewState

NO_DATA = "no-data"
GO_ON = "go-on"
OTHER_DATA = "other-data"
DONT_KNOW = "dont-know"
SAVE = "save"
TRAIN = "train"
RULES_CHOICE = "rules-choice"
VALUE = "value:"
"""Prefix of the ids of choices that carry a value."""
FINDING = "finding:"
"""Prefix of the ids of choices that show a finding."""
SYMBOLS: dict[Severity, str] = {"error": "✗", "warning": "!", "note": "·"}


@dataclass(frozen=True)
class Choice:
    """One line that can be chosen."""

    id: str
    label: str
    note: str = ""


@dataclass(frozen=True)
class Field:
    """A typed answer."""

    type: Literal["integer", "number", "text", "path"]
    value: str
    hint: str
    """What is expected; stands below the field until something is wrong."""
    check: Callable[[str], str]
    """Returns what is wrong with a text, empty when nothing is."""


@dataclass(frozen=True)
class Step:
    """One thing to decide: a question, the choice of a data set, or what to do at the end."""

    name: str
    title: str
    ask: str
    help: str = ""
    field: Field | None = None
    choices: tuple[Choice, ...] = ()
    current: str = ""
    """Id of the choice that holds now."""
    subject: Entry | None = None
    """The fact that is asked for; None where the step is no question."""


def next_step(state: InterviewState, *, data_settled: bool, audit_seen: bool) -> Step:
    """Return the step that stands in front of the user."""
    if state.reopened:
        entry = state.knowledge.vocabulary.entry(state.reopened)
        return question_step(entry, state.known(state.reopened), "revise")
    if not data_settled:
        return manifest_step(state.manifest)
    if state.audit is not None and not audit_seen:
        return audit_step(state)
    if asked := state.questions():
        return question_step(asked[0].entry, None, f"question · {len(asked)} left")
    return done_step(state)


def manifest_step(manifest: Path | None) -> Step:
    """Return the first step: which data set."""
    return Step(
        "manifest",
        "data",
        "Which data set shall the model learn from?",
        "A table (CSV, TSV) with a row for each clip, or a folder with a folder for each class. It is only read.",
        Field("path", str(manifest or ""), "a path; → takes the suggestion", path_problem),
        (Choice(NO_DATA, "No data at hand", "answer with estimates instead"),),
    )


def audit_step(state: InterviewState) -> Step:
    """Return the step that shows what the audit found."""
    assert state.audit is not None
    findings = state.audit.session.findings
    rows = tuple(finding_choice(finding) for finding in findings)
    go_on = Choice(GO_ON, "Go on", "to the questions that the data leave open")
    other = Choice(OTHER_DATA, "Another data set")
    found = "Nothing is wrong with it." if not findings else "This would distort what you train and measure:"
    return Step("audit", "audit", audit_summary(state), found, None, (go_on, *rows, other))


def audit_summary(state: InterviewState) -> str:
    """Return the size of the data set in one line."""
    assert state.audit is not None
    return size_text(state.audit.measured)


def size_text(measured: Measured) -> str:
    """Return how much a data set holds in one line."""
    parts = [
        f"{value} {unit}"
        for name, unit in (("clips", "clips"), ("classes", "classes"), ("groups", "groups"))
        if (value := measured.get(f"dataset.{name}")) is not None
    ]
    if isinstance(hours := measured.get("dataset.hours"), (int, float)):
        parts.append(f"{hours:.3g} h" if hours >= 1 else f"{60 * hours:.3g} min")
    return ", ".join(parts) or "The audit measured nothing."


def finding_choice(finding: Finding) -> Choice:
    """Return a finding as a line that opens its evidence."""
    return Choice(f"{FINDING}{finding.id}", heading(finding), finding.title)


def heading(finding: Finding) -> str:
    """Return symbol, severity and id: nothing is told by colour alone."""
    return f"{SYMBOLS[finding.severity]} {finding.severity} {finding.id}"


def question_step(entry: Entry, current: Value | None, title: str) -> Step:
    """Return the step that asks for one fact."""
    choices = value_choices(entry)
    field = None if choices else value_field(entry, current)
    return Step(
        entry.name,
        title,
        entry.ask or entry.means,
        entry.help,
        field,
        (*choices, Choice(DONT_KNOW, "I don't know", "the rules do without it")),
        "" if current is None else VALUE + spell(current),
        entry,
    )


def done_step(state: InterviewState) -> Step:
    """Return the last step: nothing is left to ask."""
    draft = state.draft()
    findings = tuple(finding_choice(finding) for finding in draft.session.findings)
    if draft.plan is None:
        lacking = f"Missing: {', '.join(draft.missing)}." if draft.missing else "This trainer cannot run it yet."
        ask, help_text = "No question is left, and there is no plan that runs.", f"{lacking} Revise an answer."
        return Step("done", "not runnable", ask, help_text, None, findings)
    choices = (Choice(SAVE, "Save the plan", "ctrl+s"), Choice(TRAIN, "Save it and train", "ctrl+r"))
    ask = "Every question that could change the plan is answered."
    return Step("done", "ready", ask, "", None, (*choices, *findings))


def fix_step(entry: Entry, current: Value | None, *, fixed: bool) -> Step:
    """Return the step in which the user decides himself."""
    choices = value_choices(entry)
    release = (Choice(RULES_CHOICE, "Leave it to the rules"),) if fixed else ()
    return Step(
        entry.name,
        "your choice",
        f"Which value for {entry.plan or entry.name}?",
        f"{entry.means} The rules keep your value and say where they disagree.",
        None if choices else value_field(entry, current),
        (*choices, *release),
        "" if current is None else VALUE + spell(current),
    )


def value_choices(entry: Entry) -> tuple[Choice, ...]:
    """Return the values that can be picked from a list; none for numbers and texts."""
    if entry.type == "boolean":
        return tuple(Choice(VALUE + word, word) for word in ("yes", "no"))
    return tuple(Choice(VALUE + value, value, entry.labels.get(value, "")) for value in entry.values)


def value_field(entry: Entry, current: Value | None) -> Field:
    """Return the field for a number or a text."""
    kind: Literal["integer", "number", "text"] = (
        "integer" if entry.type == "integer" else "number" if entry.type == "number" else "text"
    )
    hint = entry.expected() + (f", in {entry.unit}" if entry.unit else "")
    return Field(kind, "" if current is None else spell(current), hint, lambda text: value_problem(entry, text))


def value_problem(entry: Entry, text: str) -> str:
    """Return what is wrong with a typed value."""
    try:
        entry.coerce(text.strip(), "")
    except KnowledgeError:
        return f"expected {entry.expected()}"
    return "" if text.strip() else "expected a text"


def path_problem(text: str) -> str:
    """Return what is wrong with the path of a data set."""
    path = Path(text.strip()).expanduser()
    if not text.strip():
        return "expected a path"
    return "" if path.exists() else f"there is no {path}"


def new_file_problem(text: str) -> str:
    """Return what is wrong with the name of a file that is to be written."""
    path = Path(text.strip()).expanduser()
    if not text.strip():
        return "expected a path"
    if path.exists():
        return f"{path} exists, and nothing is overwritten: choose another name"
    return "" if path.parent.is_dir() else f"there is no folder {path.parent}"
