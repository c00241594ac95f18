"""Runs the training child for as long as somebody awaits it; cancelling ends the child too. Reads no events."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

GRACE_SECONDS = 15.0
"""How long a child may take to write its last checkpoint before it is killed."""


async def run_training(command: Sequence[str], run: Path) -> int:
    """Run the command until it ends and return its exit status; cancelling this coroutine terminates the child.

    The child gets no standard input (its data workers would hang on a shared one), and its output goes to `stderr.log`
    in the run directory, since the terminal belongs to the interface.
    """
    run.mkdir(parents=True, exist_ok=True)
    with (run / "stderr.log").open("ab") as log:
        child = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            return await child.wait()
        finally:
            if child.returncode is None:
                await _end(child)


async def _end(child: asyncio.subprocess.Process) -> None:
    child.terminate()
    try:
        await asyncio.wait_for(child.wait(), GRACE_SECONDS)
    except TimeoutError:
        child.kill()
        await child.wait()


class LogTail:
    """Reads the lines that a growing text file got since the last time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0

    def read(self) -> list[str]:
        """Return the new whole lines; a file that is not there yet has none."""
        try:
            with self.path.open("rb") as stream:
                stream.seek(self.offset)
                data = stream.read()
        except OSError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self.offset += len(whole)
        return whole.decode("utf-8", "replace").splitlines()
