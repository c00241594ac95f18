"""What counts as a point worth counting is the rulebook's to say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.reading import _AS_THE_RULEBOOK
from engine.evidence.run.limits import Limits, limits_of, package_limits
from engine.evidence.run.measure import measure_run
from knowledge.loader import load_knowledge

from .test_signals import run_of


def test_limits_are_those_of_the_rulebook_and_the_benchmark_has_the_same() -> None:
    knowledge = load_knowledge()
    assert limits_of(knowledge) == package_limits() == Limits(*_AS_THE_RULEBOOK)
    assert limits_of(replace(knowledge, settings={})) == package_limits()


def test_another_limit_counts_other_points() -> None:
    random = np.random.default_rng(0)
    loss = 1 + 0.01 * random.standard_normal(400)
    loss[[150, 250]] = 1.5, 3.0
    run = run_of(train=loss.tolist())

    assert measure_run(run).get("run.spikes") == 1
    assert measure_run(run, replace(package_limits(), spike_factor=1.4)).get("run.spikes") == 2
    assert measure_run(run, replace(package_limits(), spike_factor=4.0)).get("run.spikes") == 0
