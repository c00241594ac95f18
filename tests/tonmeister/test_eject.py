"""`tonmeister eject`: a script that our own review passes, and what it refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import yaml

from engine.training.ejecting.ejection import eject
from tests.engine.training.corpora import tone_corpus, tone_plan, write_manifest, write_plan
from tests.engine.training.sequence_corpora import event_corpus, event_plan, tag_corpus, word_corpus
from tests.engine.training.small_models import save_checkpoint, save_spectral_checkpoint
from tests.engine.training.test_references import quality_corpus, quality_plan
from tonmeister.cli.main import main

PLAN = {
    "name": "digits",
    "task": {"type": "classification"},
    "data": {"manifest": "manifest.csv", "group_column": "speaker", "protocol": "group-disjoint-split"},
    "augmentation": {"strength": "light"},
    "backbone": {"name": "wav2vec2", "layers": "weighted-sum"},
    "adaptation": {"method": "lora"},
    "pooling": {"name": "attention"},
    "training": {
        "precision": "bf16", "epochs": 20, "batch_size": 16, "weight_decay": 0.01, "warmup_fraction": 0.1,
        "clip_norm": 1.0, "patience_epochs": 10,
    },
    "evaluation": {"select_by": "macro-f1"},
}  # fmt: skip


def test_our_own_review_passes_on_it(test_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (test_data / "audio/fsdd/manifest.csv").open(newline="") as stream:
        rows = [{**row, "path": str(test_data / "audio/fsdd" / row["path"])} for row in csv.DictReader(stream)][::50]
    write_manifest(tmp_path / "manifest.csv", ["path", "label", "speaker"], rows)
    content = {**PLAN, "backbone": {**PLAN["backbone"], "checkpoint": save_checkpoint(tmp_path)}}  # type: ignore[dict-item]
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(content))
    script = tmp_path / "project" / "train.py"
    assert main(["eject", str(tmp_path / "plan.yaml"), "--output", str(script)]) == 0
    assert main(["eject", str(tmp_path / "plan.yaml"), "--output", str(script)]) == 2
    assert "is there already" in capsys.readouterr().err

    status = main(["review", str(script), "--format", "json"])
    report = json.loads(capsys.readouterr().out)
    assert status == 0
    assert [finding["id"] for finding in report["findings"]] == []


@pytest.mark.parametrize(
    ("kind", "method"), [("ast", "lora"), ("ast", "full"), ("whisper", "frozen"), ("whisper", "lora")]
)
def test_it_passes_on_scripts_of_backbones_that_hear_spectra(
    test_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, method: str
) -> None:
    data = {**PLAN["data"], "manifest": str(test_data / "audio/fsdd/manifest.csv")}  # type: ignore[dict-item]
    backbone = {"name": kind, "checkpoint": save_spectral_checkpoint(tmp_path, kind), "layers": "weighted-sum"}
    about = {"data": data, "backbone": backbone, "adaptation": {"method": method}}
    plan, script = tmp_path / "plan.yaml", tmp_path / "train.py"
    plan.write_text(yaml.safe_dump({**PLAN, **about}))

    eject(plan, script)
    assert main(["review", str(script), "--format", "json"]) == 0
    assert [finding["id"] for finding in json.loads(capsys.readouterr().out)["findings"]] == []


@pytest.mark.parametrize("spells", [False, True])
def test_it_passes_on_scripts_of_tags_and_of_transcripts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], spells: bool
) -> None:
    manifest = (word_corpus if spells else tag_corpus)(tmp_path / "data")
    task = {"type": "ctc"} if spells else {"type": "classification", "labels": "several"}
    about = {
        "task": task,
        "data": {**PLAN["data"], "manifest": str(manifest)},  # type: ignore[dict-item]
        "augmentation": {"strength": "light", "mixing": "avoid"},
        "backbone": {**PLAN["backbone"], "checkpoint": save_checkpoint(tmp_path)},  # type: ignore[dict-item]
        "training": {**PLAN["training"], "loss": "ctc" if spells else "binary-cross-entropy"},  # type: ignore[dict-item]
        "evaluation": {"select_by": "word-error-rate" if spells else "mean-average-precision"},
    }
    plan, script = tmp_path / "plan.yaml", tmp_path / "train.py"
    plan.write_text(yaml.safe_dump({**PLAN, **about}))

    eject(plan, script)
    assert main(["review", str(script), "--format", "json"]) == 0
    assert [finding["id"] for finding in json.loads(capsys.readouterr().out)["findings"]] == []


GOOD = {
    "training__epochs": 40, "training__warmup_fraction": 0.1, "training__patience_epochs": 15,
    "training__weight_decay": 0.01, "training__precision": "bf16", "training__batch_size": 16,
    "head__dropout": 0.1, "augmentation__strength": "light",
}  # fmt: skip
HEARING = {
    "backbone__name": "wav2vec2", "backbone__layers": "weighted-sum", "data__sample_rate_hz": 16000,
    "adaptation__method": "lora",
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "known"),
    [("events", []), ("pairs", []), ("stages", ["train.selection_metric"]), ("plateau", ["life.resume"])],
)
def test_it_passes_on_scripts_of_what_a_trainer_does_not_know(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, known: list[str]
) -> None:
    """What is known is true: pairs are selected by their loss, and epochs of unequal steps are not taken up again."""
    hears = HEARING | {"backbone__checkpoint": save_checkpoint(tmp_path)}
    if kind == "events":
        plan = event_plan(event_corpus(tmp_path / "data"), data__max_seconds=0.6, **GOOD)
    elif kind == "pairs":
        chosen = {"evaluation__select_by": "ccc", "pooling__name": "statistics"}
        plan = quality_plan(quality_corpus(tmp_path / "data", 16), **GOOD, **hears, **chosen)
    else:
        more = {"training__schedule": "plateau", "training__batch_seconds": 4.0}
        more = more if kind == "plateau" else {"training__stages": "audioconfit", "training__pair_epochs": 30}
        plan = tone_plan(tone_corpus(tmp_path / "data"), **GOOD, **hears, **more)
    write_plan(plan, tmp_path / "plan")

    found = []
    for script in eject(tmp_path / "plan/plan.yaml", tmp_path / "project/train.py"):
        if script.suffix == ".py":
            main(["review", str(script), "--format", "json"])
            found += [finding["id"] for finding in json.loads(capsys.readouterr().out)["findings"]]
    assert found == known


def test_a_plan_that_leaves_groups_out_is_ejected_for_one_of_them(
    test_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = {
        "name": "voices", "task": {"type": "classification"}, "backbone": {"name": "mfcc"},
        "data": {
            "manifest": str(test_data / "audio/fsdd/manifest.csv"), "group_column": "speaker",
            "protocol": "leave-one-group-out",
        },
    }  # fmt: skip
    plan, script = tmp_path / "plan.yaml", tmp_path / "train.py"
    plan.write_text(yaml.safe_dump(content))

    assert main(["eject", str(plan), "--output", str(script)]) == 2
    assert "expected one of george, jackson, lucas, nicolas, theo, yweweler" in capsys.readouterr().err
    assert main(["eject", str(plan), "--output", str(script), "--held-out", "theo"]) == 0
    with script.with_name("train-clips.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["group"] for row in rows if row["part"] == "test"} == {"theo"}
    assert "theo" not in {row["group"] for row in rows if row["part"] != "test"}
