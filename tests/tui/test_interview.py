"""The state behind the interview: answers, revisions, fixed values, the equivalent command; no Textual."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from engine.plan import read_plan
from expert.arguments import critique
from knowledge.errors import InputError, UsageError
from knowledge.loader import load_knowledge
from tui.interview import InterviewState
from tui.saved import read_interview, save_interview, take_over

from .fakes import KNOWLEDGE, MACHINE, fake_audit


@pytest.fixture
def state() -> InterviewState:
    return InterviewState(KNOWLEDGE, MACHINE)


@pytest.fixture
def shipped() -> InterviewState:
    """With the knowledge that Tonmeister comes with."""
    return InterviewState(load_knowledge(), MACHINE)


def audited(state: InterviewState, name: str = "clean.csv") -> InterviewState:
    state.audited(fake_audit(KNOWLEDGE, Path(name), progress=lambda *_: None), Path(name))
    return state


def test_the_interface_is_not_loaded_by_its_state() -> None:
    code = "import sys, tui.interview, tui.steps; print(*{name.partition('.')[0] for name in sys.modules})"

    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()

    assert not {"textual", "torch"} & set(loaded)
    assert "tui" in loaded


def test_torch_never_enters_the_process_of_the_interface() -> None:
    code = "import sys, tui.app; print(*{name.partition('.')[0] for name in sys.modules})"

    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()

    assert not {"torch", "torchaudio", "transformers", "peft"} & set(loaded)
    assert "textual" in loaded


def test_an_answer_decides_and_says_what_it_changed(state: InterviewState) -> None:
    state.answer("task.type", "classification")

    assert state.draft().session.decisions["training.loss"].value == "cross-entropy"
    assert {"training.loss", "pooling.name"} <= state.changed
    assert "training.precision" not in state.changed


def test_an_answered_question_is_not_asked_again(state: InterviewState) -> None:
    asked = {question.entry.name for question in state.questions()}
    state.answer("task.type", "classification")
    state.dont_know("dataset.clips")

    assert asked == {"task.type", "dataset.clips"}
    assert state.questions() == ()
    assert state.unknown == ("dataset.clips",)


def test_a_refused_answer_changes_nothing(state: InterviewState) -> None:
    state.answer("dataset.clips", 20)

    with pytest.raises(UsageError, match="expected a whole number of at least 1"):
        state.answer("dataset.clips", "none")

    assert state.answers == {"dataset.clips": 20}


def test_a_revised_answer_keeps_its_place_and_changes_the_plan(state: InterviewState) -> None:
    state.answer("task.type", "classification")
    state.answer("dataset.clips", 20)
    state.revise("task.type")
    assert state.draft().session.decisions["training.loss"].value == "cross-entropy"

    state.answer("task.type", "regression")

    assert state.reopened == ""
    assert list(state.replies) == ["task.type", "dataset.clips"]
    assert state.draft().session.decisions["training.loss"].value == "mse"


def test_only_answered_questions_can_be_revised(state: InterviewState) -> None:
    with pytest.raises(UsageError, match="was not answered"):
        state.revise("task.type")


def test_a_fixed_value_is_kept_and_criticised(state: InterviewState) -> None:
    state.answer("dataset.clips", 20)
    state.fix("pooling.name", "attention")
    fixed = state.draft().session.decisions["pooling.name"]

    assert (fixed.value, fixed.fixed_by_user, fixed.objections) == ("attention", True, ("pooling.few-clips",))

    state.release("pooling.name")
    assert state.draft().session.decisions["pooling.name"].value == "mean"


def test_facts_cannot_be_fixed(state: InterviewState) -> None:
    with pytest.raises(UsageError, match="is not a decision"):
        state.fix("task.type", "regression")


def test_the_users_word_replaces_a_measurement(state: InterviewState) -> None:
    audited(state)
    assert state.draft().session.facts["dataset.clips"].value == 600

    state.answer("dataset.clips", 5000)

    assert state.draft().session.facts["dataset.clips"].value == 5000
    assert "head.dropout" not in state.draft().session.decisions


def test_a_measurement_can_be_revised_like_an_answer(state: InterviewState) -> None:
    audited(state)
    assert dict(state.measured) == {"dataset.clips": 600, "machine.gpu": False}

    state.revise("machine.gpu")
    assert state.known("machine.gpu") is False
    state.answer("machine.gpu", True)

    assert dict(state.measured) == {"dataset.clips": 600}
    assert state.draft().session.decisions["training.precision"].value == "bf16"
    assert "--set machine.gpu=yes" in state.command()


def test_the_command_repeats_the_interview(state: InterviewState) -> None:
    audited(state)
    state.answer("task.type", "classification")
    state.dont_know("machine.gpu")
    state.fix("head.dropout", 0.25)
    words = state.command().split()

    again = audited(InterviewState(KNOWLEDGE, MACHINE))
    for word in words[3 : len(words) - 1 : 2]:
        again.set(*word.split("=", 1))

    assert words[:3] == ["tonmeister", "plan", "--set"]
    assert again.draft().plan == state.draft().plan
    assert again.command() == state.command()


def test_saving_writes_a_plan_and_never_over_a_file(state: InterviewState, tmp_path: Path) -> None:
    audited(state).answer("task.type", "classification")
    target = tmp_path / "plan.yaml"
    state.save(target)
    text = target.read_text("utf-8")

    assert "tonmeister plan --set task.type=classification" in text
    assert "loss: cross-entropy" in text
    with pytest.raises(UsageError, match="exists"):
        state.save(target)
    assert target.read_text("utf-8") == text


def test_an_unfinished_plan_is_not_written(state: InterviewState, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"task\.type, dataset\.manifest"):
        state.save(tmp_path / "plan.yaml")

    assert not (tmp_path / "plan.yaml").exists()


# --- Going back, and going on another day


def test_going_back_takes_back_only_what_hung_on_the_old_answer(shipped: InterviewState) -> None:
    shipped.answer("task.type", "regression")
    shipped.answer("task.label_low", 1)
    shipped.answer("task.label_high", 5)
    shipped.answer("dataset.clips", 700)
    shipped.answer("task.type", "classification")

    assert shipped.dropped == ("task.label_low", "task.label_high")
    assert dict(shipped.replies) == {"task.type": "classification", "dataset.clips": 700}


def test_an_answer_given_again_takes_nothing_back(shipped: InterviewState) -> None:
    shipped.answer("task.type", "regression")
    shipped.answer("task.label_low", 1)
    shipped.answer("task.type", "regression")

    assert shipped.dropped == ()
    assert "task.label_low" in shipped.replies


def test_what_was_set_without_being_asked_for_survives_going_back(shipped: InterviewState) -> None:
    shipped.answer("task.type", "regression")
    shipped.answer("dataset.group_column", "speaker")
    shipped.answer("task.type", "classification")

    assert shipped.replies["dataset.group_column"] == "speaker"


def test_an_interview_is_gone_on_with_where_it_stopped(state: InterviewState, tmp_path: Path) -> None:
    state.answer("task.type", "regression")
    state.dont_know("dataset.clips")
    state.fix("pooling.name", "mean")
    save_interview(state, tmp_path / "talk.yaml")
    again = InterviewState(state.knowledge, state.machine)

    assert take_over(read_interview(tmp_path / "talk.yaml"), again) == ()
    assert again.replies == state.replies
    assert again.fixed == state.fixed
    assert [item.entry.name for item in again.questions()] == [item.entry.name for item in state.questions()]


def test_what_the_rulebook_no_longer_knows_is_left_out_and_said(state: InterviewState, tmp_path: Path) -> None:
    file = tmp_path / "talk.yaml"
    file.write_text("schema: tonmeister.interview/1\nanswers: {task.mood: blue, dataset.clips: 80}\nfixed: {a.b: 1}\n")

    refused = take_over(read_interview(file), state)
    assert [line.partition(" ")[0] for line in refused] == ["task.mood", "a.b"]
    assert state.answers == {"dataset.clips": 80}


@pytest.mark.parametrize("text", ["", "a: 1", "schema: tonmeister.interview/1\nanswers: [1]", "schema: [", "- 1"])
def test_a_file_without_an_interview_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "talk.yaml"
    file.write_text(text, "utf-8")

    with pytest.raises(InputError, match=r"talk\.yaml"):
        read_interview(file)


def test_the_plan_that_the_user_wants_is_held_against_the_rules(shipped: InterviewState, tmp_path: Path) -> None:
    plan = tmp_path / "p.yaml"
    shipped.answer("task.type", "classification")
    shipped.answer("dataset.clips", 80)
    shipped.audited(None, tmp_path / "m.csv")
    shipped.save(plan)
    other = InterviewState(shipped.knowledge, shipped.machine)
    other.answer("dataset.clips", 200000)
    other.adopt(read_plan(plan))
    found = critique(other.draft().session)

    assert other.known("task.type") == "classification"
    assert "augmentation.strength" in {item.attribute for item in found.items}
    assert all(item.rivals and item.costs for item in found.items)
    assert {"reproducibility.seed", "pooling.name"} <= set(found.undisputed)


def test_an_interview_is_kept_after_every_change(state: InterviewState, tmp_path: Path) -> None:
    file = tmp_path / "talk.yaml"
    state.keep = partial(save_interview, state, file)
    state.answer("task.type", "regression")
    assert read_interview(file).answers == {"task.type": "regression"}
    state.fix("pooling.name", "mean")
    assert read_interview(file).fixed == {"pooling.name": "mean"}
    state.release("pooling.name")
    assert read_interview(file).fixed == {}
