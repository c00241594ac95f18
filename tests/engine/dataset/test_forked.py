"""Forked children: they keep nothing that would hold others up, and where a fork is not safe none happens."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine.evidence.dataset.forked import Forked, forkable

pytestmark = pytest.mark.skipif(not forkable(), reason="a fork is not safe in this process")


def echo(questions: int, answers: int) -> None:
    while asked := os.read(questions, 100):
        os.write(answers, asked.upper())


def said(child: Forked, text: bytes) -> bytes:
    child.stdin.write(text)
    child.stdin.flush()
    return os.read(child.stdout.fileno(), 100)


def close(child: Forked) -> None:
    child.stdin.close()
    child.wait(5)
    child.stdout.close()


def test_a_child_answers_until_nobody_asks() -> None:
    child = Forked(echo)

    assert said(child, b"what") == b"WHAT"
    assert child.poll() is None
    close(child)
    assert child.returncode == 0


def test_a_child_ends_though_another_was_forked_after_it() -> None:
    first, second = Forked(echo), Forked(echo)

    assert said(second, b"there") == b"THERE"
    close(first)
    assert first.returncode == 0
    close(second)


def test_a_child_keeps_no_file_of_its_parent() -> None:
    with Path("/proc/self/status").open() as held:
        child = Forked(lambda questions, answers: _list(answers))
        assert held.readline()
    open_ones = child.stdout.read().decode().split()
    close(child)
    assert len(open_ones) == 6, open_ones  # three standard ones, two pipes, and the listing itself


def _list(answers: int) -> None:
    os.write(answers, " ".join(map(str, Path("/proc/self/fd").iterdir())).encode())


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGTERM])
def test_what_a_child_died_of_is_known(number: signal.Signals) -> None:
    child = Forked(lambda questions, answers: os.kill(os.getpid(), number))

    child.wait(5)
    assert child.returncode == -number
    close(child)


def test_an_error_in_a_child_ends_the_child_alone() -> None:
    def broken(questions: int, answers: int) -> None:
        raise SystemExit(0)

    child = Forked(broken)
    child.wait(5)
    assert child.returncode == 1
    close(child)


def test_a_killed_child_is_gone() -> None:
    child = Forked(echo)
    child.kill()
    child.wait()

    assert child.returncode == -signal.SIGKILL
    child.kill()  # a second time it does nothing
    close(child)


def test_beside_another_thread_nothing_is_forked() -> None:
    end, found = threading.Event(), []
    other = threading.Thread(target=end.wait)
    other.start()
    try:
        found.append(forkable())
    finally:
        end.set()
        other.join()

    assert found == [False]


def test_a_process_of_one_thread_is_forked() -> None:
    """In a process of its own: tests before this one may have left threads behind."""
    code = "import numpy\nfrom engine.evidence.dataset.forked import forkable\nprint(forkable())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == str(sys.platform == "linux")
