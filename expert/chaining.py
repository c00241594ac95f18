"""Draws all conclusions from facts, by forward chaining in durable-rules; nothing else may import that engine.

This is the inference engine; the training and measuring engine is the package `engine`. `consult` runs one stratum
after the other (`expert.strata`): it asserts what is established, runs to quiescence, settles what the stratum
concludes (`expert.working_memory`) and feeds the winners upward.

durable-rules 2.0.28 is correct only in a narrow subset, and outside it crashes, hangs or silently concludes wrong
things. What this driver does about it:

- Values: `1e-05`, infinities and NaN are misread, true equals 1, "5" > 0 holds, null matches. Every fact passes the
  vocabulary first and is written by `expert.definition.encode`. Numbers go through the C library's `atof`, which
  reads 0.5 as 0 under a decimal comma: `_guard_locale`.
- No joins (they read past buffers), no `$not` and `$nex` (they ignore other blockers), no retraction, no `Host` (its
  timer threads run actions and swallow exceptions), no `distinct` (it keeps one fact from two conditions of a rule).
- Fixed buffers overflow without an error: `expert.capacity` refuses before compilation.
- Facts are told apart by a 32-bit hash of their id: ids are sequential within a definition (free of collisions up to
  264601), and "observed" is an internal error; what is asserted together must all fit some pattern, or it is one too.
- `delete_state` frees uninitialised pointers unless an action has run: the first fact is `$open`, its action is
  started before anything else is asserted, and the session is abandoned and deleted whatever happens.
- A session costs 10 kB a condition until it is deleted, a ruleset until it is deleted: rulesets are compiled once for
  a rulebook and its packs, and the session id is fixed. One lock, because a session belongs to the ruleset.
- Order within a stratum is deterministic but means nothing: everything there is positive, therefore monotone.
"""

from __future__ import annotations

import locale
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import repeat
from threading import RLock

import durable_rules_engine

from knowledge.conditions import Condition
from knowledge.errors import TonmeisterError, UsageError
from knowledge.records import Fact, Unknown, Value
from knowledge.rulebook import Knowledge
from knowledge.schema import Pack

from .definition import OPEN, Definition, define, encode, value_text
from .givens import admit
from .ratios import concluded_parts
from .session import Session
from .strata import Concluding, Stratum, concluding, stratify
from .working_memory import Fired, WorkingMemory

_SESSION = "0"
_FIRST = "f0"
"""Id of the fact that opens a session; it supports nothing."""
_OBSERVED = 2
_MOST_COMPILED = 8


class InferenceError(TonmeisterError):
    """The engine did what it must not; a defect of ours, not of the user."""

    code = "inference"
    title = "The inference engine failed"
    exit_status = 4


@dataclass(frozen=True, slots=True)
class _Unit:
    """One stratum, compiled."""

    handle: int
    stratum: Stratum
    definition: Definition


@dataclass(frozen=True, slots=True)
class _Rulebook:
    """The rules of some packs, compiled."""

    units: tuple[_Unit, ...]
    by_attribute: Concluding


_compiled: OrderedDict[tuple[str, frozenset[Pack]], _Rulebook] = OrderedDict()
_lock = RLock()


def consult(
    knowledge: Knowledge,
    facts: Iterable[Fact],
    *,
    packs: tuple[Pack, ...],
    unknown: Iterable[Unknown] = (),
    fixed: Mapping[str, Value] | None = None,
) -> Session:
    """Draw every conclusion that the rules of `packs` allow. The order of facts and of rules makes no difference.

    `fixed` holds the decisions that the user made. Facts with a subject are left out (`expert.givens`).

    Raises:
        UsageError: a stated fact that does not fit, or a decimal comma.
        KnowledgeError: rules that depend on each other in a circle, or more than the engine can hold.
    """
    with _lock:
        _guard_locale()
        rulebook = _rulebook(knowledge, packs)
        givens = admit(knowledge.vocabulary, rulebook.by_attribute, facts, unknown, fixed or {})
        memory = WorkingMemory(knowledge, rulebook.by_attribute, givens)
        for unit in rulebook.units:
            memory.settle(unit.stratum, _run(unit, memory))
    return memory.session(packs)


def _run(unit: _Unit, memory: WorkingMemory) -> Fired:
    """Run one stratum to quiescence."""
    definition = unit.definition
    held = [memory.support(clause) for clause in definition.settled]
    given = [text for text, needs in definition.tokens if all(held[number] is not None for number in needs)]
    given += _facts(definition, memory)
    fired: Fired = {}
    if definition.is_idle and not given:
        return fired
    with _EngineSession(unit) as engine:
        engine.put_all(given)
        for name in engine.firings():
            conjunction = definition.conjunctions[name]
            supports = tuple([item if isinstance(item, str) else held[item] for item in conjunction.supports])
            for rule, number in conjunction.branches:
                fired.setdefault(rule.id, {})[number] = supports  # type: ignore[assignment]  # what is needed is held
                if rule.then.attribute in definition.reads and rule.then.attribute not in memory.pinned:
                    engine.put_conclusion(rule.then.attribute, rule.then.value)
    return fired


def _facts(definition: Definition, memory: WorkingMemory) -> Iterator[str]:
    """Write the known facts that fit some pattern; the engine would not keep the others."""
    for name, head in definition.reads.items():
        if name in memory.facts:
            value = memory.facts[name].value
            if any(all(map(Condition.holds, test, repeat(value))) for test in definition.tests[name]):
                yield head + value_text(value)


class _EngineSession:
    """The facts of one stratum inside the engine, from `$open` to the deletion of the session."""

    def __init__(self, unit: _Unit) -> None:
        self._handle = unit.handle
        self._definition = unit.definition
        self._concluded: set[str] = set()
        """Attributes that were asserted as conclusions."""
        self._state = 0

    def __enter__(self) -> _EngineSession:
        self._put(encode({"id": _FIRST, "g": OPEN}))
        started = durable_rules_engine.start_action_for_state(self._handle, self._state)
        if started is None:
            raise InferenceError("the engine did not start; a rule is missing in its definition")
        return self

    def __exit__(self, *_: object) -> None:
        durable_rules_engine.abandon_action(self._handle, self._state)
        durable_rules_engine.delete_state(self._handle, _SESSION)

    def put_all(self, texts: list[str]) -> None:
        """Assert facts and tokens that each fit some pattern."""
        if texts:
            code, self._state = durable_rules_engine.assert_facts(self._handle, f"[{','.join(texts)}]")
            if code:
                raise InferenceError(f"the engine did not take every one of {', '.join(texts)} (code {code})")

    def put_conclusion(self, name: str, value: Value) -> None:
        """Assert what a rule concludes and a rule of the same stratum reads."""
        if name not in self._concluded:
            self._concluded.add(name)
            self._put(self._definition.reads[name] + value_text(value))

    def firings(self) -> Iterator[str]:
        """Run the engine; return the name of every rule that fires.

        A message is `{"name":{"c0":{...},...}}`; what stands in it beyond the name is known: one fact fits a pattern.
        """
        while (message := durable_rules_engine.complete_and_start_action(self._handle, self._state)) is not None:
            name = message.split('"', 2)[1]
            if name in self._definition.choices:
                self._put(self._definition.choices[name])
            else:
                yield name

    def _put(self, text: str) -> None:
        code, self._state = durable_rules_engine.assert_fact(self._handle, text)
        if code == _OBSERVED:
            raise InferenceError(f"the engine takes {text} for a fact that it knows already")


def _rulebook(knowledge: Knowledge, packs: tuple[Pack, ...]) -> _Rulebook:
    """Compile the rules of `packs`, or find them compiled."""
    key = knowledge.digest, frozenset(packs)
    if key not in _compiled:
        rules = knowledge.pack(*packs)
        late = concluded_parts(knowledge.vocabulary, concluding(rules))
        definitions = [(stratum, define(stratum)) for stratum in stratify(rules, late)]
        units = tuple(_Unit(_compile(key, item), stratum, item) for stratum, item in definitions)
        _compiled[key] = _Rulebook(units, concluding(rules))
        if len(_compiled) > _MOST_COMPILED:
            _, oldest = _compiled.popitem(last=False)
            for unit in oldest.units:
                durable_rules_engine.delete_ruleset(unit.handle)
    _compiled.move_to_end(key)
    return _compiled[key]


def _compile(key: tuple[str, frozenset[Pack]], definition: Definition) -> int:
    handle: int = durable_rules_engine.create_ruleset(f"{key[0]} {'+'.join(sorted(key[1]))}", definition.text)
    return handle


def _guard_locale() -> None:
    """Refuse a decimal comma.

    Raises:
        UsageError: the C library of this process reads numbers with another sign than a point.
    """
    point = locale.localeconv()["decimal_point"]
    if point != ".":
        raise UsageError(
            f"LC_NUMERIC of this process writes numbers with {point!r}, and the inference engine would read 0.5 as 0",
            hint='Call locale.setlocale(locale.LC_NUMERIC, "C"), or set the environment variable LC_NUMERIC=C.',
        )
