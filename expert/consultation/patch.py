"""Applies a remedy to a plan and shows it as a diff; which remedy is offered is decided elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.plan import Plan, differences, patched, value_at
from knowledge.errors import UsageError
from knowledge.records import Fact
from knowledge.rulebook import Remedy


def apply_remedy(plan: Plan, remedy: Remedy, facts: Mapping[str, Fact]) -> Plan:
    """Return the plan with the remedy's patch applied.

    Raises:
        UsageError: the remedy is an action for a person, or copies a fact that is unknown.
        PlanError: the patched plan is not valid.
    """
    if not remedy.patch:
        raise UsageError(f"{remedy.id} is something that a person does: {remedy.action}")
    changes = {path: _new_value(plan, path, value, remedy, facts) for path, value in remedy.patch.items()}
    return patched(plan, changes, remedy.id)


def _new_value(plan: Plan, path: str, value: Any, remedy: Remedy, facts: Mapping[str, Fact]) -> Any:
    if not isinstance(value, dict) or len(value) != 1:
        return value
    ((operation, operand),) = value.items()
    old = value_at(plan, path)
    if operation == "from":
        if operand not in facts:
            raise UsageError(f"{remedy.id} copies {operand} to {path}, and {operand} is unknown")
        return facts[operand].value
    if operation == "multiply":
        product = old * operand
        return max(1, round(product)) if isinstance(old, int) else float(f"{product:.6g}")
    if operation == "at_least":
        return max(old, operand)
    if operation == "at_most":
        return min(old, operand)
    return value


def diff_lines(old: Plan, new: Plan) -> list[str]:
    """Return the changed plan lines, `- path: old` above `+ path: new`."""
    lines = []
    for path, (before, after) in differences(old, new).items():
        lines += [f"- {path}: {_spell(before)}", f"+ {path}: {_spell(after)}"]
    return lines


def _spell(value: Any) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
