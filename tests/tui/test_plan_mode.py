"""The Plan mode as a person uses it: keyboard only, through Textual's Pilot."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from tui.screens.page import Page
from tui.screens.plan import PlanScreen
from tui.widgets.command import CommandLine
from tui.widgets.plan_table import PlanTable
from tui.widgets.question import QuestionPanel
from tui.widgets.rows import Rows

from .fakes import make_app
from .looking import drive, look, until


def plan_screen(pilot: Pilot[None]) -> PlanScreen:
    screen = pilot.app.screen
    assert isinstance(screen, PlanScreen)
    return screen


async def choose_data(pilot: Pilot[None], name: str) -> None:
    pilot.app.screen.query_one(Input).value = name
    await pilot.press("enter")
    await until(lambda: plan_screen(pilot).data_settled, pilot)


def asked(pilot: Pilot[None]) -> str:
    step = pilot.app.screen.query_one(QuestionPanel).step
    return step.ask if step else ""


def told(pilot: Pilot[None]) -> str:
    return str(pilot.app.screen.query_one("#problem", Static).content)


async def answer_everything(pilot: Pilot[None]) -> None:
    """Audit clean data and say that classes are predicted."""
    await choose_data(pilot, "clean.csv")
    await pilot.press("enter", "enter")


def test_from_the_data_to_a_saved_plan(stage: Path) -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await choose_data(pilot, "clips.csv")
        assert "✗ error group-overlap" in look(pilot.app)
        await pilot.press("enter")
        assert "What shall the model predict" in asked(pilot)
        await pilot.press("enter")
        assert "Every question that could change the plan is answered" in asked(pilot)
        await pilot.press("ctrl+s", "enter")
        await until(lambda: plan_screen(pilot).saved is not None, pilot)

    drive(make_app(), scenario)

    text = (stage / "plan.yaml").read_text("utf-8")
    assert "tonmeister plan --set task.type=classification --output plan.yaml clips.csv" in text


def test_changed_rows_are_marked_with_a_symbol() -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await choose_data(pilot, "clean.csv")
        await pilot.press("enter")
        before = look(pilot.app)
        await pilot.press("enter")
        after = look(pilot.app)

        assert "*  loss" not in before
        assert "*  loss" in after
        assert "*  precision" not in after
        assert "plan · runnable · 2 changed" in after

    drive(make_app(), scenario)


def test_an_answer_is_revised() -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await answer_everything(pilot)
        answers = pilot.app.screen.query_one("#answers", Rows)
        answers.focus()
        await pilot.press("enter")
        assert "classification (now)" in look(pilot.app)
        await pilot.press("down", "enter")

        assert plan_screen(pilot).state.answers == {"task.type": "regression"}
        assert "task.type=regression" in pilot.app.screen.query_one(CommandLine).command

    drive(make_app(), scenario)


def test_escape_leaves_a_revised_answer_as_it_was() -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await answer_everything(pilot)
        pilot.app.screen.query_one("#answers", Rows).focus()
        await pilot.press("enter", "escape")

        assert plan_screen(pilot).state.reopened == ""
        assert plan_screen(pilot).state.answers == {"task.type": "classification"}
        assert "Every question" in asked(pilot)

    drive(make_app(), scenario)


def test_numbers_are_checked_at_the_keystroke() -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await pilot.press("down", "enter", "enter")
        assert "How many labelled clips" in asked(pilot)
        await pilot.press("a", "0")
        assert pilot.app.screen.query_one(Input).value == "0"
        assert told(pilot) == "✗ expected a whole number of at least 1"
        await pilot.press("enter")
        assert plan_screen(pilot).state.answers == {"task.type": "classification"}
        await pilot.press("backspace", "9", "0", "enter")
        assert plan_screen(pilot).state.answers["dataset.clips"] == 90

    drive(make_app(), scenario)


def test_not_knowing_is_always_an_answer() -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await pilot.press("down", "enter")
        for _ in range(2):
            assert "I don't know" in look(pilot.app)
            pilot.app.screen.query_one("#choices", Rows).focus()
            await pilot.press("end", "enter")

        assert plan_screen(pilot).state.unknown == ("task.type", "dataset.clips")
        assert "task.type=unknown" in pilot.app.screen.query_one(CommandLine).command
        assert "No question is left" in asked(pilot)

    drive(make_app(), scenario)


def test_a_question_says_why_it_is_asked() -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await pilot.press("down", "enter", "ctrl+e")
        text = look(pilot.app)
        assert "why this is asked" in text
        assert "training.loss" in text
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, PlanScreen)

    drive(make_app(), scenario)


def test_enter_on_a_line_explains_it_with_the_users_numbers() -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await answer_everything(pilot)
        table = pilot.app.screen.query_one(PlanTable)
        table.focus()
        table.highlighted = table.get_option_index("pooling.name")
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, Page)
        said = "\n".join(line for block in pilot.app.screen.blocks for line in (block.heading, *block.lines))

        assert "Your 600 clips are too few" in said
        assert "pooling.few-clips" in said
        assert "strength strong, certainty 0.8" in said
        assert "LEE2020: Lee, A study of heads, Journal of Examples, 2020" in said
        assert "attention, because a stronger rule wins (pooling.classes)" in said

    drive(make_app(), scenario, (120, 60))


def test_a_value_is_fixed_kept_criticised_and_released() -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await answer_everything(pilot)
        table = pilot.app.screen.query_one(PlanTable)
        table.focus()
        table.highlighted = table.get_option_index("pooling.name")
        await pilot.press("enter", "f", "down", "enter")
        state = plan_screen(pilot).state
        assert state.fixed == {"pooling.name": "attention"}
        assert "=" in next(line for line in look(pilot.app).splitlines() if "pooling.name" in line)
        assert "--set pooling.name=attention" in pilot.app.screen.query_one(CommandLine).command

        await pilot.press("enter")
        said = "\n".join(line for block in pilot.app.screen.blocks for line in (block.heading, *block.lines))
        assert "the rules disagree" in said
        assert "pooling.few-clips recommends mean" in said

        await pilot.press("f", "end", "enter")
        assert state.fixed == {}

    drive(make_app(), scenario)


def test_a_fixed_number_is_typed() -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await answer_everything(pilot)
        table = pilot.app.screen.query_one(PlanTable)
        table.focus()
        table.highlighted = table.get_option_index("head.dropout")
        await pilot.press("enter", "f", "backspace", "9", "9", "enter")
        assert told(pilot) == "✗ expected a number from 0 to 0.9"
        await pilot.press("backspace", "backspace", "2", "enter")

        assert plan_screen(pilot).state.fixed == {"head.dropout": 0.2}

    drive(make_app(), scenario)


def test_a_file_is_never_overwritten(stage: Path) -> None:
    (stage / "plan.yaml").write_text("mine", "utf-8")

    async def scenario(pilot: Pilot[None]) -> None:
        await answer_everything(pilot)
        await pilot.press("ctrl+s")
        field = pilot.app.screen.query_one(Input)
        assert field.value == "plan-2.yaml"
        field.value = "plan.yaml"
        await pilot.press("enter")
        assert "exists, and nothing is overwritten" in told(pilot)

    drive(make_app(), scenario)

    assert (stage / "plan.yaml").read_text("utf-8") == "mine"


def test_saving_is_offered_only_when_there_is_a_plan() -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        assert "^s" not in look(pilot.app).splitlines()[-1]
        await answer_everything(pilot)
        assert "^s save" in look(pilot.app).splitlines()[-1]

    drive(make_app(), scenario)


def test_a_broken_manifest_is_told_and_asked_for_again() -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await pilot.press(*"broken.csv", "enter")
        await until(lambda: "expected 2 columns" in told(pilot), pilot)
        assert pilot.app.screen.query_one(Input).value == "broken.csv"
        assert not plan_screen(pilot).data_settled
        assert pilot.app.screen.query_one(QuestionPanel).step.name == "manifest"  # type: ignore[union-attr]

    drive(make_app(), scenario)


@pytest.mark.parametrize("path", ["nowhere.csv", "no/such/folder"])
def test_a_path_that_is_not_there_is_told_at_once(path: str) -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await pilot.press(*path)
        assert told(pilot) == f"✗ there is no {path}"

    drive(make_app(), scenario)


def test_an_audit_can_be_stopped() -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await pilot.press(*"slow.csv", "enter")
        await until(lambda: "of 600 clips" in look(pilot.app), pilot)
        assert "esc back" in look(pilot.app).splitlines()[-1]
        await pilot.press("escape")
        await until(lambda: plan_screen(pilot).auditing is None, pilot)
        assert not plan_screen(pilot).data_settled

    drive(make_app(), scenario)


def test_a_manifest_on_the_command_line_is_audited_at_once() -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await until(lambda: plan_screen(pilot).data_settled, pilot)
        assert "600 clips, 1.23 h" in look(pilot.app)

    drive(make_app(manifest=Path("clips.csv")), scenario)


def test_the_whole_command_is_shown_on_demand() -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await answer_everything(pilot)
        await pilot.press("ctrl+y")
        assert "tonmeister plan --set task.type=classification clean.csv" in look(pilot.app)

    drive(make_app(), scenario)


def test_training_from_the_plan_mode_saves_first_and_opens_the_loop(stage: Path) -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await answer_everything(pilot)
        await pilot.press("ctrl+r", "enter")
        await until(lambda: pilot.app.current_mode == "loop", pilot)
        await until(lambda: "champion" in look(pilot.app), pilot)

    drive(make_app(), scenario)

    assert (stage / "plan.yaml").is_file()
    assert (stage / "runs" / "clean" / "round-1" / "events.jsonl").is_file()
