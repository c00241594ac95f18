"""Draws all conclusions from facts, by forward chaining in durable-rules; nothing else may import that engine.

This is the inference engine; the training and measuring engine is the package `engine`. `consult` runs one stratum
after the other (`expert.strata`): it asserts what is established, runs to quiescence, settles what the stratum
concludes (`expert.resolution`) and feeds the winners upward.

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

from knowledge.errors import TonmeisterError, UsageError
from knowledge.records import Fact, Unknown, Value
from knowledge.rulebook import Knowledge, Pack, Rule

from .definition import OPEN, Definition, define, encode, fact_text, token_text
from .findings import findings_of, not_assessable_of
from .givens import Givens, admit
from .reference import Assessment
from .resolution import Activation, decide, settle
from .session import Decision, Firing, Session, Support
from .strata import Concluding, Stratum, concluding, is_closed, stratify

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


_Fired = dict[str, dict[int, tuple[Support, ...]]]
"""What supports each branch that fired, by rule and number of the branch."""
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
        consultation = _Consultation(knowledge, rulebook, givens)
        for unit in rulebook.units:
            consultation.close(unit, consultation.run(unit))
    return consultation.session(packs)


class _Consultation:
    """The working memory of one consultation."""

    def __init__(self, knowledge: Knowledge, rulebook: _Rulebook, givens: Givens) -> None:
        self.knowledge = knowledge
        self.rulebook = rulebook
        self.givens = givens
        self.facts = dict(givens.facts)
        self.certainties: dict[str, float] = {}
        self.firings: list[Firing] = []
        self.decisions: dict[str, Decision] = {}
        self.assessment = Assessment(rulebook.by_attribute, self.facts.get)

    def run(self, unit: _Unit) -> _Fired:
        """Run one stratum to quiescence."""
        memory = _Memory(unit)
        fired: _Fired = {}
        with memory:
            for token, condition in unit.definition.established.items():
                if self.assessment.truth(condition):
                    memory.put_token(token, condition)
            for name in sorted(unit.definition.reads & self.facts.keys()):
                memory.put_fact(name, self.facts[name].value)
            for name, supports in memory.firings():
                rule, number = unit.definition.branches[name]
                fired.setdefault(rule.id, {})[number] = supports
                if rule.then.attribute not in self.givens.pinned:
                    memory.put_conclusion(rule)
        return fired

    def close(self, unit: _Unit, fired: _Fired) -> None:
        """Settle everything that the stratum concludes, each attribute after those that it rests on."""
        for name in unit.stratum.settles:
            rules = sorted(self.rulebook.by_attribute[name], key=lambda rule: rule.id)
            activations = [self._activation(rule, fired[rule.id]) for rule in rules if rule.id in fired]
            for item in activations:
                self.firings.append(Firing(len(self.firings) + 1, item.rule, item.supports, item.certainty))
            if name in self.givens.pinned:
                continue
            if activations:
                self._settle(name, activations)
            elif is_closed(self.rulebook.by_attribute[name]) and all(map(self.assessment.refuted, rules)):
                self.facts[name] = Fact(name, False, "rule")

    def _activation(self, rule: Rule, branches: Mapping[int, tuple[Support, ...]]) -> Activation:
        """Choose the branch with the surest supports; the first as written where several are equal."""
        best = max(sorted(branches), key=lambda number: self._weakest(branches[number]))
        return Activation(rule, branches[best], rule.certainty * self._weakest(branches[best]))

    def _weakest(self, supports: tuple[Support, ...]) -> float:
        return min((self.certainties.get(name, 1.0) for name in supports if isinstance(name, str)), default=1.0)

    def _settle(self, name: str, activations: list[Activation]) -> None:
        entry = self.knowledge.vocabulary.entry(name)
        if entry.kind == "decision":
            decision = decide(entry, activations)
            self.decisions[name] = decision
            value, self.certainties[name] = decision.value, decision.certainty
        else:
            winner = settle(entry, activations).winner
            value, self.certainties[name] = winner.value, winner.certainty
        self.facts[name] = Fact(name, value, "decision" if entry.kind == "decision" else "rule")

    def session(self, packs: tuple[Pack, ...]) -> Session:
        """Return the finished consultation."""
        vocabulary, by_attribute = self.knowledge.vocabulary, self.rulebook.by_attribute
        for name in sorted(self.givens.fixed):
            if vocabulary.entry(name).kind == "decision":
                activations = [
                    Activation(firing.rule, firing.supports, firing.certainty)
                    for firing in self.firings
                    if firing.rule.then.attribute == name
                ]
                self.decisions[name] = decide(vocabulary.entry(name), activations, self.facts[name].value)
        return Session(
            knowledge=self.knowledge,
            packs=packs,
            facts=self.facts,
            unknown=self.givens.unknown,
            firings=tuple(self.firings),
            decisions={name: self.decisions[name] for name in vocabulary.entries if name in self.decisions},
            findings=findings_of(self.firings, self.facts, lambda name: self.certainties.get(name, 1.0)),
            not_assessable=not_assessable_of(
                by_attribute, self.facts, self.givens.unknown, self.assessment, vocabulary
            ),
            certainties=self.certainties,
            pinned=self.givens.pinned,
        )


class _Memory:
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

    def __enter__(self) -> _Memory:
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
            ((name, matched),) = json.loads(message).items()
            identifiers = [matched[f"c{number}"]["id"] for number in range(len(matched))]
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
        definitions = [(stratum, define(stratum)) for stratum in stratify(rules)]
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
