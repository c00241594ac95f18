"""What must hold for a diagnosis of any log: noise is no fault, units do not matter, fewer points say the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from expert.consultation.diagnose import diagnose_run
from knowledge.loader import load_knowledge

KNOWLEDGE = load_knowledge()
SEEDS = st.integers(0, 2**32 - 1)
FEW = settings(max_examples=25, deadline=None)
FAULTS = {"overfitting", "divergence", "failure-to-learn", "majority-class-collapse", "validation-loss-invalid"}


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs") / "history.csv"


def found(log: Path, **columns: np.ndarray) -> dict[str, str]:
    """Write a table as Keras does and return the findings with their severity."""
    rows = zip(*columns.values(), strict=True)
    lines = [",".join(("epoch", *columns))]
    lines += [",".join([str(epoch), *(f"{value:.8g}" for value in row)]) for epoch, row in enumerate(rows)]
    log.write_text("\n".join(lines) + "\n")
    session = diagnose_run(KNOWLEDGE, log).session
    return {finding.id: finding.severity for finding in session.findings}


def healthy(random: np.random.Generator, points: int, noise: float) -> dict[str, np.ndarray]:
    """Losses that fall to a floor, an accuracy that rises to a ceiling, and noise about both."""
    time = np.arange(points) / points
    rate, floor, fall = random.uniform(2, 12), random.uniform(0.05, 0.6), random.uniform(1, 4)
    course = floor + fall * np.exp(-rate * time)
    ceiling = random.uniform(0.6, 0.99)
    return {
        "loss": course * np.exp(random.normal(0, noise * 0.3, points)),
        "val_loss": (1.1 * course + 0.05) * np.exp(random.normal(0, noise, points)),
        "val_accuracy": np.clip(
            ceiling - (ceiling - 0.1) * np.exp(-rate * time) + random.normal(0, noise * 0.1, points), 0, 1
        ),
    }


def overfitted(points: int = 40) -> dict[str, np.ndarray]:
    """A validation loss that turns at a third of the run, and a metric that turns with it."""
    time = np.arange(points) / points
    rise = np.maximum(0, time - 1 / 3)
    return {
        "loss": 2.0 * np.exp(-5 * time),
        "val_loss": 0.6 + 1.5 * np.exp(-9 * time) + 1.2 * rise,
        "val_accuracy": 0.75 - 0.5 * np.exp(-9 * time) - 0.15 * rise,
    }


@FEW
@example(3_766_730_335, 59, 1.0, False)  # the last record happens to be the lowest
@given(SEEDS, st.integers(5, 200), st.floats(0.001, 1.0), st.booleans())
def test_noise_of_any_level_on_a_healthy_run_is_no_error(log, seed, points, noise, scored):
    columns = healthy(np.random.default_rng(seed), points, noise)
    if not scored:
        del columns["val_accuracy"]

    assert "error" not in found(log, **columns).values()


@FEW
@given(SEEDS, st.floats(0.0, 0.02))
def test_overfitting_is_found_under_its_noise(log, seed, noise):
    random = np.random.default_rng(seed)
    columns = overfitted()
    columns["val_loss"] = columns["val_loss"] * np.exp(random.normal(0, noise, 40))

    assert "overfitting" in found(log, **columns)


@FEW
@given(SEEDS, st.floats(1e-4, 1e4), st.floats(0.001, 0.3))
def test_the_unit_of_a_loss_does_not_matter_to_its_course(log, seed, scale, noise):
    """Without an accuracy beside it nothing but the course of a loss can be judged."""
    columns = healthy(np.random.default_rng(seed), 40, noise)
    del columns["val_accuracy"]
    scaled = {name: values * scale for name, values in columns.items()}

    assert found(log, **columns) == found(log, **scaled)


@FEW
@given(st.sampled_from([2, 3, 4]))
def test_every_other_evaluation_shows_the_same_faults(log, every):
    whole = overfitted(60)
    part = {name: values[::every] for name, values in whole.items()}

    assert FAULTS & set(found(log, **whole)) == FAULTS & set(found(log, **part)) == {"overfitting"}


@FEW
@given(SEEDS, st.integers(2, 40))
def test_a_guess_among_any_number_of_classes_is_known_without_their_number(log, seed, classes):
    random = np.random.default_rng(seed)
    guess = np.log(classes)
    columns = {
        "loss": guess + np.abs(random.normal(0, 0.01, 30)),
        "val_loss": guess + np.abs(random.normal(0, 0.01, 30)),
        "val_accuracy": np.clip(1 / classes + random.normal(0, 0.02 / classes, 30), 0, 1),
    }

    assert found(log, **columns)["failure-to-learn"] == "error"


def test_a_loss_that_falls_slowly_and_steadily_is_no_failure(log):
    columns = {
        "loss": np.full(10, 0.83),
        "val_loss": 0.968 - 0.00024 * np.arange(10),
        "val_accuracy": np.full(10, 0.3714),
    }

    assert "error" not in found(log, **columns).values()
    assert "still-improving" in found(log, **columns)
