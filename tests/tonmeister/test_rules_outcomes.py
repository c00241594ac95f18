"""`rules why`, `rules calibrate` and `rules doc --site` as a user types them."""

import json
from pathlib import Path

import pytest

from expert.ledger import LEDGER, Outcome, append_outcomes
from knowledge.loader import load_knowledge
from tonmeister.cli.main import main

RULE = next(rule for rule in load_knowledge().rules if rule.then.kind == "finding" and rule.certainty == 0.8)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(arguments)
    out, err = capsys.readouterr()
    return status, out, err


def test_why(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "rules", "why", RULE.id)
    wrong, _, error = run(capsys, "rules", "why", RULE.id + "x")

    assert status == 0
    assert out.startswith(f"Why {RULE.id}")
    assert wrong == 2
    assert f"Did you mean {RULE.id}?" in error


def test_outcomes_propose_a_certainty_and_leave_the_package_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes = [
        Outcome(f"r{n}", "a.remedy", "better", "f", RULE.id, 0.8, kept=False, showed="still there", alone=True)
        for n in range(10)
    ]
    append_outcomes(tmp_path / "loop" / LEDGER, outcomes)
    target = tmp_path / "proposed.yaml"

    status, out, error = run(capsys, "rules", "calibrate", str(tmp_path), "--output", str(target))
    _, record, _ = run(capsys, "rules", "calibrate", str(tmp_path), "--format", "json")
    again, _, _ = run(capsys, "rules", "calibrate", str(tmp_path), "--output", str(target))

    assert status == 0
    assert f"{RULE.id}: stated 0.80; 0 kept, 10 broken: 0.40" in out
    assert "1 certainties would change" in error
    assert target.read_text().startswith(f"- override: {RULE.id}\n  certainty: 0.4\n")
    assert json.loads(record)["rules"][0]["proposed"] == 0.4
    assert again == 2  # nothing of the user's is overwritten


def test_without_ledgers_nothing_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    status, out, error = run(capsys, "rules", "calibrate")

    assert (status, out) == (0, "")
    assert "0 ledgers" in error


def test_the_site_is_written_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, error = run(capsys, "rules", "doc", "--site", str(tmp_path / "site"))
    again, _, _ = run(capsys, "rules", "doc", "--site", str(tmp_path / "site"))
    nowhere, _, hint = run(capsys, "rules", "doc")

    assert (status, again, nowhere) == (0, 2, 2)
    assert (tmp_path / "site" / f"{RULE.id}.html").is_file()
    assert "begin with" in error
    assert "--site" in hint


def test_a_deep_check_tells_what_is_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "rules", "check", "--deep")
    _, shallow, _ = run(capsys, "rules", "check")

    assert status == 0
    assert "NOTE unmeasured" in out
    assert "NOTE second-choice" in out
    assert shallow == ""
