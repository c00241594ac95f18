"""Keeps a GPU from its own limits: warn, work in part of the time, pause, stop. It reads no sensor and saves nothing.

Limits are degrees below what the driver says of this GPU (`guard` in the plan), so no number here fits one model only.
Working in part of the time holds the temperature where stopping and starting would swing it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from engine.plan_sections import Guard

from .telemetry import INTERVAL_SECONDS, Reading, Telemetry

Action = Literal["none", "warn", "slow", "pause", "stop"]
_MOST_SLEEP = 3.0
"""Sleep at the pause limit, in times of the work before it: a quarter of the heat remains."""


@dataclass(frozen=True)
class Advice:
    """What to do before the next step."""

    action: Action
    sleep_share: float = 0.0
    """Seconds of sleep for each second of work."""
    temperature_c: float = 0.0


class ThermalGuard:
    """Turns readings into advice, with memory: a pause ends only well below the temperature that began it."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self._paused = False
        self._advice = Advice("none")

    def advise(self, readings: Iterable[Reading]) -> Advice:
        """Take in new readings, oldest first, and return what to do; without new ones it stays as it was."""
        for reading in readings:
            if "gpu_temperature_c" in reading and "gpu_slowdown_c" in reading:
                self._advice = self._of(reading)
        return self._advice

    def _of(self, reading: Reading) -> Advice:
        now, slowdown = reading["gpu_temperature_c"], reading["gpu_slowdown_c"]
        guard, pause = self.guard, slowdown - self.guard.pause_below_c
        if "gpu_shutdown_c" in reading and now >= reading["gpu_shutdown_c"] - guard.stop_below_c:
            return Advice("stop", 0.0, now)
        self._paused = now >= pause or (self._paused and now > slowdown - guard.resume_below_c)
        if self._paused:
            return Advice("pause", 0.0, now)
        slow, warn = slowdown - guard.slow_below_c, slowdown - guard.warn_below_c
        if now > slow:
            return Advice("slow", _MOST_SLEEP * (now - slow) / max(pause - slow, 1e-9), now)
        return Advice("warn" if now >= warn else "none", 0.0, now)


def cool(
    guard: ThermalGuard,
    advice: Advice,
    worked_seconds: float,
    telemetry: Telemetry,
    stopping: Callable[[], bool],
    sleep: Callable[[float], None] = time.sleep,
) -> Advice:
    """Sleep as advised and return the advice after it; a pause lasts until it is cool or the user stops the run."""
    while advice.action == "pause" and not stopping():
        sleep(INTERVAL_SECONDS)
        advice = guard.advise(telemetry.take())
    if advice.action == "slow":
        sleep(worked_seconds * advice.sleep_share)
    return advice
