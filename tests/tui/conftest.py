"""What every test of the interface shares: a folder of its own, no audio, a child process that only writes events."""

from pathlib import Path

import pytest

from .fakes import FakeLoop, fake_audit, fake_repair, fake_training


@pytest.fixture(autouse=True)
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a fresh folder with fakes for audit, loop and training."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tui.screens.plan.audit_dataset", fake_audit)
    monkeypatch.setattr("tui.screens.audit.audit_dataset", fake_audit)
    monkeypatch.setattr("tui.screens.audit.write_repaired_manifest", fake_repair)
    monkeypatch.setattr("tui.driver.LoopState", FakeLoop)
    monkeypatch.setattr("tui.driver.train_command", fake_training())
    for name in ("clips.csv", "clean.csv", "slow.csv", "broken.csv", "hostile.csv"):
        (tmp_path / name).write_text("path,label\n", "utf-8")
    return tmp_path
