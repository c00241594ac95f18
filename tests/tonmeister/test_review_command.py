"""`tonmeister review`: from a script to findings, in every form, with settings, suppressions and a baseline."""

import json
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from click.testing import CliRunner, Result

from knowledge.errors import InputError, UsageError
from tonmeister.cli.review import command

LOOP = """
import torch


def fit(model, loader):
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for waveform, label in loader:
        loss = torch.nn.functional.cross_entropy(model(waveform), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step(){comment}


if __name__ == "__main__":
    fit(torch.nn.Linear(16000, 2), torch.utils.data.DataLoader([(1, 2)]))
"""


def write(folder: Path, comment: str = "", head: str = "", **files: str) -> Path:
    script = folder / "train.py"
    script.write_text(head + LOOP.replace("{comment}", comment).lstrip("\n"), "utf-8")
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(dedent(text).lstrip("\n"), "utf-8")
    return script


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TONMEISTER_CACHE", str(tmp_path_factory.mktemp("cache")))


def review(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(each) for each in arguments], catch_exceptions=False)


def record(*arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(review(*arguments, "--format", "json", "--select", "train.grad_clip").stdout)
    return found


def ids(found: dict[str, Any]) -> list[str]:
    return [finding["id"] for finding in found["findings"]]


def test_a_step_without_clipping_is_found_where_it_stands(tmp_path: Path) -> None:
    found = record(write(tmp_path))
    assert ids(found) == ["train.grad_clip"]
    assert (
        found["findings"][0]["locations"][0] | {"path": "train.py", "line": 10} == found["findings"][0]["locations"][0]
    )


def test_findings_decide_the_exit_status_as_asked_for(tmp_path: Path) -> None:
    script = write(tmp_path)
    only = ("--select", "train.grad_clip")
    assert review(script, *only, "--fail-on", "warning").exit_code == 1
    assert review(script, *only, "--fail-on", "error").exit_code == 0
    assert review(script, "--ignore", "*", "--fail-on", "note").exit_code == 0


@pytest.mark.parametrize(
    ("comment", "head"),
    [
        ("  # tonmeister: ignore[train.grad_clip] losses are tiny here", ""),
        ("  # tonmeister: ignore[train.*] losses are tiny here", ""),
        ("", "# tonmeister: ignore[train.grad_clip] losses are tiny here\n"),
    ],
)
def test_a_comment_with_a_reason_silences(tmp_path: Path, comment: str, head: str) -> None:
    script = write(tmp_path, comment, head)
    found = record(script)
    assert ids(found) == []
    assert [item["reason"] for item in found["suppressed"] if item["id"] == "train.grad_clip"] == [
        "losses are tiny here"
    ]
    assert ids(record(script, "--no-ignore")) == ["train.grad_clip"]


def test_a_comment_on_the_function_silences_what_is_in_it(tmp_path: Path) -> None:
    script = write(tmp_path)
    head = "def fit(model, loader):"
    script.write_text(script.read_text().replace(head, head + "  # tonmeister: ignore[train.grad_clip] tiny"))
    assert ids(record(script)) == []


def test_a_comment_without_reason_or_effect_is_told(tmp_path: Path) -> None:
    found = record(write(tmp_path, "  # tonmeister: ignore[train.grad_clip]"))
    assert ids(found) == ["train.grad_clip"]
    assert [remark["id"] for remark in found["remarks"]] == ["suppression.without-reason"]
    idle = record(write(tmp_path, "", "import os  # tonmeister: ignore[train.grad_clip] for nothing\n"))
    assert [remark["id"] for remark in idle["remarks"]] == ["suppression.unused"]


def test_a_string_that_looks_like_a_comment_silences_nothing(tmp_path: Path) -> None:
    head = 'NOTE = """\n# tonmeister: ignore[train.grad_clip] no comment\n"""\n'
    assert ids(record(write(tmp_path, "", head))) == ["train.grad_clip"]


def test_a_baseline_hides_what_was_there_and_survives_inserted_lines(tmp_path: Path) -> None:
    script, baseline = write(tmp_path), tmp_path / "known.json"
    review(script, "--write-baseline", baseline)
    script.write_text("import os\n\n\n" + script.read_text().replace("optimizer.step()", "optimizer . step( )"))
    assert ids(record(script, "--baseline", baseline)) == []
    script.write_text(script.read_text().replace("fit(", "other("))
    assert ids(record(script, "--baseline", baseline)) == ["train.grad_clip"]


def test_settings_of_the_project_hold_for_its_scripts(tmp_path: Path) -> None:
    pyproject = '[tool.tonmeister.review]\nignore = ["train.grad_clip"]\n'
    script = write(tmp_path, pyproject__toml=pyproject)
    assert ids(record(script)) == []
    (tmp_path / "pyproject.toml").write_text('[tool.tonmeister.review.per-file]\n"train.py" = ["train"]\n')
    assert ids(record(script)) == []
    (tmp_path / "pyproject.toml").write_text('[tool.tonmeister.review.per-file]\n"other.py" = ["train"]\n')
    assert ids(record(script)) == ["train.grad_clip"]


def test_an_answer_settles_a_check(tmp_path: Path) -> None:
    script = write(tmp_path, answers__yaml="train.grad_clip: present\n")
    assert ids(record(script, "--answers", tmp_path / "answers.yaml")) == []
    with pytest.raises(UsageError, match="expected the id of a check"):
        record(write(tmp_path, wrong__yaml="train.grad_clop: present\n"), "--answers", tmp_path / "wrong.yaml")


def test_settings_that_are_misspelt_are_named(tmp_path: Path) -> None:
    script = write(tmp_path, pyproject__toml="[tool.tonmeister.review]\nignoer = []\n")
    with pytest.raises(UsageError, match="ignoer"):
        record(script)
    (tmp_path / "pyproject.toml").write_text("[tool.")
    with pytest.raises(InputError, match="not TOML"):
        record(script)


def test_a_broken_file_is_one_finding(tmp_path: Path) -> None:
    script = write(tmp_path, other__py="def broken(:\n")
    found = json.loads(review(script, "--format", "json", "--select", "project.unparsable").stdout)
    assert [(each["id"], each["severity"], each["locations"][0]["line"]) for each in found["findings"]] == [
        ("project.unparsable", "note", 1)
    ]


def test_a_missing_file_is_the_users_fault(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing is there"):
        review(tmp_path / "gone.py")


def test_a_diff_changes_nothing_and_a_fix_what_the_diff_showed(tmp_path: Path) -> None:
    script = write(tmp_path)
    before = script.read_text()
    shown = review(script, "--select", "train.grad_clip", "--diff")
    assert "+        torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)" in shown.stderr
    assert script.read_text() == before
    fixed = review(script, "--select", "train.grad_clip", "--fix", "--fail-on", "note")
    assert fixed.exit_code == 0 and "clip_grad_norm_" in script.read_text()
    assert "No patch is known" in review(script, "--select", "train.grad_clip", "--fix").stderr


def test_the_script_stands_beside_what_would_have_been_planned(tmp_path: Path) -> None:
    script = write(tmp_path)
    shown = review(script, "--instead", "classification")
    assert shown.exit_code == 0
    assert "training.learning_rate" in shown.stdout
    rows = json.loads(review(script, "--instead", "classification", "--format", "json").stdout)["beside"]
    assert next(row["script"] for row in rows if row["decision"] == "training.learning_rate") == 1e-3
    with pytest.raises(UsageError, match="--instead"):
        review(script, "--instead", "nonsense")
