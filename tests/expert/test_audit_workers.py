"""An audit by several processes: the same report, rules that are loaded while clips are decoded, a clean end."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from engine.evidence.dataset import scan_clips
from engine.evidence.dataset.manifest import read_dataset
from engine.evidence.dataset.workers import end_workers
from expert.consultation.audit import audit_dataset
from expert.report.audit import audit_document, audit_record
from expert.report.text import render_text
from knowledge.errors import KnowledgeError
from knowledge.loader import load_knowledge
from knowledge.rulebook import Knowledge


@pytest.fixture(scope="module")
def words(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven hundred spoken digits of all speakers, with a copy here and there: enough to share every step."""
    folder = test_data / "audio" / "fsdd"
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as stream:
        header, *rows = csv.reader(stream)
    place = next(place for place, cell in enumerate(rows[0]) if (folder / cell).is_file())
    target = tmp_path_factory.mktemp("words") / "manifest.csv"
    chosen = [[*row[:place], str(folder / row[place]), *row[place + 1 :]] for row in rows[:: len(rows) // 700]]
    with target.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header, *chosen])
    return target


def test_any_number_of_workers_brings_the_same_report(words: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.evidence.dataset.neighbours._WORTH_SHARING", 100)
    monkeypatch.setattr("engine.evidence.dataset.near_comparison._BLOCK_PAIRS", 64)
    monkeypatch.setattr("engine.evidence.dataset.near._WORTH_SHARING_SECONDS", 0)
    knowledge = load_knowledge()
    told = []
    for workers in (1, 2, 3):
        end_workers()
        audit = audit_dataset(knowledge, words, workers=workers)
        told.append((audit_record(audit), render_text(audit_document(audit)), audit.near, audit.review))
    assert told[0] == told[1] == told[2]
    assert len(audit.session.findings) > 3


def test_rules_are_loaded_while_clips_are_decoded(words: Path) -> None:
    """With one worker before: who asks for one process wants no second one to be busy."""
    regions = read_dataset(words).regions[:300]
    children: list[int] = []
    for workers in (1, 2):
        end_workers()
        before = len(psutil.Process().children())
        scan_clips(regions, workers=workers, meanwhile=lambda: children.append(len(psutil.Process().children())))
        children[-1] -= before
    end_workers()
    assert children == [0, 2]


def test_rules_that_cannot_be_loaded_end_the_audit(words: Path) -> None:
    def wrong() -> Knowledge:
        raise KnowledgeError("own.yaml:3: no such fact", hint="Correct it.")

    for workers in (1, 2):
        end_workers()
        before = set(psutil.Process().children())
        with pytest.raises(KnowledgeError, match="no such fact"):
            audit_dataset(wrong, words, workers=workers)
        until = time.monotonic() + 10
        while set(psutil.Process().children()) - before and time.monotonic() < until:
            time.sleep(0.05)
            end_workers()  # each waits for the next scan once it is through with its chunk
        assert set(psutil.Process().children()) <= before


@pytest.mark.parametrize("after_seconds", [0.0, 0.6])
def test_ctrl_c_ends_the_whole_audit(words: Path, after_seconds: float) -> None:
    """Whatever it is at once it has children: none stays, and nothing but that it was interrupted is said."""
    command = [sys.executable, "-m", "tonmeister", "audit", str(words), "--workers", "2", "--no-cache"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and not psutil.Process(process.pid).children():
            time.sleep(0.02)
        time.sleep(after_seconds)
        children = psutil.Process(process.pid).children(recursive=True)
        os.kill(process.pid, signal.SIGINT)
        output, said = process.communicate(timeout=30)
    # 0 and 1: it was done, or Python lost the interruption in its own import; -2: it met Python making a dataclass
    assert process.returncode in (130, -signal.SIGINT, 0, 1)
    if process.returncode not in (0, 1):
        assert not output
        assert said.endswith("Interrupted.\n")
        assert "Traceback" not in said
    psutil.wait_procs(children, timeout=10)
    assert not [child for child in children if child.is_running()]
