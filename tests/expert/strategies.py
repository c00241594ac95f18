"""Random rulebooks and facts over one small vocabulary; the rules are free of circles by construction."""

from functools import cache
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from knowledge.records import Fact
from knowledge.rulebook import Knowledge, Rule
from knowledge.schema import STRENGTHS
from knowledge.vocabulary import Vocabulary

from .builders import entry, fact, knowledge, rule, vocabulary

CHOICES = ("red", "green", "blue")
NUMBERS = (-2.5, 0.0, 1e-05, 0.1, 0.30000000000000004, 1.0, 7.0, 1e22)
INTEGERS = (0, 1, 2, 5, 2**31, 2**40)
INPUTS = ("in.x", "in.y", "in.count", "in.flag", "in.other", "in.colour", "in.shade")
SINGLE = ("mid.a", "mid.b", "mid.c", "finding.f", "finding.g")
"""Only ever concluded as true."""
SEVERAL = ("mid.colour", "mid.flag", "out.colour", "out.flag", "out.least", "out.most")
"""Settled among several values."""

WORDS: Vocabulary = vocabulary(
    entry("in.x", ask="?"),
    entry("in.y", ask="?"),
    entry("in.count", "integer", ask="?"),
    entry("in.flag", "boolean", ask="?"),
    entry("in.other", "boolean", ask="?"),
    entry("in.colour", "choice", values=CHOICES, ask="?"),
    entry("in.shade", "text"),
    entry("mid.a", "boolean", "derived"),
    entry("mid.b", "boolean", "derived"),
    entry("mid.c", "boolean", "derived"),
    entry("mid.colour", "choice", "derived", values=CHOICES),
    entry("mid.flag", "boolean", "derived"),
    entry("out.colour", "choice", "decision", values=CHOICES),
    entry("out.flag", "boolean", "decision"),
    entry("out.least", "number", "decision", policy="min"),
    entry("out.most", "number", "decision", policy="max"),
    findings=("f", "g"),
)


POOLS: dict[str, tuple[Any, ...]] = {
    "number": NUMBERS,
    "integer": INTEGERS,
    "boolean": (True, False),
    "choice": CHOICES,
    "text": (*CHOICES, 'a "quoted" \\ text', "Grüße", "1"),
}


def values(name: str) -> st.SearchStrategy[Any]:
    """Values that the attribute can have."""
    return st.sampled_from(POOLS[WORDS.entry(name).type])


@cache
def conditions(names: tuple[str, ...], states: bool) -> tuple[dict[str, Any], ...]:
    """Every plain condition on one of `names`; with `states`, also `known` and `unknown`."""
    found: list[dict[str, Any]] = []
    for name in names:
        kind = WORDS.entry(name).type
        pool = POOLS[kind]
        spelled = [str(value).lower() if isinstance(value, bool) else value for value in pool]
        operators = ["!="] + (["<", "<=", ">", ">="] if kind in ("number", "integer") else [])
        found += [{name: value} for value in pool]
        found += [{name: f"{operator} {value}"} for operator in operators for value in spelled]
        found += [{name: [first, second]} for first, second in pairwise(pool)]
        found += [{"none": name}] * 4 if kind == "boolean" else []
        found += [{"known": name}, {"unknown": name}] if states else []
    return tuple(found)


@st.composite
def clauses(draw: st.DrawFn, names: tuple[str, ...], states: bool, least: int, most: int) -> list[dict[str, Any]]:
    """A `when` or `needs` list, now and then with an `any`."""
    plain = st.sampled_from(conditions(names, states))
    found = [draw(plain) for _ in range(draw(st.integers(least, most)))]
    return [{"any": [item, draw(plain)]} if draw(st.integers(0, 3)) == 3 else item for item in found]


@st.composite
def rules_for(draw: st.DrawFn, name: str, names: tuple[str, ...], states: bool) -> list[Rule]:
    """Some rules that conclude `name` and read `names`."""
    found = []
    for number in range(draw(st.integers(0, 3))):
        if name.startswith("finding."):
            then: dict[str, Any] = {"finding": name.removeprefix("finding.")}
        else:
            kind = "recommend" if WORDS.entry(name).kind == "decision" else "set"
            then = {kind: {name: True if name in SINGLE else draw(values(name))}}
        found.append(
            rule(
                WORDS,
                f"{name.replace('.', '-')}.r{number}",
                draw(clauses(names, states, 1, 3)),
                then,
                needs=draw(clauses(names, states, 0, 1)),
                strength=draw(st.sampled_from(STRENGTHS)),
                certainty=draw(st.sampled_from((0.3, 0.5, 0.5, 0.9, 1.0))),
            )
        )
    return found


@st.composite
def rulebooks(draw: st.DrawFn, several: bool = True, states: bool = True) -> Knowledge:
    """A rulebook in which each attribute reads inputs and attributes before it."""
    order = draw(st.permutations(SINGLE + SEVERAL if several else SINGLE))
    found: list[Rule] = []
    readable = INPUTS
    for name in order:
        found += draw(rules_for(name, readable, states))
        readable = (*readable, name)
    return knowledge(WORDS, *found)


@st.composite
def facts(draw: st.DrawFn, pinned: bool = True) -> list[Fact]:
    """Some measured inputs, and now and then something that the user says about a conclusion."""
    names = draw(st.lists(st.sampled_from(INPUTS), unique=True))
    found = [fact(name, draw(values(name))) for name in names]
    if pinned:
        said = draw(st.lists(st.sampled_from(SINGLE + SEVERAL), unique=True, max_size=2))
        found += [fact(name, draw(values(name)), "user") for name in said]
    return found
