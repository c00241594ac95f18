"""Holds three evaluators against each other on random rulebooks and facts: durable-rules, plain recursion, CLIPS.

    python -m benchmarks.crosscheck [--cases 5000] [--shuffles 2000] [--seed 1]

Any difference ends the run with the smallest case that shows it. The rulebooks are those of the property tests, with
every operator, strength, policy and state, values at the edges of what the engine reads, and conclusions that the user
contradicts; CLIPS gets those without such contradictions, because it knows no decisions.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from knowledge.records import Fact
from knowledge.rulebook import Knowledge
from tests.expert import strategies
from tests.expert.test_properties import (
    test_engine_agrees_with_plain_recursion as agrees_with_recursion,
)
from tests.expert.test_properties import (
    test_order_of_facts_and_rules_changes_nothing as has_no_order,
)
from tests.oracle.test_clips import Oracle

RESULT = Path(__file__).parent / "results" / "crosscheck.json"


def main() -> int:
    """Run the three comparisons and write how many cases each had."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--shuffles", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    book, facts = strategies.rulebooks(), strategies.facts()
    recursion = _inner(agrees_with_recursion)
    order = _inner(has_no_order)
    found: dict[str, Any] = {"command": f"python -m benchmarks.crosscheck --seed {asked.seed}", "differences": 0}
    found["recursion"] = _count(recursion, asked.cases, asked.seed, book, facts)
    found["clips"] = _count(_against_clips, asked.cases, asked.seed, book, strategies.facts(pinned=False))
    found["shuffles"] = _count(order, asked.shuffles, asked.seed, book, facts, st.integers(0, 2**32))
    RESULT.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    print(json.dumps(found, indent=2))
    return 0


def _inner(test: Callable[..., None]) -> Callable[..., None]:
    """The property of a test, without its settings."""
    property_: Callable[..., None] = test.hypothesis.inner_test  # type: ignore[attr-defined]  # Hypothesis's own name
    return property_


def _against_clips(book: Knowledge, given_facts: list[Fact]) -> None:
    Oracle(book).compare(given_facts)


def _count(
    check: Callable[..., None], cases: int, start: int, *arguments: st.SearchStrategy[Any]
) -> dict[str, float | int]:
    """Run a property on exactly as many cases as asked for; it raises at the first difference."""
    done = rules = 0

    def counted(drawn: tuple[Any, ...]) -> None:
        nonlocal done, rules
        check(*drawn)
        done += 1
        rules += len(drawn[0].rules)

    began = time.process_time()
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
    run = settings(max_examples=cases, deadline=None, database=None, suppress_health_check=slow)
    seed(start)(run(given(st.tuples(*arguments))(counted)))()
    return {"cases": done, "rules": rules, "cpu_seconds": round(time.process_time() - began, 1)}


if __name__ == "__main__":
    raise SystemExit(main())
