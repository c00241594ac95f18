"""What the signal measures read and give: decoded samples of clips, and a table of measures; computes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16] | npt.NDArray[np.float32]
Table = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True, eq=False)
class Wave:
    """The samples of one clip as they were decoded."""

    samples: Samples
    """`(frames, channels)`; int16 where the file holds no more than 16 bits, else float32 with full scale at 1.0.

    Floats may be beyond full scale, NaN or infinite, as they stand in the file.
    """
    sample_rate_hz: int
    subtype: str
    """How the file stores samples, in the words of libsndfile: `PCM_16`, `FLOAT`, `VORBIS`."""
    total_seconds: float = 0.0
    """Length of the clip; more than the samples last when only excerpts of a long clip are kept."""


@dataclass(frozen=True, eq=False)
class WaveMeasures:
    """Measures of a batch of waves, in its order."""

    measures: Mapping[str, Table] = field(default_factory=dict)
    """By name in the vocabulary (`clip.peak`): `(waves,)`; NaN where unknown."""
    profiles: Table = field(default_factory=lambda: np.empty((0, 0), np.float32))
    """`(waves, bands)`."""
    cepstra: Table = field(default_factory=lambda: np.empty((0, 0), np.float32))
    """`(waves, 2 x coefficients)`."""
    outlines: Sequence[bytes] = ()
    """`(waves,)`: 8-bit cells of eight bands each; empty where unknown."""
