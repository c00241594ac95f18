"""The Review mode as a person uses it: keyboard only, through Textual's Pilot, on a script written here."""

from pathlib import Path
from textwrap import dedent

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from expert.consultation.reviewing import ReviewRequest
from knowledge.loader import load_knowledge
from tui.app import TonmeisterApp
from tui.reviewing import CHECK
from tui.screens.ask import Ask
from tui.screens.page import Page
from tui.screens.review import ReviewScreen
from tui.widgets.check_list import CheckList
from tui.widgets.command import CommandLine
from tui.widgets.reading import Reading
from tui.widgets.source import SourceView

from .fakes import make_app
from .looking import assert_everything_is_on_screen, assert_golden, drive, look, until

SCRIPT = """
    import torch, torchaudio
    from torch import nn
    from torch.utils.data import DataLoader, Dataset

    torch.manual_seed(1)

    class Clips(Dataset):
        def __init__(self, table):
            self.rows = open(table).read().splitlines()

        def __getitem__(self, index):
            path, label = self.rows[index].split(",")
            return torchaudio.load(path)[0], int(label)

        def __len__(self):
            return len(self.rows)

    net = nn.Sequential(nn.Conv1d(1, 16, 400), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(16, 4))
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
    loss_of = nn.CrossEntropyLoss()
    for epoch in range(5):
        for wave, label in DataLoader(Clips("train.csv"), batch_size=8, shuffle=True):
            optimizer.zero_grad()
            loss = loss_of(net(wave), label)
            loss.backward()
            optimizer.step()
    torch.save(net.state_dict(), "net.pt")
"""
SIZES = [(80, 24), (120, 40)]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(dedent(SCRIPT).lstrip())
    return tmp_path


def app(path: str = "train.py") -> TonmeisterApp:
    request = ReviewRequest(Path(path)) if path else None
    return make_app(knowledge=load_knowledge(), review=request, mode="review")


def screen(pilot: Pilot[None]) -> ReviewScreen:
    assert isinstance(pilot.app.screen, ReviewScreen)
    return pilot.app.screen


async def reviewed(pilot: Pilot[None]) -> None:
    await until(lambda: isinstance(pilot.app.screen, ReviewScreen) and pilot.app.screen.reviewed is not None, pilot)
    await pilot.pause()


async def choose(pilot: Pilot[None], name: str) -> None:
    listed = screen(pilot).query_one(CheckList)
    listed.highlighted = listed.get_option_index(name)
    await pilot.pause()


def state(pilot: Pilot[None], check: str) -> str:
    found = screen(pilot).reviewed
    assert found is not None
    return next(row.state for row in found.report.checks if row.id == check)


@pytest.mark.parametrize("size", SIZES)
def test_a_finding_stands_beside_its_source(size: tuple[int, int]) -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await reviewed(pilot)
        await choose(pilot, "train.grad_clip")
        assert_everything_is_on_screen(pilot.app)
        assert str(screen(pilot).query_one(SourceView).border_title) == "train.py:26"
        assert "optimizer.step()" in look(pilot.app)
        assert_golden(pilot.app, "review_found")

    drive(app(), scenario, size)


@pytest.mark.parametrize("size", SIZES)
def test_without_a_script_it_asks_for_one(size: tuple[int, int]) -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        assert_everything_is_on_screen(pilot.app)
        assert_golden(pilot.app, "review_empty")
        screen(pilot).query_one(Input).value = "train.py"
        await pilot.press("enter")
        await reviewed(pilot)
        assert screen(pilot).query_one(CommandLine).command == "tonmeister review train.py"

    drive(app(""), scenario, size)


def test_a_folder_without_python_is_refused(folder: Path) -> None:
    (folder / "empty").mkdir()

    async def scenario(pilot: Pilot[None]) -> None:
        screen(pilot).query_one(Input).value = "empty"
        await pilot.press("enter")
        await until(lambda: "no Python file" in look(pilot.app), pilot)

    drive(app(""), scenario)


def test_what_reading_does_not_tell_is_asked_and_counts(folder: Path) -> None:
    text = (folder / "train.py").read_text().replace("range(5)", "range(int(sys.argv[1]))")
    (folder / "train.py").write_text(f"import sys\n{text}")

    async def scenario(pilot: Pilot[None]) -> None:
        await reviewed(pilot)
        question = "train.epochs_15"
        assert state(pilot, question) == "undecidable"
        await choose(pilot, CHECK + question)
        await pilot.press("q")
        await until(lambda: isinstance(pilot.app.screen, Ask), pilot)
        await pilot.press("home", "enter")
        await until(lambda: isinstance(pilot.app.screen, ReviewScreen), pilot)
        await until(lambda: state(pilot, question) == "present", pilot)

    drive(app(), scenario)


def test_everything_shows_what_is_there(folder: Path) -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await reviewed(pilot)
        before = len(screen(pilot).query_one(CheckList).rows)
        await pilot.press("a")
        assert len(screen(pilot).query_one(CheckList).rows) > before
        assert screen(pilot).query_one(CommandLine).command == "tonmeister review train.py --all"
        await choose(pilot, f"{CHECK}repro.seed_framework")
        assert "It is there" in look(pilot.app)

    drive(app(), scenario)


def test_a_patch_is_shown_and_applied(folder: Path) -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await reviewed(pilot)
        await choose(pilot, "train.grad_clip")
        await pilot.press("f")
        await until(lambda: isinstance(pilot.app.screen, Page), pilot)
        assert "clip_grad_norm_" in look(pilot.app)
        await pilot.press("a")
        await until(lambda: isinstance(pilot.app.screen, ReviewScreen), pilot)
        await until(lambda: state(pilot, "train.grad_clip") == "present", pilot)

    before = (folder / "train.py").read_text()
    drive(app(), scenario)
    after = (folder / "train.py").read_text()
    assert "clip_grad_norm_" in after
    assert [line for line in after.splitlines() if line in before.splitlines()] == before.splitlines()


def test_the_expert_plans_beside_the_script() -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await reviewed(pilot)
        await pilot.press("p")
        await until(lambda: isinstance(pilot.app.screen, Ask), pilot)
        await pilot.press("enter")
        await until(lambda: isinstance(pilot.app.screen, ReviewScreen), pilot)
        await until(lambda: "script beside plan" in str(screen(pilot).query_one(Reading).border_title), pilot)
        text = look(pilot.app)
        assert "training.epochs" in text.replace("\n", "") or "epochs" in text
        assert "otherwise" in text
        assert screen(pilot).query_one(CommandLine).command == "tonmeister review train.py --instead classification"

    drive(app(), scenario, (120, 40))


def test_a_report_is_written(folder: Path) -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await reviewed(pilot)
        await pilot.press("w")
        await until(lambda: isinstance(pilot.app.screen, Ask), pilot)
        pilot.app.screen.query_one(Input).value = "review.md"
        await pilot.press("enter")
        await until(lambda: isinstance(pilot.app.screen, ReviewScreen), pilot)
        await until(lambda: "review.md" in screen(pilot).query_one(CommandLine).command, pilot)

    drive(app(), scenario)
    assert "Review of train.py" in (folder / "review.md").read_text()


def test_traps_stand_below_the_nine_dimensions(folder: Path) -> None:
    text = (
        (folder / "train.py").read_text().replace("AdamW(net.parameters()", "Adam(net.parameters(), weight_decay=0.1")
    )
    (folder / "train.py").write_text(text)

    async def scenario(pilot: Pilot[None]) -> None:
        await reviewed(pilot)
        await choose(pilot, "stack.coupled_decay")
        assert "Known traps" in look(pilot.app)
        assert str(screen(pilot).query_one(SourceView).border_title).startswith("train.py:")

    drive(app(), scenario, (120, 40))
