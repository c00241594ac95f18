"""How a script searches for settings, and how it sizes adapters; what of that goes wrong is not said here."""

from __future__ import annotations

import ast

from knowledge.records import Measured

from ..calls import Call
from ..places import Place
from ..script import Script
from ..values import Function, constant, truth
from .answers import there

_PEFT = 8
"""What peft takes for rank and for alpha when nothing is said."""


def measure_searching(script: Script) -> Measured:
    """Return `script.{adapter_ratio, grid_search, linear_rate_search, reports_by_keyword, silent_objective}`."""
    return _ratio(script) + _grid(script) + _linear(script) + _reports(script) + _objective(script)


def _ratio(script: Script) -> Measured:
    """Return the scale of adapters, alpha over rank."""
    found = {}
    for call in script.calls("low-rank-adapters"):
        said = call.argument("r", 1), call.argument("lora_alpha")
        rank, alpha = (_PEFT if value is None else constant(value) for value in said)
        if call.complete and all(isinstance(each, (int, float)) and each > 0 for each in (rank, alpha)):
            found[call] = alpha / rank
    if len(set(found.values())) != 1:
        return Measured()
    return there(script, "script.adapter_ratio", next(iter(found.values())), *(script.of(call) for call in found))


def _grid(script: Script) -> Measured:
    calls = script.calls("grid-search", main=None)
    return there(script, "script.grid_search", True, *(script.of(call) for call in calls)) if calls else Measured()


def _linear(script: Script) -> Measured:
    """Return whether a rate is drawn from a range of more than a decade on a linear scale."""
    linear = [call for call in script.calls("draws-setting", main=None) if _is_linear(script, call)]
    if not linear:
        return Measured()
    return there(script, "script.linear_rate_search", True, *(script.of(call) for call in linear))


def _is_linear(script: Script, call: Call) -> bool:
    name, low, high = (constant(call.argument(key, place)) for key, place in (("name", 0), ("low", 1), ("high", 2)))
    if not isinstance(name, str) or not script.says("searched-rate", name) or call.attribute.endswith("loguniform"):
        return False
    wide = isinstance(low, (int, float)) and isinstance(high, (int, float)) and 0 < low * 10 < high
    logarithmic = call.argument("log")
    return wide and (logarithmic is None or truth(logarithmic) is False)


def _reports(script: Script) -> Measured:
    """Return whether results are handed to Ray Tune by keyword, which its present versions refuse."""
    old = [call for call in script.calls("reports-result", main=None) if call.keywords and not call.arguments]
    old = [call for call in old if set(call.keywords) - {"metrics", "checkpoint"}]
    return there(script, "script.reports_by_keyword", True, *(script.of(call) for call in old)) if old else Measured()


def _objective(script: Script) -> Measured:
    """Return whether an objective gives a value on one way through it and nothing on another."""
    for call in script.calls("optimizes-objective", main=None):
        for value in (*call.arguments, *call.keywords.values()):
            if (
                isinstance(value, Function)
                and not isinstance(value.node, ast.Lambda)
                and _falls_through(value.node.body)
            ):
                source = script.project.sources[value.module]
                place = source.place(value.node)
                head = Place(place.path, place.line, place.line, place.cell)
                seen = script.evidence(head, "gives no value on one way through"), script.of(call)
                return there(script, "script.silent_objective", True, *seen)
    return Measured()


def _falls_through(body: list[ast.stmt]) -> bool:
    """Return whether a function returns a value somewhere, and can reach its end without one."""
    values = [
        node for each in body for node in ast.walk(each) if isinstance(node, ast.Return) and node.value is not None
    ]
    return bool(values) and not _ends(body)


def _ends(body: list[ast.stmt]) -> bool:
    """Return whether control never comes out at the end of these statements."""
    last = body[-1] if body else None
    if isinstance(last, (ast.Return, ast.Raise)):
        return True
    if isinstance(last, ast.If):
        return bool(last.orelse) and _ends(last.body) and _ends(last.orelse)
    if isinstance(last, (ast.With, ast.AsyncWith)):
        return _ends(last.body)
    if isinstance(last, ast.Try):
        return _ends(last.finalbody) or (
            _ends(last.orelse or last.body) and all(_ends(each.body) for each in last.handlers)
        )
    if isinstance(last, ast.While):
        return isinstance(last.test, ast.Constant) and bool(last.test.value)
    return isinstance(last, ast.Match)
