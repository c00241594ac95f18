"""Orders: seconds are kept, classes are shown alike, short clips first, and everything follows from seed and epoch."""

import itertools
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.training.batches import epoch_order, padding_waste
from engine.training.sampling import Sampler
from knowledge.errors import PlanError

from .corpora import events_of, tone_corpus, tone_plan, train
from .small_models import plan_with

LENGTHS = st.lists(st.integers(1, 50_000), min_size=1, max_size=80)


def sampler(lengths: list[int], classes: list[int] | None = None, **training: object) -> Sampler:
    return Sampler(plan_with(training=training), lengths, classes or [0] * len(lengths))


@given(LENGTHS, st.integers(1, 20), st.floats(0.01, 5))
def test_no_batch_is_longer_than_its_seconds_unless_it_is_one_clip(
    lengths: list[int], batch_size: int, seconds: float
) -> None:
    order = sampler(lengths, batch_size=batch_size, batch_seconds=seconds).order(0)

    assert sorted(itertools.chain(*order)) == list(range(len(lengths)))
    for batch in order:
        assert len(batch) <= batch_size
        assert len(batch) == 1 or len(batch) * max(lengths[clip] for clip in batch) <= round(seconds * 16000)


@pytest.mark.parametrize(("spread", "seconds"), [(0.4, 0), (0.4, 48), (0.8, 48)])
def test_padding_wastes_at_most_a_tenth_and_batches_change(spread: float, seconds: float) -> None:
    lengths = (16000 * np.random.default_rng(0).lognormal(0, spread, 3000)).astype(int).tolist()
    one = sampler(lengths, batch_size=32, batch_seconds=seconds)
    first, second = one.order(0), one.order(1)

    assert padding_waste(first, lengths) <= 1.10
    assert not {frozenset(batch) for batch in first} & {frozenset(batch) for batch in second if len(batch) > 1}


@given(st.lists(st.integers(0, 3), min_size=4, max_size=90), st.integers(1, 16), st.integers(0, 9))
def test_balanced_epochs_show_every_class_alike(classes: list[int], batch_size: int, epoch: int) -> None:
    drawn = sampler([100] * len(classes), classes, class_balance="balanced-sampling", batch_size=batch_size)
    shown = list(itertools.chain(*drawn.order(epoch)))
    counts = Counter(classes[clip] for clip in shown)

    assert len(shown) == len(classes)
    assert set(counts) == set(classes)
    assert max(counts.values()) - min(counts.values()) <= 1
    for name in counts:  # none comes again before all have come
        own = Counter(clip for clip in shown if classes[clip] == name)
        assert max(own.values()) - (min(own.values()) if len(own) == classes.count(name) else 0) <= 1
    assert drawn.order(epoch) == drawn.order(epoch)


@given(st.lists(st.integers(0, 5), min_size=6, max_size=90), st.integers(1, 4), st.integers(1, 4))
def test_groups_hold_p_classes_with_k_clips(classes: list[int], k: int, p: int) -> None:
    grouped = sampler(
        [100] * len(classes), classes, class_balance="balanced-sampling", clips_per_class=k, batch_size=p * k
    )
    for batch in grouped.order(2):
        counts = Counter(classes[clip] for clip in batch)
        assert len(counts) == min(p, len(set(classes)))
        assert set(counts.values()) == {k}


def test_every_clip_comes_within_a_few_epochs_of_groups() -> None:
    classes = [number % 5 for number in range(60)]
    grouped = sampler([100] * 60, classes, class_balance="balanced-sampling", clips_per_class=4, batch_size=12)
    seen = {clip for epoch in range(3) for batch in grouped.order(epoch) for clip in batch}

    assert seen == set(range(60))


def test_a_curriculum_begins_with_short_clips_and_ends_with_all() -> None:
    lengths = list(range(100, 200))
    taught = sampler(lengths, batch_size=8, curriculum_epochs=3, epochs=4)
    shown = [{lengths[clip] for batch in taught.order(epoch) for clip in batch} for epoch in range(4)]

    assert [len(one) for one in shown] == [25, 50, 75, 100]
    assert all(one == set(lengths[: len(one)]) for one in shown)
    assert taught.total_steps() == sum(len(taught.order(epoch)) for epoch in range(4))


def test_without_any_of_it_the_order_is_that_of_lengths() -> None:
    lengths = list(range(50))

    assert sampler(lengths, batch_size=7).order(3) == epoch_order(lengths, 7, 0, 3)


def test_the_end_shows_the_best_clips_alone_and_a_curriculum_begins_with_them() -> None:
    qualities = [float(number) for number in range(40)]
    qualities[7] = float("-inf")
    training = {"batch_size": 8, "curriculum_epochs": 2, "epochs": 5, "best_epochs": 2, "best_share": 0.25}
    plan = plan_with(training=training, data={"manifest": "clips.csv", "quality_column": "snr"})
    best = Sampler(plan, [100] * 40, [0] * 40, qualities)
    shown = [{clip for batch in best.order(epoch) for clip in batch} for epoch in range(5)]

    assert shown[0] == shown[3] == shown[4] == set(range(30, 40))
    assert len(shown[1]) == 25 and 7 not in shown[1] and shown[2] == set(range(40))
    assert best.total_steps() == sum(len(best.order(epoch)) for epoch in range(5))


def test_best_clips_need_a_column_that_says_so() -> None:
    with pytest.raises(PlanError, match=r"data.quality_column must say"):
        plan_with(training={"best_epochs": 2})
    both = {"best_epochs": 2, "class_balance": "balanced-sampling"}
    with pytest.raises(PlanError, match=r"balanced-sampling cannot choose them"):
        plan_with(training=both, data={"manifest": "clips.csv", "quality_column": "snr"})


def test_what_a_plan_asks_of_an_order_and_does_not_get_is_named_at_the_start(tmp_path: Path) -> None:
    both: dict[str, Any] = {"training__class_balance": "balanced-sampling", "training__clips_per_class": 2}
    plan = tone_plan(tone_corpus(tmp_path / "data"), **both, training__batch_seconds=1, training__curriculum_epochs=1)
    warnings = events_of(train(plan, tmp_path / "run"), "start")[0]["warnings"]
    assert [text.split()[0] for text in warnings] == ["training.batch_seconds", "training.curriculum_epochs"]
    plan = tone_plan(tmp_path / "data" / "manifest.csv", training__clips_per_class=2)
    assert "training.clips_per_class" in events_of(train(plan, tmp_path / "other"), "start")[0]["warnings"][0]
