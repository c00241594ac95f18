"""Causes are weighed by what is known of the run; none is supported without evidence; the curves show where."""

from __future__ import annotations

import numpy as np
import pytest

from expert.chaining import consult
from expert.consultation.diagnose import diagnose_run
from expert.differential import differential
from expert.report.diagnosis import diagnosis_document, diagnosis_record
from expert.report.html import render_html
from expert.report.text import render_text
from knowledge.loader import load_knowledge
from knowledge.records import Fact

KNOWLEDGE = load_knowledge()


def session(**facts):
    given = [Fact(name.replace("__", "."), value, "log", n=50) for name, value in facts.items()]
    return consult(KNOWLEDGE, given, packs=("diagnose",))


@pytest.mark.parametrize("finding", sorted(KNOWLEDGE.differentials))
def test_nothing_is_supported_where_nothing_is_known(finding):
    weighed = differential(session(), finding)

    assert len(weighed) >= 3
    assert {one.standing for one in weighed} == {"possible"}
    assert all(one.cause.test and one.unknown for one in weighed)


@pytest.mark.parametrize("finding", sorted(KNOWLEDGE.differentials))
def test_every_cause_belongs_to_a_finding_that_rules_report(finding):
    assert any(rule.then.attribute == f"finding.{finding}" for rule in KNOWLEDGE.rules)


def test_evidence_lifts_one_cause_and_sinks_another():
    weighed = differential(session(run__train_trend=0.6, run__nonfinite_losses=0), "divergence")
    standing = {one.cause.text: one.standing for one in weighed}

    assert weighed[0].cause.text == "The learning rate is too high."
    assert weighed[0].pro == ("run.train_trend is 0.6",)
    assert standing["The learning rate is too high."] == "supported"
    assert standing["Half precision overflows."] == "unlikely"


def test_what_speaks_both_ways_is_only_possible():
    (one,) = [
        one
        for one in differential(session(run__train_trend=0.6, run__best_loss_share=0.9), "divergence")
        if one.cause.text == "The learning rate is too high."
    ]

    assert one.standing == "possible"
    assert one.pro
    assert one.contra


def test_every_form_of_the_report_holds_causes_and_the_page_marks_the_curve(tmp_path):
    time = np.linspace(0, 1, 40)
    log = tmp_path / "log.csv"
    val = 0.5 + np.exp(-9 * time) + np.maximum(0, time - 0.3)
    rows = [f"{i},{2 * np.exp(-4 * t):.5f},{v:.5f}" for i, (t, v) in enumerate(zip(time, val, strict=True))]
    log.write_text("epoch,loss,val_loss\n" + "\n".join(rows) + "\n")
    diagnosis = diagnose_run(KNOWLEDGE, log)
    text, page = render_text(diagnosis_document(diagnosis)), render_html(diagnosis_document(diagnosis))

    assert "What may have caused it" in text
    assert "test: " in text
    assert diagnosis_record(diagnosis)["differential"]["overfitting"][0]["test"]
    assert "<polyline" in page
    assert "stroke-dasharray" in page
    assert "<title>overfitting" in page
    assert "http" not in page.replace("http-equiv", "")
