"""The Loop mode with a real child process that writes events: start, watch, stop, resume, apply a remedy, compare."""

from pathlib import Path

import psutil
import pytest
from textual.pilot import Pilot
from textual.widgets import Log

from tui.screens.loop import LoopScreen
from tui.screens.page import Page
from tui.screens.plan import PlanScreen
from tui.widgets.command import CommandLine
from tui.widgets.curve import Curve
from tui.widgets.findings import FindingList
from tui.widgets.remedies import RemedyList
from tui.widgets.rounds import RoundsTable

from .fakes import FakeLoop, fake_training, make_app, write_plan
from .looking import drive, look, until


def loop_screen(pilot: Pilot[None]) -> LoopScreen:
    screen = pilot.app.screen
    assert isinstance(screen, LoopScreen)
    return screen


def phase(pilot: Pilot[None]) -> str:
    return loop_screen(pilot).driver.phase


async def train(pilot: Pilot[None]) -> None:
    await pilot.press("ctrl+r")
    await until(lambda: phase(pilot) == "ended", pilot)


def lines_of(folder: Path) -> list[str]:
    return (folder / "events.jsonl").read_text("utf-8").splitlines()


def test_a_round_is_trained_watched_and_read(stage: Path) -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        assert "Ready: ctrl+r trains this plan." in look(pilot.app)
        await train(pilot)
        screen = loop_screen(pilot)
        series = screen.query_one("#loss", Curve).series
        assert {name: len(points) for name, points in series.items()} == {"train": 40, "val": 10}
        text = look(pilot.app)
        assert "! warning overfitting" in text
        assert "step 24: validation loss rises" in text
        assert "? plateau: needs 5 evaluations (3 found)" in text
        assert "+ head.dropout: 0.5" in text
        assert "0.710 [0.620, 0.790]" in text
        assert "★ best" in text

    drive(make_app(plan=write_plan(stage), mode="loop"), scenario, (120, 40))


def test_curves_and_telemetry_are_live(stage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.driver.train_command", fake_training(400, 0.02))

    async def scenario(pilot: Pilot[None]) -> None:
        await pilot.press("ctrl+r")
        for shown in ("cpu 87%", "▶ epoch", "412 clips/s", "o val"):
            await until(lambda shown=shown: shown in look(pilot.app), pilot)
        await until(lambda: "x stop" in look(pilot.app).splitlines()[-1], pilot)  # the keys are drawn anew in between
        assert "fold 1: 12 clips" in "\n".join(loop_screen(pilot).query_one(Log).lines)
        await pilot.press("x")
        await until(lambda: phase(pilot) == "stopped", pilot)

    drive(make_app(plan=write_plan(stage), mode="loop"), scenario, (120, 40))


def test_stopping_ends_the_child_and_the_run_can_be_resumed(stage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.driver.train_command", fake_training(100, 0.02))
    run = stage / "runs" / "demo" / "round-1"

    async def scenario(pilot: Pilot[None]) -> None:
        await pilot.press("ctrl+r")
        await until(lambda: (run / "events.jsonl").is_file() and len(lines_of(run)) > 8, pilot)
        await pilot.press("x")
        await until(lambda: phase(pilot) == "stopped", pilot)
        assert '"interrupted"' in lines_of(run)[-1]
        assert pilot.app.screen.query_one(CommandLine).command.endswith("--resume")
        assert "ctrl+r resumes" in look(pilot.app)
        stopped_at = len(lines_of(run))
        await pilot.pause(0.3)
        assert len(lines_of(run)) == stopped_at
        await train(pilot)
        steps = [line for line in lines_of(run) if '"kind": "step"' in line]
        assert len(steps) == 100

    drive(make_app(plan=write_plan(stage), mode="loop"), scenario)


def test_quitting_leaves_no_child(stage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.driver.train_command", fake_training(10_000, 0.02))
    run = stage / "runs" / "demo" / "round-1"

    async def scenario(pilot: Pilot[None]) -> None:
        await pilot.press("ctrl+r")
        await until(lambda: (run / "events.jsonl").is_file() and len(lines_of(run)) > 3, pilot)
        await pilot.press("ctrl+q")
        await until(lambda: not loop_screen(pilot).driver.busy, pilot)

    drive(make_app(plan=write_plan(stage), mode="loop"), scenario)

    assert '"interrupted"' in lines_of(run)[-1]
    commands = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
    assert not [command for command in commands if str(run) in command]


def test_a_remedy_is_applied_and_the_next_round_compared(stage: Path) -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await train(pilot)
        assert "a apply" in look(pilot.app).splitlines()[-1]
        await pilot.press("a")
        await until(lambda: phase(pilot) == "ended" and len(loop_screen(pilot).driver.loop.reports) == 2, pilot)  # type: ignore[union-attr]
        screen = loop_screen(pilot)
        rounds = screen.query_one(RoundsTable)
        text = look(pilot.app)
        assert len(rounds.rows) == 2
        assert "head.dropout: 0.5" in text
        assert "fit.gap-is-wide" in text
        assert "0.840 [0.770, 0.910]" in text
        assert screen.driver.round.plan.head.dropout == 0.5  # type: ignore[union-attr]
        assert "was best" in text
        assert set(screen.query_one("#score", Curve).series) == {"round 2"}

    drive(make_app(plan=write_plan(stage), mode="loop"), scenario, (120, 40))


def test_several_remedies_are_marked_and_applied_together(stage: Path) -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await train(pilot)
        remedies = pilot.app.screen.query_one(RemedyList)
        await pilot.press("space", "down", "space")
        assert look(pilot.app).count("[x]") == 2
        assert [proposal.remedy.id for proposal in remedies.chosen()] == ["head.more-dropout", "training.shorter"]
        await pilot.press("space")
        assert [proposal.remedy.id for proposal in remedies.chosen()] == ["head.more-dropout"]

    drive(make_app(plan=write_plan(stage), mode="loop"), scenario, (120, 40))


def test_a_remedy_is_shown_as_a_diff_with_costs_before_it_is_applied(stage: Path) -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await train(pilot)
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, Page)
        text = look(pilot.app)
        assert "- head.dropout: 0.0" in text
        assert "+ head.dropout: 0.5" in text
        assert "Training takes a little longer to settle." in text
        await pilot.press("a")
        await until(lambda: phase(pilot) == "ended" and len(loop_screen(pilot).driver.loop.reports) == 2, pilot)  # type: ignore[union-attr]

    drive(make_app(plan=write_plan(stage), mode="loop"), scenario, (120, 40))


def test_a_finding_shows_its_evidence(stage: Path) -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await train(pilot)
        pilot.app.screen.query_one(FindingList).focus()
        await pilot.press("enter")
        text = look(pilot.app)
        assert "validation loss rises from epoch 6 on" in text
        assert "LEE2020: Lee, A study of heads" in text
        await pilot.press("escape", "down", "enter")
        assert "not assessable: it needs" in look(pilot.app)

    drive(make_app(plan=write_plan(stage), mode="loop"), scenario, (120, 40))


@pytest.mark.parametrize("status", ["2", "3"])
def test_a_child_that_refuses_the_plan_is_quoted(stage: Path, monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    monkeypatch.setattr("tui.driver.train_command", fake_training(1, 0.0, status))

    async def scenario(pilot: Pilot[None]) -> None:
        await pilot.press("ctrl+r")
        await until(lambda: phase(pilot) == "refused", pilot)
        assert "training.epochs: got 0, expected at least 1" in look(pilot.app)

    drive(make_app(plan=write_plan(stage), mode="loop"), scenario)


def test_a_run_that_failed_is_read_all_the_same(stage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.driver.train_command", fake_training(8, 0.0, "nan"))

    async def scenario(pilot: Pilot[None]) -> None:
        await train(pilot)
        assert "overfitting" in look(pilot.app)

    drive(make_app(plan=write_plan(stage), mode="loop"), scenario)


def test_a_plan_that_holds_every_group_out_is_cross_validated(stage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []

    def command(plan: Path, run: Path, *, folds: str | None = None, resume: bool = False) -> list[str]:
        asked.append(folds)
        return fake_training()(plan, run)

    monkeypatch.setattr("tui.driver.train_command", command)
    changes = {"data.protocol": "leave-one-group-out", "data.group_column": "speaker"}

    drive(make_app(plan=write_plan(stage, **changes), mode="loop"), train)

    assert asked == ["leave-one-group-out"]


def test_a_plan_is_opened_by_name(stage: Path) -> None:
    write_plan(stage)

    async def scenario(pilot: Pilot[None]) -> None:
        assert "No plan yet" in look(pilot.app)
        await pilot.press("o", *"plan.yaml", "enter")
        await until(lambda: phase(pilot) == "ready", pilot)
        assert "20 epochs" in look(pilot.app)
        await pilot.press("p")
        page = pilot.app.screen
        assert isinstance(page, Page)
        assert any("backbone.name" in line for block in page.blocks for line in block.lines)

    drive(make_app(mode="loop"), scenario)


def test_a_broken_plan_is_told_with_its_line(stage: Path) -> None:
    (stage / "plan.yaml").write_text("task: {type: classification}\ndata: {manifest: a.csv}\ntrainin: {}\n", "utf-8")

    async def scenario(pilot: Pilot[None]) -> None:
        await pilot.press("o", *"plan.yaml", "enter")
        await until(lambda: bool(pilot.app._notifications), pilot)
        assert "plan.yaml:3: unknown key trainin" in next(iter(pilot.app._notifications)).message
        assert phase(pilot) == "empty"

    drive(make_app(mode="loop"), scenario)


def test_a_plan_is_not_opened_over_a_round_that_trains(stage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.driver.train_command", fake_training(400, 0.02))
    other = write_plan(stage, "other.yaml", name="other")

    async def scenario(pilot: Pilot[None]) -> None:
        await pilot.press("ctrl+r")
        await until(lambda: phase(pilot) == "training", pilot)
        pilot.app.post_message(PlanScreen.PlanReady(other))
        await pilot.pause(0.3)
        assert phase(pilot) == "training"
        assert loop_screen(pilot).driver.plan.name == "demo"  # type: ignore[union-attr]
        assert "x stops it" in next(iter(pilot.app._notifications)).message
        await pilot.press("x")
        await until(lambda: phase(pilot) == "stopped", pilot)

    drive(make_app(plan=write_plan(stage), mode="loop"), scenario)


def test_an_unexpected_fault_is_told_and_leaves_the_screen_usable(stage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_self: FakeLoop, _run: Path) -> None:
        raise ValueError("no such column")

    monkeypatch.setattr(FakeLoop, "finish_round", broken)

    async def scenario(pilot: Pilot[None]) -> None:
        await pilot.press("ctrl+r")
        await until(lambda: phase(pilot) == "refused", pilot)
        assert "ValueError: no such column" in next(iter(pilot.app._notifications)).message
        assert "^r run" in look(pilot.app).splitlines()[-1]

    drive(make_app(plan=write_plan(stage), mode="loop"), scenario)


def test_rounds_and_log_change_places(stage: Path) -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        assert "output of training" not in look(pilot.app)
        await pilot.press("l")
        assert "output of training" in look(pilot.app)
        assert not pilot.app.screen.query_one(RoundsTable).display

    drive(make_app(plan=write_plan(stage), mode="loop"), scenario)


def test_a_new_loop_never_uses_an_old_folder(stage: Path) -> None:
    (stage / "runs" / "demo").mkdir(parents=True)

    async def scenario(pilot: Pilot[None]) -> None:
        assert pilot.app.screen.query_one(CommandLine).command.endswith("plan.yaml --output runs/demo-2")

    drive(make_app(plan=write_plan(stage), mode="loop"), scenario)
