"""The digest of contents: the same however it is cut, with and without the kernel, and another for any change."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.evidence.dataset import content_hash as module
from engine.evidence.dataset.content_hash import BLOCK_BYTES, ContentHash, content_hash
from engine.evidence.dataset.sample_reader import rounded_16
from engine.evidence.dataset.signals import kernel

needs_kernel = pytest.mark.skipif(kernel.library() is None, reason="the inner loops were not compiled")
SIZES = st.integers(0, 3 * BLOCK_BYTES + 5)


def content(size: int, seed: int = 1) -> bytes:
    return np.random.default_rng(seed).bytes(size)


@settings(max_examples=50, deadline=None)
@given(SIZES, st.lists(SIZES, max_size=4))
def test_how_it_is_cut_does_not_matter(size: int, cuts: list[int]) -> None:
    whole, digest = content(size), ContentHash("x")
    bounds = [0, *sorted(min(cut, size) for cut in cuts), size]
    for start, stop in itertools.pairwise(bounds):
        digest.update(whole[start:stop])
    assert digest.hexdigest() == content_hash(whole, "x")


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 3 * BLOCK_BYTES), st.data())
def test_any_change_is_told(size: int, data: st.DataObject) -> None:
    whole = content(size)
    place = data.draw(st.integers(0, size - 1))
    changed = bytearray(whole)
    changed[place] ^= data.draw(st.integers(1, 255))
    assert len({content_hash(each) for each in (whole, bytes(changed), whole[:-1], whole + bytes(1))}) == 4
    assert content_hash(whole, "16000 1") != content_hash(whole, "16000 2")


def test_swapped_blocks_and_words_are_told() -> None:
    one, two = content(BLOCK_BYTES, 1), content(BLOCK_BYTES, 2)
    swapped = one[8:16] + one[:8] + one[16:]
    assert len({content_hash(one + two), content_hash(two + one), content_hash(swapped + two)}) == 3


@needs_kernel
def test_numpy_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = content(200 * BLOCK_BYTES + 77)
    with_kernel = content_hash(whole)
    monkeypatch.setattr(module, "block_sums", lambda *_: None)
    assert content_hash(whole) == with_kernel


@needs_kernel
def test_rounding_is_that_of_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    samples = np.concatenate((rng.normal(size=999), (np.arange(-9, 9) + 0.5) / 32768, [2.0, -2.0, 1.0, -1.0]))
    floats = samples.astype(np.float32)[:, None]
    broken = np.concatenate((floats, np.array([[np.nan], [np.inf], [-np.inf]], np.float32)))
    found = rounded_16(floats), rounded_16(broken)
    assert kernel.rounded(broken) is None
    monkeypatch.setattr(kernel, "rounded", lambda _: None)
    for one, other in zip(found, (rounded_16(floats), rounded_16(broken)), strict=True):
        np.testing.assert_array_equal(one, other)
