"""Curves of known truth: how often the diagnosis says rightly how they end, and that it always says something."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from engine.evidence.run.limits import limits_of
from engine.evidence.run.measure import measure_run
from engine.evidence.run.series import RunSeries, Series
from expert.chaining import consult
from expert.consultation.judging import admitted
from knowledge.loader import load_knowledge

KNOWLEDGE = load_knowledge()
SAYS = {
    "improving": {"still-improving"},
    "level": {"converged"},
    "worse": {"overfitting", "overconfidence", "past-its-best"},
}
ANY = set().union(*SAYS.values())
OTHER = {"unclear-end", "early-plateau", "failure-to-learn", "best-at-first-evaluation"}
CURVES = 24


@dataclass(frozen=True)
class Form:
    """How a curve is written down: which curves, in which unit, beside which learning rate."""

    points: int
    noise: float
    scale: float
    curves: str
    percent: bool
    trained: bool
    rate: str


def course(random: np.random.Generator, truth: str, time: np.ndarray) -> np.ndarray:
    """What is left of the fall of the loss, 1 at the start."""
    if truth == "worse":
        turn = random.uniform(0.2, 0.5)
        fall, rise = ((turn - time) / turn) ** 2, random.uniform(0.3, 0.8) * (time - turn) / (1 - turn)
        return np.where(time < turn, fall, rise)
    return np.exp(-time / (random.uniform(0.35, 1.5) if truth == "improving" else random.uniform(0.03, 0.1)))


def run(random: np.random.Generator, truth: str, form: Form) -> RunSeries:
    time = np.linspace(0, 1, form.points)
    left, at = course(random, truth, time), np.arange(1, form.points + 1) * 50

    def series(name: str, values: np.ndarray) -> Series:
        return Series(name, at, np.arange(1, form.points + 1, dtype=float), values)

    def noisy(values: np.ndarray, size: float) -> np.ndarray:
        return values + random.normal(0, form.noise * size, form.points)

    curves = []
    if "loss" in form.curves:
        curves.append(series("val/loss", form.scale * np.maximum(noisy(0.3 + 0.7 * left, 0.7), 0.05)))
    if "score" in form.curves:
        share = np.clip(noisy(0.9 - 0.6 * left, 0.6), 0, 1)
        curves.append(series("val/accuracy", share * (100 if form.percent else 1)))
    if form.trained:
        fall = left if truth != "worse" else np.exp(-time / 0.4)
        curves.append(series("train/loss", form.scale * np.maximum(noisy(0.2 + 0.8 * fall, 0.4), 0.05)))
    rates = {"constant": np.ones(form.points), "linear": 1 - 0.999 * time}
    rate = (series("lr/0", 1e-3 * rates[form.rate]),) if form.rate else ()
    return RunSeries(Path("curve"), "test", tuple(curves), rate)


def found(one: RunSeries) -> dict[str, str]:
    measured = admitted(measure_run(one, limits_of(KNOWLEDGE)), KNOWLEDGE.vocabulary)
    session = consult(KNOWLEDGE, measured.facts, packs=("diagnose",), unknown=measured.unknown)
    return {finding.id: finding.severity for finding in session.findings}


def drawn(random: np.random.Generator, points: tuple[int, ...], noise: tuple[float, ...]) -> Form:
    return Form(
        int(random.choice(points)),
        float(random.choice(noise)),
        10 ** random.uniform(-3, 5),
        str(random.choice(["loss", "score", "loss+score"])),
        bool(random.random() < 0.5),
        bool(random.random() < 0.7),
        str(random.choice(["", "constant", "linear"])),
    )


@pytest.mark.parametrize(
    ("truth", "points", "noise", "least"),
    [
        ("improving", (5, 6, 8, 12, 40, 200), (0.0, 0.005), 0.95),
        ("improving", (12, 40, 200), (0.03,), 0.75),
        ("level", (5, 6, 8, 12, 40, 200), (0.0, 0.005), 0.85),
        ("level", (12, 40, 200), (0.03,), 0.6),
        ("worse", (10, 40, 200), (0.0, 0.01), 0.75),
    ],
)
def test_how_a_curve_ends_is_said_rightly_or_not_at_all(truth, points, noise, least):
    random = np.random.default_rng([len(truth), len(points), len(noise)])
    said: Counter[str] = Counter()
    for _ in range(CURVES):
        findings = found(run(random, truth, drawn(random, points, noise)))
        told = set(findings) & ANY
        said["right" if told and told <= SAYS[truth] else "wrong" if told else "open"] += 1
        said["silent"] += not set(findings) & (ANY | OTHER)
        said["alarm"] += "error" in findings.values() and truth != "worse"

    assert said["right"] >= least * CURVES, said
    assert said["wrong"] <= 0.05 * CURVES, said
    assert said["silent"] == said["alarm"] == 0, said
