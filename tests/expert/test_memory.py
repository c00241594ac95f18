"""Thousands of consultations in one process must not grow it; in a subprocess, so that nothing else counts."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = """
import psutil
from expert.chaining import consult
from tests.expert.builders import entry, fact, knowledge, rule, vocabulary

WORDS = vocabulary(
    *(entry(f"in.n{n}") for n in range(20)), *(entry(f"mid.m{n}", "boolean", "derived") for n in range(60))
)
RULES = [rule(WORDS, f"a.r{n}", [{f"in.n{n % 20}": f"> {n}"}, {f"in.n{(n + 1) % 20}": "< 90"}],
              {"set": {f"mid.m{n}": True}}) for n in range(60)]
BOOK = knowledge(WORDS, *RULES)

def grow(sessions):
    for number in range(sessions):
        consult(BOOK, [fact(f"in.n{n}", float(number % 80)) for n in range(20)], packs=("plan",))
    return psutil.Process().memory_info().rss / 2**20

warm = grow(200)
print(grow(2000) - warm)
"""


@pytest.mark.slow
def test_two_thousand_consultations_do_not_grow_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True, cwd=ROOT)

    assert float(done.stdout) < 4.0, "MiB that 2,000 consultations added"
