"""Starts the training child and follows its events; torch-free, so that the command line and the interface can use it.

The child is started by name (`python -P -m engine`), never imported: it can be killed without harm to the parent, gives
its memory back, and cannot be shadowed by a file in the user's folder. It gets no standard input, because forked loader
workers hang while a parent reads it, and its standard error goes to a file, because the interface draws on ours.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Event = dict[str, Any]
_POLL_SECONDS = 0.1


def train_command(
    plan: Path,
    run: Path,
    *,
    folds: str | None = None,
    seeds: int = 1,
    resume: bool = False,
    test: bool = False,
    processes: int = 1,
) -> list[str]:
    """Return the command that trains `plan` into the run directory `run`; several processes are started by torchrun."""
    python = [sys.executable, "-P"]
    if processes > 1:
        # Behind `--`, or torchrun takes our `--run` for the beginning of one of its own options.
        python += ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "--module", "--"]
    else:
        python.append("-m")
    command = [*python, "engine", "train", str(plan), "--run", str(run)]
    command += ["--folds", folds] if folds else []
    command += ["--seeds", str(seeds)] if seeds > 1 else []
    return command + ["--resume"] * resume + ["--test"] * test


def evaluate_command(
    run: Path, manifest: Path | None = None, *, split: str | None = None, name: str | None = None
) -> list[str]:
    """Return the command that scores `run`; without a manifest, on a split of its own plan."""
    command = [sys.executable, "-P", "-m", "engine", "evaluate", str(run)]
    command += [str(manifest)] if manifest else []
    command += ["--split", split] if split else []
    return command + (["--name", name] if name else [])


def test_command(run: Path, name: str) -> list[str]:
    """Return the command that runs one separating test (`engine.separating`) of a run."""
    return [sys.executable, "-P", "-m", "engine", "test", str(run), name]


def abx_command(run: Path, manifest: Path, *, label: str | None, group: str | None) -> list[str]:
    """Return the command that compares the encoder of `run` before and after on another data set."""
    command = [sys.executable, "-P", "-m", "engine", "abx", str(run), str(manifest)]
    command += ["--label", label] if label else []
    return command + (["--group", group] if group else [])


def eject_command(plan: Path, script: Path, held_out: str | None = None) -> list[str]:
    """Return the command that writes `plan` as a script."""
    left_out = [] if held_out is None else ["--held-out", held_out]
    return [sys.executable, "-P", "-m", "engine", "eject", str(plan), "--output", str(script), *left_out]


STDERR = "stderr.log"
"""What a child says, in the folder that it works in."""
_AGAIN = "-- started again --"
"""Parts what several attempts at a run wrote."""
_LAST_CHARACTERS = 4000
_OF_LAUNCHER = re.compile(r"^[WE]\d{4} [\d:.]+ \d+ torch/distributed/elastic/", re.MULTILINE)
_OUT_OF_MEMORY = (
    "The system does that where memory runs out (`dmesg | grep -i memory` tells). What was saved is kept: "
    "`--resume` goes on from the last checkpoint; a smaller training.batch_size or data.max_seconds takes less memory."
)


class EventTail:
    """Reads a growing events.jsonl a piece at a time; a torn last line is left for the next read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0

    def read(self) -> list[Event]:
        """Return the whole lines that have come since the last call; lines that are not JSON objects are skipped."""
        try:
            with self.path.open("rb") as stream:
                stream.seek(self._offset)
                content = stream.read()
        except FileNotFoundError:
            return []
        whole = content[: content.rfind(b"\n") + 1]
        self._offset += len(whole)
        events = (_parse(line) for line in whole.splitlines())
        return [event for event in events if event is not None]


def _parse(line: bytes) -> Event | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None  # a line torn by a kill, followed by those of the resumed run
    return event if isinstance(event, dict) and "kind" in event else None


def run_child(command: list[str], run: Path, on_event: Callable[[Event], None] | None = None) -> int:
    """Run the child to its end and return its exit status, handing over each event as it is written.

    Ctrl-C is passed on: the child saves its state, and 130 is returned once it has ended.
    """
    run.mkdir(parents=True, exist_ok=True)
    tails = _Tails(run)
    tails.read()  # events of an earlier attempt are not news
    with (run / STDERR).open("ab") as errors:
        if errors.tell():
            errors.write(f"\n{_AGAIN}\n".encode())
            errors.flush()
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            start_new_session=True,  # Ctrl-C reaches the child once, through us
        )
        try:
            interrupted = _follow(child, tails, on_event)
        finally:
            if child.poll() is None:  # whoever watches failed; nobody would end the child any more
                child.terminate()
                child.wait()
    _hand_over(tails, on_event)
    status = child.returncode
    return 130 if interrupted or status == -signal.SIGINT else status if status >= 0 else 128 - status


def last_words(run: Path, status: int) -> str:
    """Return what a child that failed wrote last; of one that was killed, by what, since it had no time to write."""
    log = run / STDERR
    text = log.read_text("utf-8", "replace") if log.is_file() else ""
    told = _without_launcher(text.rpartition(_AGAIN)[2].strip())[-_LAST_CHARACTERS:]
    number = status - 128
    if number == signal.SIGINT and told:
        return told  # whoever pressed Ctrl-C knows what ended it
    if number not in signal.valid_signals():
        return told or f"The process ended with status {status} and wrote nothing; see {run}."
    name = signal.Signals(number).name
    why = _OUT_OF_MEMORY if number == signal.SIGKILL else "Somebody, or a batch system's time limit, ended it."
    return f"{told}\nThe process was killed by signal {number} ({name}). {why}".strip()


def _without_launcher(told: str) -> str:
    """Return what several processes said, each line once: torchrun adds a page of its own where one fails."""
    begins = _OF_LAUNCHER.search(told)
    own = told[: begins.start()].strip() if begins else ""
    return "\n".join(dict.fromkeys(own.splitlines())) if own else told


def _follow(child: subprocess.Popen[bytes], tails: _Tails, on_event: Callable[[Event], None] | None) -> bool:
    """Hand events over until the child has ended; return whether Ctrl-C was pressed meanwhile."""
    interrupted = False
    while child.poll() is None:
        try:
            _hand_over(tails, on_event)
            child.wait(_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        except KeyboardInterrupt:
            interrupted = True
            child.send_signal(signal.SIGINT)
    return interrupted


def _hand_over(tails: _Tails, on_event: Callable[[Event], None] | None) -> None:
    for event in tails.read():
        if on_event is not None:
            on_event(event)


_EVENT_FILES = ("events.jsonl", "fold-*/events.jsonl", "seed-*/events.jsonl", "seed-*/fold-*/events.jsonl")


class _Tails:
    """The event files of a run, of its folds and of its seeds, which appear while it runs."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._tails: dict[Path, EventTail] = {}

    def read(self) -> list[Event]:
        for path in (path for pattern in _EVENT_FILES for path in sorted(self._run.glob(pattern))):
            self._tails.setdefault(path, EventTail(path))
        return [event for tail in self._tails.values() for event in tail.read()]
