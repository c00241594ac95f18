"""Energy and emissions of a run, from what its log measured; nothing is guessed where nothing was measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from knowledge.errors import UsageError

_TABLE = Path(__file__).with_suffix(".yaml")
_WH_PER_KWH = 1000


@dataclass(frozen=True)
class Emissions:
    """What a run used and what that emitted."""

    energy_kwh: float | None
    """At the machine; None where no meter was read and no power was named."""
    measured_by: str
    grams: float | None
    """CO2 equivalent, with the overhead of the building."""
    region: str
    grams_per_kwh: float
    overhead: float
    """Energy of the building over that of its machines (PUE)."""
    source: str


def emissions(
    events: Iterable[Mapping[str, Any]], *, region: str = "world", overhead: float = 1.0, watts: float | None = None
) -> Emissions:
    """Return the energy of all attempts of a run, and its emissions.

    Args:
        events: of the run.
        region: a country's two letters, or `world`.
        overhead: PUE of the building; 1 is a machine alone.
        watts: mean power of the machine, where the log has no reading of a GPU's.

    Raises:
        UsageError: the table has no such region.
    """
    table = yaml.safe_load(_TABLE.read_text("utf-8"))
    intensities = table["grams_per_kwh"]
    if region not in intensities:
        known = ", ".join(intensities)
        raise UsageError(f"no emissions of electricity are known for {region!r}", hint=f"Known: {known}.")
    energy_kwh, measured_by = _energy(list(events), watts)
    grams = None if energy_kwh is None else energy_kwh * overhead * intensities[region]
    source = f"{table['source']}, {table['year']}"
    return Emissions(energy_kwh, measured_by, grams, region, intensities[region], overhead, source)


def _energy(events: list[Mapping[str, Any]], watts: float | None) -> tuple[float | None, str]:
    used, current = 0.0, 0.0
    for event in events:
        if event["kind"] == "start":  # the meter begins anew with each attempt
            used, current = used + current, 0.0
        current = max(current, float(event.get("gpu_energy_wh") or 0.0))
    used += current
    if used:
        return used / _WH_PER_KWH, "the GPU's own meter; processor and memory are not in it"
    if watts is not None:
        seconds = sum(float(event.get("seconds") or 0.0) for event in events if event["kind"] == "end")
        return watts * seconds / 3600 / _WH_PER_KWH, f"{watts:g} W over {seconds:.0f} s, the power as given"
    return None, "no meter was read"
