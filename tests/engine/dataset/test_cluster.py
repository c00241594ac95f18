"""A scan on a Ray cluster, here one that is started for the test: the same results, resumable, and clear errors."""

import sys
from pathlib import Path

import numpy as np
import pytest

from engine.evidence.dataset import Region, scan_clips
from knowledge.errors import UsageError

from .sets import write_wav


def test_without_ray_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)

    with pytest.raises(UsageError, match="extra `cluster`"):
        scan_clips([Region(write_wav(tmp_path / "a.wav"))], cluster="auto")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_an_interrupted_scan_on_a_cluster_goes_on_without_loss(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    regions = [Region(write_wav(tmp_path / f"{number}.wav", seed=number)) for number in range(700)]
    regions[400].file.write_bytes(b"")
    cache = tmp_path / "cache"

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan_clips(regions, stop, cluster="local", cache=cache)
    calls: list[int] = []
    scan = scan_clips(regions, lambda done, total: calls.append(done), cluster="local", cache=cache)
    here = scan_clips(regions)

    assert 0 < calls[0] < 700
    assert scan.clips == here.clips
    assert np.array_equal(scan.measures["clip.peak"], here.measures["clip.peak"], equal_nan=True)
