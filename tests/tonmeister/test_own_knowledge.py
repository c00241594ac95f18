"""A project's own knowledge on the command line: it acts, and every explanation and report shows it."""

import json
from pathlib import Path

import pytest

from knowledge.layers import OFF_VARIABLE, TEAM_VARIABLE
from tonmeister.cli.main import main

MINE = """\
- override: size.tiny
  reason: Our clips are a minute long.
  by: Jane
  threshold: {dataset.clips: "< 60"}
  fires: [59]
  rests: [60]
- silence: size.huge
  reason: We never have that many.
- rule: epochs.ours
  title: Forty epochs, always
  when: [{known: task.type}]
  then: {recommend: {training.epochs: 40}}
  because: Forty epochs are what we compare at.
  strength: must
  certainty: 0.9
  source: experience
  examples:
    - {given: {task.type: regression}, fires: true}
    - {given: {dataset.clips: 3}, fires: false}
"""
ANSWERS = ["--set", "task.type=classification", "--set", "dataset.clips=40"]
CHANGED = (
    "size.tiny is overridden by the project (Jane, .tonmeister/knowledge/mine.yaml:1): Our clips are a minute long"
)
SILENCED = "size.huge is silenced by the project"
ADDED = "epochs.ours was added by the project"


@pytest.fixture(name="project", autouse=True)
def project_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(TEAM_VARIABLE, raising=False)
    monkeypatch.delenv(OFF_VARIABLE, raising=False)
    (tmp_path / ".tonmeister" / "knowledge").mkdir(parents=True)
    (tmp_path / ".tonmeister" / "knowledge" / "mine.yaml").write_text(MINE)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert main(list(arguments)) == status
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("form", ["text", "md", "html"])
def test_a_plan_follows_and_shows_it(capsys: pytest.CaptureFixture[str], project: Path, form: str) -> None:
    report = said(capsys, "plan", *ANSWERS, "--format", form)

    plan = " ".join((project / "plan.yaml").read_text().replace("#", " ").split())
    for sentence in (CHANGED, SILENCED, ADDED):
        assert sentence in report
        assert sentence in plan
    assert "epochs: 40" in plan
    assert "[epochs.ours, added by the project]" in plan
    assert "epochs.ours (added by the project)" in report


def test_the_record_of_a_plan_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads(said(capsys, "plan", *ANSWERS, "--format", "json"))

    own = {item["id"]: item for item in record["own_knowledge"]}
    assert [own[name]["what"] for name in ("epochs.ours", "size.tiny", "size.huge")] == [
        "added",
        "overridden",
        "silenced",
    ]
    assert own["size.tiny"]["said"] == ["dataset.clips < 100"]
    assert own["size.tiny"]["package_file"] == "tables/dataset-size.yaml"


def test_explanations_show_it(capsys: pytest.CaptureFixture[str]) -> None:
    how = said(capsys, "explain", "how", "dataset.regime", *ANSWERS)
    why_not = said(capsys, "explain", "why-not", "dataset.regime=huge", *ANSWERS)

    assert CHANGED in how
    assert "before it said dataset.clips < 100, and now dataset.clips < 60" in how
    assert SILENCED in why_not


@pytest.mark.parametrize("form", ["text", "md", "json"])
@pytest.mark.parametrize("query", [("assumptions",), ("what-if", "dataset.clips=500"), ("change-mind", "head.name")])
def test_every_explanation_names_it(capsys: pytest.CaptureFixture[str], query: tuple[str, ...], form: str) -> None:
    found = said(capsys, "explain", *query, *ANSWERS, "--format", form)

    assert "Our clips are a minute long" in found
    assert "We never have that many" in found


def test_an_audit_shows_it(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    (project / "manifest.csv").write_text("path,label\na.wav,x\nb.wav,y\n")

    report = said(capsys, "audit", "manifest.csv", "--manifest-only", "--fail-on", "never")

    assert SILENCED in report


SMALL = """\
- override: size.small
  reason: It begins where tiny ends.
  threshold: {dataset.clips: "60 .. < 1000"}
  fires: [60]
  rests: [59]
"""


def test_rules_commands_honour_and_mark_it(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    gap = "dataset-size: no row decides when dataset.clips is 60"
    assert f"silenced: {gap}" in said(capsys, "rules", "check")
    only = MINE.replace("silence: size.huge", "override: size.huge").replace(
        "never have that many.", "x.\n  certainty: 1"
    )
    (project / ".tonmeister" / "knowledge" / "mine.yaml").write_text(only)
    assert f"gap: {gap}" in said(capsys, "rules", "check", status=2)
    (project / ".tonmeister" / "knowledge" / "mine.yaml").write_text(MINE)
    (project / ".tonmeister" / "knowledge" / "neighbour.yaml").write_text(SMALL)

    listed = said(capsys, "rules", "list")
    shown = said(capsys, "rules", "show", "size.huge")
    differs = said(capsys, "rules", "diff")
    checked = said(capsys, "rules", "check")

    assert "[overridden by the project, Jane: .tonmeister/knowledge/mine.yaml:1]" in listed
    assert f"[silenced by the project, {project.name}: .tonmeister/knowledge/mine.yaml:7]" in listed
    assert SILENCED in shown
    assert "changed size.tiny" in differs
    assert "training.epochs: 20 becomes 40" in differs
    assert "for size.huge is silenced" in checked
    assert "OWN The row size.tiny is overridden" in checked


def test_check_refuses_examples_that_do_not_hold(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    (project / ".tonmeister" / "knowledge" / "mine.yaml").write_text(MINE.replace("fires: [59]", "fires: [70]"))

    assert "size.tiny" in said(capsys, "rules", "check", status=2)


def test_the_package_alone_says_nothing_of_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(OFF_VARIABLE, "1")

    assert "by the project" not in said(capsys, "plan", *ANSWERS)


def test_what_a_rulebook_says_runs_nothing(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    victim = project / "pwned"
    evil = f'- rule: !!python/object/apply:os.system ["touch {victim}"]\n'
    (project / ".tonmeister" / "knowledge" / "evil.yaml").write_text(evil)

    assert main(["plan", *ANSWERS]) == 2

    error = capsys.readouterr().err
    assert ".tonmeister/knowledge/evil.yaml:1: the tag" in error
    assert "Traceback" not in error
    assert not victim.exists()


CIRCLE = (
    MINE.replace("[{known: task.type}]", "[{none: finding.ours}]")
    + """\
- rule: ours.finding
  title: Forty epochs
  when: [{training.epochs: 40}]
  then: {finding: ours, severity: note}
  because: It goes in a circle.
  certainty: 0.5
  source: experience
  examples:
    - {given: {training.epochs: 40}, fires: true}
    - {given: {training.epochs: 4}, fires: false}
"""
)


def test_a_circle_through_a_negation_is_refused(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    (project / ".tonmeister" / "knowledge" / "mine.yaml").write_text(CIRCLE)

    assert main(["plan", *ANSWERS]) == 2
    error = capsys.readouterr().err
    assert "in a circle: " in error
    assert "ours.finding (.tonmeister/knowledge/mine.yaml:20)" in error
    assert "Hint: " in error
    assert "Traceback" not in error

    assert "ERROR circle" in said(capsys, "rules", "check", status=2)


def test_rules_that_contradict_each_other_are_refused_with_the_case(
    capsys: pytest.CaptureFixture[str], project: Path
) -> None:
    first = MINE[MINE.index("- rule:") :].replace("training.epochs: 40", "head.name: mlp")
    first = first.replace("{known: task.type}", "{task.type: regression}")
    second = first.replace("epochs.ours", "epochs.mine").replace("mlp", "linear")
    (project / ".tonmeister" / "knowledge" / "mine.yaml").write_text(first + second)

    found = said(capsys, "rules", "check", status=2)

    assert "contradiction: .tonmeister/knowledge/mine.yaml:1 (epochs." in found
    assert "epochs.mine says" in found or "epochs.ours says" in found
