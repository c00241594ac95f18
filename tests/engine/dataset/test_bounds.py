"""Bounds and lengths in manifests against the files, on input that is hard to read."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.evidence.dataset import Dataset, read_dataset, scan_clips
from engine.evidence.dataset.bounds import measure_bounds
from expert.consultation.audit import audit_dataset
from knowledge.loader import load_knowledge
from knowledge.records import Measured

from .sets import write_wav

TOLERANCE = 0.1


def _measured(manifest: Path) -> tuple[Dataset, Measured]:
    dataset = read_dataset(manifest)
    return dataset, measure_bounds(dataset, scan_clips(dataset.regions, workers=1), TOLERANCE)


def _kaldi(folder: Path, segments: str) -> Path:
    file = write_wav(folder / "long.wav", 3.0)
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data/wav.scp").write_text(f"rec {file}\n")
    (folder / "data/segments").write_text(segments)
    return folder / "data"


def _nemo(folder: Path, *records: dict[str, object]) -> Path:
    write_wav(folder / "a.wav", 2.0)
    path = folder / "m.jsonl"
    lines = [json.dumps({"audio_filepath": "a.wav", "label": "x", **record}) for record in records]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_segments_past_the_end(tmp_path: Path) -> None:
    manifest = _kaldi(tmp_path, "u1 rec 0.5 1.25\nu2 rec 1.25 3.05\nu3 rec 2 4.5\nu4 rec 5 6\n")
    _, found = _measured(manifest)

    assert found.get("dataset.segments_past_end") == 2
    assert found.get("dataset.duration_mismatches") == 0
    fact = next(fact for fact in found.facts if fact.name == "dataset.segments_past_end")
    assert fact.evidence[0].text.endswith("ends at 4.50 s, its file at 3.00 s")


def test_an_end_of_minus_one_is_that_of_the_file(tmp_path: Path) -> None:
    dataset, found = _measured(_kaldi(tmp_path, "u1 rec 0.5 -1\nu2 rec 0 1\n"))

    assert dataset.regions[0].stop_seconds is None
    assert found.get("dataset.segments_past_end") == 0


def test_lengths_of_whole_files(tmp_path: Path) -> None:
    _, found = _measured(_nemo(tmp_path, {"duration": 2.0}, {"duration": 2.09}, {"duration": 1.0}, {"duration": 7.5}))

    assert found.get("dataset.segments_past_end") == 0
    assert found.get("dataset.duration_mismatches") == 2


def test_an_offset_makes_a_length_that_of_a_part(tmp_path: Path) -> None:
    rows = ({"offset": 0.0, "duration": 1.0}, {"offset": 1.5, "duration": 0.5}, {"offset": 1.5, "duration": 1.0})
    _, found = _measured(_nemo(tmp_path, *rows))

    assert found.get("dataset.segments_past_end") == 1
    assert found.get("dataset.duration_mismatches") == 0


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(st.floats(), st.text(max_size=6), st.none(), st.integers()), min_size=1, max_size=4))
def test_whatever_stands_for_a_length_is_survived(tmp_path: Path, lengths: list[object]) -> None:
    dataset, found = _measured(_nemo(tmp_path, {"duration": 2.0}, *({"duration": length} for length in lengths)))

    count = found.get("dataset.duration_mismatches")
    assert count is None or 0 <= int(count) <= len(dataset)


def test_damaged_files_are_not_judged_twice(tmp_path: Path) -> None:
    manifest = _nemo(tmp_path, {"duration": 2.0})
    (tmp_path / "a.wav").write_bytes(b"RIFF nothing")

    assert _measured(manifest)[1].get("dataset.duration_mismatches") == 0


def test_without_bounds_none_can_be_wrong(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav")
    (tmp_path / "m.csv").write_text("path,label\na.wav,x\n")
    _, found = _measured(tmp_path / "m.csv")

    assert found.get("dataset.segments_past_end") == found.get("dataset.duration_mismatches") == 0


@pytest.mark.parametrize(
    ("segments", "expected"), [("u1 rec 0 3.4\nu2 rec 0 1\n", True), ("u1 rec 0 3\nu2 rec 0 1\n", False)]
)
def test_the_finding(tmp_path: Path, segments: str, expected: bool) -> None:
    audit = audit_dataset(load_knowledge(), _kaldi(tmp_path, segments), workers=1)

    assert ("segment-past-end" in {finding.id for finding in audit.session.findings}) is expected
