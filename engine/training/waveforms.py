"""Decodes clips to mono at the plan's sample rate and keeps what fits into memory; knows no labels and no splits."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.evidence.dataset.containers import not_audio
from engine.evidence.dataset.records import Region
from knowledge.errors import InputError

from .resampling import resampled

if TYPE_CHECKING:
    import soundfile

_THREADS = 2
"""Decoders at least: soundfile and the resampler release the interpreter lock."""
_MEMORY_SHARE = 0.25
"""Share of the free memory that decoded clips may take; what does not fit is decoded again when it is needed."""
_FULL_SCALE = 32768
Stopping = Callable[[], None]
"""Called between two clips; raises when the user wants to stop."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What is known of one decoded clip."""

    samples: int
    """At the plan's sample rate."""
    digest: str
    """Of the decoded samples: equal sound, equal digest, whatever the container."""


class Waveforms:
    """Every clip that could be decoded, by its region. Reading one is exact and thread-safe, kept in memory or not."""

    def __init__(self, sample_rate_hz: int) -> None:
        import psutil

        self.sample_rate_hz = sample_rate_hz
        self.sounds: dict[Region, Sound] = {}
        self.unreadable: dict[Region, str] = {}
        """Why a clip was left out."""
        self._kept: dict[Region, NDArray[np.int16] | NDArray[np.float32]] = {}
        self._room = int(psutil.virtual_memory().available * _MEMORY_SHARE)

    def load(self, regions: Iterable[Region], stopping: Stopping, threads: int = 0) -> None:
        """Decode every clip once; those that cannot be used are noted in `unreadable`."""
        todo = [one for one in dict.fromkeys(regions) if one not in self.sounds and one not in self.unreadable]
        with ThreadPoolExecutor(max(threads, _THREADS)) as pool:
            try:
                for region, outcome in zip(todo, pool.map(self._attempt, todo), strict=True):
                    self._keep(region, outcome)
                    stopping()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def __getitem__(self, region: Region) -> Tensor:
        """Return (samples,) float32 between -1 and 1 at the plan's sample rate."""
        kept = self._kept.get(region)
        if kept is None:
            try:
                kept = decode(region, self.sample_rate_hz)
            except (OSError, ValueError) as error:
                raise InputError(
                    f"{region.file}: could be read when the run began, and cannot any more ({error}); "
                    "the checkpoints from before are whole",
                    hint="Put the file back, and go on with --resume.",
                ) from error
        if kept.dtype == np.int16:
            return torch.from_numpy(kept.astype(np.float32) / _FULL_SCALE)
        return torch.from_numpy(kept)

    def _attempt(self, region: Region) -> NDArray[np.float32] | str:
        try:
            return not_audio(region.file) or decode(region, self.sample_rate_hz)
        except OSError as error:
            return error.strerror or str(error)
        except ValueError as error:
            return str(error)

    def _keep(self, region: Region, outcome: NDArray[np.float32] | str) -> None:
        if isinstance(outcome, str):
            self.unreadable[region] = outcome
            return
        self.sounds[region] = Sound(len(outcome), hashlib.sha256(outcome.tobytes()).hexdigest()[:32])
        smallest = _smallest(outcome)
        if smallest.nbytes <= self._room:
            self._room -= smallest.nbytes
            self._kept[region] = smallest


def decode(region: Region, sample_rate_hz: int) -> NDArray[np.float32]:
    """Return (samples,) float32: the mean of the channels at `sample_rate_hz`.

    Raises:
        ValueError: it cannot be decoded to its end, is empty, or holds numbers that are not finite.
        OSError: it cannot be read.
    """
    import soundfile

    try:
        with soundfile.SoundFile(region.file) as stream:
            rate = stream.samplerate
            samples = _samples(stream, region)
    except soundfile.LibsndfileError as error:
        raise ValueError(f"cannot be decoded: {error.error_string}") from None
    mono: NDArray[np.float32] = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)
    if not len(mono):
        raise ValueError("no samples")
    if not np.isfinite(mono).all():
        raise ValueError("holds samples that are not finite numbers")
    if rate != sample_rate_hz:
        mono = resampled(mono, rate, sample_rate_hz)
    return np.ascontiguousarray(mono)


def _samples(stream: soundfile.SoundFile, region: Region) -> NDArray[np.float32]:
    """Return (samples, channels) of the region; a region that ends after the file ends with it."""
    start = round(region.start_seconds * stream.samplerate)
    if start >= stream.frames > 0:
        raise ValueError(f"starts at {region.start_seconds:g} s, after the end of the file")
    if start:
        stream.seek(start)
    stop = region.stop_seconds
    count = -1 if stop is None else max(0, round(stop * stream.samplerate) - start)
    samples: NDArray[np.float32] = stream.read(count, dtype="float32", always_2d=True)
    if region.channel is None:
        return samples
    if region.channel >= samples.shape[1]:
        raise ValueError(f"has {samples.shape[1]} channels and no channel {region.channel}")
    return samples[:, region.channel : region.channel + 1]


def _smallest(samples: NDArray[np.float32]) -> NDArray[np.int16] | NDArray[np.float32]:
    """Return the samples as 16-bit integers where that loses nothing, at half the memory."""
    scaled = samples * _FULL_SCALE
    whole = np.rint(scaled)
    if np.array_equal(whole, scaled) and np.abs(whole).max() < _FULL_SCALE:
        return whole.astype(np.int16)
    return samples
