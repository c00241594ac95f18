"""`tonmeister bench diagnose` counts what a person's labels agree with, beside other tools."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.evidence.run.rivals import epochix_overfitting, lightning_overfitting, umlaut_overfitting
from tonmeister.cli.main import main

HEADER = "id\tfile\tformat\tfindings\tlabelled_by\n"


def table(path: Path, loss: np.ndarray, val: np.ndarray) -> None:
    rows = [f"{i},{a:.6f},{b:.6f}" for i, (a, b) in enumerate(zip(loss, val, strict=True))]
    path.write_text("epoch,loss,val_loss\n" + "\n".join(rows) + "\n")


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    time = np.linspace(0, 1, 30)
    fall = 2 * np.exp(-4 * time)
    table(tmp_path / "over.csv", fall, 0.5 + np.exp(-9 * time) + np.maximum(0, time - 0.3))
    table(tmp_path / "sound.csv", fall, 0.1 + fall)
    (tmp_path / "noise.bin").write_bytes(b"\0\1\2 nothing that is a log")
    (tmp_path / "INDEX.tsv").write_text(
        HEADER
        + "a\tover.csv\tcsv\toverfitting@9\thand\n"
        + "b\tsound.csv\tcsv\thealthy;still-improving?\thand\n"
        + "c\tover.csv\tcsv\t!overfitting\tsomebody\n"
        + "d\tnoise.bin\tbin\thealthy\thand\n"
    )
    return tmp_path


def test_counts_by_hand_and_by_others(logs, capsys):
    assert main(["bench", "diagnose", str(logs), "--format", "json"]) == 0
    card = json.loads(capsys.readouterr().out)
    scores = {(one["finding"], one["by"], one["labelled"]): one for one in card["scores"]}

    assert scores["overfitting", "Tonmeister", "hand"]["right"] == ["a"]
    assert scores["overfitting", "Tonmeister", "hand"]["false"] == []
    assert scores["overfitting", "Tonmeister", "third party"]["false"] == ["c"]
    assert ("still-improving", "Tonmeister", "hand") not in scores
    assert scores["overfitting", "UMLAUT", "hand"]["precision"] == 1.0
    assert card["unread"] == ["d"]
    assert card["formats_unread"] == ["bin"]
    assert card["broken_bans"] == [["c", "overfitting"]]


def test_a_folder_without_labels_is_an_input_error(tmp_path, capsys):
    assert main(["bench", "diagnose", str(tmp_path)]) == 3
    assert "INDEX.tsv" in capsys.readouterr().err


def test_the_coded_defaults_of_other_tools_do_what_their_sources_say():
    fall = np.array([5.0, 4, 3, 2, 1])

    assert umlaut_overfitting(fall, np.array([3.0, 2, 2.1, 1.9, 1.8]))
    assert not umlaut_overfitting(fall, np.array([3.0, 2, 1.9, 1.8, 1.7]))
    assert epochix_overfitting(fall, np.array([2.0, 1, 1.1, 1.2, 1.3]))
    assert not epochix_overfitting(fall, np.array([2.0, 1.1, 1.2, 1.3, 1.0]))
    assert lightning_overfitting(fall, np.array([1.0, 2, 2, 2, 0.5]))
    assert not lightning_overfitting(fall, np.array([1.0, 2, 2, 0.9, 2]))
