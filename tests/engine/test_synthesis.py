"""The demo corpus: the same each time, faults where they were planted, and a leak that pays."""

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.synthesis import SAMPLE_RATE_HZ, WORDS, make_corpus
from knowledge.errors import UsageError

from .dataset.sets import measure
from .dataset.test_leakage_cost import both_ways


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_corpus(tmp_path_factory.mktemp("demo") / "corpus")


def test_the_audit_finds_exactly_what_was_planted(corpus: Path) -> None:
    found = measure(corpus)

    assert 480 <= found["dataset.rows"] <= 700
    assert (found["dataset.groups"], found["dataset.overlapping_groups"]) == (10, 10)
    assert found["dataset.leaked_test_share"] == found["dataset.leaked_validation_share"] == 1.0
    assert (found["dataset.exact_duplicate_clips"], found["dataset.duplicates_across_splits"]) == (2, 2)
    assert (found["dataset.truncated_files"], found["dataset.missing_files"]) == (1, 1)
    assert found["dataset.classes"] == 8
    for fault in ("unreadable_files", "orphan_files", "duplicate_rows", "conflicting_duplicates", "empty_labels"):
        assert found[f"dataset.{fault}"] == 0, fault


def test_clips_are_short_and_loud_enough_to_be_heard(corpus: Path) -> None:
    found = measure(corpus)

    assert found["dataset.sample_rate_hz"] == SAMPLE_RATE_HZ
    assert found["dataset.duration_min_seconds"] > 0.2  # the truncated one
    assert 0.35 < found["dataset.duration_median_seconds"] < found["dataset.duration_max_seconds"] < 0.85
    for file in found.dataset.files[::40]:
        samples, _ = soundfile.read(file)
        assert 0.3 < np.abs(samples).max() < 1.0


def test_the_vowels_have_their_resonances(corpus: Path) -> None:
    """The open vowel of `sami` has more energy from 600 to 1400 Hz than its close vowel; both are there."""
    for speaker in ("s01", "s05", "s10"):
        ratios = []
        for take in range(1, 6):
            samples, rate = soundfile.read(corpus.parent / f"clips/{speaker}/sami-{take}.wav")
            halves = np.array_split(samples, 2)
            powers = [np.abs(np.fft.rfft(half, 1 << 14)) ** 2 for half in halves]
            bins = np.fft.rfftfreq(1 << 14, 1 / rate)
            band = (bins > 600) & (bins < 1400)
            first, second = (power[band].sum() / power[bins < 600].sum() for power in powers)
            ratios.append(first / second)
        assert np.median(ratios) > 1.5, speaker


def test_a_known_speaker_is_easier_than_a_new_one(corpus: Path) -> None:
    given, left_out = both_ways(corpus)

    print(f"\ndemo corpus: {given:.3f} on the leaking split, {left_out:.3f} with one speaker left out")
    assert given > 0.8
    assert given - left_out > 0.1
    assert left_out > 2 / len(WORDS)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_ones(tmp_path: Path) -> None:
    small = {"speakers": 2, "words": 2, "takes": 3}
    made = [make_corpus(tmp_path / name, seed=seed, **small).parent for name, seed in (("a", 7), ("b", 7), ("c", 8))]
    bytes_of = [{f.relative_to(folder): f.read_bytes() for f in sorted(folder.rglob("*.*"))} for folder in made]

    assert bytes_of[0] == bytes_of[1]
    assert bytes_of[0].keys() == bytes_of[1].keys()
    shared = bytes_of[0].keys() & bytes_of[2].keys()
    assert all(bytes_of[0][name] != bytes_of[2][name] for name in shared if name.suffix == ".wav")


def test_every_speaker_stands_in_every_split(corpus: Path) -> None:
    rows = list(csv.DictReader(corpus.read_text("utf-8").splitlines()))

    for speaker in {row["speaker"] for row in rows}:
        assert {row["split"] for row in rows if row["speaker"] == speaker} == {"train", "val", "test"}


def test_an_existing_folder_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")

    with pytest.raises(UsageError, match="exists already and is not empty"):
        make_corpus(tmp_path)

    assert [entry.name for entry in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(("name", "value"), [("speakers", 1), ("words", 9), ("words", 1), ("takes", 2)])
def test_numbers_out_of_range_are_refused(tmp_path: Path, name: str, value: int) -> None:
    with pytest.raises(UsageError, match=f"{name} is {value}, expected"):
        make_corpus(tmp_path / "new", **{name: value})
