"""Remedies of foreign runs in the words of the framework that wrote the log."""

from __future__ import annotations

from pathlib import Path

import pytest

from expert.consultation.diagnose import diagnose_run
from expert.report.diagnosis import diagnosis_document, diagnosis_record
from expert.report.html import render_html
from expert.report.markdown import render_markdown
from expert.report.text import render_text
from knowledge.errors import UsageError
from knowledge.loader import load_knowledge
from tests.engine.run.builders import Made, write_run
from tui.diagnosing import finding_page

KNOWLEDGE = load_knowledge()


def overfitted(path: Path, header: str, row: str) -> Path:
    """A table of a run that overfits from its tenth epoch on."""
    rows = [(i, 2.0 * 0.9**i + 0.01, 2.0 * 0.9 ** min(i, 10) + 0.1 * max(0, i - 10)) for i in range(40)]
    path.write_text(header + "".join(row.format(epoch=e, train=t, val=v) for e, t, v in rows))
    return path


@pytest.fixture
def keras(tmp_path):
    return overfitted(tmp_path / "log.csv", "epoch,loss,val_loss\n", "{epoch},{train:.5f},{val:.5f}\n")


@pytest.fixture
def lightning(tmp_path):
    return overfitted(
        tmp_path / "metrics.csv", "epoch,step,train_loss,val_loss\n",
        "{epoch},{epoch}9,{train:.5f},\n{epoch},{epoch}9,,{val:.5f}\n",
    )  # fmt: skip


def test_the_framework_is_known_by_its_log(keras, lightning):
    assert diagnose_run(KNOWLEDGE, keras).edits.framework.translation == "keras"
    found = diagnose_run(KNOWLEDGE, lightning).edits
    assert (found.framework.translation, found.recognised) == ("lightning", True)


def test_a_log_without_marks_is_taken_for_a_loop_of_ones_own(tmp_path):
    path = overfitted(tmp_path / "x.tsv", "Ep\tTrain loss\tVal loss\n", "{epoch}\t{train:.5f}\t{val:.5f}\n")
    found = diagnose_run(KNOWLEDGE, path).edits
    assert (found.framework.translation, found.recognised) == ("pytorch", False)


def test_a_framework_may_be_named_and_must_exist(keras):
    assert diagnose_run(KNOWLEDGE, keras, framework="lightning").edits.framework.translation == "lightning"
    with pytest.raises(UsageError, match="expected one of"):
        diagnose_run(KNOWLEDGE, keras, framework="torch7")


def test_remedies_start_from_what_the_log_tells(keras):
    edits = {edit.remedy: edit for edit in diagnose_run(KNOWLEDGE, keras).edits.edits}
    assert edits["training.fewer-epochs"].lines == ("# in fit: it was 40", "epochs=20,")
    assert any("EarlyStopping" in line for line in edits["training.early-stopping"].lines)


def test_a_remedy_that_needs_an_untold_setting_says_so(keras):
    edits = {edit.remedy: edit for edit in diagnose_run(KNOWLEDGE, keras).edits.edits}
    assert edits["augmentation.light"].provided == ("augmentation.strength is none",)


def test_what_tells_is_the_limit_of_the_rule(keras):
    checks = diagnose_run(KNOWLEDGE, keras).edits.checks["overfitting"]
    assert any(line.startswith("run.generalisation_loss: ") and line.endswith("at most 0.15") for line in checks)


def test_every_form_of_the_report_shows_the_edits(keras):
    diagnosis = diagnose_run(KNOWLEDGE, keras)
    document = diagnosis_document(diagnosis)
    for text in (render_text(document), render_markdown(document), render_html(document)):
        assert "restore_best_weights" in text
        assert "wanted at most 0.15" in text
    record = diagnosis_record(diagnosis)["edits"]
    assert record["framework"] == "keras"
    assert all(edit["lines"] or edit["action"] for edit in record["edits"])
    finding = next(one for one in diagnosis.session.findings if one.id == "overfitting")
    assert "restore_best_weights" in render_text(finding_page(diagnosis, finding))


def test_a_damaged_log_with_impossible_numbers_is_diagnosed_without_them(tmp_path):
    path = tmp_path / "gpu.csv"
    path.write_text("timestamp, utilization.gpu [%], memory.used [MiB]\n" + "1, 1070 %, 1000 MiB\n" * 700)
    diagnosis = diagnose_run(KNOWLEDGE, path)
    assert not {one.id for one in diagnosis.session.findings} & {"gpu-healthy", "gpu-bursty"}
    assert any("cannot be" in one.reason for one in diagnosis.measured.unknown)


@pytest.fixture
def ours(tmp_path):
    """A run of a plan of ours that overfits, without clipping."""
    fall, rise = (
        [2 * 0.9**i + 0.01 for i in range(40)],
        [2 * 0.9 ** min(i, 10) + 0.1 * max(0, i - 10) for i in range(40)],
    )
    made = Made(train=fall, val=rise, plan={"training": {"clip_norm": 0.0}})
    return diagnose_run(KNOWLEDGE, write_run(tmp_path / "run", made))


def test_remedies_of_our_own_run_are_lines_of_its_plan(ours):
    edits = {edit.remedy: edit for edit in ours.edits.edits}
    assert ours.edits.framework is None
    assert edits["training.clip-gradients"].lines == ("- training.clip_norm: 0.0", "+ training.clip_norm: 1.0")


def test_every_remedy_promises_something_and_says_what_will_tell(ours):
    record = diagnosis_record(ours)["edits"]
    assert {name for edit in record["edits"] for name in edit["check"]} == set(record["checks"])
    for edit in record["edits"]:
        assert edit["expect"] and all(edit["check"].values())
    overfitting = record["checks"]["overfitting"]
    assert any(line.startswith("run.generalisation_loss: ") and "wanted at most" in line for line in overfitting)
    assert record["checks"]["train.grad_clip"] == [
        "the best validation score, better by more than seeds differ: this finding rests on settings alone"
    ]


def test_text_of_our_own_run_shows_change_promise_and_check(ours):
    text = render_text(diagnosis_document(ours))
    assert "+ training.clip_norm: 1.0" in text
    assert "Fewer spikes" in text
    assert "overfitting: it worked when one of these holds in the next log" in text
