import itertools
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.training.batches import ahead, batch_count, by_length, epoch_order, passes

LENGTHS = st.lists(st.integers(1, 100_000), min_size=1, max_size=120)


@given(LENGTHS, st.integers(1, 40), st.integers(0, 2**31), st.integers(0, 500))
def test_an_epoch_holds_every_clip_once_in_batches_of_even_size(
    lengths: list[int], batch_size: int, seed: int, epoch: int
) -> None:
    order = epoch_order(lengths, batch_size, seed, epoch)
    sizes = [len(batch) for batch in order]

    assert sorted(itertools.chain(*order)) == list(range(len(lengths)))
    assert max(sizes) <= batch_size
    assert max(sizes) - min(sizes) <= 1
    assert len(order) == batch_count(len(lengths), batch_size)


def test_the_order_follows_from_seed_and_epoch() -> None:
    lengths = list(range(100, 400))

    assert epoch_order(lengths, 16, 1, 2) == epoch_order(lengths, 16, 1, 2)
    assert epoch_order(lengths, 16, 1, 2) != epoch_order(lengths, 16, 1, 3)
    assert epoch_order(lengths, 16, 1, 2) != epoch_order(lengths, 16, 2, 2)


def test_batches_change_from_epoch_to_epoch_and_still_waste_little_on_padding() -> None:
    lengths = np.random.default_rng(0).lognormal(0, 0.6, 2000)

    def waste(order: list[tuple[int, ...]]) -> float:
        return sum(len(batch) * max(lengths[list(batch)]) for batch in order) / lengths.sum()

    order = epoch_order(lengths.tolist(), 16, 0, 0)
    shuffled = np.random.default_rng(1).permutation(2000).reshape(-1, 16)
    together = {frozenset(batch) for batch in order}

    assert waste(order) < 1.08
    assert waste([tuple(row) for row in shuffled.tolist()]) > 2
    assert not together & {frozenset(batch) for batch in epoch_order(lengths.tolist(), 16, 0, 1)}


@given(LENGTHS, st.integers(1, 40))
def test_passes_by_length_hold_every_clip_once(lengths: list[int], batch_size: int) -> None:
    order = by_length(lengths, batch_size)

    assert sorted(itertools.chain(*order)) == list(range(len(lengths)))
    assert [lengths[row] for batch in order for row in batch] == sorted(lengths)


def test_a_batch_is_divided_into_even_passes_without_empty_ones() -> None:
    assert passes((5, 6, 7, 8, 9), 2) == [(5, 6, 7), (8, 9)]
    assert passes((5, 6), 4) == [(5,), (6,)]


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_batches_made_ahead_come_in_order(workers: int) -> None:
    assert list(ahead(lambda number: number**2, 20, workers)) == [number**2 for number in range(20)]


@settings(deadline=None, max_examples=10)
@given(st.integers(1, 4))
def test_no_more_batches_are_made_ahead_than_there_is_room_for(workers: int) -> None:
    made, lock = [], threading.Lock()

    def make(number: int) -> int:
        with lock:
            made.append(number)
        return number

    batches = ahead(make, 100, workers)
    next(batches)
    batches.close()

    assert len(made) <= 3 * workers + 1


def test_an_error_in_a_worker_reaches_the_loop() -> None:
    with pytest.raises(ZeroDivisionError):
        list(ahead(lambda number: 1 // (2 - number), 5, 2))
