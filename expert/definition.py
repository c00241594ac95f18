"""Writes a stratum as a durable-rules definition in JSON text, inside the safe subset; loads no engine.

A fact is `{"id", "g", "attr", "value"}`: `g` is the first part of the name and keeps the branching of the engine's
network low, `attr` the name. Every pattern tests one fact against constants. What is settled before the stratum
begins and is no plain comparison (`none`, `known`, `unknown`, and `in` of a fact from below) is one token a rule,
which the driver asserts at the start; `in` of what the stratum itself concludes is a token that an auxiliary rule
asserts. The engine clears 10 kB a pattern for every session, therefore the comparisons of one fact are one pattern,
and rules that wait for the same are one rule of the engine.
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
"""A comparison, or conditions of which one must be settled before the stratum begins."""


@dataclass(frozen=True, slots=True)
class Conjunction:
    """What one rule of the engine waits for, and who fires with it."""

    branches: tuple[tuple[Rule, int], ...]
    """The rules, and which of the conjunctions that its `any` clauses give."""
    supports: tuple[str | int, ...]
    """In the order of the conditions: the fact that is compared, or the number of a settled clause."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A stratum as the engine gets it, and what is needed to read its answers.

    Facts and tokens have one id each in it, because a session asserts each of them once.
    """

    text: str
    conjunctions: dict[str, Conjunction]
    """By the name of the engine's rule."""
    choices: dict[str, str]
    """Auxiliary rule -> the text of the token that it asserts."""
    settled: tuple[Clause, ...]
    """Clauses of which a condition must be settled, for the tokens."""
    tokens: tuple[tuple[str, tuple[int, ...]], ...]
    """The text of a token, and the numbers of the settled clauses that must all hold for it."""
    reads: dict[str, str]
    """The facts that some pattern tests -> all of the text but the value."""
    tests: dict[str, tuple[Clause, ...]]
    """The patterns on each fact, each as conditions that must all hold; a fact that fits none enables nothing."""
    is_idle: bool
    """Whether nothing fires unless something is asserted: no rule is without conditions."""


def define(stratum: Stratum) -> Definition:
    """Translate one stratum.

    Raises:
        KnowledgeError: the definition is beyond what the engine survives.
    """
    for rule in stratum.rules:
        check_branches(rule)
    groups = _groups(stratum)
    settled = {_key(part): part for parts in groups for part in parts if not isinstance(part, Condition)}
    numbers = {key: number for number, key in enumerate(settled)}
    patterns = {parts: _patterns(parts) for parts in groups}
    names = {parts: f"{rule.id}#{number}" for parts, ((rule, number), *_) in groups.items()}
    tests = {test: None for tests in patterns.values() for test in tests}
    waits = {_token(parts): _states(parts) for parts in groups if _states(parts)}
    choices = [test for test in tests if test[0].operator == "in"]
    rules: dict[str, Any] = {OPEN: {"all": [{"c0": {"g": OPEN}}], "pri": 0}}
    rules |= {names[parts]: _rule([*_waiting(parts), *map(_pattern, tests)]) for parts, tests in patterns.items()}
    rules |= {f"in:{test[0].key}": _rule([_choice(test[0])]) for test in choices}
    check_capacity(rules)
    reads = dict.fromkeys(test[0].fact for test in tests)
    tokens = [*waits, *(test[0].key for test in choices)]
    texts = {token: token_text(f"f{number}", token) for number, token in enumerate(tokens, 1)}
    return Definition(
        text=encode(rules),
        conjunctions={
            names[parts]: Conjunction(
                tuple(branches),
                tuple(part.fact if isinstance(part, Condition) else numbers[_key(part)] for part in parts),
            )
            for parts, branches in groups.items()
        },
        choices={f"in:{test[0].key}": texts[test[0].key] for test in choices},
        settled=tuple(settled.values()),
        tokens=tuple((texts[token], tuple(numbers[_key(part)] for part in parts)) for token, parts in waits.items()),
        reads={name: fact_head(f"f{number}", name) for number, name in enumerate(reads, len(tokens) + 1)},
        tests={name: tuple(test for test in tests if test[0].fact == name) for name in reads},
        is_idle=all(groups),
    )


def _groups(stratum: Stratum) -> dict[tuple[Part, ...], list[tuple[Rule, int]]]:
    """Return what the rules wait for, and the branches that wait for it."""
    concluded = {rule.then.attribute for rule in stratum.rules}
    groups: dict[tuple[Part, ...], list[tuple[Rule, int]]] = {}
    for rule in stratum.rules:
        for number, conjunction in enumerate(_conjunctions(rule, concluded)):
            groups.setdefault(conjunction, []).append((rule, number))
    return groups


def _conjunctions(rule: Rule, concluded: set[str]) -> tuple[tuple[Part, ...], ...]:
    """Expand the clauses of a rule to conjunctions; a clause of states alone stays one part, settled beforehand.

    Five clauses of two states each would otherwise be 32 rules of the engine.
    """
    choices = [
        [clause] if all(condition.kind != "is" for condition in clause) else [_part(item, concluded) for item in clause]
        for clause in (*rule.when, *rule.needs)
    ]
    return tuple(tuple(dict.fromkeys(choice)) for choice in product(*choices))


def _part(condition: Condition, concluded: set[str]) -> Part:
    is_settled = condition.kind != "is" or (condition.operator == "in" and condition.fact not in concluded)
    return (condition,) if is_settled else condition


def _key(part: Part) -> str:
    return part.key if isinstance(part, Condition) else " or ".join(condition.key for condition in part)


def _states(parts: tuple[Part, ...]) -> tuple[Clause, ...]:
    return tuple(part for part in parts if not isinstance(part, Condition))


def _token(parts: tuple[Part, ...]) -> str:
    return " and ".join(sorted(map(_key, _states(parts))))


def _waiting(parts: tuple[Part, ...]) -> list[dict[str, Any]]:
    return [_token_pattern(_token(parts))] if _states(parts) else []


def _patterns(parts: tuple[Part, ...]) -> tuple[Clause, ...]:
    """Group the comparisons by fact; all of a group must hold. Each `in` stands alone."""
    groups: dict[str, list[Condition]] = {}
    for part in parts:
        if isinstance(part, Condition):
            groups.setdefault(part.key if part.operator == "in" else part.fact, []).append(part)
    return tuple(map(tuple, groups.values()))


def fact_head(identifier: str, name: str) -> str:
    """Write all of a fact for the engine but its value."""
    return f'{{"id":"{identifier}","g":{encode(group_of(name))},"attr":{encode(name)},"value":'


def token_text(identifier: str, token: str) -> str:
    """Write one token for the engine."""
    return f'{{"id":"{identifier}","g":{encode(TOKENS)},"attr":{encode(token)},"value":0}}'


@lru_cache(maxsize=8192, typed=True)
def value_text(value: Value) -> str:
    """Write the value of a fact, and its end: `typed`, because true is not 1."""
    return encode(value) + "}"


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


def _token_pattern(token: str) -> dict[str, Any]:
    return {"$and": [{"g": TOKENS}, {"attr": token}]}


def _pattern(test: Clause) -> dict[str, Any]:
    if test[0].operator == "in":
        return _token_pattern(test[0].key)
    name = test[0].fact
    return {"$and": [{"g": group_of(name)}, {"attr": name}, *map(_comparison, test)]}


def _comparison(condition: Condition) -> dict[str, Any]:
    constant = {"value": condition.value}
    return constant if condition.operator == "==" else {_OPERATORS[condition.operator]: constant}


def _choice(condition: Condition) -> dict[str, Any]:
    assert isinstance(condition.value, tuple)
    choices = [{"value": value} for value in condition.value]
    test = {"$or": choices} if len(choices) > 1 else choices[0]
    return {"$and": [{"g": group_of(condition.fact)}, {"attr": condition.fact}, test]}
