"""The example projects: what is done is kept, and their verdicts say no more than their tests can show."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.training.model import build_model
from examples.audioconfit.__main__ import plan_for
from examples.audioconfit.comparison import FINE, METHODS, PAIRS, holm, told
from examples.audioconfit.probing import probe
from examples.clips import loudest
from examples.non_speech.comparison import compared
from examples.slices import kept, run
from examples.small_encoder import RATE_HZ, Encoder, pretrain, random_encoder


def unit(seed: int, **shares: float) -> dict[str, Any]:
    """Forty clips in twenty groups, each method right on a share of them, drawn."""
    random = np.random.default_rng(seed)
    measures = {"top": {"1": 0.2}, "needed": {"0.9": 5}, "anisotropy": 0.1, "nearest_same_class": 0.5}

    def of(share: float) -> dict[str, Any]:
        right = random.random(40) < share
        return {"accuracy": float(right.mean()), "right": "".join(str(int(one)) for one in right), **measures}

    found = {method: of(shares.get(method.replace(" ", "").replace("+", "_"), 0.5)) for method in METHODS}
    return {"groups": [str(clip // 2) for clip in range(40)], **found}


def test_a_large_difference_is_told_and_no_difference_is_inconclusive() -> None:
    units = {f"tones / seed {seed}": unit(seed, pairs_probe=0.95) for seed in range(5)}
    units |= {f"noise / seed {seed}": unit(seed) for seed in range(5)}
    figures = told(units, "random")["tasks"]

    assert figures["tones"]["against"][FINE]["verdict"] == "pairs are better"
    assert figures["tones"]["against"][FINE]["over seeds"]["p_value"] == 0.0625  # five pairs cannot give less
    assert figures["noise"]["against"][FINE]["verdict"] == "inconclusive"
    assert figures["tones"]["methods"][PAIRS]["accuracy"]["mean"] > 0.85


def test_one_seed_that_says_otherwise_makes_it_inconclusive() -> None:
    units = {f"tones / seed {seed}": unit(seed, pairs_probe=0.95 if seed else 0.3) for seed in range(5)}
    found = told(units, "random")["tasks"]["tones"]["against"][FINE]
    assert found["over groups of clips"]["p_value"] < 0.05
    assert found["verdict"] == "inconclusive"


def test_several_comparisons_share_one_level() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def test_abx_of_few_speakers_and_a_collapse() -> None:
    speakers = "abcdef"
    before = {"abx": 0.8, "delta deviation": 0.1, "by speaker": dict.fromkeys(speakers, 0.8)}
    worse = {"abx": 0.7, "delta deviation": 0.01, "by speaker": dict.fromkeys(speakers, 0.7)}
    mixed = {
        "abx": 0.79,
        "delta deviation": 0.1,
        "by speaker": dict(zip(speakers, (0.7, 0.9, 0.7, 0.9, 0.7, 0.84), strict=True)),
    }

    found = compared(before, [worse, worse])
    assert (found["verdict"], found["collapsed"]) == ("worse after", True)
    assert found["paired test over speakers"]["p_value"] == found["paired test over speakers"]["smallest_p"] == 1 / 32
    found = compared(before, [mixed])
    assert (found["verdict"], found["collapsed"]) == ("inconclusive", False)


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    path, done = tmp_path / "results.json", list[str]()

    def units() -> Any:
        for name in ("one", "two"):
            yield name, lambda name=name: done.append(name) or {"value": {1: 2}}

    run(path, units(), 0.0, lambda units: {"count": len(units)})
    assert not done  # no time, so nothing begins
    run(path, list(units())[:1], 1.0, lambda units: {"count": len(units)})
    run(path, units(), 1.0, lambda units: {"count": len(units)})
    assert done == ["one", "two"]
    assert kept(path) == {"one": {"value": {"1": 2}}, "two": {"value": {"1": 2}}}
    assert '"count": 2' in path.read_text()


def test_the_small_encoder_learns_without_labels_and_fits_the_trainer(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    time = np.arange(RATE_HZ // 2) / RATE_HZ
    sounds = [
        torch.from_numpy((np.sin(2 * np.pi * hz * time) + random.normal(0, 0.1, len(time))).astype(np.float32))
        for hz in (200, 500, 1200, 3000)
    ]
    pretrain(tmp_path / "encoder", sounds, 3, seed=0)
    begun = Encoder("w2v-bert", str(tmp_path / "encoder"), (tmp_path / "encoder/told.txt").read_text())
    drawn = random_encoder(begun, tmp_path / "random")

    assert "3 steps" in begun.told
    models = [build_model(plan_for(tmp_path / "clips.csv", one), classes=3) for one in (begun, drawn)]
    first, second = ([p for n, p in m.named_parameters() if n.startswith("encoder")] for m in models)
    assert any(not torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_the_probe_reads_what_a_line_can_read() -> None:
    random = np.random.default_rng(0)
    classes = random.integers(0, 3, 120).tolist()
    vectors = 1000 + random.normal(0, 1, (120, 8))  # far from the origin, where few epochs of Adam learn little
    vectors[np.arange(120), classes] += 4
    share, said = probe((vectors[:60], classes[:60]), (vectors[60:90], classes[60:90]), vectors[90:])
    assert share > 0.9 and np.mean(np.array(said) == classes[90:]) > 0.8


def test_the_loudest_stretch_is_taken() -> None:
    sound = np.concatenate([np.zeros(50), np.ones(10), np.zeros(40)]).astype(np.float32)
    assert loudest(sound, 10).sum() == 10
    assert loudest(sound, 200) is sound
