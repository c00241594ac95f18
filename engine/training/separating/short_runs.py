"""Short trainings that differ in one thing: labels dealt anew, the seed, the number of clips."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from engine.metrics import bootstrap_interval
from engine.plan import Plan
from engine.separating import Outcome

from ..evaluation import score
from ..events import EventWriter
from ..items import Item
from ..job import Job
from ..loop import train
from ..scored import Scored
from ..telemetry import Telemetry
from .bench import Bench, main_score, oriented

_EPOCHS = 10
"""Epochs of a short training at most: enough to tell signal from none, and a seed from another."""
_SEEDS = 3
_FRACTIONS = (0.25, 0.5, 1.0)
_SAMPLES = 400
_LIKE_LENGTHS = 8
"""Transcripts are dealt anew within each eighth of the clips by length."""
_FEWEST_ALIKE = 8
"""Of fewer too many would keep their own by chance."""


def label_shuffle(bench: Bench) -> Outcome:
    """Train on the labels as they are, and on the same labels dealt anew among the training clips."""
    items = bench.parts.train
    own, shuffled = _trained(bench, "own", items), _trained(bench, "shuffled", dealt_anew(items, bench.plan))
    low, high = _gain_interval(own, shuffled)
    mine, theirs = main_score(own), main_score(shuffled)
    facts = {"test.shuffle_gain": mine - theirs, "test.shuffle_gain_low": low, "test.shuffle_gain_high": high}
    text = f"score {mine:.3f} on the labels, {theirs:.3f} on labels dealt anew: {mine - theirs:+.3f}"
    return Outcome("label-shuffle", dict(facts), (f"{text} [{low:+.3f}, {high:+.3f}]",), {}, len(own.items))


def dealt_anew(items: Sequence[Item], plan: Plan) -> list[Item]:
    """Return the same clips with everything that is asked of them taken from another clip, by chance.

    A transcript goes to a clip with a transcript of about its length: one that has not the time for it could not be
    learned whatever it says, and that is not what the test asks.
    """
    random = np.random.default_rng(plan.training.seed)
    takers = list(range(len(items)))
    near = len(items)
    if plan.answer == "symbols":
        takers.sort(key=lambda place: len(items[place].numbers))
        near = max(len(items) // _LIKE_LENGTHS, _FEWEST_ALIKE)
    givers = [
        takers[start + int(place)]
        for start in range(0, len(items), near)
        for place in random.permutation(len(takers[start : start + near]))
    ]
    given = dict(zip(takers, (items[place] for place in givers), strict=True))
    return [
        replace(item, target=other.target, label=other.label, numbers=other.numbers, events=other.events)
        for item, other in zip(items, (given[place] for place in range(len(items))), strict=True)
    ]


def seed_spread(bench: Bench) -> Outcome:
    """Train with the plan's seed and the two after it."""
    first = bench.plan.training.seed
    found = [
        main_score(_trained(bench, f"seed-{seed}", bench.parts.train, {"training.seed": seed}))
        for seed in range(first, first + _SEEDS)
    ]
    spread = statistics.stdev(found)
    text = f"scores of {_SEEDS} seeds: {', '.join(f'{one:.3f}' for one in found)}; standard deviation {spread:.3f}"
    return Outcome("seed-spread", {"test.seed_spread": spread}, (text,), {}, len(bench.parts.validation))


def data_fraction(bench: Bench) -> Outcome:
    """Train on a quarter, half and all of the clips, the smaller part always within the larger."""
    ranked = sorted(bench.parts.train, key=lambda item: (item.target, item.index))
    random = np.random.default_rng(bench.plan.training.seed)
    # A random place within each neighbourhood of equal labels: every fraction holds all classes or levels.
    turn = np.argsort([(rank % 8) + random.random() for rank in range(len(ranked))], kind="stable")
    found = {}
    for share in _FRACTIONS:
        chosen = sorted(int(place) for place in turn[: max(round(share * len(ranked)), 2)])
        found[share] = _trained(bench, f"share-{share:g}", [ranked[place] for place in chosen])
    low, high = _gain_interval(found[1.0], found[0.5])
    scores = {share: main_score(one) for share, one in found.items()}
    facts = {
        "test.fraction_gain": scores[1.0] - scores[0.5],
        "test.fraction_gain_low": low,
        "test.fraction_gain_high": high,
    }
    text = ", ".join(f"{value:.3f} on {share:.0%} of the clips" for share, value in scores.items())
    gained = f"the second half brought {facts['test.fraction_gain']:+.3f} [{low:+.3f}, {high:+.3f}]"
    return Outcome("data-fraction", dict(facts), (text, gained), {}, len(bench.parts.validation))


def trained_job(bench: Bench, name: str, items: Sequence[Item], changes: Mapping[str, Any] | None = None) -> Job:
    """Train shortly into a run of its own and return the job with the weights of the last epoch."""
    short = {"training.epochs": min(bench.plan.training.epochs, _EPOCHS), "training.patience_epochs": 0}
    job = replace(bench.job({**short, **(changes or {})}, items), run=bench.folder / name)
    events = EventWriter(job.run / "events.jsonl")
    try:
        with Telemetry(()) as telemetry:
            train(job, events, telemetry, bench.stop)
    finally:
        events.close()
    return job


def _trained(bench: Bench, name: str, items: Sequence[Item], changes: Mapping[str, Any] | None = None) -> Scored:
    """Train shortly and return the validation clips as the last epoch answers them."""
    job = trained_job(bench, name, items, changes)
    return score(job, job.parts.validation, bench.stop.check)


def _gain_interval(one: Scored, other: Scored) -> tuple[float, float]:
    """Return the 95 % interval of the difference of two scores on the same clips."""
    answer = one.plan.answer

    def difference(labels: Any, first: Any, again: Any, second: Any) -> float:
        return oriented(answer, labels, first) - oriented(answer, again, second)

    return bootstrap_interval(difference, *one.compared, *other.compared, samples=_SAMPLES)
