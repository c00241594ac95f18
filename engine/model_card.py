"""Writes model-card.md of a finished run: what was trained on what, how well it does for whom, and what it cost.

Read from the run directory alone; it opens no audio, loads no model and judges nothing.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import InputError

from . import metrics
from .emissions import Emissions, emissions
from .plan import Plan, read_plan, write_atomically

FILE = "model-card.md"
_CLASS_METRICS = ("accuracy", "balanced_accuracy", "macro_f1")
_SCORE_METRICS = ("ccc", "pearson", "rmse", "std_ratio")
_ONE_IN_TWENTY = 0.05
_MOST_GROUPS = 30
_EVENT_FILES = ("events.jsonl", "*/events.jsonl", "*/*/events.jsonl", "*/*/*/events.jsonl")
Columns = dict[str, NDArray[Any]]


def write_card(run: Path, *, region: str = "world", overhead: float = 1.0, watts: float | None = None) -> Path:
    """Write the card beside the run; an older card of ours is replaced.

    Raises:
        InputError: it is no finished run.  UsageError: the region is not known.
    """
    events = [event for path in _event_files(run) for event in _events(path)]
    if not any(event["kind"] == "end" for event in events):
        raise InputError(f"{run}: no finished run, expected events.jsonl with its end")
    used = emissions(events, region=region, overhead=overhead, watts=watts)
    write_atomically(run / FILE, card_text(run, read_plan(run / "plan.yaml"), events, used))
    return run / FILE


def card_text(run: Path, plan: Plan, events: list[dict[str, Any]], used: Emissions) -> str:
    """Return the card."""
    start = next((event for event in events if event["kind"] == "start"), {})
    parts = [f"# {plan.name}", _model(plan, start), _data(run, plan, start), _training(plan, events)]
    parts += [_scores(run, plan), _limits(plan, start), _cost(events, used)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _model(plan: Plan, start: dict[str, Any]) -> str:
    own = f"{plan.backbone.name}, a class of the user's own"
    weights = plan.backbone.checkpoint or (own if plan.backbone.is_own else f"{plan.backbone.name} frames, no weights")
    lines = [
        f"* Task: {plan.task.type}" + (f" into {', '.join(start['classes'])}" if start.get("classes") else ""),
        f"* Backbone: {weights} ({plan.adaptation.method}); layers: {plan.backbone.layers}",
        f"* Pooling {plan.pooling.name}, head {plan.head.name}",
    ]
    if start:
        lines.append(f"* Parameters: {start['parameters']:,}, of which {start['trainable_parameters']:,} were trained")
    return _section("Model", lines)


def _data(run: Path, plan: Plan, start: dict[str, Any]) -> str:
    environment = _json(run / "environment.json")
    lines = [f"* Manifest: {plan.data.manifest}, sha256 of clips and labels {environment.get('data_hash', 'not kept')}"]
    lines.append(f"* Divided by: {plan.data.protocol}, groups: {plan.data.group_column or 'none named'}")
    if start:
        lines.append(f"* {start['train_clips']} clips trained on, {start['validation_clips']} chosen by")
        lines.append(f"* {start.get('left_out', 0)} rows could not be used; environment.json names them")
    return _section("Data", lines)


def _training(plan: Plan, events: list[dict[str, Any]]) -> str:
    end = [event for event in events if event["kind"] == "end"][-1]
    training = plan.training
    lines = [
        f"* {training.optimizer}, rate {training.learning_rate:g}, {training.schedule}, batches of "
        f"{training.batch_size}, at most {training.epochs} epochs, seed {training.seed}",
        f"* Ended: {end['status']}; the epoch kept is {end.get('best_epoch', 'none')}, by {plan.evaluation.select_by}",
    ]
    return _section("Training", lines)


def _scores(run: Path, plan: Plan) -> str:
    """Return the tables of every prediction file that holds a class or a score for each clip."""
    names = {"class": _CLASS_METRICS, "score": _SCORE_METRICS}.get(plan.answer)
    lines = [*_repeated(run)]
    if names is None:
        return _section("Results", lines + _of_other_answers(run) or ["No scores were written."])
    for path in sorted((run / "predictions").glob("*.csv")):
        if path.stem != "train":
            lines += _of_file(path, names, plan)
    return _section("Results", lines or ["No predictions were written."])


def _repeated(run: Path) -> Iterator[str]:
    """Yield the table of a cross-validation, or of several seeds: what each by itself came to."""
    for file, what in (("folds.json", "folds"), ("seeds.json", "seeds")):
        content = _json(run / file)
        if not content:
            continue
        count = len(content[what])
        where = f", scored on {content['scored_on']}" if "scored_on" in content else ""
        yield from (f"### {count} {what}{where}", "", "| metric | mean | standard deviation |", "| --- | --- | --- |")
        for name, mean in content["mean"].items():
            spread = content["deviation"][name]
            yield f"| {name} | {mean:.3f} | {'one alone' if spread is None else f'{spread:.3f}'} |"
        yield ""


def _of_other_answers(run: Path) -> list[str]:
    """Return the tables of several classes a clip, of transcripts and of events: metrics kept beside their files."""
    lines = []
    kept = [(path.stem, _json(path)) for path in sorted((run / "predictions").glob("*.json"))]
    folds = _json(run / "folds.json")
    kept += [("out-of-fold", {"metrics": folds["pooled"]})] if folds else []
    for name, content in kept:
        lines += [
            f"### {name}",
            "",
            "| metric | value | 95 % over clips | 95 % over groups |",
            "| --- | --- | --- | --- |",
        ]
        for metric, one in content.get("metrics", {}).items():
            groups = _interval(one["interval_over_groups"]) if "interval_over_groups" in one else "one group"
            lines.append(f"| {metric} | {one['value']:.3f} | {_interval(one['interval'])} | {groups} |")
        lines.append("")
    end = [event for path in _event_files(run)[:1] for event in _events(path) if event["kind"] == "end"][-1:]
    best = (end[0].get("best") or {}) if end and not folds else {}
    if best:
        lines += ["### val, which the checkpoint was chosen by", "", "| metric | value |", "| --- | --- |"]
        lines += [f"| {name.removeprefix('val/')} | {value:.3f} |" for name, value in best.items() if value is not None]
    return lines


def _of_file(path: Path, names: tuple[str, ...], plan: Plan) -> list[str]:
    columns = _columns(path, plan.answer == "score")
    labels, predictions, groups = columns["label"], columns["prediction"], columns["group"]
    lines = [f"### {path.stem}: {len(labels)} clips", "", "| metric | value | 95 % over clips | 95 % over groups |"]
    lines.append("| --- | --- | --- | --- |")
    several = len(set(groups.tolist())) > 1
    for name in names:
        function = getattr(metrics, name)
        settings = {"samples": plan.evaluation.bootstrap_samples, "seed": plan.training.seed}
        over_clips = metrics.bootstrap_interval(function, labels, predictions, **settings)
        over_groups = (
            metrics.bootstrap_interval(function, labels, predictions, groups=groups, **settings) if several else None
        )
        shown = _interval(over_groups) if over_groups else "one group"
        lines.append(f"| {name} | {function(labels, predictions):.3f} | {_interval(over_clips)} | {shown} |")
    return [*lines, "", *_all_right(columns), *(_by_group(columns, names[0]) if several else [])]


def _all_right(columns: Columns) -> list[str]:
    """Say what no error among few clips leaves open: clips that are all right show no spread when drawn anew."""
    labels, count = columns["label"], len(columns["label"])
    if labels.dtype.kind == "f" or not np.array_equal(labels, columns["prediction"]):
        return []
    share = 1 - _ONE_IN_TWENTY ** (1 / count)
    return [
        f"No error among {count} clips: drawn anew they show no spread, and a model that errs on {share:.1%} of clips "
        "still gets through one time in twenty.",
        "",
    ]


def _by_group(columns: Columns, name: str) -> list[str]:
    function, groups = getattr(metrics, name), columns["group"]
    rows = []
    for group in sorted(set(groups.tolist())):
        own = groups == group
        value = function(columns["label"][own], columns["prediction"][own])
        rows.append((value, f"| {group or 'none'} | {int(own.sum())} | {value:.3f} |"))
    rows.sort(key=lambda row: row[0], reverse=name == "rmse")
    more = f"{len(rows) - _MOST_GROUPS} groups more" if len(rows) > _MOST_GROUPS else ""
    head = [f"| group, worst first | clips | {name} |", "| --- | --- | --- |"]
    return [*head, *(text for _, text in rows[:_MOST_GROUPS]), more, ""]


def _limits(plan: Plan, start: dict[str, Any]) -> str:
    lines = [f"* Hears {plan.data.sample_rate_hz} Hz; other rates are resampled first"]
    if start.get("classes"):
        lines.append("* Answers one of its classes for any sound, also for one that is none of them")
    if plan.output.bounded:
        lines.append(f"* Answers between {plan.output.low:g} and {plan.output.high:g} only")
    if plan.data.group_column is None:
        lines.append("* No groups were named: whether speakers are shared between the parts is not known")
    if plan.data.max_seconds:
        lines.append(f"* Hears at most {plan.data.max_seconds:g} s of a clip")
    lines.append("* Scores hold for clips like those above; other rooms, devices and speakers were not tried")
    return _section("Limits", lines)


def _cost(events: list[dict[str, Any]], used: Emissions) -> str:
    seconds = sum(float(event.get("seconds") or 0) for event in events if event["kind"] == "end")
    device = next((event["device"] for event in events if event["kind"] == "start"), "unknown device")
    lines = [f"* Time: {seconds:.0f} s on {device}"]
    if used.energy_kwh is None or used.grams is None:
        lines.append(f"* Energy and emissions: not known, {used.measured_by}; `tonmeister card --watts` takes a power")
    else:
        lines.append(f"* Energy: {used.energy_kwh:.4g} kWh ({used.measured_by})")
        lines.append(
            f"* Emissions: about {used.grams:.3g} g CO2e, at {used.grams_per_kwh:g} g/kWh ({used.region}) and an "
            f"overhead of {used.overhead:g}; {used.source}"
        )
    return _section("Cost", lines)


def _section(title: str, lines: list[str]) -> str:
    return "\n".join([f"## {title}", "", *lines]).rstrip()


def _interval(bounds: tuple[float, float]) -> str:
    return f"{bounds[0]:.3f} to {bounds[1]:.3f}"


def _columns(path: Path, scores: bool) -> Columns:
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    kind: Any = np.float64 if scores else str
    try:
        answers = {name: np.array([row[name] for row in rows]).astype(kind) for name in ("label", "prediction")}
        return {**answers, "group": np.array([row["group"] for row in rows], dtype=str)}
    except (KeyError, ValueError) as error:
        raise InputError(f"{path}: not the predictions of this run ({error})") from None


def _event_files(run: Path) -> list[Path]:
    # Its own, of first stages, folds and seeds, and of the folds of seeds.
    return [path for pattern in _EVENT_FILES for path in sorted(run.glob(pattern))]


def _events(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text("utf-8", "replace").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue  # torn by a kill
        if isinstance(event, dict) and "kind" in event:
            yield event


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
