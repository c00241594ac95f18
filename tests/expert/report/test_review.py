"""The forms of a review: each against a golden file, SARIF against its schema, and what every form must hold."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expert.consultation.reviewing import ReviewRequest, review_project
from expert.report.annotations import github_annotations
from expert.report.markdown import render_markdown
from expert.report.review import review_document, review_record
from expert.report.sarif import sarif_record
from expert.report.text import render_text
from expert.reviewing.records import (
    CheckRow,
    FactHere,
    FixOffer,
    Remark,
    ReviewFinding,
    ReviewReport,
    Searched,
    Suppressed,
)
from knowledge.loader import load_knowledge
from knowledge.records import Evidence
from knowledge.reviewing import Implementation
from tests.expert.sarif_schema import SARIF

GOLDEN = Path(__file__).parents[1] / "golden" / "review"
HEADLINE = Path(__file__).parents[1] / "review_projects" / "headline" / "train.py"
REACH = Searched(2, 120, 3)
LEAK = ReviewFinding(
    id="data.group_disjoint", rule="review.speakers-on-both-sides", dimension="data",
    title="Clips are divided without regard to who speaks", state="missing", severity="error", confidence=0.8, rank=1.6,
    what="train_test_split at src/split.py:12 (120 calls)", why_here="Clips of one speaker can be on both.",
    why="A network recognises voices.", locations=(Evidence("train_test_split", "src/split.py", 12, 13, via="helper"),
    Evidence("train_test_split", "train.py", 40, 40, via="explicit")),
    facts=(FactHere("script.split", "random", "How clips are divided.", "helper", "src/split.py:12"),), searched=REACH,
    implementation=(Implementation(symbol="sklearn.GroupShuffleSplit", url="https://example.org/g"),),
    recipe="engine/training/splits.py", fix=FixOffer("", "display", "GroupShuffleSplit()\n.split(x, groups=g)"),
    confirmed=("Groups stand on both sides of the split",), sources=("S000-01",), fingerprint="0123456789abcdef0123",
)  # fmt: skip
CLIP = replace(
    LEAK, id="train.grad_clip", rule="review.no-gradient-clipping", dimension="train", title="No clipping",
    severity="warning", confidence=0.81, rank=0.49, what="a step without a limit at train.ipynb:31 (cell 4)",
    why_here="100 % of steps: one odd clip, <b>or</b> a comma, moves all.", confirmed=(), recipe="",
    locations=(Evidence("a step without a limit", "train.ipynb", 31, None, cell=4, via="explicit"),),
    facts=(), implementation=(Implementation(symbol="torch.nn.utils.clip_grad_norm_", since="0.4"),),
    fix=FixOffer("clip-gradients", "safe"), fingerprint="fedcba98765432100123",
)  # fmt: skip
STOP = replace(CLIP, id="train.early_stopping", rule="review.no-early-stopping", severity="note", rank=0.1, fix=None,
               title="Nothing stops the training early", locations=(), fingerprint="00000000000000000001")  # fmt: skip
CHAMPION = replace(STOP, id="life.champion", rule="review.no-champion", dimension="life", advisory=True,
                   title="A new model replaces the old one uncompared", fingerprint="00000000000000000002")  # fmt: skip
KEPT = replace(STOP, id="train.weight_decay", title="No weight decay", fingerprint="00000000000000000003")
REPORT = ReviewReport(
    root="/projects/one", entry="train.ipynb", alternatives=("train.py",), launches=("run.sh:3",),
    configurations=("conf/base.yaml",), most_shown=2,
    checks=(
        CheckRow("data.group_disjoint", "data", "Speakers on one side", "missing", LEAK.locations, rule="r1"),
        CheckRow("data.resample", "data", "Audio at the rate of the model", "undecidable", (), "",
                 ("the rate comes from --rate",), ("the command that starts it",), "Do all files have that rate?"),
        CheckRow("train.grad_clip", "train", "Gradients clipped", "missing", CLIP.locations, rule="r2"),
        CheckRow("train.lr_schedule", "train", "A rate that falls", "present", LEAK.locations[1:], "explicit"),
        CheckRow("life.champion", "life", "New against old", "missing", (), advisory=True),
        CheckRow("interp.scatter", "interp", "Drawn", "not-applicable"),
    ),
    findings=(LEAK, CLIP, STOP), advice=(CHAMPION,), undecided=(
        CheckRow("data.resample", "data", "Audio at the rate of the model", "undecidable", (), "",
                 ("the rate comes from --rate",), ("the command that starts it",), "Do all files have that rate?"),
    ),
    suppressed=(Suppressed(KEPT, "a toy", "train.py:7"), Suppressed(KEPT, "known", "baseline")),
    remarks=(Remark("suppression.unused", "ignore[train.x] silences nothing", "train.py", 9),), searched=REACH,
)  # fmt: skip
FORMS: dict[str, Callable[[], str]] = {
    "text.txt": lambda: render_text(review_document(REPORT)),
    "all.txt": lambda: render_text(review_document(REPORT, everything=True)),
    "markdown.md": lambda: render_markdown(review_document(REPORT)),
    "json.json": lambda: json.dumps(review_record(REPORT), indent=2) + "\n",
    "sarif.json": lambda: json.dumps(sarif_record(REPORT, "1.2.3"), indent=2) + "\n",
    "github.txt": lambda: github_annotations(REPORT),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_form_is_the_golden_one(name: str) -> None:
    """TONMEISTER_UPDATE_GOLDEN=1 writes the files anew; read the difference before keeping it."""
    text = FORMS[name]()
    if os.environ.get("TONMEISTER_UPDATE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        (GOLDEN / name).write_text(text, "utf-8")
    assert text == (GOLDEN / name).read_text("utf-8")


def test_sarif_fits_its_schema() -> None:
    jsonschema.Draft7Validator.check_schema(SARIF)
    jsonschema.validate(sarif_record(REPORT, "1.2.3"), SARIF)
    real = review_project(load_knowledge(), ReviewRequest(HEADLINE)).report
    assert real.findings
    jsonschema.validate(sarif_record(real, "1.2.3"), SARIF)


def test_the_schema_notices_a_wrong_log() -> None:
    wrong = sarif_record(REPORT, "1.2.3")
    wrong["runs"][0]["results"][0]["level"] = "fatal"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, SARIF)


def test_results_name_their_rules_and_what_is_silenced_says_why() -> None:
    run = sarif_record(REPORT, "1.2.3")["runs"][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])
    silenced = [result["suppressions"][0] for result in run["results"] if "suppressions" in result]
    assert [(each["kind"], each["justification"]) for each in silenced] == [
        ("inSource", "a toy"),
        ("external", "known"),
    ]


@given(st.text(max_size=40))
def test_an_annotation_stays_on_one_line(text: str) -> None:
    report = replace(REPORT, findings=(replace(CLIP, why_here=text, title=text),))
    lines = github_annotations(report).splitlines()
    assert len(lines) == 1 and lines[0].startswith("::warning file=train.ipynb,title=")


def test_only_the_weightiest_are_shown_unless_somebody_asks() -> None:
    shown = render_text(review_document(REPORT))
    assert "train.early_stopping" not in shown and "1 more of less weight" in shown
    assert "train.early_stopping" in render_text(review_document(REPORT, everything=True))


FINGERPRINT = st.lists(st.sampled_from(["import os", "", "# a comment", "x = 1"]), max_size=5)


@settings(max_examples=8, deadline=None)
@given(FINGERPRINT)
def test_fingerprints_survive_inserted_lines(lines: list[str]) -> None:
    import tempfile

    knowledge = load_knowledge()
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "train.py"
        text = HEADLINE.read_text()
        script.write_text(text)
        before = {
            each.id: each.fingerprint for each in review_project(knowledge, ReviewRequest(script)).report.findings
        }
        script.write_text("\n".join(["import sys", *lines, text]))
        after = {each.id: each.fingerprint for each in review_project(knowledge, ReviewRequest(script)).report.findings}
    at_fixed_places = {"data.group_disjoint", "train.grad_clip", "train.epochs_15"}
    assert {name: before[name] for name in at_fixed_places} == {name: after[name] for name in at_fixed_places}
    assert len(set(before.values())) == len(before)
