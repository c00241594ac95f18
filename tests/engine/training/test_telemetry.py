import itertools
import time

import pytest
import torch

from engine.training.telemetry import HostSensor, NvmlSensor, Reading, Telemetry, sensors_of


class SimulatedSensor:
    """A GPU that warms up by a degree at every reading."""

    def __init__(self) -> None:
        self._degrees = itertools.count(40)

    def read(self) -> Reading:
        return {"gpu_temperature_c": float(next(self._degrees))}


class SimulatedLoad:
    def read(self) -> Reading:
        return {"gpu_utilisation": 97.0}


def test_readings_of_all_sensors_come_together_in_order() -> None:
    with Telemetry([SimulatedSensor(), SimulatedLoad()], interval_seconds=0.01) as telemetry:
        readings: list[Reading] = []
        deadline = time.monotonic() + 10
        while len(readings) < 3 and time.monotonic() < deadline:
            readings += telemetry.take()
            time.sleep(0.01)

    assert readings[:3] == [{"gpu_temperature_c": degrees, "gpu_utilisation": 97.0} for degrees in (40.0, 41.0, 42.0)]


def test_nothing_is_read_after_the_end() -> None:
    sensor = SimulatedSensor()
    with Telemetry([sensor], interval_seconds=0.01) as telemetry:
        time.sleep(0.05)
    telemetry.take()
    time.sleep(0.05)

    assert telemetry.take() == []


def test_the_host_tells_load_and_memory() -> None:
    reading = HostSensor().read()

    assert set(reading) == {"cpu_percent", "memory_used_gib"}
    assert 0 <= reading["cpu_percent"] <= 100
    assert reading["memory_used_gib"] > 0.05


def test_without_a_gpu_only_the_host_is_read() -> None:
    assert [type(sensor) for sensor in sensors_of(torch.device("cpu"))] == [HostSensor]


def test_a_gpu_is_read_by_its_identity_and_missing_sensors_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    import pynvml

    asked = []

    def refuse(_: object) -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)

    answers = {
        "nvmlInit": lambda: None,
        "nvmlDeviceGetHandleByUUID": lambda uuid: asked.append(uuid) or "gpu",
        "nvmlDeviceGetUtilizationRates": lambda _: type("Rates", (), {"gpu": 55})(),
        "nvmlDeviceGetMemoryInfo": lambda _: type("Memory", (), {"used": 2**30, "total": 2**33})(),
        "nvmlDeviceGetPowerUsage": refuse,
        "nvmlDeviceGetTemperature": lambda _, __: 61,
    }
    for name, answer in answers.items():
        monkeypatch.setattr(pynvml, name, answer)

    assert NvmlSensor("abc").read() == {
        "gpu_utilisation": 55, "gpu_memory_used_gib": 1.0, "gpu_memory_total_gib": 8.0, "gpu_temperature_c": 61,
    }  # fmt: skip
    assert asked == ["GPU-abc"]
