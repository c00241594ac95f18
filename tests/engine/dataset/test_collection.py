"""The collector is held off while records are made, and does not go through them afterwards."""

from __future__ import annotations

import gc

import pytest

from engine.evidence.dataset.collection import no_collection


def test_what_was_made_meanwhile_counts_as_old() -> None:
    assert gc.isenabled()
    with no_collection():
        assert not gc.isenabled()
        made = [[number] for number in range(1000)]
    assert gc.isenabled()
    assert any(each is made[-1] for each in gc.get_objects(generation=2))


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with no_collection():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_an_error_sets_it_going_again() -> None:
    with pytest.raises(KeyError), no_collection():
        raise KeyError
    assert gc.isenabled()
