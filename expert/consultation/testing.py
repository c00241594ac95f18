"""Runs separating tests of a run in a child process, as a person or a diagnosis asks for them. Judges nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from engine.process import last_words, run_child, test_command
from engine.separating import TESTS, outcome_folder, tests_done
from knowledge.errors import TrainingError, UsageError
from knowledge.rulebook import Knowledge

from ..differential import telling_tests
from .diagnose import diagnose_run

ASKED, ALL = "asked", "all"
"""Names that stand for the tests that the diagnosis asks for, and for every one."""
Say = Callable[[str], None]


def tests_named(knowledge: Knowledge, run: Path, names: Iterable[str]) -> tuple[str, ...]:
    """Return the tests that names stand for, each once.

    Raises:
        UsageError: there is no such test, or the run is none of ours, so that nobody could run one.
        InputError: the run cannot be read.
    """
    given = tuple(names)
    unknown = [name for name in given if name not in (*TESTS, ASKED, ALL)]
    if unknown:
        raise UsageError(
            f"--test {unknown[0]}: no such test",
            hint=f"They are {', '.join(TESTS)}; {ASKED} and {ALL} stand for several.",
        )
    if given and not (run / "plan.yaml").is_file():
        raise UsageError(
            f"--test: {run} holds no plan.yaml, expected a run directory of ours",
            hint="A test is run with the plan and the clips of the run; a log alone tells neither.",
        )
    found: list[str] = []
    for name in given:
        if name == ASKED:
            found += telling_tests(diagnose_run(knowledge, run).session, tests_done(run))
        else:
            found += list(TESTS) if name == ALL else [name]
    return tuple(dict.fromkeys(found))


def run_tests(run: Path, names: Iterable[str], say: Say) -> None:
    """Run tests one after the other; each leaves its outcome under the run, where the next diagnosis reads it.

    Raises:
        TrainingError: a test ended without an outcome.
    """
    for name in names:
        say(f"Test {name}: {TESTS[name]}")
        folder = outcome_folder(run, name)
        status = run_child(test_command(run.resolve(), name), folder)
        if status == 130:
            raise KeyboardInterrupt
        if status:
            raise TrainingError(f"the test {name} ended with status {status}: {last_words(folder, status)}")
