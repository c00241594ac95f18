"""Drives an improvement loop unattended: trains each round in a child process until there is a reason to stop."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.plan import Plan, write_atomically
from engine.process import evaluate_command, run_child, train_command
from knowledge.errors import Interrupted, TrainingError, UsageError
from knowledge.rulebook import Knowledge

from .loop import LoopState, choose, loop_record
from .rounds import LoopResult, Round, RoundReport, Score
from .scores import gain, read_predictions, score


@dataclass(frozen=True, slots=True)
class Budget:
    """When to stop."""

    rounds: int
    minutes: float | None = None
    target: float | None = None
    """Validation score at which the model is good enough."""


@dataclass(frozen=True, slots=True)
class Narration:
    """What the driver tells while it works; every part may be ignored."""

    event: Callable[[Round, dict[str, Any]], None] = lambda _round, _event: None
    begin: Callable[[Round], None] = lambda _round: None
    end: Callable[[RoundReport], None] = lambda _report: None


def run_loop(
    plan: Plan,
    folder: Path,
    knowledge: Knowledge,
    budget: Budget,
    narration: Narration = Narration(),
    *,
    resume: bool = False,
) -> LoopResult:
    """Plan, train, diagnose, patch, and again. With `resume`, rounds that ended before are read, not trained again.

    Raises:
        UsageError: the folder holds a loop and `resume` was not asked for.
        Interrupted: the user stopped it; what was finished is kept.
        TrainingError: the first plan cannot be trained and no remedy helps.
    """
    if (folder / "round-1").exists() and not resume:
        raise UsageError(f"{folder} holds a loop already, expected a new folder", hint="Use --resume to go on with it.")
    started = time.monotonic()
    state = LoopState.start(plan, folder, knowledge)
    stopped = ""
    while not stopped and (queued := state.next_round()) is not None:
        narration.begin(queued)
        _train(queued, narration, resume)
        report = state.finish_round(queued.run)
        narration.end(report)
        stopped = _reason_to_stop(state, report, budget, time.monotonic() - started)
        if not stopped:
            state.apply(choose(report))
    if state.champion is None:
        raise TrainingError(
            f"no round ended with a model; the last one ended as {state.reports[-1].status!r}",
            hint=f"See {state.reports[-1].round.run / 'stderr.log'} and the findings above.",
        )
    result = _open_test(state.result(stopped))
    write_atomically(folder / "loop.json", json.dumps(loop_record(result), indent=1) + "\n")
    return result


def _train(queued: Round, narration: Narration, resume: bool) -> None:
    done = resume and (queued.run / "findings.jsonl").is_file()
    if done:
        return
    begun = (queued.run / "events.jsonl").is_file()
    command = train_command(queued.run / "plan.yaml", queued.run, folds=queued.plan.folds, resume=resume and begun)
    status = run_child(command, queued.run, lambda event: narration.event(queued, event))
    if status == 130:
        raise Interrupted(
            f"round {queued.number} was stopped; its last checkpoint is whole",
            hint=f"tonmeister loop {queued.run.parent / 'round-1' / 'plan.yaml'} --output {queued.run.parent} --resume",
        )


def _reason_to_stop(state: LoopState, report: RoundReport, budget: Budget, seconds: float) -> str:
    champion = state.champion
    good_enough = champion is not None and champion.score is not None and budget.target is not None
    if good_enough and champion.score.value >= budget.target and not _voided_next(report):  # type: ignore[union-attr, operator]
        return f"the target of {budget.target:g} is reached"
    if not choose(report):
        return "no remedy is left that a rule would try"
    if len(state.reports) >= budget.rounds:
        return f"the budget of {budget.rounds} rounds is spent"
    if budget.minutes is not None and seconds >= budget.minutes * 60:
        return f"the budget of {budget.minutes:g} minutes is spent"
    return ""


def _voided_next(report: RoundReport) -> bool:
    """A score on data that a rule wants repaired is no reason to stop."""
    return any(proposal.remedy.changes_data for proposal in choose(report))


def _open_test(result: LoopResult) -> LoopResult:
    """Score the champion and the config it started from on the test split; once, after every decision is made."""
    assert result.champion is not None
    metric = result.champion.score.metric if result.champion.score else ""
    samples = result.champion.round.plan.evaluation.bootstrap_samples
    files = {}
    for name, report in (("before", result.before), ("after", result.champion)):
        if report is not None and (file := _test_file(report.round)) is not None:
            files[name] = read_predictions(file)
    test = {name: score(predictions, metric, samples) for name, predictions in files.items()}
    test_gain: Score | None = None
    if len(files) == 2 and result.before is not result.champion:
        test_gain = gain(files["after"], files["before"], metric, samples)
    return replace(result, test=test, test_gain=test_gain)


def _test_file(queued: Round) -> Path | None:
    file = queued.run / "predictions" / "test.csv"
    if queued.plan.data.protocol == "leave-one-group-out":
        return None  # every group was held out once; there is no separate test split
    if not file.is_file():
        run_child(evaluate_command(queued.run, split="test", name="test"), queued.run)
    return file if file.is_file() else None
