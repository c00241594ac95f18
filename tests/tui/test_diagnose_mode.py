"""The Diagnose mode as a person uses it: keyboard only, through Textual's Pilot, on logs written here."""

import json
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from engine.plan import Plan, plan_yaml
from engine.separating import Outcome, write_outcome
from expert.consultation.diagnose import diagnose_run
from knowledge.errors import TrainingError
from knowledge.loader import load_knowledge
from tui.app import TonmeisterApp
from tui.diagnosing import curves_of
from tui.screens.ask import Ask
from tui.screens.diagnose import DiagnoseScreen
from tui.widgets.command import CommandLine
from tui.widgets.findings import FoundList
from tui.widgets.reading import Reading

from .fakes import make_app
from .looking import assert_everything_is_on_screen, assert_golden, drive, look, until

SIZES = [(80, 24), (120, 40)]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_log(tmp_path / "history.csv")
    return tmp_path


def write_log(path: Path, epochs: int = 20) -> None:
    """A run that learns its clips by heart from the fifth epoch on."""
    rows = ["epoch,loss,val_loss,accuracy,val_accuracy"]
    for epoch in range(epochs):
        train = 1.4 * 0.8**epoch
        val = 1.45 * 0.85 ** min(epoch, 5) + 0.12 * max(0, epoch - 5)
        rows.append(f"{epoch},{train:.4f},{val:.4f},{1 - train / 2:.4f},{0.55 + 0.02 * min(epoch, 5):.4f}")
    path.write_text("\n".join(rows) + "\n")


def write_run(folder: Path) -> None:
    """A run directory of ours that overfits."""
    plan = {"name": "ours", "task": {"type": "classification"}, "data": {"manifest": "clips.csv"},
            "evaluation": {"select_by": "accuracy"}}  # fmt: skip
    (folder / "ours").mkdir()
    (folder / "ours" / "plan.yaml").write_text(plan_yaml(Plan.model_validate(plan)))
    events = [{"kind": "start", "device": "cpu", "epochs": 20, "total_steps": 200}]
    for epoch in range(1, 21):
        train, val = 1.4 * 0.8**epoch, 1.45 * 0.85 ** min(epoch, 5) + 0.12 * max(0, epoch - 5)
        events.append({"kind": "step", "step": epoch * 10, "epoch": epoch, "loss": train})
        metrics = {"val/loss": val, "val/accuracy": 0.5 + 0.02 * min(epoch, 5)}
        events.append({"kind": "eval", "step": epoch * 10, "epoch": epoch, "metrics": metrics})
    events.append({"kind": "end", "status": "completed"})
    (folder / "ours" / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))


def app(run: str = "") -> TonmeisterApp:
    return make_app(knowledge=load_knowledge(), diagnose=Path(run) if run else None, mode="diagnose")


def screen(pilot: Pilot[None]) -> DiagnoseScreen:
    assert isinstance(pilot.app.screen, DiagnoseScreen)
    return pilot.app.screen


async def diagnosed(pilot: Pilot[None]) -> None:
    await until(lambda: isinstance(pilot.app.screen, DiagnoseScreen) and pilot.app.screen.diagnosis is not None, pilot)
    await pilot.pause()


def command(pilot: Pilot[None]) -> str:
    return screen(pilot).query_one(CommandLine).command


@pytest.mark.parametrize("size", SIZES)
def test_a_log_of_any_framework_is_shown_with_its_evidence(size: tuple[int, int]) -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        assert_everything_is_on_screen(pilot.app)
        text = look(pilot.app)
        assert "overfitting" in text
        assert "evidence" in text
        assert_golden(pilot.app, "diagnose_found")

    drive(app("history.csv"), scenario, size)


@pytest.mark.parametrize("size", SIZES)
def test_without_a_run_it_asks_for_one(size: tuple[int, int]) -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        assert_everything_is_on_screen(pilot.app)
        assert_golden(pilot.app, "diagnose_empty")
        screen(pilot).query_one(Input).value = "history.csv"
        await pilot.press("enter")
        await diagnosed(pilot)
        assert pilot.app.focused is screen(pilot).query_one(FoundList)

    drive(app(), scenario, size)


def test_a_file_that_is_no_log_is_refused_and_asked_for_again(folder: Path) -> None:
    (folder / "notes.txt").write_text("nothing of interest\n")

    async def scenario(pilot: Pilot[None]) -> None:
        screen(pilot).query_one(Input).value = "notes.txt"
        await pilot.press("enter")
        await until(lambda: "notes.txt" in look(pilot.app), pilot)
        assert screen(pilot).has_class("asking")

    drive(app(), scenario)


def test_what_could_not_be_assessed_says_what_it_needs() -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        listed = screen(pilot).query_one(FoundList)
        listed.highlighted = len(listed.rows) - 1
        await pilot.pause()
        assert str(screen(pilot).query_one(Reading).border_title) in listed.current
        assert "Not assessable" in look(pilot.app)

    drive(app("history.csv"), scenario)


def test_another_curve_a_report_and_the_same_command(folder: Path) -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        assert command(pilot) == "tonmeister diagnose history.csv"
        assert not screen(pilot).check_action("apply", ())  # a foreign log holds no plan
        await pilot.press("w")
        await until(lambda: isinstance(pilot.app.screen, Ask), pilot)
        pilot.app.screen.query_one(Input).value = "report.md"
        await pilot.press("enter")
        await until(lambda: isinstance(pilot.app.screen, DiagnoseScreen), pilot)
        await until(lambda: "--output report.md" in command(pilot), pilot)

    drive(app("history.csv"), scenario)
    assert "Diagnosis of history" in (folder / "report.md").read_text()


def test_a_growing_log_is_followed(folder: Path) -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        first = screen(pilot).diagnosis
        await pilot.press("f")
        assert command(pilot) == "tonmeister watch history.csv"
        screen(pilot)._look()
        write_log(folder / "history.csv", epochs=25)
        screen(pilot)._look()
        await until(lambda: screen(pilot).diagnosis is not first, pilot)
        await pilot.press("f")
        assert screen(pilot).following is None

    drive(app("history.csv"), scenario)


def test_a_remedy_becomes_a_new_plan_and_opens_the_loop(folder: Path) -> None:
    write_run(folder)

    async def scenario(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        assert "overfitting" in screen(pilot).query_one(FoundList).current
        await pilot.press("a")
        await until(lambda: isinstance(pilot.app.screen, Ask), pilot)
        await pilot.press("enter")
        await until(lambda: pilot.app.current_mode == "loop", pilot)

    drive(app("ours"), scenario)
    assert (folder / "ours-remedied.yaml").is_file()
    assert (folder / "ours-remedied.yaml").read_text() != (folder / "ours" / "plan.yaml").read_text()


def test_a_separating_test_is_run_and_the_causes_move(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run(folder)

    def run(path: Path, names: tuple[str, ...], _say: object) -> None:
        assert names == ("one-batch",)
        write_outcome(path, Outcome(names[0], {"test.one_batch_score": 1.0}, ("all sixteen clips were learned",)))

    monkeypatch.setattr("tui.screens.diagnose.run_tests", run)

    async def scenario(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        before = screen(pilot).diagnosis
        await pilot.press("t")
        await until(lambda: isinstance(pilot.app.screen, Ask), pilot)
        listed = pilot.app.screen.query_one(OptionList)
        listed.highlighted = next(i for i, each in enumerate(listed.options) if "one-batch" in str(each.prompt))
        await pilot.press("enter")
        await until(lambda: command(pilot) == "tonmeister diagnose ours --test one-batch", pilot)
        await until(lambda: screen(pilot).diagnosis is not before, pilot)
        after = screen(pilot).diagnosis
        assert after is not None and before is not None
        assert after.session.facts["test.one_batch_score"].value == 1.0
        assert "test.one_batch_score" not in before.session.facts
        assert screen(pilot).testing == ""

    drive(app("ours"), scenario)


def test_a_separating_test_that_fails_says_why_and_can_be_asked_for_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(folder)

    def fail(*_: object) -> None:
        raise TrainingError("the manifest clips.csv is not there")

    monkeypatch.setattr("tui.screens.diagnose.run_tests", fail)

    async def scenario(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        await pilot.press("t")
        await until(lambda: isinstance(pilot.app.screen, Ask), pilot)
        await pilot.press("enter")
        await until(lambda: any("clips.csv is not there" in each.message for each in pilot.app._notifications), pilot)
        await until(lambda: screen(pilot).testing == "", pilot)
        assert screen(pilot).check_action("test", ())
        assert command(pilot) == "tonmeister diagnose ours"

    drive(app("ours"), scenario)


def test_no_separating_test_is_offered_for_a_log_without_a_plan() -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        assert not screen(pilot).check_action("test", ())

    drive(app("history.csv"), scenario)


def test_the_score_stands_first_beside_the_losses(folder: Path) -> None:
    write_run(folder)
    events = (folder / "ours" / "events.jsonl").read_text().splitlines()
    times = {"data_wait_seconds": 0.01, "step_seconds": 0.02}
    timed = [json.dumps({**json.loads(line), **times}) for line in events]
    (folder / "ours" / "events.jsonl").write_text("\n".join(timed) + "\n")
    names = [name for name, _ in curves_of(diagnose_run(load_knowledge(), folder / "ours"))]

    assert names == ["accuracy", "data_wait", "step"]
