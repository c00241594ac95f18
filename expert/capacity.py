"""A model of durable-rules' fixed buffers: refuses a definition before the C library corrupts memory or hangs on it.

The limits were measured on 2.0.28 (rules.h: BETA_LIST_LENGTH 256, NEXT_BUCKET_LENGTH 512, NEXT_LIST_LENGTH 128;
events.c: MAX_STACK_SIZE 64; rete.c: MAX_ACTIONS 4096). Some of them raise no error beyond: at exactly 256 rules that
end in one condition the engine fires a wrong rule, at 512 conditions beside each other it loops for ever.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from knowledge.errors import KnowledgeError
from knowledge.rulebook import Rule

MOST_RULES = 4096
MOST_CONDITIONS_A_RULE = 16
MOST_SIBLINGS = 511
MOST_SHARING = 255
MOST_ALTERNATIVES = 127
MOST_BRANCHES = 64
"""Conjunctions that the `any` clauses of one rule may expand to; our own limit, so that a slip is noticed."""
MOST_SATISFIED = 60
"""Conditions that one fact may satisfy at one level; the engine's stack holds 64, four stay free."""


@dataclass
class _Node:
    """One condition of the alpha network, shared by all rules that begin alike."""

    children: dict[str, _Node] = field(default_factory=dict)
    ends: int = 0
    """Rules that end in this condition."""
    forwards: int = 0
    """Alternatives (`$or`) that go on from here."""


def check_capacity(rules: dict[str, Any]) -> None:
    """Check one definition.

    Raises:
        KnowledgeError: a limit is exceeded; the message names it and the rule or fact.
    """
    _limit(len(rules), MOST_RULES, "rules in one stratum (branches of `any` included)")
    root = _Node()
    for name, rule in rules.items():
        _limit(len(rule["all"]), MOST_CONDITIONS_A_RULE, f"conditions in the rule {name.partition('#')[0]}")
        for pattern in rule["all"]:
            ((_, test),) = pattern.items()
            _insert(root, test.get("$and", [test]))
    for place, node in _walk(root, ""):
        _limit(len(node.children), MOST_SIBLINGS, f"distinct conditions at {place}")
        _limit(node.ends, MOST_SHARING, f"rules that share the condition {place}")
        _limit(node.forwards, MOST_ALTERNATIVES, f"lists of choices that hold {place}")
        _limit(_satisfied(node), MOST_SATISFIED, f"conditions that one fact can satisfy at {place}")


def check_branches(rule: Rule) -> None:
    """Check how many conjunctions the `any` clauses of a rule expand to.

    Raises:
        KnowledgeError: too many.
    """
    count = math.prod(len(clause) for clause in (*rule.when, *rule.needs))
    _limit(count, MOST_BRANCHES, f"combinations of the `any` clauses of {rule.id} ({rule.file}:{rule.line})")


def _insert(root: _Node, conjunction: list[dict[str, Any]]) -> None:
    node = root
    for test in conjunction:
        if "$or" in test:
            for choice in test["$or"]:
                child = node.children.setdefault(json.dumps(choice), _Node())
                child.forwards += 1
            return
        node = node.children.setdefault(json.dumps(test), _Node())
    node.ends += 1


def _walk(node: _Node, place: str) -> Iterator[tuple[str, _Node]]:
    yield place or "the root", node
    for text, child in node.children.items():
        yield from _walk(child, f"{place} {text}".strip())


def _satisfied(node: _Node) -> int:
    """Return how many children one fact can satisfy at once, at worst: all comparisons, but one equality."""
    equalities = [child for text, child in node.children.items() if not text.startswith('{"$')]
    comparisons = len(node.children) - len(equalities)
    same_property = {next(iter(json.loads(text))) for text in node.children if not text.startswith('{"$')}
    return comparisons + len(same_property) + max((child.forwards for child in equalities), default=0)


def _limit(count: int, most: int, what: str) -> None:
    if count > most:
        raise KnowledgeError(
            f"{count} {what}, expected at most {most}: beyond that the inference engine gives wrong answers or hangs",
            hint="Let a derived fact stand for conditions that many rules share.",
        )
