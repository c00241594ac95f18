"""The interface over the real thing: real audio, the built-in rulebooks, a real training child, a real loop."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

import engine.process
import expert.consultation.audit
import expert.consultation.loop
from engine.synthesis import make_corpus
from knowledge.loader import load_knowledge
from knowledge.records import Fact, Measured
from tui.app import TonmeisterApp
from tui.screens.loop import LoopScreen
from tui.screens.plan import PlanScreen
from tui.widgets.question import Choices, QuestionPanel

from .looking import drive, look, until


@pytest.fixture
def real(stage: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tui.screens.plan.audit_dataset", expert.consultation.audit.audit_dataset)
    monkeypatch.setattr("tui.driver.LoopState", expert.consultation.loop.LoopState)
    monkeypatch.setattr("tui.driver.train_command", engine.process.train_command)
    return stage


@pytest.mark.slow
def test_from_a_manifest_to_a_repaired_split_by_keyboard(real: Path) -> None:
    manifest = make_corpus(real / "corpus", speakers=4, words=3, takes=5)
    machine = Measured((Fact("machine.gpu", False, "machine"), Fact("machine.cpu_cores", 2, "machine")))
    app = TonmeisterApp(load_knowledge(), machine, manifest=manifest)

    async def scenario(pilot: Pilot[None]) -> None:
        screen = pilot.app.screen
        assert isinstance(screen, PlanScreen)
        await until(lambda: screen.data_settled, pilot, 60)
        await pilot.press("enter")
        for _ in range(12):
            step = screen.query_one(QuestionPanel).step
            if step is None or step.subject is None:
                break
            screen.query_one(Choices).focus()
            await pilot.press("end", "enter")
        assert screen.state.draft().plan is not None
        screen.state.fix("training.epochs", 2)
        screen.state.fix("split.protocol", "given-split")  # the rules would not train on a split that leaks
        await pilot.press("ctrl+r", "enter")
        await until(lambda: isinstance(pilot.app.screen, LoopScreen), pilot)
        loop = pilot.app.screen
        assert isinstance(loop, LoopScreen)
        await until(lambda: loop.driver.phase in ("ended", "refused"), pilot, 200)
        assert loop.driver.phase == "ended", loop.driver.problem
        report = loop.driver.report
        assert report is not None
        assert report.score is not None
        assert any(proposal.remedy.changes_data for proposal in report.proposals)
        await pilot.press("a")
        await until(lambda: loop.driver.loop is not None and len(loop.driver.loop.reports) == 2, pilot, 200)
        await until(lambda: loop.driver.phase == "ended", pilot, 30)
        assert loop.driver.report is not None
        assert loop.driver.report.round.kind == "baseline"
        assert "void" in look(pilot.app)

    drive(app, scenario)

    assert (real / "runs" / "manifest" / "round-1" / "findings.jsonl").is_file()
