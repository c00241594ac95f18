import errno
import os
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.plan import Plan
from engine.training.cache import FrameCache, Frames, cache_folder, prefix_digest
from engine.training.data import read_corpus
from engine.training.items import Item
from engine.training.loader import Loader
from engine.training.model import AudioModel, build_model
from engine.training.stopping import Stop
from engine.training.waveforms import Waveforms
from knowledge.errors import Interrupted

from .corpora import assert_same_state, events_of, last_state, tone_corpus, tone_plan, train
from .small_models import save_checkpoint


def loaded(plan: Plan) -> tuple[Loader, tuple[Item, ...]]:
    items = read_corpus(plan).items
    waveforms = Waveforms(plan.data.sample_rate_hz)
    waveforms.load((item.region for item in items), lambda: None)
    return Loader(waveforms, plan), items


def fill(
    cache: FrameCache,
    model: AudioModel,
    loader: Loader,
    items: tuple[Item, ...],
    stopping: Callable[[], None] = lambda: None,
) -> Frames | None:
    return cache.frames_of(model, loader, items, "fp32", nullcontext, stopping)


def filled(cache: FrameCache, model: AudioModel, loader: Loader, items: tuple[Item, ...]) -> Frames:
    frames = fill(cache, model, loader, items)
    assert frames is not None
    return frames


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Clips in every encoding pass."""
    sizes: list[int] = []
    for name in ("prefix", "encode"):
        original = getattr(AudioModel, name)

        def counting(model: AudioModel, batch: Any, *masking: Any, original: Any = original) -> Any:
            if batch.features is None:
                sizes.append(len(batch))
            return original(model, batch, *masking)

        monkeypatch.setattr(AudioModel, name, counting)
    return sizes


def wav2vec2_plan(tmp_path: Path, **changes: Any) -> Plan:
    changes = {"data__sample_rate_hz": 16000, "data__group_column": None} | changes
    plan = tone_plan(tone_corpus(tmp_path / "data", clips=12), **changes)
    backbone = {"name": "wav2vec2", "checkpoint": save_checkpoint(tmp_path)}
    return plan.model_copy(update={"backbone": plan.backbone.model_copy(update=backbone)})


@pytest.mark.parametrize("kind", ["mfcc", "wav2vec2"])
def test_cached_frames_equal_fresh_ones(tmp_path: Path, kind: str) -> None:
    changes = {"backbone__normalise": "clip", "pooling__name": "attention"}
    plan = (
        wav2vec2_plan(tmp_path, pooling__name="attention")
        if kind == "wav2vec2"
        else tone_plan(tone_corpus(tmp_path / "data"), **changes)
    )
    loader, items = loaded(plan)
    model = build_model(plan, classes=3).eval()
    cache = FrameCache(tmp_path / "cache")
    filled(cache, model, loader, items)
    batch = filled(FrameCache(tmp_path / "cache"), model, loader, items).batch(items[:5])
    frames, mask = model.encode(loader.evaluation_batch(items[:5]))
    again, again_mask = model.encode(batch)

    assert torch.equal(mask, again_mask)
    torch.testing.assert_close(again[mask], frames[mask], rtol=1e-4, atol=1e-4)
    assert batch.labels.tolist() == [int(item.target) for item in items[:5]]
    assert batch.indices.tolist() == [item.index for item in items[:5]]


def test_no_clip_is_encoded_twice(tmp_path: Path, counted: list[int]) -> None:
    plan = tone_plan(tone_corpus(tmp_path / "data"), backbone__normalise="clip")
    loader, items = loaded(plan)
    model = build_model(plan, classes=3)
    cache = FrameCache(tmp_path / "cache")
    filled(cache, model, loader, items[:10])
    first = sum(counted)
    filled(FrameCache(tmp_path / "cache"), model, loader, items)

    assert (first, sum(counted)) == (10, 24)


def test_another_encoder_or_precision_finds_nothing(tmp_path: Path) -> None:
    plan = tone_plan(tone_corpus(tmp_path / "data"), backbone__normalise="clip")
    other = tone_plan(Path(plan.data.manifest), backbone__normalise="clip", backbone__coefficients=7)
    model = build_model(plan, classes=3)
    digests = {
        prefix_digest(model, plan, "fp32"),
        prefix_digest(model, plan, "bf16"),
        prefix_digest(build_model(other, classes=3), other, "fp32"),
    }

    assert len(digests) == 3
    assert prefix_digest(build_model(plan, classes=3, seed=5), plan, "fp32") in digests


def test_other_weights_find_nothing(tmp_path: Path) -> None:
    plan = wav2vec2_plan(tmp_path)
    model = build_model(plan, classes=3)
    before = prefix_digest(model, plan, "fp32")
    with torch.no_grad():
        next(model.encoder.parameters()).add_(1e-3)

    assert prefix_digest(model, plan, "fp32") != before


@pytest.mark.parametrize("harm", ["cut the frames", "cut the index", "lose the frames"])
def test_a_damaged_pack_is_encoded_again(tmp_path: Path, counted: list[int], harm: str) -> None:
    plan = tone_plan(tone_corpus(tmp_path / "data"), backbone__normalise="clip")
    loader, items = loaded(plan)
    model = build_model(plan, classes=3)
    cache = FrameCache(tmp_path / "cache")
    expected = filled(cache, model, loader, items).batch(items[:3]).features
    (index,), (pack,) = cache.folder.glob("*/*.json"), cache.folder.glob("*/*.f32")
    if harm == "cut the index":
        index.write_bytes(index.read_bytes()[:50])
    elif harm == "cut the frames":
        pack.write_bytes(pack.read_bytes()[:-4])
    else:
        pack.unlink()
    counted.clear()
    features = filled(cache, model, loader, items).batch(items[:3]).features
    assert features is not None and expected is not None

    assert sum(counted) == 24
    assert torch.equal(features, expected)


def test_an_interruption_keeps_what_was_encoded(tmp_path: Path, counted: list[int]) -> None:
    plan = tone_plan(tone_corpus(tmp_path / "data"), backbone__normalise="clip")
    loader, items = loaded(plan)
    model = build_model(plan, classes=3)
    stop = Stop()
    stop.requested = True
    with pytest.raises(Interrupted):
        fill(FrameCache(tmp_path / "cache"), model, loader, items, stop.check)
    done = sum(counted)
    filled(FrameCache(tmp_path / "cache"), model, loader, items)

    assert 0 < done < 24
    assert sum(counted) == 24


def test_the_cache_is_bounded_and_forgets_what_was_used_longest_ago(tmp_path: Path) -> None:
    manifest = tone_corpus(tmp_path / "data")
    plans = [tone_plan(manifest, backbone__normalise="clip", pooling__name="statistics", backbone__coefficients=number)
             for number in (4, 5, 6)]  # fmt: skip
    (loader, items), cache = loaded(plans[0]), FrameCache(tmp_path / "cache", most_bytes=17_000)
    for plan in plans:
        filled(cache, build_model(plan, classes=3), Loader(loader.waveforms, plan), items)
    left = {path.parent.name for path in cache.folder.glob("*/*.json")}
    digests = [prefix_digest(build_model(plan, classes=3), plan, "fp32") for plan in plans]

    assert left == set(digests[1:])
    assert sum(path.stat().st_size for path in cache.folder.glob("*/*.f32")) <= cache.most_bytes


def test_what_does_not_fit_is_not_cached(tmp_path: Path) -> None:
    plan = tone_plan(tone_corpus(tmp_path / "data"), backbone__normalise="clip")
    loader, items = loaded(plan)
    cache = FrameCache(tmp_path / "cache", most_bytes=100)

    assert fill(cache, build_model(plan, classes=3), loader, items) is None
    assert list(cache.folder.glob("*/*.f32")) == []


def test_what_a_killed_process_left_is_counted_and_in_the_end_removed(tmp_path: Path) -> None:
    plan = tone_plan(tone_corpus(tmp_path / "data"), backbone__normalise="clip")
    (loader, items), model = loaded(plan), build_model(plan, classes=3)
    torn = tmp_path / "cache" / "frames" / "encoder" / "torn.f32"
    torn.parent.mkdir(parents=True)
    torn.write_bytes(bytes(10_000_000))

    assert fill(FrameCache(tmp_path / "cache", most_bytes=10_000_000), model, loader, items) is None
    os.utime(torn, (0, 0))
    assert fill(FrameCache(tmp_path / "cache", most_bytes=10_000_000), model, loader, items) is not None
    assert not torn.exists()


def test_a_folder_that_cannot_be_written_and_a_disk_that_fills_up_cost_time_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = tone_plan(tone_corpus(tmp_path / "data"), backbone__normalise="clip")
    (loader, items), model = loaded(plan), build_model(plan, classes=3)
    (tmp_path / "file").write_text("no folder")
    assert fill(FrameCache(tmp_path / "file"), model, loader, items) is None
    assert "nothing can be kept here (Not a directory)" in capsys.readouterr().err

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert fill(FrameCache(tmp_path / "cache"), model, loader, items) is None
    assert "No space left on device" in capsys.readouterr().err
    assert not list((tmp_path / "cache").rglob("*.f32"))


@pytest.mark.parametrize(("changes", "passes"), [({}, 12), ({"augmentation__strength": "light"}, None)])
def test_training_encodes_each_clip_once_unless_it_is_varied(
    tmp_path: Path, counted: list[int], changes: dict[str, Any], passes: int | None
) -> None:
    plan = wav2vec2_plan(tmp_path, training__epochs=3, head__name="mlp", head__hidden=4, **changes)
    train(plan, tmp_path / "run")
    train_clips = events_of(tmp_path / "run", "start")[0]["train_clips"]

    assert sum(counted) == (passes if passes else 3 * train_clips + 12 - train_clips)


def test_training_from_the_cache_equals_training_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = tone_plan(tone_corpus(tmp_path / "data"), head__name="temporal", head__hidden=4, head__dropout=0.2)
    first, second = (last_state(train(plan, tmp_path / name)) for name in ("fresh", "cached"))
    monkeypatch.setattr(FrameCache, "frames_of", lambda *_: None)
    without = last_state(train(plan, tmp_path / "without"))

    assert_same_state(first, second)
    for name, value in without.items():
        if name.startswith("model."):
            torch.testing.assert_close(value, first[name], rtol=1e-3, atol=1e-4, msg=name)


def test_one_vector_a_clip_is_kept_where_the_head_reads_the_mean(tmp_path: Path) -> None:
    plan = wav2vec2_plan(tmp_path, backbone__layers="weighted-sum")
    backbone = plan.backbone.model_copy(update={"layers": "weighted-sum"})
    plan = plan.model_copy(update={"backbone": backbone})
    loader, items = loaded(plan)
    model = build_model(plan, classes=3).eval()
    torch.nn.init.normal_(model.mix.weights)  # type: ignore[arg-type]
    batch = filled(FrameCache(tmp_path / "cache"), model, loader, items).batch(items[:5])

    assert batch.features is not None
    assert batch.features.shape == (5, 1, 96)
    torch.testing.assert_close(model(batch), model(loader.evaluation_batch(items[:5])), rtol=1e-4, atol=1e-5)


WAYS: list[dict[str, Any]] = [
    {"method": "lora", "rank": 4},
    {"method": "partial", "top_layers": 1},
    {"method": "full"},
]


@pytest.mark.parametrize("way", WAYS)
def test_an_encoder_that_learns_goes_on_from_what_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counted: list[int], way: dict[str, Any]
) -> None:
    plan = wav2vec2_plan(tmp_path, training__epochs=2)
    plan = plan.model_copy(update={"adaptation": plan.adaptation.model_copy(update=way)})
    kept = last_state(train(plan, tmp_path / "kept"))
    assert sum(counted) == 12
    last_state(train(plan, tmp_path / "again"))
    assert sum(counted) == 12
    monkeypatch.setattr(FrameCache, "frames_of", lambda *_: None)
    without = last_state(train(plan, tmp_path / "without"))

    for name, value in without.items():
        if name.startswith("model."):
            torch.testing.assert_close(value, kept[name], rtol=1e-3, atol=1e-4, msg=name)


def test_adapters_of_every_rank_and_seed_share_what_is_kept(tmp_path: Path) -> None:
    plan = wav2vec2_plan(tmp_path)
    ways = [{"method": "lora", "rank": rank} for rank in (2, 4)] + [{"method": "dora"}]
    plans = [plan.model_copy(update={"adaptation": plan.adaptation.model_copy(update=way)}) for way in ways]
    found = {prefix_digest(build_model(one, classes=3, seed=seed), one, "fp32") for seed, one in enumerate(plans)}

    assert len(found) == 1


def test_the_folder_is_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TONMEISTER_CACHE", "/somewhere")
    assert cache_folder() == Path("/somewhere")
    monkeypatch.delenv("TONMEISTER_CACHE")
    assert cache_folder().name == "tonmeister"
