"""Runs an experiment in slices: what is done is kept after every unit, so that the next slice goes on from there."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from engine.plan import write_atomically

from .small_encoder import STEPS


def options(description: str | None, results: Path) -> argparse.Namespace:
    """Return what both examples are asked for."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("TONMEISTER_TEST_DATA"), help="holds audio/")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no unit after so many")
    parser.add_argument("--results", type=Path, default=results, help="what is in there is not done again")
    parser.add_argument("--pretraining-steps", type=int, default=STEPS)
    parser.add_argument("--seeds", type=int, default=5)
    chosen = parser.parse_args()
    if chosen.data is None:
        parser.error("name --data, the folder that holds audio/fsdd, audio/esc10 and audio/speechocean762")
    return chosen


def kept(path: Path) -> dict[str, Any]:
    """Return every unit that is done, by name."""
    content: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    units: dict[str, Any] = content.get("units", {})
    return units


def run(
    path: Path,
    units: Iterable[tuple[str, Callable[[], Any]]],
    minutes: float,
    told: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    """Do the units that are not done yet, until the time is up; after each, write all of them and what they say.

    Args:
        path: the results, as JSON.
        units: name and work of each, in order.
        minutes: no unit begins later.
        told: what goes above the units, from the units.
    """
    began, done = time.monotonic(), kept(path)
    for name, work in units:
        if name in done:
            continue
        if time.monotonic() - began > 60 * minutes:
            print(f"{path}: {name} and what follows is left for the next slice", file=sys.stderr)
            return
        at = time.process_time()
        done[name] = json.loads(json.dumps(work()))  # as the next slice will read it
        print(f"{name}: {time.process_time() - at:.0f} s of processor time", file=sys.stderr, flush=True)
        write(path, done, told)
    write(path, done, told)


def write(path: Path, units: dict[str, Any], told: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Write what the units say, and below it the units, a line each."""
    above = json.dumps(told(units), indent=1).removesuffix("\n}") if units else "{"
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in units.items())
    write_atomically(path, f'{above}{"," if above != "{" else ""}\n "units": {{\n{lines}\n }}\n}}\n')
