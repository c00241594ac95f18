"""Writes a stratum as a durable-rules definition in JSON text, inside the safe subset; loads no engine.

A fact is `{"id", "g", "attr", "value"}`: `g` is the first part of the name and keeps the branching of the engine's
network low, `attr` the name. Every pattern tests one fact against constants. `in` becomes a token that an auxiliary
rule asserts, `none`, `known` and `unknown` become tokens that the driver asserts at the start of a stratum.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

from knowledge.conditions import Clause, Condition
from knowledge.records import Value
from knowledge.rulebook import Rule

from .capacity import check_branches, check_capacity
from .strata import Stratum

OPEN = "$open"
"""The rule, and the group of the fact, that open a session."""
TOKENS = "$"
"""The group of the token facts."""
_OPERATORS = {"!=": "$neq", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}
_BARE_EXPONENT = re.compile(r"^(-?\d+)e")
_LARGE_INTEGER = 2**31
Part = Condition | Clause
"""One pattern of the engine: a comparison, or states of which one must be established before the stratum begins."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A stratum as the engine gets it, and what is needed to read its answers."""

    text: str
    branches: dict[str, tuple[Rule, int]]
    """The rule, and which of the conjunctions that its `any` clauses give, by the name of the engine's rule."""
    choices: dict[str, str]
    """Auxiliary rule -> the token that it asserts."""
    established: dict[str, Clause]
    """Token -> the conditions of which one must be established for it."""
    reads: frozenset[str]
    """The facts that some pattern tests."""


def define(stratum: Stratum) -> Definition:
    """Translate one stratum.

    Raises:
        KnowledgeError: the definition is beyond what the engine survives.
    """
    for rule in stratum.rules:
        check_branches(rule)
    found: dict[str, tuple[Rule, int]] = {}
    conjunctions: dict[str, tuple[Part, ...]] = {}
    for rule in stratum.rules:
        for number, conjunction in enumerate(_conjunctions(rule)):
            found[f"{rule.id}#{number}"] = rule, number
            conjunctions[f"{rule.id}#{number}"] = conjunction
    parts = {_key(part): part for conjunction in conjunctions.values() for part in conjunction}
    compared = {key: part for key, part in parts.items() if isinstance(part, Condition)}
    choices = {f"in:{key}": condition for key, condition in compared.items() if condition.operator == "in"}
    rules: dict[str, Any] = {OPEN: {"all": [{"c0": {"g": OPEN}}], "pri": 0}}
    rules |= {name: _rule(map(_pattern, conjunction)) for name, conjunction in conjunctions.items()}
    rules |= {name: _rule([_choice(condition)]) for name, condition in choices.items()}
    check_capacity(rules)
    return Definition(
        text=encode(rules),
        branches=found,
        choices={name: condition.key for name, condition in choices.items()},
        established={key: part for key, part in parts.items() if not isinstance(part, Condition)},
        reads=frozenset(condition.fact for condition in compared.values()),
    )


def _conjunctions(rule: Rule) -> tuple[tuple[Part, ...], ...]:
    """Expand the clauses of a rule to conjunctions; a clause of states alone stays one part, settled beforehand.

    Five clauses of two states each would otherwise be 32 rules of the engine.
    """
    choices = [
        [clause] if all(condition.kind != "is" for condition in clause) else list(map(_part, clause))
        for clause in (*rule.when, *rule.needs)
    ]
    return tuple(tuple(dict.fromkeys(choice)) for choice in product(*choices))


def _part(condition: Condition) -> Part:
    return condition if condition.kind == "is" else (condition,)


def _key(part: Part) -> str:
    return part.key if isinstance(part, Condition) else " or ".join(condition.key for condition in part)


def fact_text(identifier: str, name: str, value: Value) -> str:
    """Write one fact for the engine."""
    return f'{{"id":"{identifier}",{_written(name, value)}}}'


def token_text(identifier: str, token: str) -> str:
    """Write one token for the engine."""
    return f'{{"id":"{identifier}",{_address(TOKENS, token)},"value":0}}'


@lru_cache(maxsize=8192, typed=True)
def _written(name: str, value: Value) -> str:
    """Write all of a fact but its id: `typed`, because true is not 1."""
    return f'{_address(group_of(name), name)},"value":{encode(value)}'


@lru_cache(maxsize=8192)
def _address(group: str, name: str) -> str:
    return f'"g":{encode(group)},"attr":{encode(name)}'


def group_of(name: str) -> str:
    """Return the first part of a fact's name."""
    return name.partition(".")[0]


def encode(value: Any) -> str:
    """Write JSON that durable-rules reads back exactly.

    Its number parser takes `1e-05` for a `1` followed by rubbish but reads `1.0e-05`; beyond 31 bits it reads an
    integer constant as a C long, so such integers are written as doubles; text is compared as raw JSON, so rules and
    facts must escape alike.

    Raises:
        ValueError: a number is not finite.
    """
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{encode(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(encode, value)) + "]"
    if isinstance(value, (bool, str)):
        return json.dumps(value)
    if isinstance(value, int) and abs(value) < _LARGE_INTEGER:
        return str(value)
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{number} is not finite; the engine reads finite numbers only")
    return _BARE_EXPONENT.sub(r"\1.0e", repr(number))


def _rule(patterns: Any) -> dict[str, Any]:
    named = [{f"c{number}": pattern} for number, pattern in enumerate(patterns)]
    return {"all": named or [{"c0": {"g": OPEN}}], "dist": 0, "pri": 1}


def _pattern(condition: Part) -> dict[str, Any]:
    if not isinstance(condition, Condition) or condition.operator == "in":
        return {"$and": [{"g": TOKENS}, {"attr": _key(condition)}]}
    constant = {"value": condition.value}
    test = constant if condition.operator == "==" else {_OPERATORS[condition.operator]: constant}
    return {"$and": [{"g": group_of(condition.fact)}, {"attr": condition.fact}, test]}


def _choice(condition: Condition) -> dict[str, Any]:
    assert isinstance(condition.value, tuple)
    choices = [{"value": value} for value in condition.value]
    test = {"$or": choices} if len(choices) > 1 else choices[0]
    return {"$and": [{"g": group_of(condition.fact)}, {"attr": condition.fact}, test]}
