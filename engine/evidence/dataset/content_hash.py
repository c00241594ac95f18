"""A digest that tells contents apart, of samples or bytes, in any number of pieces; protects nobody against malice.

Blocks of 4 KiB are summed by NH, the universal hash of UMAC, with four shifted keys; SHA-256 goes over those sums and
over what is left at the end. Two different contents share a digest with a probability below 2^-100. SHA-256 of all
samples took as long as decoding a WAV.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from .signals.kernel import block_sums

Words = npt.NDArray[np.uint32]

BLOCK_BYTES = 4096
LANES = 4
_WORDS = BLOCK_BYTES // 4
_SHIFT = 4
_NUMPY_BLOCKS = 64
"""Summed at a time: what lies between fits into the cache."""


class ContentHash:
    """Takes pieces one after the other; how they are cut does not change the digest."""

    def __init__(self, what: str = "") -> None:
        self._digest = hashlib.sha256(what.encode())
        self._rest = b""

    def update(self, piece: bytes | npt.NDArray[np.int16]) -> None:
        """Take the next piece; an array is contiguous."""
        view = memoryview(piece)  # type: ignore[arg-type]
        view = view.cast("B") if view.nbytes else memoryview(b"")
        if self._rest:
            missing = BLOCK_BYTES - len(self._rest)
            self._rest += bytes(view[:missing])
            view = view[missing:]
            if len(self._rest) < BLOCK_BYTES:
                return
            self._digest.update(_summed(self._rest))
        whole = len(view) // BLOCK_BYTES * BLOCK_BYTES
        if whole:
            self._digest.update(_summed(view[:whole]))
        self._rest = bytes(view[whole:])

    def hexdigest(self) -> str:
        """Return the digest of all pieces."""
        last = self._digest.copy()
        last.update(self._rest + len(self._rest).to_bytes(2, "little"))
        return last.hexdigest()


def content_hash(content: bytes, what: str = "") -> str:
    """Return the digest of one piece."""
    digest = ContentHash(what)
    digest.update(content)
    return digest.hexdigest()


def _summed(blocks: bytes | memoryview) -> bytes:
    words = np.frombuffer(blocks, "<u4").reshape(-1, _WORDS)
    sums = block_sums(words, hash_keys())
    return (sums_by_numpy(words) if sums is None else sums).astype("<u8").tobytes()


def sums_by_numpy(words: Words) -> npt.NDArray[np.uint64]:
    """Return what the kernel does: of each block and lane, the sum of products of pairs of words, each plus its key."""
    keys = hash_keys()
    sums = np.empty((len(words), LANES), np.uint64)
    for start in range(0, len(words), _NUMPY_BLOCKS):
        some = words[start : start + _NUMPY_BLOCKS]
        for lane in range(LANES):
            added = some + keys[lane * _SHIFT : lane * _SHIFT + _WORDS]
            products = added[:, : _WORDS // 2].astype(np.uint64) * added[:, _WORDS // 2 :]
            sums[start : start + len(some), lane] = np.add.reduce(products, axis=1, dtype=np.uint64)
    return sums


@lru_cache(maxsize=1)
def hash_keys() -> Words:
    """Return the keys of all lanes."""
    drawn = hashlib.shake_128(b"tonmeister content hash").digest(4 * (_WORDS + _SHIFT * LANES))
    return np.frombuffer(drawn, "<u4").astype(np.uint32)
