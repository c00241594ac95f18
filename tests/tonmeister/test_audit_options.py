"""The options of `tonmeister audit`: what reaches the audit, and which combinations are refused before any work."""

from pathlib import Path
from typing import Any

import pytest

from tests.tonmeister.test_cli import manifest, run
from tui.auditing import AuditRequest


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """Return the arguments with which the audit was called; nothing is audited."""
    monkeypatch.setenv("TONMEISTER_CACHE", str(tmp_path / "cache"))
    arguments: dict[str, Any] = {}

    def remember(_knowledge: Any, table: Path, /, **said: Any) -> Any:
        from knowledge.errors import Interrupted

        arguments.update(said, manifest=table)
        raise Interrupted("enough seen")

    monkeypatch.setattr("expert.consultation.audit.audit_dataset", remember)
    return arguments


def test_every_option_reaches_the_audit(given: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    run(
        capsys, "audit", "m.csv", "--label", "l", "--group", "g", "--split", "s", "--path", "p", "--text", "t",
        "--session", "e", "--rater", "r1", "--rater", "r2", "--task", "regression", "--scale", "0", "10",
        "--audio-root", "/a", "--workers", "3", "--cache", "c", "--ray", "auto", "--protocol", "minimal-moves",
    )  # fmt: skip

    del given["progress"]
    assert given == {
        "manifest": Path("m.csv"), "label": "l", "group": "g", "split": "s", "path": "p", "text": "t", "session": "e",
        "raters": ("r1", "r2"), "task": "regression", "scale": (0.0, 10.0), "audio_root": Path("/a"), "workers": 3,
        "cache": Path("c"), "cluster": "auto", "protocol": "minimal-moves", "decode": True,
    }  # fmt: skip


def test_what_is_not_said_is_left_open(
    given: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "audit", "m.csv", "--manifest-only")

    assert given["decode"] is False
    assert given["cache"] == tmp_path / "cache" / "audit"
    assert given["cluster"] == ""
    assert not any(given[name] for name in ("label", "group", "text", "raters", "task", "scale", "workers", "protocol"))
    run(capsys, "audit", "m.csv", "--no-cache")
    assert given["cache"] is None
    assert given["decode"] is True


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--cache", "c", "--no-cache"), "contradict"),
        (("--manifest-only", "--ray", "auto"), "nothing to decode"),
        (("--scale", "5", "1"), "not below"),
        (("--repair", "clips.csv"), "exists already"),
        (("--output", "clips.csv"), "exists already"),
        (("--workers", "0"), "workers"),
        (("--protocol", "lottery"), "minimal-moves"),
    ],
)
def test_contradictions_are_refused_before_any_work(
    words: tuple[str, ...],
    told: str,
    given: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    manifest(tmp_path)
    status, _, error = run(capsys, "audit", "clips.csv", *words)

    assert status == 2
    assert told in error
    assert given == {}


def test_an_audit_of_the_manifest_alone_opens_no_audio(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("audio was opened")

    monkeypatch.setattr("expert.consultation.audit.scan_clips", refuse)
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_bytes(b"no audio")
    status, out, _ = run(capsys, "audit", str(manifest(tmp_path)), "--manifest-only")

    assert status in (0, 1)
    missing = " ".join(out.partition("what it would need")[2].partition("Unknown")[0].split())
    assert "unreadable-file" in missing.partition("no audio was read: ")[2].partition("*")[0]


def test_the_interface_opens_with_what_was_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: dict[str, Any] = {}
    monkeypatch.setattr("tui.app.run", lambda **said: opened.update(said) or 0)
    run(capsys, "audit", "m.csv", "--tui", "--group", "who", "--rater", "r1", "--scale", "0", "10")

    assert opened == {"mode": "audit", "audit": AuditRequest(Path("m.csv"), {"group": "who"}, ("r1",), "", (0.0, 10.0))}


def test_the_protocols_are_those_of_the_engine() -> None:
    from engine.evidence.dataset import repair
    from tonmeister.cli.audit import PROTOCOLS

    assert PROTOCOLS == repair.PROTOCOLS
