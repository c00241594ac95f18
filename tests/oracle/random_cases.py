"""Rulebooks and facts from a seeded random number generator: the vocabulary of `strategies`, many times as fast."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from knowledge.records import Fact, Value
from knowledge.rulebook import Knowledge, Rule
from knowledge.schema import STRENGTHS, Pack
from knowledge.vocabulary import Entry

from ..expert.builders import fact, knowledge, rule
from ..expert.strategies import INPUTS, POOLS, SEVERAL, SINGLE, WORDS, conditions


def random_book(random: Random) -> Knowledge:
    """Make a rulebook in which each attribute reads inputs and the attributes before it."""
    order = random.sample(SINGLE + SEVERAL, len(SINGLE + SEVERAL))
    found: list[Rule] = []
    readable = INPUTS
    for name in order:
        found += [_rule(random, f"{name.replace('.', '-')}.r{n}", name, readable) for n in range(random.randint(0, 3))]
        readable = (*readable, name)
    return knowledge(WORDS, *found)


def _rule(random: Random, id_: str, name: str, readable: Sequence[str]) -> Rule:
    if name.startswith("finding."):
        then: dict[str, Any] = {"finding": name.removeprefix("finding.")}
    else:
        kind = "recommend" if WORDS.entry(name).kind == "decision" else "set"
        then = {kind: {name: True if name in SINGLE else random.choice(POOLS[WORDS.entry(name).type])}}
    return rule(
        WORDS,
        id_,
        [_clause(random, readable) for _ in range(random.randint(1, 3))],
        then,
        needs=[_clause(random, readable) for _ in range(random.randint(0, 1))],
        strength=random.choice(STRENGTHS),
        certainty=random.choice((0.3, 0.5, 0.5, 0.9, 1.0)),
    )


def _clause(random: Random, readable: Sequence[str]) -> dict[str, Any]:
    first, second = (random.choice(conditions((random.choice(readable),), True)) for _ in range(2))
    return {"any": [first, second]} if random.random() < 0.25 else first


def random_facts(random: Random) -> list[Fact]:
    """Make some measured inputs, and now and then something that the user says about a conclusion."""
    names = random.sample(INPUTS, random.randint(0, len(INPUTS)))
    said = random.sample(SINGLE + SEVERAL, random.choice((0, 0, 1, 2)))
    found = [fact(name, random.choice(POOLS[WORDS.entry(name).type])) for name in names]
    return found + [fact(name, random.choice(POOLS[WORDS.entry(name).type]), "user") for name in said]


def random_shipped_facts(random: Random, shipped: Knowledge, pack: Pack, share: float | None = None) -> list[Fact]:
    """Make a share of the facts that the rules of a pack read, with values at, beside and between its thresholds."""
    thresholds: dict[str, list[Value]] = {}
    for condition in (condition for one in shipped.pack(pack) for condition in one.conditions):
        if condition.kind == "is":
            values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
            thresholds.setdefault(condition.fact, []).extend(values)
    concluded = {rule.then.attribute for rule in shipped.pack(pack)}
    given = sorted(name for name in thresholds if name not in concluded)
    share = random.random() if share is None else share
    names = [name for name in given if random.random() < share]
    found = []
    for name in names:
        entry = shipped.vocabulary.entry(name)
        found.append(Fact(name, _value(random, entry, thresholds[name]), "user", n=10**6))
    return found


def _value(random: Random, entry: Entry, thresholds: list[Value]) -> Value:
    if entry.type == "boolean":
        return random.random() < 0.5
    if entry.type == "choice":
        return random.choice(entry.values)
    if entry.type == "text":
        return random.choice([str(value) for value in thresholds])
    near = float(random.choice(thresholds)) * random.choice((1.0, 1.0, 0.5, 0.999, 1.001, 2.0)) + random.choice(
        (0, 0, 1)
    )
    low, high = entry.range
    near = max(near, low) if low is not None else near
    near = min(near, high) if high is not None else near
    return round(near) if entry.type == "integer" else near
