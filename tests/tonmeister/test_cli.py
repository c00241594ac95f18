"""The command line end to end: what it prints, what it refuses, and with which exit status."""

import json
from functools import partial
from pathlib import Path

import pytest

from engine.synthesis import make_corpus
from tonmeister.cli.main import main


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main(list(words))
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return status, captured.out, captured.err


def manifest(folder: Path, header: str = "path,label,speaker") -> Path:
    path = folder / "clips.csv"
    path.write_text(f"{header}\na.wav,x,1\nb.wav,y,2\n")
    return path


def test_audit_of_fsdd(test_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "audit", str(test_data / "audio/fsdd/manifest.csv"), "--format", "json")
    report = json.loads(out)
    facts = report["facts"]["dataset"]
    finding = next(finding for finding in report["findings"] if finding["id"] == "group-overlap")

    assert status == 1
    assert facts["dataset.groups"]["value"] == facts["dataset.overlapping_groups"]["value"] == 6
    assert facts["dataset.leaked_test_clips"]["value"] == 300
    assert finding["severity"] == "error"
    assert "data.repair-split" in finding["remedies"]
    assert report["proposal"]["protocol"] == "leave-one-group-out"


def test_the_repaired_manifest_is_new_and_does_not_leak(
    test_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = str(test_data / "audio/fsdd/manifest.csv"), tmp_path / "repaired.csv"
    run(capsys, "audit", source, "--repair", str(target))
    status, _, error = run(capsys, "audit", source, "--repair", str(target))
    clean, out, _ = run(capsys, "audit", str(target), "--split", "repaired_split", "--format", "json")

    assert status == 2
    assert "repaired.csv" in error
    assert clean == 0
    assert json.loads(out)["facts"]["dataset"]["dataset.overlapping_groups"]["value"] == 0


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("audit", "{}/none.csv"), 3, "none.csv"),
        (("audit", "{}/clips.csv", "--label", "lable"), 2, "Did you mean label?"),
        (("plan", "--set", "task.type=clasification"), 2, "Did you mean classification?"),
        (("plan", "--set", "task.typ=regression"), 2, "Did you mean task.type?"),
        (("plan", "--set", "dataset.clips=many"), 2, "expected a whole number"),
        (("plan", "--answers", "{}/none.yaml"), 3, "No such file"),
        (("plan", "--set", "task.type=ctc", "--set", "training.loss=mse"), 2, "does not fit task.type ctc"),
        (("train", "{}/none.yaml"), 3, "No such file"),
        (("train", "{}/bad.yaml"), 2, "bad.yaml:4: unknown key training.epoch"),
        (("diagnose", "{}/clips.csv"), 3, "clips.csv"),
        (("rules", "show", "audit.group-overlaps-in-test"), 2, "Did you mean audit.group-overlap-in-test?"),
        (("explain", "why-not", "adaptation.method"), 2, "NAME=VALUE"),
        (("loop", "{}/bad.yaml", "--set", "training.epochs"), 2, "expected NAME=VALUE"),
        (("planx",), 2, "planx"),
    ],
)
def test_a_mistake_is_told_with_its_exit_status(
    words: tuple[str, ...],
    status: int,
    told: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    manifest(tmp_path)
    (tmp_path / "bad.yaml").write_text("task: {type: classification}\ndata: {manifest: m.csv}\ntraining:\n  epoch: 3\n")
    got, _, error = run(capsys, *(word.format(tmp_path) for word in words))

    assert told in error
    assert got == status


def test_a_plan_is_never_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "plan.yaml"
    target.write_text("mine\n")
    status, _, error = run(capsys, "plan", "--set", "task.type=classification", "--output", str(target))

    assert status == 2
    assert "exists already" in error
    assert target.read_text() == "mine\n"


def test_answers_give_a_plan_with_reasons(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = tmp_path / "answers.yaml"
    answers.write_text(
        "task.type: regression\ntask.label_low: 1\ntask.label_high: 5\ndataset.clips: 800\ntask.domain: unknown\n"
    )
    target = tmp_path / "plan.yaml"
    words = ("plan", "--answers", str(answers), "--set", "training.clip_norm=0", "--output", str(target))
    status, out, _ = run(capsys, *words, "--format", "json")
    report = json.loads(out)

    assert status == 0
    assert report["decisions"]["training.clip_norm"]["fixed_by_user"]
    assert report["decisions"]["training.clip_norm"]["objections"] == ["training.clip-gradients"]
    assert report["plan"]["evaluation"]["select_by"] == "ccc"
    assert "[output.bound-to-the-scale]" in target.read_text()


def test_plain_prompts_take_numbers_and_stop_at_the_end_of_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("w\n1\n\n"))
    status, out, error = run(capsys, "plan", "--plain", "--output", str(tmp_path / "plan.yaml"))

    assert status == 0
    assert "What shall the model predict for each clip?" in error
    assert "It decides" in error
    assert "Plan" in out


def test_a_plan_tells_what_is_wrong_with_its_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("plan", str(manifest(tmp_path)), "--set", "task.type=classification", "--output")
    _, text, _ = run(capsys, *words, str(tmp_path / "plan.yaml"))
    _, record, _ = run(capsys, *words, str(tmp_path / "again.yaml"), "--format", "json")
    section = text.partition("What is wrong with the data")[2]

    assert "error: Rows name files that do not exist" in section
    assert "`tonmeister audit" in section and "the evidence and what to do" in " ".join(section.split())
    assert any(line.startswith("error: ") for line in json.loads(record)["data_faults"])


def test_the_command_for_the_same_plan_names_its_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = str(manifest(tmp_path))
    words = ("plan", data, "--label", "label", "--set", "task.type=classification", "--output")
    _, _, said = run(capsys, *words, str(tmp_path / "plan.yaml"))

    assert f"--label label {data}" in said.partition("The same plan without a question:")[2]


def test_explanations(capsys: pytest.CaptureFixture[str]) -> None:
    case = ("--set", "task.type=classification", "--set", "dataset.clips=300", "--set", "machine.gpu=no")
    _, how, _ = run(capsys, "explain", "how", "dataset.regime", *case)
    _, why_not, _ = run(capsys, "explain", "why-not", "adaptation.method=full", *case)
    _, why, _ = run(capsys, "explain", "why", "task.domain", *case)

    assert "size.small" in how
    assert "300" in how
    assert "full" in why_not
    assert "backbone" in why


def test_a_session_is_kept_after_every_answer_and_gone_on_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    session, plan = str(tmp_path / "talk.yaml"), str(tmp_path / "plan.yaml")
    monkeypatch.setattr("sys.stdin", io.StringIO("1\nq\n"))
    run(capsys, "plan", "--plain", "--session", session, "--output", plan)
    monkeypatch.setattr("sys.stdin", io.StringIO("b\n2\n"))
    _, _, error = run(capsys, "plan", "--plain", "--session", session, "--output", plan, "--force")

    assert "Going on with" in error
    assert error.count("What shall the model predict for each clip?") == 1
    assert "task.type: regression" in Path(session).read_text("utf-8")


def test_a_session_is_never_written_over_something_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "notes.yaml"
    other.write_text("hello: 1\n", "utf-8")
    options = ("--set", "task.type=classification", "--output", str(tmp_path / "plan.yaml"))
    status, _, error = run(capsys, "plan", "--session", str(other), *options)

    assert status == 3
    assert "holds no interview" in error
    assert other.read_text("utf-8") == "hello: 1\n"


def test_every_explanation_has_every_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = tmp_path / "plan.yaml"
    case = ("--set", "task.type=classification", "--set", "dataset.clips=300", "--set", "machine.gpu=no")
    run(capsys, "plan", *case, "--output", str(plan))
    for query in (
        ("how", "dataset.regime"), ("why", "task.domain"), ("why-not", "adaptation.method=full"),
        ("what-if", "dataset.clips=5000,task.domain=environmental"), ("sensitivity",), ("change-mind", "head.name"),
        ("contested",), ("assumptions",), ("critique", "--plan", str(plan)),
    ):  # fmt: skip
        status, out, _ = run(capsys, "explain", *query, *case, "--format", "json")
        assert status == 0, query
        assert json.loads(out), query
        for form, mark in (("md", "# "), ("html", "<h1"), ("text", "")):
            _, out, _ = run(capsys, "explain", *query, *case, "--format", form)
            assert mark in out, (query, form)
            assert out.strip(), (query, form)


def test_rules_are_listed_shown_and_checked(capsys: pytest.CaptureFixture[str]) -> None:
    _, listed, _ = run(capsys, "rules", "list", "--format", "json")
    rules = json.loads(listed)["rules"]
    _, shown, _ = run(capsys, "rules", "show", rules[0]["id"])
    status, _, _ = run(capsys, "rules", "check")

    assert {"id", "title", "file", "line"} == set(rules[0])
    assert rules[0]["title"] in shown
    assert status == 0


def test_a_rulebook_with_a_fault_names_file_and_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "words.yaml").write_text("- fact: a.b\n  type: number\n  means: A number.\n  unitt: s\n")
    status, _, error = run(capsys, "rules", "check", "--knowledge", str(tmp_path))

    assert status == 2
    assert "words.yaml:4 (a.b): unknown key `unitt`" in error


def test_a_rulebook_with_a_contradiction_names_both_rules_and_the_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rule = """
- rule: a.{name}
  title: T
  when: [{{a.clips: "{when}"}}]
  then: {{recommend: {{a.method: {name}}}}}
  because: So it is.
  certainty: 0.5
  source: experience
  since: "0.1"
  examples: [{{given: {{a.clips: {fires}}}, fires: true}}, {{given: {{a.clips: {rests}}}, fires: false}}]
"""
    (tmp_path / "a.yaml").write_text(
        "- {fact: a.clips, type: integer, means: Clips., supplied_by: [user], ask: How many?}\n"
        "- {decision: a.method, type: choice, values: [one, two], means: Method.}\n"
        "- {source: experience, kind: experience, citation: Experience.}\n"
        + rule.format(name="one", when="< 100", fires=99, rests=100)
        + rule.format(name="two", when="> 50", fires=51, rests=50)
    )
    status, out, _ = run(capsys, "rules", "check", "--knowledge", str(tmp_path))

    assert status == 2
    assert "contradiction: a.yaml:" in out
    assert "a.one" in out
    assert "a.two" in out


@pytest.mark.slow
def test_the_demo_finds_the_planted_faults_and_improves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.synthesis.make_corpus", partial(make_corpus, speakers=8, words=4))  # for speed
    status, out, _ = run(capsys, "demo", "--plain", "--output", str(tmp_path / "demo"), "--rounds", "3")
    record = json.loads((tmp_path / "demo/loop/loop.json").read_text())

    assert status == 0
    for expected in ("group-overlap", "truncated-file", "missing-file", "train.grad_clip", "opened once at the end"):
        assert expected in out
    assert record["before"] == 2
    assert record["pretended"]["value"] > record["rounds"][1]["score"]["value"]
    assert set(record["test"]) == {"before", "after"}
    assert "not assessable" in run(capsys, "diagnose", str(tmp_path / "demo/loop/round-2"))[1].lower()


def test_rules_are_searched_shown_as_tables_and_tried(capsys: pytest.CaptureFixture[str]) -> None:
    setting = ("--set", "dataset.regime=medium", "--set", "adaptation.method=lora")
    _, found, _ = run(capsys, "rules", "list", "adapter", "rank")
    _, nothing, _ = run(capsys, "rules", "list", "xylophone-of-mars")
    _, table, _ = run(capsys, "rules", "show", "adapter-rank")
    _, tried, _ = run(capsys, "rules", "try", "adapter-rank", *setting)
    _, record, _ = run(capsys, "rules", "try", "rank.8-for-medium-data", *setting, "--format", "json")
    status, _, error = run(capsys, "rules", "try", "adapter-rank", "--set", "dataset.regme=medium")

    assert "rank.8-for-medium-data" in found
    assert nothing == ""
    assert "tiny or small   lora or dora" in table
    assert "rank.8-for-medium-data: fires: adaptation.rank becomes 8" in tried
    assert json.loads(record)["rules"][0]["status"] == "fires"
    assert status == 2
    assert "dataset.regime" in error
