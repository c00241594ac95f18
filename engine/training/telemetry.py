"""Reads the machine's sensors once a second beside the training loop; it writes no events, the loop does."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Protocol

import torch

Reading = dict[str, float]
"""Values by the name of their event field, units in the names; what cannot be read is not there."""
_GIB = 2**30
INTERVAL_SECONDS = 1.0


class Sensor(Protocol):
    """Something that can be read again and again."""

    def read(self) -> Reading:
        """Return what it shows now."""


class HostSensor:
    """Processor load and memory of the whole machine."""

    def __init__(self) -> None:
        import psutil

        self._psutil = psutil
        psutil.cpu_percent(None)  # the first call only starts the measurement

    def read(self) -> Reading:
        """Return load since the last call, and memory in use."""
        memory = self._psutil.virtual_memory()
        return {
            "cpu_percent": self._psutil.cpu_percent(None),
            "memory_used_gib": (memory.total - memory.available) / _GIB,
        }


class NvmlSensor:
    """One NVIDIA GPU, through the driver's own library."""

    def __init__(self, uuid: str) -> None:
        """Open the GPU with this UUID: CUDA and the driver may number the GPUs differently.

        Raises:
            Exception: pynvml's NVMLError when there is no driver or no such GPU.
        """
        import pynvml

        self._nvml = pynvml
        pynvml.nvmlInit()
        self._gpu = pynvml.nvmlDeviceGetHandleByUUID(uuid if uuid.startswith("GPU-") else f"GPU-{uuid}")

    def read(self) -> Reading:
        """Return utilisation, memory, power and temperature, as far as this GPU tells them."""
        nvml, reading = self._nvml, Reading()
        for names, query in (
            (("gpu_utilisation",), lambda: (nvml.nvmlDeviceGetUtilizationRates(self._gpu).gpu,)),
            (("gpu_memory_used_gib", "gpu_memory_total_gib"), self._memory),
            (("gpu_power_w",), lambda: (nvml.nvmlDeviceGetPowerUsage(self._gpu) / 1000,)),
            (("gpu_temperature_c",), lambda: (nvml.nvmlDeviceGetTemperature(self._gpu, nvml.NVML_TEMPERATURE_GPU),)),
            (("gpu_slowdown_c",), lambda: self._limit(nvml.NVML_TEMPERATURE_THRESHOLD_SLOWDOWN)),
            (("gpu_shutdown_c",), lambda: self._limit(nvml.NVML_TEMPERATURE_THRESHOLD_SHUTDOWN)),
            (("gpu_clocks_event_reasons",), lambda: (float(nvml.nvmlDeviceGetCurrentClocksEventReasons(self._gpu)),)),
        ):
            try:
                reading.update(zip(names, query(), strict=True))
            except nvml.NVMLError:
                continue  # not every GPU has every sensor
        return reading

    def _limit(self, which: int) -> tuple[float]:
        return (float(self._nvml.nvmlDeviceGetTemperatureThreshold(self._gpu, which)),)

    def _memory(self) -> tuple[float, float]:
        memory = self._nvml.nvmlDeviceGetMemoryInfo(self._gpu)
        return memory.used / _GIB, memory.total / _GIB


class Telemetry:
    """A thread that reads sensors and keeps the readings until the loop takes them."""

    def __init__(self, sensors: Sequence[Sensor], interval_seconds: float = INTERVAL_SECONDS) -> None:
        self._sensors = list(sensors)
        self._lost, self._energy_wh = 0, 0.0
        self._interval_seconds = interval_seconds
        # Bounded: while nobody takes readings, such as in a long evaluation, the oldest go.
        self._readings: deque[Reading] = deque(maxlen=600)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="telemetry", daemon=True)

    def __enter__(self) -> Telemetry:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def take(self) -> list[Reading]:
        """Return the readings since the last call."""
        taken = []
        while self._readings:
            taken.append(self._readings.popleft())
        return taken

    def _run(self) -> None:
        before = time.monotonic()
        while not self._ended.wait(self._interval_seconds):
            reading = self._read()
            now = time.monotonic()
            if "gpu_power_w" in reading:
                self._energy_wh += reading["gpu_power_w"] * (now - before) / 3600
                reading["gpu_energy_wh"] = self._energy_wh
            before = now
            self._readings.append(reading)

    def _read(self) -> Reading:
        reading = Reading()
        for sensor in list(self._sensors):
            try:
                reading |= sensor.read()
            except Exception:  # a sensor that went away must not end what it only watches
                self._sensors.remove(sensor)
                self._lost += 1
        return reading | ({"sensors_lost": float(self._lost)} if self._lost else {})


def sensors_of(device: torch.device) -> list[Sensor]:
    """Return the host's sensors, and those of the GPU that is trained on, where its driver answers."""
    sensors: list[Sensor] = [HostSensor()]
    if device.type == "cuda":
        import pynvml

        try:
            sensors.append(NvmlSensor(str(torch.cuda.get_device_properties(device).uuid)))
        except pynvml.NVMLError:
            return sensors
    return sensors
