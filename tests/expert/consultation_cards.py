"""Ten projects as cards: what an audit would measure, what the owner answers, what he fixed; and his interview."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from knowledge.loader import load_knowledge
from knowledge.records import Fact, Measured, Value
from knowledge.rulebook import Knowledge
from tui.interview import InterviewState

FOLDER = Path(__file__).parent / "consultations"
MANIFEST = Path("/data/clips.csv")


@dataclass(frozen=True)
class Card:
    """One project."""

    name: str
    title: str
    measured: Mapping[str, Value]
    answers: Mapping[str, Value]
    """What the owner knows; he knows nothing else."""
    fixed: Mapping[str, Value]


def read_card(path: Path) -> Card:
    """Read one card."""
    content: dict[str, Any] = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    return Card(path.stem, content["title"], content["measured"], content["answers"], content.get("fixed", {}))


CARDS = {path.stem: read_card(path) for path in sorted(FOLDER.glob("*.yaml"))}


def begun(card: Card, knowledge: Knowledge, *, audited: bool) -> InterviewState:
    """Return the interview before its first question: with the audit, or with nothing but the user's own choices."""
    facts = [Fact(name, value, "audit") for name, value in card.measured.items()] if audited else []
    if audited:
        entries = knowledge.vocabulary.entries
        known = {name: value for name, value in card.answers.items() if "audit" in entries[name].supplied_by}
        known = {name: value for name, value in known.items() if name != "task.type" and name not in card.measured}
        facts += [Fact(name, value, "audit") for name, value in known.items()]
    state = InterviewState(knowledge, Measured(tuple(facts)))
    state.audited(None, MANIFEST)
    for name, value in card.fixed.items():
        state.fix(name, value)
    return state


def interviewed(state: InterviewState, card: Card) -> tuple[str, ...]:
    """Answer whatever is asked, from the card or with "I don't know"; return the questions in order."""
    asked = []
    while questions := state.questions():
        name = questions[0].entry.name
        asked.append(name)
        if name in card.answers:
            state.answer(name, card.answers[name])
        else:
            state.dont_know(name)
    return tuple(asked)


def everything_said(card: Card, knowledge: Knowledge) -> InterviewState:
    """Return the interview in which a fixed questionnaire asked everything, and the audit measured the rest."""
    state = begun(card, knowledge, audited=True)
    for entry in knowledge.vocabulary.entries.values():
        if entry.ask and entry.name in card.answers:
            state.answer(entry.name, card.answers[entry.name])
        elif entry.ask and entry.name not in card.measured:
            state.dont_know(entry.name)
    return state


def shipped() -> Knowledge:
    """Return the knowledge that Tonmeister comes with."""
    return load_knowledge()
