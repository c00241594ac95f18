"""Drives a loop one round at a time for the Loop mode: trains in a child, reads, applies. No Textual, no torch here.

The reasoning is `LoopState`'s; this adds the child process, the phases that the screen shows, and stop and resume.
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from engine.plan import Plan, read_plan
from engine.process import EventTail, train_command
from expert.consultation.loop import LoopState
from expert.consultation.rounds import Proposal, Round, RoundReport
from knowledge.errors import TonmeisterError
from knowledge.rulebook import Knowledge

from .child import LogTail, run_training
from .run_view import RunView

Phase = Literal["empty", "ready", "auditing", "training", "stopping", "stopped", "reading", "ended", "refused"]
BUSY: tuple[Phase, ...] = ("auditing", "training", "stopping", "reading")
REFUSED = (2, 3)
"""Exit statuses of a child that did not begin to train: there is nothing to diagnose."""
INTERRUPTED = 130


class LoopDriver:
    """One loop from its first plan on. `changed` is True until whoever shows it sets it back."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.phase: Phase = "empty"
        self.plan_path: Path | None = None
        self.plan: Plan | None = None
        self.folder = Path("runs")
        self.loop: LoopState | None = None
        self.round: Round | None = None
        """The round that trains, or trained last."""
        self.report: RoundReport | None = None
        self.views: dict[int, RunView] = {}
        self.log: list[str] = []
        """New lines of the child's output, until the screen takes them."""
        self.problem = ""
        self.changed = True
        self._events: dict[Path, EventTail] = {}
        self._log: LogTail | None = None

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return self.phase in BUSY

    @property
    def queued(self) -> Round | None:
        """The round that is to be trained next."""
        return self.loop.queued if self.loop else None

    @property
    def view(self) -> RunView | None:
        """The curves of the present round."""
        return self.views.get(self.round.number) if self.round else None

    def open(self, path: Path) -> None:
        """Begin a new loop with a plan.

        Raises:
            InputError: the file cannot be read.  PlanError: it is no valid plan.
        """
        self.plan = read_plan(path)
        self.plan_path = path
        self.folder = new_folder(Path("runs"), self.plan.name)
        self.loop = self.round = self.report = None
        self.views = {}
        self._to("ready")

    async def run(self) -> None:
        """Train the queued round, or resume it, and read it. Cancelling stops the child; the run stays resumable.

        Raises:
            TonmeisterError: the data or the run cannot be read.
        """
        assert self.plan is not None
        try:
            if self.loop is None:
                self._to("auditing")
                self.loop = await asyncio.to_thread(LoopState.start, self.plan, self.folder, self.knowledge)
            queued = self.loop.next_round()
            if queued is not None:
                await self._train(self.loop, queued)
        except asyncio.CancelledError:
            self._to("stopped" if self.round else "ready")
            raise
        except Exception as error:
            self.problem = error.message if isinstance(error, TonmeisterError) else str(error)
            self._to("refused")
            raise

    async def _train(self, loop: LoopState, queued: Round) -> None:
        if queued is not self.round:
            self.round, self.report = queued, None
            self.views[queued.number] = RunView(loop.metric)
            self._events, self._log = {}, LogTail(queued.run / "stderr.log")
        self._to("training")
        begun = bool(event_files(queued.run))
        status = await run_training(
            train_command(queued.run / "plan.yaml", queued.run, folds=queued.plan.folds, resume=begun), queued.run
        )
        self.poll()
        if status == INTERRUPTED:
            self._to("stopped")
        elif status in REFUSED:
            self.problem = self.views[queued.number].problem or last_words(queued.run / "stderr.log")
            self._to("refused")
        else:
            self._to("reading")
            self.report = await asyncio.to_thread(loop.finish_round, queued.run)
            self._to("ended")

    def stopping(self) -> None:
        """Note that the child was asked to end."""
        self._to("stopping")

    def apply(self, proposals: Sequence[Proposal]) -> None:
        """Queue the round that tries these remedies.

        Raises:
            UsageError: none was chosen.  PlanError: they do not fit together.
        """
        assert self.loop is not None
        self.loop.apply(proposals)
        self._to("ready")

    def poll(self) -> None:
        """Take in what the child wrote since the last time."""
        if self.round is not None and self.view is not None:
            for path in event_files(self.round.run):
                events = self._events.setdefault(path, EventTail(path)).read()
                self.view.feed(events)
                self.changed |= bool(events)
        if self._log is not None and (lines := self._log.read()):
            self.log += lines
            self.changed = True

    def curves(self) -> dict[str, list[tuple[float, float]]]:
        """Return the validation score of this round by epoch, and that of the champion that it challenges."""
        champion = self.loop.champion if self.loop else None
        numbers = [self.round.number] if self.round else []
        if champion is not None and champion.round.number not in numbers:
            numbers.append(champion.round.number)
        return {f"round {number}": self.views[number].scores for number in numbers if number in self.views}

    def command(self) -> str:
        """Return the command line that runs this loop without the interface."""
        words = ["tonmeister", "loop", str(self.plan_path or "plan.yaml"), "--output", str(self.folder)]
        return shlex.join([*words, "--resume"] if self.phase == "stopped" else words)

    def _to(self, phase: Phase) -> None:
        self.phase = phase
        self.changed = True


def new_folder(parent: Path, name: str) -> Path:
    """Return the first folder of that name that is not there yet: `runs/x`, `runs/x-2`."""
    names = (parent / name, *(parent / f"{name}-{number}" for number in range(2, 10_000)))
    return next(folder for folder in names if not folder.exists())


def event_files(run: Path) -> list[Path]:
    """Return the event files of a run and of its folds, as far as they are there."""
    return [path for path in (run / "events.jsonl", *sorted(run.glob("fold-*/events.jsonl"))) if path.is_file()]


def last_words(log: Path) -> str:
    """Return the last lines of a log, which say why a child ended without an event."""
    try:
        return "\n".join(log.read_text("utf-8", "replace").strip().splitlines()[-4:])
    except OSError:
        return "the training process left no message"
