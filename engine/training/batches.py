"""Orders clips into batches of similar length, and makes batches ahead of time; knows no audio.

The order follows from (seed, epoch) alone, so a stopped epoch goes on where it was.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np

_SPREAD = 0.1
"""Lengths are multiplied by a random factor of up to e^0.1 before sorting: batches change from epoch to epoch, at about
10 % padding where random batches have 30 to 170 % (training.md 4.2)."""
Batch = TypeVar("Batch")


def epoch_order(lengths: Sequence[int], batch_size: int, seed: int, epoch: int) -> list[tuple[int, ...]]:
    """Return the clips of every batch of one epoch; each clip comes once.

    Batches differ by at most one clip, so that none is too small for a loss over the batch.
    """
    random = np.random.default_rng([seed, epoch, 0])
    noise = np.exp(random.uniform(-_SPREAD, _SPREAD, len(lengths)))
    order = np.argsort(np.asarray(lengths) * noise, kind="stable")
    batches = [
        tuple(int(place) for place in part) for part in np.array_split(order, batch_count(len(order), batch_size))
    ]
    return [batches[number] for number in random.permutation(len(batches))]


def batch_count(clips: int, batch_size: int) -> int:
    """Return the batches of an epoch."""
    return max(-(-clips // batch_size), 1)


def by_length(lengths: Sequence[int], batch_size: int) -> list[tuple[int, ...]]:
    """Return all clips in batches from short to long, for passes in which the order does not matter."""
    order = np.argsort(np.asarray(lengths), kind="stable").tolist()
    return [tuple(order[start : start + batch_size]) for start in range(0, len(order), batch_size)]


def passes(batch: Sequence[int], accumulation: int) -> list[tuple[int, ...]]:
    """Divide a batch into forward passes of nearly equal size; a batch with fewer clips than that has fewer."""
    return [tuple(int(one) for one in part) for part in np.array_split(batch, accumulation) if len(part)]


def ahead(make: Callable[[int], Batch], count: int, workers: int) -> Iterator[Batch]:
    """Yield make(0), make(1), ... in order; with workers, threads make the next ones meanwhile.

    Threads and not processes: decoding, resampling and transforms release the interpreter lock, and a batch that
    follows from its number alone comes out the same either way.
    """
    if not workers:
        yield from map(make, range(count))
        return
    with ThreadPoolExecutor(workers, "batches") as pool:
        pending: deque[Future[Batch]] = deque()
        try:
            for number in range(count):
                pending.append(pool.submit(make, number))
                if len(pending) > 2 * workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
