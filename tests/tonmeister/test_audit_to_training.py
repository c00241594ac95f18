"""The whole way of a user's data: audit it, prepare a clean copy with the repaired split, train on that copy."""

import csv
import json
from pathlib import Path

import pytest

from tests.engine.training.corpora import tone_corpus
from tests.tonmeister.test_cli import run

PLAN = """
task: {type: classification}
data: {manifest: copy/manifest.csv, group_column: speaker, split_column: SPLIT, sample_rate_hz: 8000}
backbone: {name: mfcc, mels: 16, coefficients: 6, deltas: false, normalise: corpus}
head: {name: linear}
training: {epochs: 2, batch_size: 6, learning_rate: 0.02, clip_norm: 1.0}
evaluation: {select_by: accuracy, bootstrap_samples: 100}
compute: {device: cpu, threads: 1}
"""


@pytest.mark.slow
def test_what_was_audited_and_prepared_can_be_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TONMEISTER_CACHE", str(tmp_path / "cache"))
    manifest = tone_corpus(tmp_path / "data", clips=72, groups=12, split=True)
    rows = list(csv.DictReader(manifest.read_text().splitlines()))
    rows[0]["split"] = "test"  # its speaker stays in training: a leak
    rows += [{**rows[5], "path": "gone.wav"}]
    (tmp_path / "data/clip-7.wav").write_bytes(b"RIFF and no more")
    with manifest.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)

    status, out, _ = run(capsys, "audit", str(manifest), "--format", "json")
    found = {finding["id"] for finding in json.loads(out)["findings"]}
    assert status == 1
    assert {"group-overlap", "missing-file", "unreadable-file"} <= found

    status, _, _ = run(capsys, "prepare", str(manifest), "--output", str(tmp_path / "copy"), "--repair-split")
    assert status == 0
    _, out, _ = run(capsys, "audit", str(tmp_path / "copy/manifest.csv"), "--format", "json", "--fail-on", "never")
    report = json.loads(out)
    left = {finding["id"] for finding in report["findings"]}
    assert not {"group-overlap", "missing-file", "unreadable-file", "mixed-sample-rate"} & left
    assert report["columns"]["split"] == "repaired_split"

    plan = tmp_path / "plan.yaml"
    plan.write_text(PLAN.replace("SPLIT", report["columns"]["split"]))
    status, _, error = run(capsys, "train", str(plan), "--output", str(tmp_path / "run"))
    assert status == 0, error
    events = [json.loads(line) for line in (tmp_path / "run/events.jsonl").read_text().splitlines()]
    assert (events[0]["kind"], events[-1]["kind"], events[-1]["status"]) == ("start", "end", "completed")
    assert (tmp_path / "run/predictions/val.csv").is_file()
