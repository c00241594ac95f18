"""The three headline failures of S000 in one script with its data set: all three are found, and ranked first."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from expert.consultation.reviewing import ReviewRequest, review_project
from knowledge.loader import load_knowledge
from tonmeister.cli.audit import command as audit

SCRIPT = Path(__file__).parent / "review_projects" / "headline" / "train.py"
THREE = {"data.group_disjoint", "train.grad_clip", "train.epochs_15"}
KNOWLEDGE = load_knowledge()


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty short tones of six speakers, rated, with every speaker in training and in validation."""
    folder = tmp_path_factory.mktemp("clips")
    draw = np.random.default_rng(0)
    rows = []
    for number in range(60):
        speaker = number % 6
        time = np.arange(4000) / 16000
        tone = np.sin(2 * np.pi * (120 + 30 * speaker + 3 * number) * time) + 0.05 * draw.standard_normal(4000)
        soundfile.write(folder / f"{number}.wav", 0.3 * tone, 16000)
        split = ("train", "val", "train")[number // 6 % 3]
        rows.append([f"{number}.wav", round(1 + 4 * draw.random(), 2), f"speaker{speaker}", split])
    with (folder / "clips.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["path", "mos", "speaker", "split"], *rows])
    return folder / "clips.csv"


def test_the_three_failures_come_first() -> None:
    report = review_project(KNOWLEDGE, ReviewRequest(SCRIPT)).report
    assert {finding.id for finding in report.findings[:3]} == THREE


def test_the_data_set_confirms_the_leak(manifest: Path) -> None:
    report = review_project(KNOWLEDGE, ReviewRequest(SCRIPT, data=manifest)).report
    assert {finding.id for finding in report.findings[:3]} == THREE
    first = report.findings[0]
    assert first.id == "data.group_disjoint" and first.confirmed
    alone = review_project(KNOWLEDGE, ReviewRequest(SCRIPT)).report.findings[0]
    assert first.rank > alone.rank and not alone.confirmed


def test_the_report_of_an_audit_serves_as_well_as_the_manifest(manifest: Path, tmp_path: Path) -> None:
    report = tmp_path / "audit.json"
    CliRunner().invoke(audit, [str(manifest), "--manifest-only", "--format", "json", "--output", str(report)])
    assert json.loads(report.read_text())["findings"]
    by_report = review_project(KNOWLEDGE, ReviewRequest(SCRIPT, data=report)).report
    by_manifest = review_project(KNOWLEDGE, ReviewRequest(SCRIPT, data=manifest)).report
    assert by_report.findings == by_manifest.findings


def test_mended_the_three_are_gone(tmp_path: Path) -> None:
    text = SCRIPT.read_text()
    text = text.replace("EPOCHS = 5", "EPOCHS = 20").replace(
        "            optimizer.step()",
        "            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n            optimizer.step()",
    )
    text = text.replace("import train_test_split", "import GroupShuffleSplit")
    for line in [line for line in text.splitlines() if "train_test_split" in line]:
        first, second = line.strip().partition(" = ")[0].split(", ")
        text = text.replace(
            line,
            "    inner, outer = next(GroupShuffleSplit(n_splits=1).split(rows, groups=rows['speaker']))\n"
            f"    {first}, {second} = rows.iloc[inner], rows.iloc[outer]",
        )
    (tmp_path / "train.py").write_text(text)
    report = review_project(KNOWLEDGE, ReviewRequest(tmp_path / "train.py")).report
    assert not THREE & {finding.id for finding in report.findings}
