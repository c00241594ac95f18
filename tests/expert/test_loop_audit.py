"""The loop audits what the plan trains on, and raises no alarm about a split that the plan does not use."""

from pathlib import Path

from engine.plan import patched, read_plan
from engine.synthesis import make_corpus
from expert.consultation.loop import audit_plan_data
from knowledge.loader import load_knowledge

PLAN = (
    "task: {type: classification}\ndata: {manifest: corpus/manifest.csv, group_column: speaker, split_column: split}\n"
)


def test_a_leak_across_an_unused_split_is_no_finding(tmp_path: Path) -> None:
    make_corpus(tmp_path / "corpus", speakers=3, words=2, takes=5)
    (tmp_path / "plan.yaml").write_text(PLAN)
    plan = read_plan(tmp_path / "plan.yaml")

    given = audit_plan_data(load_knowledge(), plan)
    by_group = audit_plan_data(load_knowledge(), patched(plan, {"data.protocol": "leave-one-group-out"}))

    assert "group-overlap" in {finding.id for finding in given.session.findings}
    assert "group-overlap" not in {finding.id for finding in by_group.session.findings}
    assert by_group.dataset.columns.split is None
