"""A second opinion before a file is called unreadable: FFmpeg through PyAV, where the extra `decoders` is installed.

libsndfile 1.2 refuses some FLAC streams that FFmpeg decodes (python-soundfile issue 493), and knows no AAC, WMA or
MP4. FFmpeg guesses: what it takes for audio inside a damaged file is not believed unless the container is sound.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

_TRUSTED = frozenset(
    {"flac", "ogg", "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "asf", "aiff", "wav", "caf", "amr", "au"}
)
"""Containers with a magic number of their own; raw streams (mp3, aac, g722) FFmpeg also finds in random bytes."""
_FRAMES_MAX = 1 << 25


def second_name() -> str:
    """Return the decoder's name and version; empty when it is not installed."""
    try:
        import av
    except ImportError:
        return ""
    return f"FFmpeg (PyAV {av.__version__})"


def decode_second(file: Path, spent: Callable[[], str]) -> tuple[int, npt.NDArray[np.float32], str] | str:
    """Return rate, samples `(frames, channels)` and container, or the reason why there are none.

    Args:
        file: the audio file.
        spent: asked between frames; returns the reason to give up, or an empty text.
    """
    import av

    try:
        with av.open(str(file), metadata_errors="ignore") as container:
            if container.format.name not in _TRUSTED:
                return f"it looks like raw {container.format.name} data"
            if not container.streams.audio:
                return "no audio stream"
            return _frames(container, spent)
    except (av.FFmpegError, ValueError, MemoryError) as error:
        return str(error.strerror if isinstance(error, av.FFmpegError) else error) or type(error).__name__


def _frames(container: object, spent: Callable[[], str]) -> tuple[int, npt.NDArray[np.float32], str] | str:
    import av

    resampler = None
    blocks: list[npt.NDArray[np.float32]] = []
    rate = total = 0
    for frame in container.decode(audio=0):  # type: ignore[attr-defined]
        if resampler is None:
            rate = frame.sample_rate
            resampler = av.AudioResampler(format="fltp", layout=frame.layout, rate=rate)
        for plain in resampler.resample(frame):
            block = plain.to_ndarray().T.astype(np.float32, copy=False)
            total += block.size
            blocks.append(block)
        if reason := spent() or ("longer than can be held" if total > _FRAMES_MAX else ""):
            return reason
    if not total:
        return "no samples"
    return rate, np.ascontiguousarray(np.concatenate(blocks)), container.format.name.split(",")[0].upper()  # type: ignore[attr-defined]
