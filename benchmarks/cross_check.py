"""Random rulebooks and facts through three evaluators, shuffled, and again and again; counts what differs.

    python -m benchmarks.cross_check [--cases 5000] [--shuffles 2000] [--consultations 2000] [--write]

cases:          durable-rules (`consult`) = the naive three-valued reference = CLIPS, stratum by stratum; random
                rulebooks with random facts, and random facts on the shipped packs
shuffles:       the same facts and rules in another order conclude the same, down to every certainty
consultations:  on the shipped rulebook, one process, other facts each time; what resident memory grows by

`--write` keeps the result in benchmarks/results/cross_check.json. A difference is printed with its case, and ends with
exit status 1. Run in parts (`--first`) it goes on where it was, because every case is made from its own number.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import psutil

from knowledge.loader import load_knowledge
from knowledge.schema import PACKS
from tests.oracle.agreement import ClipsOracle, disagreement, order_effect
from tests.oracle.random_cases import random_book, random_facts, random_shipped_facts

_RESULT = Path(__file__).parent / "results" / "cross_check.json"
_SHIPPED_SHARE = 5
"""Every fifth case is the shipped rulebook on random facts."""
_WARM = 200
"""Consultations before memory is read: caches and the allocator's arenas have filled by then."""


def cross_checked(first: int, cases: int) -> tuple[int, list[str]]:
    """Compare the three evaluators; return the number of rules that fired, and what differs."""
    shipped = load_knowledge()
    oracles = {pack: ClipsOracle(shipped, pack) for pack in PACKS}
    fired, found = 0, []
    for number in range(first, first + cases):
        random = Random(number)
        if number % _SHIPPED_SHARE == 0:
            oracle = oracles[PACKS[number // _SHIPPED_SHARE % len(PACKS)]]
            facts = random_shipped_facts(random, shipped, oracle.pack)
        else:
            oracle, facts = ClipsOracle(random_book(random), "plan"), random_facts(random)
        count, difference = disagreement(oracle, facts)
        fired += count
        found += [f"case {number}: {difference}"] if difference else []
    return fired, found


def shuffled(first: int, shuffles: int) -> list[str]:
    """Compare conclusions with those of the same facts and rules in another order; return what differs."""
    found = []
    for number in range(first, first + shuffles):
        random = Random(number)
        difference = order_effect(random_book(random), random_facts(random), random)
        found += [f"shuffle {number}: {difference}"] if difference else []
    return found


def grown_mib(consultations: int) -> float:
    """Return what resident memory grows by over that many consultations on the shipped rulebook."""
    from expert.chaining import consult

    shipped, random = load_knowledge(), Random(1)

    def consult_some(count: int) -> float:
        for number in range(count):
            pack = PACKS[number % len(PACKS)]
            consult(shipped, random_shipped_facts(random, shipped, pack), packs=(pack,))
        return float(psutil.Process().memory_info().rss) / 2**20

    before = consult_some(_WARM)
    return consult_some(consultations) - before


def _timed(run: Callable[[], Any]) -> tuple[Any, float]:
    started = time.process_time()
    result = run()
    return result, round(time.process_time() - started, 1)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--shuffles", type=int, default=2000)
    parser.add_argument("--consultations", type=int, default=2000)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    grown, grown_seconds = _timed(lambda: grown_mib(options.consultations))
    (fired, differences), case_seconds = _timed(lambda: cross_checked(options.first, options.cases))
    effects, shuffle_seconds = _timed(lambda: shuffled(options.first, options.shuffles))
    record = {
        "command": " ".join(["python -m benchmarks.cross_check", *sys.argv[1:]]),
        "shipped_rules": len(load_knowledge().rules),
        "cases": options.cases,
        "rules_fired": fired,
        "differences": len(differences),
        "cases_cpu_seconds": case_seconds,
        "shuffles": options.shuffles,
        "order_effects": len(effects),
        "shuffles_cpu_seconds": shuffle_seconds,
        "consultations": options.consultations,
        "grown_mib": round(grown, 2),
        "consultations_cpu_seconds": grown_seconds,
    }
    print("\n".join([*differences, *effects, json.dumps(record, indent=2)]))
    if options.write:
        _RESULT.write_text(json.dumps(record, indent=2) + "\n", "utf-8")
    sys.exit(1 if differences or effects else 0)


if __name__ == "__main__":
    main()
