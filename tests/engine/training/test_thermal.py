"""The thermal guard against a simulated GPU that heats while it works and cools while it sleeps."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.plan_sections import Guard
from engine.training import run
from engine.training.faults import OverheatedError
from engine.training.telemetry import Reading, Telemetry
from engine.training.thermal import ThermalGuard, cool
from knowledge.errors import PlanError

from .corpora import assert_same_state, events_of, last_state, tone_corpus, tone_plan, train

SLOWDOWN, SHUTDOWN = 90.0, 95.0


def reading(celsius: float) -> Reading:
    return {"gpu_temperature_c": celsius, "gpu_slowdown_c": SLOWDOWN, "gpu_shutdown_c": SHUTDOWN}


@pytest.mark.parametrize(
    ("celsius", "action"),
    [
        (60, "none"),
        (79.9, "none"),
        (80, "warn"),
        (85, "warn"),
        (85.1, "slow"),
        (88.9, "slow"),
        (89, "pause"),
        (92, "stop"),
    ],
)
def test_each_limit_has_its_action(celsius: float, action: str) -> None:
    assert ThermalGuard(Guard()).advise([reading(celsius)]).action == action


def test_a_pause_ends_only_well_below_where_it_began() -> None:
    guard = ThermalGuard(Guard())
    actions = [guard.advise([reading(celsius)]).action for celsius in (89, 86, 83, 82, 86)]

    assert actions == ["pause", "pause", "pause", "warn", "slow"]


def test_without_a_driver_that_tells_its_limits_nothing_is_done() -> None:
    guard = ThermalGuard(Guard())

    assert guard.advise([{"gpu_temperature_c": 150.0}, {"cpu_percent": 3.0}]).action == "none"


def test_limits_come_from_the_plan_and_must_be_in_order() -> None:
    assert ThermalGuard(Guard(pause_below_c=5, resume_below_c=20)).advise([reading(85)]).action == "pause"
    with pytest.raises(PlanError, match="a guard warns, slows, pauses"):
        tone_plan(Path("clips.csv"), guard__pause_below_c=9)


@given(st.floats(85.01, 88.99), st.floats(85.01, 88.99))
def test_the_hotter_the_longer_it_sleeps(one: float, other: float) -> None:
    low, high = sorted((one, other))
    guard = ThermalGuard(Guard())

    assert 0 < guard.advise([reading(low)]).sleep_share <= guard.advise([reading(high)]).sleep_share <= 3


class Simulated:
    """A GPU: each second of work warms it towards `hot`, each second of sleep towards the room."""

    def __init__(self, hot: float) -> None:
        self.hot, self.celsius, self.slept = hot, 40.0, 0.0

    def work(self, seconds: float) -> None:
        self.celsius += (self.hot - self.celsius) * min(seconds / 30, 1)

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.celsius += (25.0 - self.celsius) * min(seconds / 30, 1)

    def read(self) -> Reading:
        return reading(self.celsius)


@pytest.mark.parametrize(("hot", "most"), [(70.0, 80.0), (95.0, 89.0), (140.0, 92.0)])
def test_no_gpu_reaches_its_shutdown_and_a_cool_one_is_never_held_up(hot: float, most: float) -> None:
    gpu, guard = Simulated(hot), ThermalGuard(Guard())
    telemetry = Telemetry([gpu])
    telemetry.take = lambda: [gpu.read()]  # type: ignore[method-assign]
    highest, actions = 0.0, []
    for _ in range(2000):
        gpu.work(0.2)
        advice = cool(guard, guard.advise([gpu.read()]), 0.2, telemetry, lambda: False, gpu.sleep)
        highest, actions = max(highest, gpu.celsius), [*actions, advice.action]

    assert highest <= most and "stop" not in actions
    assert (gpu.slept == 0) == (hot < 80)


def test_a_pause_is_left_when_the_user_stops() -> None:
    guard = ThermalGuard(Guard())
    advice = cool(guard, guard.advise([reading(89)]), 0.1, Telemetry([]), lambda: True, lambda _: pytest.fail("slept"))

    assert advice.action == "pause"


class Hot:
    def read(self) -> Reading:
        return reading(93.0)


def test_a_run_on_a_gpu_near_its_end_is_saved_and_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = tone_plan(tone_corpus(tmp_path / "data"), training__epochs=3)
    whole = train(plan, tmp_path / "whole")
    with monkeypatch.context() as patch, pytest.raises(OverheatedError, match="the GPU has 93 C at step 1"):
        patch.setattr(Telemetry, "take", lambda _: [Hot().read()])
        train(plan, tmp_path / "run")
    assert [event["action"] for event in events_of(tmp_path / "run", "thermal")] == ["stop"]
    assert events_of(tmp_path / "run", "end")[0]["error"]["code"] == "overheated"

    assert_same_state(last_state(whole), last_state(train(plan, tmp_path / "run", resume=True)))


class Breaking:
    def __init__(self) -> None:
        self.left = 2

    def read(self) -> Reading:
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("unplugged")
        return {"gpu_power_w": 3600.0}


def test_a_sensor_that_goes_away_is_noted_and_the_others_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    telemetry = Telemetry([Breaking(), Hot()], interval_seconds=0.01)
    with telemetry:
        taken: list[Reading] = []
        while not any("sensors_lost" in one for one in taken):
            taken += telemetry.take()

    assert taken[-1] | {"gpu_temperature_c": 93.0, "sensors_lost": 1.0} == taken[-1]
    energy = [one["gpu_energy_wh"] for one in taken if "gpu_energy_wh" in one]
    assert energy == sorted(energy) and energy[0] > 0
    broken: Any = Breaking()
    broken.left = 0
    monkeypatch.setattr(run, "sensors_of", lambda _: [broken])
    assert train(tone_plan(tone_corpus(tmp_path / "data"), training__epochs=1), tmp_path / "run")
