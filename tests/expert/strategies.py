"""Random rulebooks and facts over one small vocabulary; the rules are free of circles by construction."""

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
    entry("in.x"),
    entry("in.y"),
    entry("in.count", "integer"),
    entry("in.flag", "boolean"),
    entry("in.other", "boolean"),
    entry("in.colour", "choice", values=CHOICES),
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


def values(name: str) -> st.SearchStrategy[Any]:
    """Values that the attribute can have."""
    word = WORDS.entry(name)
    pool: dict[str, tuple[Any, ...]] = {
        "number": NUMBERS,
        "integer": INTEGERS,
        "boolean": (True, False),
        "choice": CHOICES,
        "text": (*CHOICES, 'a "quoted" \\ text', "Grüße", "1"),
    }
    return st.sampled_from(pool[word.type])


@st.composite
def conditions(draw: st.DrawFn, names: tuple[str, ...], states: bool = True) -> dict[str, Any]:
    """One plain condition on one of `names`; with `states`, also `known` and `unknown`."""
    name = draw(st.sampled_from(names))
    word = WORDS.entry(name)
    forms = ["==", "!=", "in"]
    forms += ["<", "<=", ">", ">="] if word.type in ("number", "integer") else []
    forms += ["none"] * 2 if word.type == "boolean" else []
    forms += ["known", "unknown"] if states else []
    form = draw(st.sampled_from(forms))
    if form in ("none", "known", "unknown"):
        return {form: name}
    if form == "in":
        return {name: draw(st.lists(values(name), min_size=1, max_size=3, unique=True))}
    value = draw(values(name))
    if form == "==":
        return {name: value}
    return {name: f"{form} {str(value).lower() if isinstance(value, bool) else value}"}


@st.composite
def clauses(draw: st.DrawFn, names: tuple[str, ...], states: bool, least: int, most: int) -> list[dict[str, Any]]:
    """A `when` or `needs` list, now and then with an `any`."""
    plain = conditions(names, states)
    several = st.lists(plain, min_size=2, max_size=3).map(lambda parts: {"any": parts})
    return draw(st.lists(st.one_of(plain, plain, plain, several), min_size=least, max_size=most))


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
