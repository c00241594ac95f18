"""Reads the samples of an open sound file block by block: hash, excerpts and the decoder's complaint; judges nothing.

Memory is bounded by the block size and the excerpts kept of a long clip, time by the budget of the size of the file.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from .content_hash import ContentHash
from .signals import kernel
from .signals.wave import Samples

CPU_SECONDS = 2.0
"""What any file may cost: a hundred times what a minute of Opus, the slowest codec, takes."""
CPU_SECONDS_PER_BYTE = 1e-6
"""Opus at 24 kbit/s, the slowest measured (5 s for 10.8 MB), takes half of it."""
_BOMB_SECONDS = 1800.0
_BOMB_BYTES_PER_SECOND = 100.0
"""Less is silence, or a bomb: Opus at its least takes 750, FLAC 27 to 150 where every sample is zero."""
_BLOCK_SAMPLES = 1 << 20
_STOP_FRAMES = 1 << 9
_WHOLE_SAMPLES = 1 << 22
"""A clip of up to this many samples is kept whole: 4.4 minutes at 16 kHz."""
_EXCERPT_SAMPLES = 1 << 20
"""Of a longer one so many are kept of every further _WHOLE_SAMPLES: one minute in four at 16 kHz."""
_EXACT = frozenset({"PCM_16", "PCM_U8", "PCM_S8"})
"""Subtypes that are read as 16-bit integers without loss, three to six times faster than as floats."""


@dataclass(slots=True, eq=False)
class Body:
    """What came out of a stream."""

    frames: int
    sample_hash: str
    complaint: str
    """The decoder's error; empty at a clean end."""
    spent: str
    samples: Samples | None


class Budget:
    """The processor time, and the length of sound, that one file may take: no decompression bomb holds up an audit."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._end = time.process_time() + cpu_seconds(size)
        self._spent = ""

    def spent(self, sound_seconds: float = 0.0) -> str:
        """Return why decoding has to end after this much sound of the file; empty while it may go on."""
        if self._spent:
            return self._spent
        if time.process_time() > self._end:
            self._spent = "decoding it takes far longer than a file of its size may"
        elif sound_seconds > max(_BOMB_SECONDS, self._size / _BOMB_BYTES_PER_SECOND):
            told = f"after {sound_seconds / 3600:.1f} h of sound out of {self._size / 1e6:.2f} MB"
            self._spent = f"decoding it was stopped {told}: no recording is packed so small"
        return self._spent


def cpu_seconds(size: int) -> float:
    """Return how much processor time a file of this many bytes may take."""
    return CPU_SECONDS + CPU_SECONDS_PER_BYTE * size


def where_it_stops(file: Path) -> tuple[int, bool]:
    """Return how many frames come out before the decoder's error, and whether it had read the whole file by then.

    A decoder that fails at the last byte misses the rest of the file; one that fails before met damage.
    """
    frames = 0
    with file.open("rb") as source, soundfile.SoundFile(source) as stream:
        try:
            while block := len(stream.read(_STOP_FRAMES, dtype="int16")):
                frames += block
        except soundfile.LibsndfileError:
            return frames, source.tell() == file.stat().st_size
    return frames, False


def read_samples(stream: soundfile.SoundFile, wanted: int | None, channel: int | None, budget: Budget) -> Body:
    """Read to the end or for `wanted` frames, a block at a time; keep all of a short clip, excerpts of a long one."""
    if stream.seekable():  # no more is handed out than the header declares, and to ask for more takes another seek
        left = max(0, stream.frames - stream.tell())
        wanted = left if wanted is None else min(wanted, left)
    channels = stream.channels if channel is None else 1
    digest = ContentHash(f"{stream.samplerate} {channels}")
    kind = "int16" if stream.subtype in _EXACT else "float32"
    step = max(1, _BLOCK_SAMPLES // stream.channels)
    kept, frames, sounding, complaint, spent = _Kept(), 0, False, "", ""
    while (wanted is None or frames < wanted) and not spent:
        try:
            block = stream.read(step if wanted is None else min(step, wanted - frames), dtype=kind, always_2d=True)
        except soundfile.LibsndfileError as error:
            complaint = error.error_string or f"error {error.code}"
            break
        if not len(block):
            break
        block = block if channel is None else np.ascontiguousarray(block[:, channel : channel + 1])
        rounded = block if kind == "int16" else rounded_16(block)
        frames += len(block)
        sounding = sounding or bool(rounded.any())
        digest.update(rounded)
        kept.add(block)
        spent = budget.spent(frames / stream.samplerate)
    whole = sounding and not complaint and not spent
    return Body(frames, digest.hexdigest() if whole else "", complaint, spent, kept.samples())


class _Kept:
    """The blocks that are kept of a clip: all of them, or all of the first minutes and a quarter of the rest."""

    def __init__(self) -> None:
        self._blocks: list[Samples] = []
        self._read = self._held = 0

    def add(self, block: Samples) -> None:
        """Take the next block of the stream, or leave it."""
        place, self._read = self._read, self._read + block.size
        within = place < _WHOLE_SAMPLES or place % _WHOLE_SAMPLES < _EXCERPT_SAMPLES
        if within and self._held < 2 * _WHOLE_SAMPLES:
            self._blocks.append(block)
            self._held += block.size

    def samples(self) -> Samples | None:
        """Return what was kept, `(frames, channels)`; None when nothing was read."""
        if not self._blocks:
            return None
        return np.concatenate(self._blocks) if len(self._blocks) > 1 else self._blocks[0]  # type: ignore[return-value]


def rounded_16(block: npt.NDArray[np.float32]) -> npt.NDArray[np.int16]:
    """Round to 16 bits, so that a lossless copy in another container has the same hash."""
    found = kernel.rounded(block)
    if found is not None:
        return found
    scaled = block * np.float32(32768.0)
    low, high = scaled.min(), scaled.max()
    if not (low >= -32768.0 and high <= 32767.0):  # also where either is no number
        scaled = np.clip(np.nan_to_num(scaled, posinf=32767.0, neginf=-32768.0), -32768.0, 32767.0)
    rounded: npt.NDArray[np.int16] = np.rint(scaled, out=scaled).astype(np.int16)
    return rounded
