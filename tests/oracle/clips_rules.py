"""Translates one stratum to CLIPS and runs it there; shares no code with the durable-rules driver."""

from collections.abc import Iterable, Mapping
from itertools import product

import clips

from knowledge.conditions import Condition
from knowledge.records import Value
from knowledge.rulebook import Rule

_OPERATORS = {"<": "<", "<=": "<=", ">": ">", ">=": ">="}


class ClipsStratum:
    """The rules of one stratum in a CLIPS environment."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._environment = clips.Environment()
        self._environment.build("(deftemplate f (slot attr) (slot value))")
        self._environment.build("(deftemplate token (slot key))")
        self._environment.build("(deftemplate pinned (slot attr))")
        self._environment.build("(deftemplate fired (slot rule) (slot branch))")
        names = ("f", "token", "pinned", "fired")
        self._fact, self._token, self._pinned, self._fired = map(self._environment.find_template, names)
        for rule in rules:
            for number, choice in enumerate(product(*rule.when, *rule.needs)):
                patterns = " ".join(_pattern(condition, place) for place, condition in enumerate(choice))
                head = f'(f (attr "{rule.then.attribute}") (value {_literal(rule.then.value)}))'
                self._environment.build(
                    f"(defrule r-{rule.id}-{number} {patterns} => "
                    f'(assert (fired (rule "{rule.id}") (branch {number}))) '
                    f'(if (not (any-factp ((?p pinned)) (eq ?p:attr "{rule.then.attribute}"))) then (assert {head})))'
                )

    def forget(self, rule_id: str) -> None:
        """Take a rule away."""
        for rule in list(self._environment.rules()):
            if rule.name.startswith(f"r-{rule_id}-"):
                rule.undefine()

    def run(self, facts: Mapping[str, Value], established: Iterable[str], pinned: Iterable[str] = ()) -> set[str]:
        """Return the ids of the rules that fire, given facts and the keys of the conditions that are established.

        Rules fire on `pinned` attributes as on others, but conclude nothing about them.
        """
        return {rule for rule, _ in self.branches(facts, established, pinned)}

    def branches(
        self, facts: Mapping[str, Value], established: Iterable[str], pinned: Iterable[str] = ()
    ) -> set[tuple[str, int]]:
        """Return which combination of its `any` clauses each rule fires on."""
        self._environment.reset()
        for name, value in facts.items():
            self._fact.assert_fact(attr=name, value=_symbol(value))
        for key in established:
            self._token.assert_fact(key=key)
        for name in pinned:
            self._pinned.assert_fact(attr=name)
        self._environment.run()
        return {(fact["rule"], fact["branch"]) for fact in self._fired.facts()}


def _pattern(condition: Condition, place: int) -> str:
    if condition.kind != "is":
        return f"(token (key {_text(condition.key)}))"
    return f'(f (attr "{condition.fact}") (value ?v{place}&:{_test(condition, f"?v{place}")}))'


def _test(condition: Condition, variable: str) -> str:
    if isinstance(condition.value, tuple):
        return f"(or {' '.join(_equals(variable, value) for value in condition.value)} FALSE)"
    if condition.operator == "==":
        return _equals(variable, condition.value)
    if condition.operator == "!=":
        return f"(not {_equals(variable, condition.value)})"
    return f"(and (numberp {variable}) ({_OPERATORS[condition.operator]} {variable} {_literal(condition.value)}))"


def _equals(variable: str, value: Value) -> str:
    if isinstance(value, (bool, str)):
        return f"(eq {variable} {_literal(value)})"
    return f"(and (numberp {variable}) (= {variable} {_literal(value)}))"


def _symbol(value: Value) -> Value | clips.Symbol:
    """Give CLIPS a value as it holds it; prepared facts are asserted six times as fast as text is parsed."""
    return clips.Symbol(str(value).upper()) if isinstance(value, bool) else value


def _literal(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, str):
        return _text(value)
    return repr(float(value)) if isinstance(value, float) else str(value)


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
