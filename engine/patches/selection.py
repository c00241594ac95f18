"""Has a Hugging Face trainer keep the checkpoint that is best by the task's metric; computes no metric."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from engine.evidence.run.series import direction_of
from engine.evidence.script.settings import settings
from engine.evidence.script.values import Function

from .syntax import Syntax, callee, with_keywords

if TYPE_CHECKING:
    from engine.evidence.script.script import Script


def can_select_best(script: Script) -> bool:
    """Return whether a trainer of Hugging Face is told which metric there is, so that it can keep the best by it."""
    return bool(settings(script, "selection-metric")) and any(direction_of(name) for name in _metrics(script))


def select_best(syntax: Syntax, script: Script, path: str) -> bool:
    """Ask for evaluation, metric and direction in the arguments of the trainer.

    Nothing is asked for unless `compute_metrics` returns a metric whose better direction its name tells.
    """
    metric = next((name for name in _metrics(script) if direction_of(name)), "")
    chosen = next((each for each in settings(script, "selection-metric") if each.call.place.path == path), None)
    if not metric or chosen is None:
        return False
    calls = syntax.calls(chosen.call.place.line, chosen.call.place.line)
    name = chosen.call.name.rpartition(".")[2]
    call = next((each for each in calls if callee(each).rpartition(".")[2] == name), None)
    if call is None or any(argument.star for argument in call.args):
        return False
    unit = _unit(call, syntax)
    syntax.replaced[call] = with_keywords(
        call,
        {
            **_strategies(call, unit),
            "load_best_model_at_end": "True",
            "metric_for_best_model": f'"{metric}"',
            "greater_is_better": str(direction_of(metric) == "higher"),
        },
    )
    return True


def _strategies(call: object, unit: str) -> dict[str, str]:
    """Evaluate and save in one rhythm, or the best model cannot be loaded; keep the name of older versions."""
    given = {argument.keyword.value for argument in call.args if argument.keyword}  # type: ignore[attr-defined]
    evaluate = "evaluation_strategy" if "evaluation_strategy" in given else "eval_strategy"
    return {evaluate: unit, "save_strategy": unit}


def _unit(call: object, syntax: Syntax) -> str:
    for argument in call.args:  # type: ignore[attr-defined]
        if argument.keyword and argument.keyword.value in ("eval_strategy", "evaluation_strategy"):
            written = syntax.code(argument.value)
            return written if "no" not in written.strip("\"'").split(".") else '"epoch"'
    return '"epoch"'


def _metrics(script: Script) -> Iterator[str]:
    """Yield the names that the functions given as `compute_metrics` return."""
    for call in script.trace:
        given = call.keywords.get("compute_metrics")
        if isinstance(given, Function):
            for node in ast.walk(given.node):
                if isinstance(node, ast.Return) and isinstance(node.value, ast.Dict):
                    yield from (key.value for key in node.value.keys if isinstance(key, ast.Constant)
                                and isinstance(key.value, str))  # fmt: skip
