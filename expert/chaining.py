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
- Facts are told apart by a 32-bit hash of their id: ids are sequential within a session (free of collisions up to
  264601), and "observed" is an internal error.
- `delete_state` frees uninitialised pointers unless an action has run: the first fact is `$open`, its action is
  started before anything else is asserted, and the session is abandoned and deleted whatever happens.
- A session costs 10 kB a condition until it is deleted, a ruleset until it is deleted: rulesets are compiled once for
  a rulebook and its packs, and the session id is fixed. One lock, because a session belongs to the ruleset.
- Order within a stratum is deterministic but means nothing: everything there is positive, therefore monotone.
"""

from __future__ import annotations

import json
import locale
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from threading import RLock

import durable_rules_engine

from knowledge.conditions import Condition
from knowledge.errors import TonmeisterError, UsageError
from knowledge.records import Fact, Unknown, Value
from knowledge.rulebook import Knowledge, Rule
from knowledge.schema import Pack

from .capacity import MOST_CONDITIONS_A_RULE
from .definition import OPEN, Definition, define, encode, fact_text, token_text
from .givens import admit
from .ratios import concluded_parts
from .session import Session, Support
from .strata import Concluding, Stratum, concluding, stratify
from .working_memory import Fired, WorkingMemory

_SESSION = "0"
_FIRST = "f0"
"""Id of the fact that opens a session; it supports nothing."""
_OBSERVED = 2
_MOST_COMPILED = 8
_read = json.JSONDecoder().raw_decode
"""What `json.loads` comes to in the end: a message comes with every rule that fires."""
_PLACES = tuple(f"c{number}" for number in range(MOST_CONDITIONS_A_RULE))
"""Names of a rule's patterns, as `expert.definition` writes them."""


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
    tests: Mapping[str, tuple[Condition, ...]]
    """The conditions on each fact's value; a fact that none of them holds for can enable nothing here."""


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
    fired: Fired = {}
    with _EngineSession(unit) as engine:
        for token, clause in unit.definition.established.items():
            held = next((condition for condition in clause if memory.assessment.truth(condition)), None)
            if held is not None:
                engine.put_token(token, held)
        for name in sorted(unit.definition.reads & memory.facts.keys()):
            value = memory.facts[name].value
            if any(condition.holds(value) for condition in unit.tests[name]):
                engine.put_fact(name, value)
        for name, supports in engine.firings():
            rule, number = unit.definition.branches[name]
            fired.setdefault(rule.id, {})[number] = supports
            if rule.then.attribute not in memory.pinned:
                engine.put_conclusion(rule)
    return fired


class _EngineSession:
    """The facts of one stratum inside the engine, from `$open` to the deletion of the session."""

    def __init__(self, unit: _Unit) -> None:
        self._handle = unit.handle
        self._definition = unit.definition
        self._supports: dict[str, Support] = {}
        """What a fact of the engine stands for, by its id."""
        self._held: set[str] = set()
        """Names and tokens that were asserted."""
        self._state = 0
        self._message: str | None = None

    def __enter__(self) -> _EngineSession:
        self._put(encode({"id": _FIRST, "g": OPEN}))
        started = durable_rules_engine.start_action_for_state(self._handle, self._state)
        if started is None:
            raise InferenceError("the engine did not start; a rule is missing in its definition")
        return self

    def __exit__(self, *_: object) -> None:
        durable_rules_engine.abandon_action(self._handle, self._state)
        durable_rules_engine.delete_state(self._handle, _SESSION)

    def put_fact(self, name: str, value: Value) -> None:
        """Assert one fact."""
        self._put(fact_text(self._new_id(name, name), name, value))

    def put_token(self, token: str, support: Support) -> None:
        """Assert that a condition holds."""
        if token not in self._held:
            self._put(token_text(self._new_id(token, support), token))

    def put_conclusion(self, rule: Rule) -> None:
        """Assert what a rule concludes, where a rule of the same stratum reads it."""
        name = rule.then.attribute
        if name in self._definition.reads and name not in self._held:
            self.put_fact(name, rule.then.value)

    def firings(self) -> Iterator[tuple[str, tuple[Support, ...]]]:
        """Run the engine; for every rule that fires return its name and what supports it."""
        while (message := durable_rules_engine.complete_and_start_action(self._handle, self._state)) is not None:
            ((name, matched),) = _read(message)[0].items()
            identifiers = [matched[place]["id"] for place in _PLACES[: len(matched)]]
            supports = tuple(self._supports[name] for name in identifiers if name != _FIRST)
            if name in self._definition.choices:
                self.put_token(self._definition.choices[name], supports[0])
            else:
                yield name, supports

    def _new_id(self, held: str, support: Support) -> str:
        self._held.add(held)
        identifier = f"f{len(self._supports) + 1}"
        self._supports[identifier] = support
        return identifier

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
        units = tuple(_Unit(_compile(key, item), stratum, item, _tests(stratum)) for stratum, item in definitions)
        _compiled[key] = _Rulebook(units, concluding(rules))
        if len(_compiled) > _MOST_COMPILED:
            _, oldest = _compiled.popitem(last=False)
            for unit in oldest.units:
                durable_rules_engine.delete_ruleset(unit.handle)
    _compiled.move_to_end(key)
    return _compiled[key]


def _tests(stratum: Stratum) -> dict[str, tuple[Condition, ...]]:
    found: dict[str, dict[str, Condition]] = {}
    for rule in stratum.rules:
        for condition in rule.conditions:
            if condition.kind == "is":
                found.setdefault(condition.fact, {})[condition.key] = condition
    return {fact: tuple(tests.values()) for fact, tests in found.items()}


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
