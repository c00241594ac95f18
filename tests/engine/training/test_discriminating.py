"""ABX before and after a training, on the run's own clips and others; what it finds is a fact of the diagnosis."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from engine.process import abx_command
from engine.separating import measured_outcomes
from engine.training.separating.discriminating import FACT, compared, discriminate
from engine.training.separating.running import run_test
from engine.training.stopping import Stop
from expert.consultation.diagnose import diagnose_run
from knowledge.errors import InputError, UsageError
from knowledge.loader import load_knowledge
from tonmeister.cli.main import cli

from .corpora import tone_corpus, tone_plan, train, write_manifest
from .small_models import save_checkpoint

NAMES = frozenset(load_knowledge().vocabulary.entries)


def trained(folder: Path, **changes: Any) -> Path:
    settings: dict[str, Any] = {
        "backbone__name": "wav2vec2", "backbone__checkpoint": save_checkpoint(folder), "data__sample_rate_hz": 16000,
        "adaptation__method": "full", "training__backbone_learning_rate": 1e-3, "training__epochs": 1,
    }  # fmt: skip
    return train(tone_plan(tone_corpus(folder / "data", clips=36), **(settings | changes)), folder / "run")


def test_other_data_is_compared_and_the_diagnosis_knows_a_collapse(tmp_path: Path) -> None:
    run = trained(tmp_path)
    path = discriminate(run, tmp_path / "data/manifest.csv", "label", "speaker")
    content = json.loads(path.read_text())
    assert content["facts"][FACT] > 0 and content["clips"] == 36 and content["seconds"] > 0
    assert "triples: ABX" in content["shown"][0] and "over 6 groups" in content["shown"][1]

    (fact,) = measured_outcomes(run, NAMES).facts
    assert fact.name == FACT and fact.n == 36
    content["facts"][FACT] = 0.025  # as S002 measured
    path.write_text(json.dumps(content))
    found = diagnose_run(load_knowledge(), run)
    assert "representation-collapse" in {finding.id for finding in found.session.findings}


def test_it_is_one_of_the_tests_of_a_run(tmp_path: Path) -> None:
    run = trained(tmp_path)
    content = json.loads(run_test(run, "abx", Stop()).read_text())
    assert content["test"] == "abx" and (content["facts"] or content["unknown"])


def test_what_did_not_learn_tells_apart_what_it_did(tmp_path: Path) -> None:
    run = trained(tmp_path, adaptation__method="frozen")
    content = json.loads(discriminate(run, tmp_path / "data/manifest.csv", "label", None).read_text())
    assert not content["facts"] and "nothing of its encoder learnt" in content["unknown"][FACT]


def test_one_clip_a_class_tells_nothing_and_no_clip_is_refused(tmp_path: Path) -> None:
    run = trained(tmp_path)
    rows = [{"path": f"clip-{number}.wav", "label": str(number)} for number in range(3)]
    few = write_manifest(tmp_path / "data/few.csv", ["path", "label"], rows)
    content = json.loads(discriminate(run, few, "label", None).read_text())
    assert "no two classes have enough clips" in content["unknown"][FACT]
    nothing = write_manifest(tmp_path / "data/none.csv", ["path", "label"], [{"path": "gone.wav", "label": "a"}])
    with pytest.raises(InputError, match="none of its rows has a file and a label"):
        discriminate(run, nothing, "label", None)
    with pytest.raises(UsageError, match="ABX compares single clips"):
        compared(run, tone_plan(Path("m.csv"), data__reference_column="clean"), ())


def test_the_command_shows_what_the_child_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, manifest = trained(tmp_path), tmp_path / "data/manifest.csv"

    def here(command: list[str], _run: Path) -> int:
        assert command == abx_command(run, manifest, label="label", group="speaker")
        discriminate(run, manifest, "label", "speaker")
        return 0

    monkeypatch.setattr("engine.process.run_child", here)
    result = CliRunner().invoke(cli, ["abx", str(run), str(manifest), "--label", "label", "--group", "speaker"])
    assert result.exit_code == 0 and "ABX" in result.output
