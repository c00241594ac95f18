"""Decodes and measures a chunk of regions in one process: clips of a batch share the cost of their transforms.

It holds no more samples than a batch; what the measures cannot take is unknown for that clip alone.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .clips import Clip
from .decode import SMALL_BYTES, decode_clip
from .measure_table import MeasureTable, Numbers
from .plain_reader import PlainReader
from .records import Region
from .signals import Wave, WaveMeasures, measure_waves

_BATCH_SAMPLES = 3 << 18
"""Measured together: what they share is cheap by then, and most batches lie in the buffer that the last one lay in."""
MEASURING = -1
"""The place that is marked while a batch is measured."""
Mark = Callable[[int], None]


@dataclass(frozen=True, eq=False)
class Part:
    """What a chunk brought, in its order."""

    clips: tuple[Clip, ...]
    names: tuple[str, ...]
    numbers: Numbers
    """`(clips, names)`."""
    profiles: Numbers
    cepstra: Numbers
    outlines: tuple[bytes, ...] = ()

    @property
    def measures(self) -> dict[str, Numbers]:
        """The columns by name."""
        return {name: self.numbers[:, place] for place, name in enumerate(self.names)}


def decode_and_measure(
    regions: Sequence[Region],
    mark: Mark | None = None,
    *,
    most_seconds: float = math.inf,
    reader: PlainReader | None = None,
) -> Part:
    """Decode and measure regions; `mark` is told the place of the clip that is decoded next, or MEASURING.

    Args:
        regions: what to decode.
        mark: called before each clip and each batch.
        most_seconds: once they have passed, the rest is left out of the part.
        reader: what plain files are read with; nothing that it read before is needed any more.
    """
    clips: list[Clip] = []
    measured: list[tuple[list[int], WaveMeasures]] = []
    waves: dict[int, Wave] = {}
    held, until = 0, time.monotonic() + most_seconds
    reader = reader or PlainReader(SMALL_BYTES)
    reader.reuse()
    for place, region in enumerate(regions):
        if mark is not None:
            mark(place)
        decoded = decode_clip(region, reader)
        clips.append(decoded.clip)
        if decoded.wave is not None:
            waves[place] = decoded.wave
            held += decoded.wave.samples.size
        enough = place + 1 == len(regions) or time.monotonic() >= until
        if waves and (held > _BATCH_SAMPLES or enough):
            if mark is not None:
                mark(MEASURING)
            measured += _measured(list(waves), list(waves.values()))
            waves, held = {}, 0
            reader.reuse()
        if enough:
            break
    return _part(clips, measured)


def _part(clips: Sequence[Clip], measured: Sequence[tuple[list[int], WaveMeasures]]) -> Part:
    parts = [found for _, found in measured]
    names = tuple(parts[0].measures) if parts else ()
    alike = all(tuple(found.measures) == names for found in parts)
    if parts and alike and sum(len(places) for places, _ in measured) == len(clips):  # as most are: one after the other
        columns = [np.concatenate([found.measures[name] for found in parts]) for name in names]
        profiles = np.concatenate([found.profiles for found in parts])
        cepstra = np.concatenate([found.cepstra for found in parts])
        outlines = tuple([line for found in parts for line in found.outlines])
        return Part(tuple(clips), names, np.stack(columns, axis=1), profiles, cepstra, outlines)
    table = MeasureTable(len(clips))
    for places, some in measured:
        table.put(places, some.measures, some.profiles, some.cepstra, some.outlines)
    numbers = np.stack(list(table.measures.values()), axis=1) if table.measures else np.empty((len(clips), 0))
    return Part(tuple(clips), tuple(table.measures), numbers, table.profiles, table.cepstra, tuple(table.outlines))


def _measured(places: list[int], waves: list[Wave]) -> list[tuple[list[int], WaveMeasures]]:
    """Measure waves together, or each alone where that fails, leaving out those that cannot be measured."""
    try:
        return [(places, measure_waves(waves))]
    except (ValueError, ArithmeticError, IndexError, MemoryError, np.linalg.LinAlgError):
        if len(waves) == 1:
            return []
    return [pair for place, wave in zip(places, waves, strict=True) for pair in _measured([place], [wave])]
