"""How long `tonmeister rules check` takes on the shipped rulebook, part by part, and as a user waits for it.

    python -m benchmarks.rules_check [--rounds 5]

The parts are CPU times in this process; the whole command is CPU time of a process of its own, with its start. An
editor that checks at every keystroke waits for the whole.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from expert.examples import by_recursion, test_examples
from expert.report.site import rulebook_site
from expert.verification import notes, verify
from knowledge.folder import read_folder
from knowledge.loader import BUILT_IN, assemble, load_knowledge
from knowledge.overrides import Layered
from knowledge.own import Layer


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    knowledge = load_knowledge()
    print(f"{len(knowledge.rules)} rules, {sum(len(rule.cases) for rule in knowledge.rules)} examples")
    parts: dict[str, Callable[[], object]] = {
        "load": lambda: assemble(Layered(read_folder(Layer("package", BUILT_IN))), ""),
        "verify": lambda: verify(knowledge),
        "examples": lambda: test_examples(knowledge, by_recursion),
        "notes (check --deep)": lambda: notes(knowledge),
        "site (doc --site)": lambda: rulebook_site(knowledge),
    }
    for name, work in parts.items():
        print(f"{name:<22} {_seconds(work, rounds):.3f} s")
    print(f"{'the whole command':<22} {statistics.median(_command() for _ in range(rounds)):.3f} s")


def _seconds(work: Callable[[], object], rounds: int) -> float:
    """Median CPU time."""
    found = []
    for _ in range(rounds):
        begun = time.process_time()
        work()
        found.append(time.process_time() - begun)
    return statistics.median(found)


def _command() -> float:
    """CPU time of one process that checks."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "tonmeister", "rules", "check"], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
