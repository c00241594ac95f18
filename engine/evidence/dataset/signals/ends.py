"""What a clip holds besides its content: silence at its ends, and the noise floor of its recorder; no verdicts."""

from __future__ import annotations

import numpy as np

from .batch import Batch, Table
from .levels import FLOOR, Levels
from .spectra import STILL_POWER, Spectra

PADDING_POWER = 1e-8
"""-80 dBFS: digital silence is still below it after lossy coding, and no recorder's own noise is."""


def measure_ends(batch: Batch, levels: Levels, spectra: Spectra) -> dict[str, Table]:
    """Return the seconds of silence at both ends, and the level of the quietest block and of the quietest hiss."""
    block_seconds = batch.blocks.shape[1] / batch.sample_rate_hz
    blocks = np.add.reduceat(levels.whole.astype(np.intp), batch.first_block)
    place = np.arange(len(levels.whole)) - np.repeat(
        batch.first_block, np.diff(batch.first_block, append=len(levels.whole))
    )
    heard = levels.whole & (levels.power > PADDING_POWER)
    lead = np.minimum(np.minimum.reduceat(np.where(heard, place, len(place)), batch.first_block), blocks)
    last = np.maximum.reduceat(np.where(heard, place, -1), batch.first_block)
    quietest = np.minimum.reduceat(np.where(levels.whole, levels.power, np.inf), batch.first_block)
    return {
        "clip.lead_seconds": lead * block_seconds,
        "clip.tail_seconds": (blocks - 1 - last) * block_seconds * (last >= 0),
        "clip.floor_dbfs": 10 * np.log10(np.maximum(quietest, FLOOR * FLOOR)),
        "clip.hiss_dbfs": _hiss(batch, spectra),
    }


def _hiss(batch: Batch, spectra: Spectra) -> Table:
    sounding = batch.whole_frames & (spectra.totals > STILL_POWER)
    quietest = np.minimum.reduceat(np.where(sounding, spectra.hiss, np.inf), batch.first)
    hiss = 10 * np.log10(np.maximum(quietest, FLOOR * FLOOR))
    return np.where(np.isfinite(hiss), hiss, np.nan)
