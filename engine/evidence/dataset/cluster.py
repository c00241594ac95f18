"""Runs the chunks of a scan on a Ray cluster: the same code a chunk as on one machine; needs the extra `cluster`.

Every node must see the audio under the same paths. What a lost node had not finished, Ray runs again elsewhere; what
had come back is in the cache of the machine that asked, so an interrupted scan goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from knowledge.errors import UsageError

from .batch import Part
from .records import Region
from .workers import Crew

_CHUNKS_PER_TASK = 4
"""A task of a few seconds: long against Ray's milliseconds, short against an interruption."""
_TASKS_PER_PROCESSOR = 2
"""Tasks that wait, so that no processor does; more would only hold memory."""


def run_on_cluster(chunks: Sequence[list[Region]], address: str) -> Generator[Part, None, None]:
    """Yield the parts of the chunks as the cluster brings them, in any order.

    Args:
        chunks: what to decode.
        address: of the cluster, as Ray writes it; `auto`: the one this machine is part of; `local`: start one here.

    Raises:
        UsageError: Ray is not installed, or there is no cluster at the address.
    """
    ray = _connected(address)
    try:
        task = ray.remote(num_cpus=1, max_retries=3)(_run)
        room = max(1, int(ray.cluster_resources().get("CPU", 1)) * _TASKS_PER_PROCESSOR)
        waiting = [list(chunks[start : start + _CHUNKS_PER_TASK]) for start in range(0, len(chunks), _CHUNKS_PER_TASK)]
        waiting.reverse()
        running: list[Any] = []
        while waiting or running:
            while waiting and len(running) < room:
                running.append(task.remote(waiting.pop()))
            ready, running = ray.wait(running, num_returns=1)
            for done in ready:
                yield from ray.get(done)
    finally:
        ray.shutdown()


def _run(chunks: list[list[Region]]) -> list[Part]:
    """Decode chunks on a node, in a watched child of the task."""
    regions = [region for chunk in chunks for region in chunk]
    with Crew(regions, 1) as crew:
        crew.add(range(len(regions)))
        return [part for _, part in crew.rest()]


def _connected(address: str) -> Any:
    try:
        import ray
    except ImportError as error:
        raise UsageError(
            "a scan on a cluster needs Ray, which is not installed; install Tonmeister with the extra `cluster`, "
            "or leave out --ray to use the processors of this machine"
        ) from error
    code = str(Path(__file__).resolve().parents[3])
    try:
        ray.init(
            address=None if address == "local" else address,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            runtime_env={"env_vars": {"PYTHONPATH": code, "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0"}},
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise UsageError(
            f"no Ray cluster answers at {address!r}: {error}; expected an address such as 10.0.0.1:6379, `auto` on a "
            "machine of the cluster, or `local`"
        ) from error
    return ray
