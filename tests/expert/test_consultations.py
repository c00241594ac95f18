"""Ten golden consultations: the plan, its explanation in every form, and what had to be asked for it.

TONMEISTER_UPDATE_GOLDEN=1 writes the files anew; read the difference line by line before keeping it.
"""

import json
import os
from functools import cache
from pathlib import Path

import pytest

from expert.arguments import contested, critique
from expert.assumptions import assumptions
from expert.consultation.plan import launch_command, plan_text
from expert.explanation import how
from expert.mind import change_of_mind
from expert.report.explanation import explanation_document
from expert.report.html import render_html
from expert.report.markdown import render_markdown
from expert.report.plan import plan_document
from expert.report.text import render_text
from expert.whatif import sensitivity
from tui.interview import InterviewState

from .consultation_cards import CARDS, Card, begun, everything_said, interviewed, shipped

GOLDEN = Path(__file__).parent / "golden"
KNOWLEDGE = shipped()


def compare(file: Path, text: str) -> None:
    if os.environ.get("TONMEISTER_UPDATE_GOLDEN"):
        file.write_text(text, "utf-8")

    assert text == file.read_text("utf-8")


@cache
def _finished(name: str) -> tuple[InterviewState, tuple[str, ...]]:
    state = begun(CARDS[name], KNOWLEDGE, audited=True)
    return state, interviewed(state, CARDS[name])


def finished(card: Card) -> tuple[InterviewState, tuple[str, ...]]:
    """The interview after its last question; shared by the tests, which only read it."""
    return _finished(card.name)


@pytest.mark.parametrize("name", CARDS)
def test_the_plan_of_a_project(name: str) -> None:
    state, _ = finished(CARDS[name])
    draft = state.draft()

    assert draft.plan is not None
    compare(GOLDEN / f"consultation-{name}.yaml", plan_text(draft, launch_command(draft.plan, Path("plan.yaml"))))


@pytest.mark.parametrize("name", CARDS)
def test_the_explanation_of_a_project(name: str) -> None:
    """What was asked, every decision with its reason, what is contested, assumed, against the user, and near a flip."""
    card = CARDS[name]
    state, asked = finished(card)
    draft = state.draft()
    session = draft.session
    parts = [
        f"{card.title}\nAsked: {', '.join(asked)}\n",
        render_text(plan_document(draft)),
        f"Contested\n{contested(session).render()}\n",
        f"Critique\n{critique(session).render()}\n",
        f"Assumptions\n{assumptions(session).render()}\n",
        f"Sensitivity\n{sensitivity(session).render()}\n",
        *(f"How {item}\n{how(session, item).render()}\n" for item in ("backbone.recommended", "adaptation.method")),
        f"Change of mind\n{change_of_mind(session, 'adaptation.method').render()}\n",
    ]
    compare(GOLDEN / f"consultation-{name}.txt", "\n".join(parts))


@pytest.mark.parametrize("form", ["md", "html", "json"])
def test_explanations_in_every_form(form: str) -> None:
    state, _ = finished(CARDS["nonspeech-wav2vec"])
    session = state.draft().session
    found = (how(session, "finding.too-little-against-the-reference"), critique(session), sensitivity(session))
    if form == "json":
        text = json.dumps([item.record() for item in found], indent=1, ensure_ascii=False) + "\n"
    else:
        documents = tuple(block for item in found for block in explanation_document(item, KNOWLEDGE))
        text = {"md": render_markdown, "html": render_html}[form](documents)
    compare(GOLDEN / f"explanations.{form}", text)


@pytest.mark.parametrize("name", CARDS)
def test_an_interview_without_an_audit_asks_less_than_everything_and_misses_nothing(name: str) -> None:
    """After its last question no answer that the owner could still give would change a decision or a finding."""
    card = CARDS[name]
    asked = begun(card, KNOWLEDGE, audited=False)
    questions = interviewed(asked, card)
    decisions = {key: item.value for key, item in asked.draft().session.decisions.items()}
    findings = {finding.id for finding in asked.draft().session.findings}
    everything = [entry.name for entry in KNOWLEDGE.vocabulary.entries.values() if entry.ask]
    for entry in everything:
        if entry not in questions and entry in card.answers:
            asked.answer(entry, card.answers[entry])

    assert len(questions) == len(set(questions)) < len(everything)
    assert {key: item.value for key, item in asked.draft().session.decisions.items()} == decisions
    assert {finding.id for finding in asked.draft().session.findings} == findings


@pytest.mark.parametrize("name", CARDS)
def test_what_an_audit_measured_is_not_asked(name: str) -> None:
    card = CARDS[name]
    state, asked = finished(card)
    full = everything_said(card, KNOWLEDGE).draft().session

    assert not set(asked) & {fact.name for fact in state.machine.facts}
    assert {key: item.value for key, item in state.draft().session.decisions.items()} == {
        key: item.value for key, item in full.decisions.items()
    }


def test_too_little_data_to_settle_the_question_is_said_before_training() -> None:
    """S002: 12.5 hours against the 600 of the reference study."""
    state, _ = finished(CARDS["nonspeech-wav2vec"])
    draft = state.draft()
    (finding,) = (one for one in draft.session.findings if one.id == "too-little-against-the-reference")

    assert "2.1%" in finding.because
    assert "S002-16" in finding.sources
    assert draft.plan is not None
    assert "2.1%" in plan_text(draft, "tonmeister train plan.yaml").split("version:")[0]
