"""Parses the sentences of a rule's `when` into conditions and tests one value; knows nothing of sessions or engines.

Spelling: `fact: value`, `fact: "< 100"`, `fact: "100 .. < 1000"` (both ends included unless marked `<`, `>`),
`fact: [a, b]`, `known: fact`, `unknown: fact`, `none: finding.id`, `any: [condition, ...]`.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Literal

from .errors import KnowledgeError
from .records import Value
from .vocabulary import Entry, Vocabulary

Operator = Literal["==", "!=", "<", "<=", ">", ">=", "in"]
Kind = Literal["is", "none", "known", "unknown"]
_ORDERS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_STATE_KINDS: dict[str, Kind] = {"none": "none", "known": "known", "unknown": "unknown"}
_COMPARISON = re.compile(r"^\s*(==|!=|<=|>=|<|>)\s*(.+?)\s*$")
_INTERVAL = re.compile(r"^\s*(>?)\s*(-?[\d.][\d.eE+-]*?)\s*\.\.\s*(<?)\s*(-?[\d.][\d.eE+-]*)\s*$")


@dataclass(frozen=True, slots=True)
class Condition:
    """One atomic condition. `kind` is `is` (compare), `none` (established absence), `known` or `unknown`."""

    kind: Kind
    fact: str
    operator: Operator = "=="
    value: Value | tuple[Value, ...] = True

    @property
    def key(self) -> str:
        """A text that is equal exactly for equal conditions."""
        return f"{self.kind}|{self.fact}|{self.operator}|{self.value!r}"

    def __str__(self) -> str:
        if self.kind != "is":
            return f"{self.kind} {self.fact}"
        if isinstance(self.value, tuple):
            return f"{self.fact} is {' or '.join(map(spell, self.value))}"
        verb = "is" if self.operator == "==" else self.operator
        return f"{self.fact} {verb} {spell(self.value)}"

    def holds(self, value: Value) -> bool:
        """Compare one known value; only for conditions of kind `is`."""
        if isinstance(self.value, tuple):
            return any(map(same, repeat(value), self.value))
        if self.operator == "==":
            return same(value, self.value)
        if self.operator == "!=":
            return not same(value, self.value)
        return _ORDERS[self.operator](float(value), float(self.value))

    def distance(self, value: Value) -> float | None:
        """How far a numeric value is from the threshold, in the fact's unit; None where that means nothing."""
        if self.kind != "is" or isinstance(self.value, (tuple, str, bool)) or isinstance(value, (str, bool)):
            return None
        return abs(float(value) - float(self.value))


Clause = tuple[Condition, ...]
"""Conditions of which at least one must hold (`any`); a plain condition is a clause of one."""


def same(left: Value, right: Value) -> bool:
    """Equality that never takes True for 1 or "1" for 1."""
    if isinstance(left, (bool, str)) or isinstance(right, (bool, str)):
        return type(left) is type(right) and left == right
    return float(left) == float(right)


def spell(value: Value) -> str:
    """Write a value as a reader expects it: yes/no, short numbers."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def parse_clauses(items: list[dict[str, Any]], vocabulary: Vocabulary, where: str) -> tuple[Clause, ...]:
    """Parse a `when` or `needs` list; every clause must hold.

    Raises:
        KnowledgeError: an unknown fact, a value outside its type or range, or a spelling that means nothing.
    """
    clauses: list[Clause] = []
    for item in items:
        if len(item) != 1:
            raise KnowledgeError(f"{where}: one condition a list item, got {sorted(item)}")
        ((name, value),) = item.items()
        if name == "any":
            if not isinstance(value, list) or not value or not all(isinstance(part, dict) for part in value):
                raise KnowledgeError(f"{where}: `any` holds a list of conditions, got {value!r}")
            parts = [parse_clauses([part], vocabulary, where) for part in value]
            if any(len(part) != 1 for part in parts):
                raise KnowledgeError(f"{where}: an interval cannot stand inside `any`; write two rules")
            clauses.append(tuple(condition for part in parts for condition in part[0]))
        else:
            clauses.extend((condition,) for condition in parse_condition(name, value, vocabulary, where))
    return tuple(clauses)


def parse_condition(name: str, value: Any, vocabulary: Vocabulary, where: str) -> tuple[Condition, ...]:
    """Parse one `name: value` pair; an interval gives two conditions."""
    if name in _STATE_KINDS:
        entry = vocabulary.entry(str(value), where)
        if name == "none" and entry.type != "boolean":
            raise KnowledgeError(f"{where}: `none: {value}` needs a boolean fact; compare it, or use `unknown`")
        return (Condition(_STATE_KINDS[name], entry.name),)
    entry = vocabulary.entry(name, where)
    if isinstance(value, list):
        return (Condition("is", name, "in", tuple(entry.coerce(choice, where) for choice in value)),)
    if isinstance(value, str) and (match := _INTERVAL.match(value)):
        return _interval(entry, match, where)
    if isinstance(value, str) and (match := _COMPARISON.match(value)):
        return (_comparison(entry, match[1], match[2], where),)
    return (Condition("is", name, "==", entry.coerce(value, where)),)


def _interval(entry: Entry, match: re.Match[str], where: str) -> tuple[Condition, ...]:
    low, high = entry.coerce(match[2], where), entry.coerce(match[4], where)
    if float(low) >= float(high):
        raise KnowledgeError(f"{where}: {entry.name}: the interval {match[0]!r} is empty")
    return (
        Condition("is", entry.name, ">" if match[1] else ">=", low),
        Condition("is", entry.name, "<" if match[3] else "<=", high),
    )


def _check_reach(entry: Entry, operator: str, bound: Value, where: str) -> None:
    """Refuse a threshold that no value of the fact can reach: it was written in another unit."""
    low, high = entry.range
    if isinstance(bound, (str, bool)) or operator in ("==", "!="):
        return
    above = high is not None and (bound > high or (operator == ">" and bound == high))
    below = low is not None and operator in ("<", "<=") and (bound < low or (operator == "<" and bound == low))
    if above or below:
        raise KnowledgeError(
            f"{where}: {entry.name}: got `{operator} {spell(bound)}`, which never or always holds, "
            f"expected {entry.expected()}",
            hint=f"Write it in {entry.unit}." if entry.unit else "Per cent are written as fractions: 0.5, not 50.",
        )


def _comparison(entry: Entry, operator: str, text: str, where: str) -> Condition:
    if operator not in ("==", "!=") and entry.type not in ("integer", "number"):
        raise KnowledgeError(f"{where}: {entry.name} is a {entry.type}; `{operator}` compares numbers only")
    bound = entry.coerce(text, where, as_threshold=True)
    if isinstance(bound, float) and not math.isfinite(bound):
        raise KnowledgeError(f"{where}: {entry.name}: {text!r} is not finite")
    _check_reach(entry, operator, bound, where)
    return Condition("is", entry.name, operator, bound)  # type: ignore[arg-type]  # the pattern admits operators only
