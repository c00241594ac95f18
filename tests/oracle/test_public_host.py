"""The thin driver against durable-rules' own public `Host`: the same definition must fire the same rules."""

import json
from collections.abc import Callable
from typing import Any

from durable.engine import Host, MessageNotHandledException

from expert.chaining import consult
from expert.definition import OPEN, Definition, define, group_of
from expert.strata import stratify
from knowledge.records import Fact

from ..expert.builders import entry, fact, knowledge, rule, vocabulary

WORDS = vocabulary(
    *(entry(f"in.n{n}") for n in range(4)),
    entry("in.kind", "choice", values=("a", "b", "c")),
    *(entry(f"mid.m{n}", "boolean", "derived") for n in range(8)),
)
BOOK = knowledge(
    WORDS,
    rule(WORDS, "a.m0", [{"in.n0": "> 0.5"}, {"in.kind": ["a", "b"]}], {"set": {"mid.m0": True}}),
    rule(WORDS, "a.m1", [{"mid.m0": True}, {"in.n1": "0.25 .. < 0.75"}], {"set": {"mid.m1": True}}),
    rule(
        WORDS, "a.m2", [{"any": [{"mid.m1": True}, {"in.n2": ">= 2"}]}, {"in.kind": "!= c"}],
        {"set": {"mid.m2": True}},
    ),
    rule(WORDS, "a.m3", [{"mid.m2": True}, {"mid.m0": True}], {"set": {"mid.m3": True}}),
    rule(WORDS, "a.m4", [{"in.n0": "> 0.1"}, {"in.n0": "< 0.9"}], {"set": {"mid.m4": True}}),
    rule(WORDS, "a.m5", [{"in.kind": ["b", "c"]}, {"mid.m4": True}], {"set": {"mid.m5": True}}),
    rule(WORDS, "a.m6", [{"mid.m4": [True]}, {"in.kind": "c"}], {"set": {"mid.m6": True}}),
    rule(WORDS, "a.m7", [{"in.kind": ["b", "c"]}, {"mid.m4": True}], {"set": {"mid.m7": True}}),
)  # fmt: skip


class QuietHost(Host):  # type: ignore[misc]  # durable-rules has no types
    """A host without the two timer threads that the original starts for ever."""

    def _run(self) -> None:
        pass


def fired_by_host(definition: Definition, facts: list[Fact], name: str) -> set[str]:
    """Run one stratum through the public interface."""
    fired: set[str] = set()

    def action(rule_name: str) -> Callable[[Any], None]:
        def run(closure: Any) -> None:
            if rule_name in definition.choices:
                closure.assert_fact(json.loads(definition.choices[rule_name]))
            elif rule_name != OPEN:
                for concluded, _ in definition.conjunctions[rule_name].branches:
                    fired.add(concluded.id)
                    head = concluded.then.attribute
                    if head in definition.reads and f"{head}!" not in fired:
                        fired.add(f"{head}!")
                        closure.assert_fact({"id": head, "g": group_of(head), "attr": head, "value": True})

        return run

    rules = json.loads(definition.text)
    host = QuietHost({name: {key: {**body, "run": action(key)} for key, body in rules.items()}})
    values = {item.name: item.value for item in facts}
    held = [any(c.fact in values and c.holds(values[c.fact]) for c in clause) for clause in definition.settled]
    tokens = [json.loads(text) for text, needs in definition.tokens if all(held[number] for number in needs)]
    given = [{"id": key, "g": group_of(key), "attr": key, "value": value} for key, value in values.items()]
    for item in (*tokens, *given):
        try:
            host.assert_fact(name, item)
        except MessageNotHandledException:
            continue  # no rule reads it
    return {key for key in fired if not key.endswith("!")}


def test_the_thin_driver_agrees_with_the_public_host() -> None:
    (stratum,) = stratify(BOOK.rules)
    definition = define(stratum)
    counts = set()
    for number in range(48):
        facts = [
            fact("in.n0", (0.05, 0.6, 0.95)[number % 3]),
            fact("in.n1", (0.5, 0.75)[number % 2]),
            fact("in.n2", (1.0, 2.0)[number // 24]),
            fact("in.kind", "abc"[number // 6 % 3]),
        ]
        expected = {firing.rule.id for firing in consult(BOOK, facts, packs=("plan",)).firings}

        assert fired_by_host(definition, facts, f"host{number}") == expected
        counts.add(len(expected))
    assert len(counts) > 3, "cases that fire different numbers of rules"
