"""The whole of S001's table of what to monitor is in events.jsonl: every row, and the field that holds it.

Rows 37g and 37h are of networks that make sound, which this product does not train.
"""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.training import run as runs
from engine.training.telemetry import Reading, Telemetry

from .corpora import events_of, tone_corpus, tone_plan, train
from .small_models import save_checkpoint

TABLE = {
    "S001-37a": ("training loss", "step", "loss"),
    "S001-37b": ("validation loss", "eval", "loss"),
    "S001-37c": ("gradient norm", "step", "grad_norm"),
    "S001-37d": ("learning rate", "step", "lr"),
    "S001-37e": ("GPU utilisation", "telemetry", "gpu_utilisation"),
    "S001-37f": ("throughput", "step", "samples_per_second"),
}
"""Item: what the source calls it, the kind of event, and the field."""
BESIDE = {
    "step": ("audio_seconds_per_second", "step_seconds", "data_wait_seconds"),
    "telemetry": ("gpu_memory_used_gib", "gpu_power_w", "gpu_temperature_c", "gpu_energy_wh", "cpu_percent"),
    "eval": ("train_loss", "metrics", "best"),
}
"""What the design asks for besides."""
NOT_HERE = ("S001-37g", "S001-37h")


class SimulatedGpu:
    def __init__(self) -> None:
        self._degrees = itertools.count(40)

    def read(self) -> Reading:
        return {
            "gpu_utilisation": 91.0, "gpu_memory_used_gib": 3.0, "gpu_memory_total_gib": 24.0, "gpu_power_w": 300.0,
            "gpu_temperature_c": float(next(self._degrees)), "cpu_percent": 50.0,
        }  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with several groups of rates on a GPU that is simulated, watched a hundred times a second."""
    folder = tmp_path_factory.mktemp("watched")
    plan = tone_plan(
        tone_corpus(folder / "data"), training__epochs=3, data__sample_rate_hz=16000, adaptation__method="full",
        training__weight_decay=0.01, training__accumulation=2, backbone__name="wav2vec2",
        backbone__checkpoint=save_checkpoint(folder),
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "Telemetry", lambda _sensors: Telemetry([SimulatedGpu()], interval_seconds=0.01))
        return train(plan, folder / "run")


def test_the_table_here_is_that_of_the_source() -> None:
    items = yaml.safe_load((Path(__file__).parents[3] / "knowledge/items/S001.yaml").read_text("utf-8"))
    text = str(items)
    assert all(f"'{item}'" in text for item in (*TABLE, *NOT_HERE))
    assert "S001-37i" not in text


@pytest.mark.parametrize("item", TABLE)
def test_every_row_has_its_field_in_every_event_of_its_kind(run: Path, item: str) -> None:
    what, kind, field = TABLE[item]
    events = events_of(run, kind)
    assert len(events) >= 3, what
    for event in events:
        values: Any = event[field]
        for value in values.values() if isinstance(values, dict) else [values]:
            assert isinstance(value, float | int) and math.isfinite(value) and value >= 0, (what, event)


def test_rates_are_told_for_every_group_and_what_is_beside_the_table_is_there(run: Path) -> None:
    assert set(events_of(run, "step")[0]["lr"]) == {"head", "head-no-decay", "backbone", "backbone-no-decay"}
    for kind, fields in BESIDE.items():
        assert all(set(fields) <= set(event) for event in events_of(run, kind))
    energy = [event["gpu_energy_wh"] for event in events_of(run, "telemetry")]
    assert energy == sorted(energy) and energy[-1] > 0
    assert len(events_of(run, "step")) == events_of(run, "start")[0]["total_steps"]
