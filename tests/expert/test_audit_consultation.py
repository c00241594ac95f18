"""The audit consultation: what it finds in real sets, what it proposes, and what it never does."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from engine.evidence.dataset import read_dataset
from engine.evidence.dataset.probes import Minimums
from engine.plan import Plan
from engine.synthesis import make_corpus
from expert.consultation.audit import Audit, audit_dataset, write_repaired_manifest
from expert.consultation.patch import apply_remedy
from expert.consultation.standards import Standards
from knowledge.errors import InputError, UsageError
from knowledge.loader import load_knowledge
from knowledge.rulebook import Knowledge
from tests.engine.dataset.sets import plant, write_manifest

DESIGN_IDS = {
    "exact-duplicate", "near-duplicate", "duplicate-across-splits", "conflicting-labels", "suspected-label-error",
    "empty-label", "label-spelling", "label-out-of-range", "clipping", "silence", "mostly-silent", "dropouts",
    "dc-offset", "hum", "low-snr", "upsampled", "mixed-sample-rate", "wrong-sample-rate", "dead-channel", "dual-mono",
    "antiphase", "too-long", "too-short", "nonfinite-samples", "over-full-scale", "low-bit-depth", "truncated-file",
    "unreadable-file", "missing-file", "orphan-file", "duplicate-row", "path-mismatch", "group-alias", "group-missing",
    "group-overlap", "class-imbalance", "small-class", "sparse-extremes", "label-drift", "confound",
    "no-validation-split",
}  # fmt: skip
"""The canonical ids of the design page."""
OTHER_IDS = {"unassigned-split", "similar-groups", "leakage-gain", "segment-past-end", "duration-mismatch"} | {
    "group-confound",
    "group-in-names",
    "second-decoder",
    "condition-drift",
    "rater-disagreement",
    "missing-ratings",
    "padded-bit-depth",
}

PROBED = {"confound", "group-confound", "suspected-label-error"}
"""Not assessable of ESC-10, or where a scan holds no measures: a source recording has few clips."""


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


@pytest.fixture(scope="module")
def esc10(test_data: Path, knowledge: Knowledge) -> Audit:
    return audit_dataset(knowledge, test_data / "audio" / "esc10" / "manifest.csv")


HEARD = {
    "too-long", "clipping", "dc-offset", "padded-bit-depth", "low-snr", "mostly-silent", "over-full-scale", "upsampled",
    "confound", "group-confound", "leakage-gain", "suspected-label-error",
}  # fmt: skip
"""True, in part, of the sound of the published sets; counted against the truth by benchmarks and tests of their own."""


def unheard(audit: Audit) -> dict[str, str]:
    """Findings about rows, labels, groups and splits."""
    return {finding: severity for finding, severity in severities(audit).items() if finding not in HEARD}


def severities(audit: Audit) -> dict[str, str]:
    return {finding.id: finding.severity for finding in audit.session.findings}


def test_the_rulebook_reports_the_canonical_ids(knowledge: Knowledge) -> None:
    reported = {rule.then.finding for rule in knowledge.pack("audit") if rule.then.kind == "finding"}

    assert reported <= DESIGN_IDS | OTHER_IDS


def test_fsdd_leaks_every_speaker(test_data: Path, knowledge: Knowledge) -> None:
    audit = audit_dataset(knowledge, test_data / "audio" / "fsdd" / "manifest.csv")
    overlap = audit.session.findings[0]

    assert unheard(audit) == {"group-overlap": "error", "no-validation-split": "warning"}
    assert overlap.id == "group-overlap"
    assert "more than one split: 6. Test clips that have theirs in training: 300, which is 100% of" in overlap.because
    assert len(overlap.paths) == 300
    assert overlap.remedies[:2] == ("data.repair-split", "data.leave-one-group-out")
    assert audit.proposal is not None
    assert audit.proposal.protocol == "leave-one-group-out"
    assert audit.proposal.after.get("dataset.overlapping_groups") == 0


def test_a_sound_set_gets_no_finding_and_no_new_split(esc10: Audit) -> None:
    assert unheard(esc10) == {}
    assert {item.id for item in esc10.session.not_assessable} <= {"near-duplicate", "condition-drift", *PROBED}
    assert esc10.proposal is None


def test_speechocean_lacks_a_validation_split_and_low_scores(test_data: Path, knowledge: Knowledge) -> None:
    audit = audit_dataset(knowledge, test_data / "audio" / "speechocean762" / "manifest.csv")

    # both true: its README states the skew, and its two splits are training and test
    assert unheard(audit) == {
        "no-validation-split": "warning",
        "sparse-extremes": "warning",
        "missing-ratings": "note",
    }
    assert audit.proposal is not None
    assert audit.proposal.kept == ("test",)


@pytest.mark.parametrize(
    ("faults", "finding"),
    [
        ("missing_file", "missing-file"),
        ("truncated", "truncated-file"),
        ("corrupt", "unreadable-file"),
        ("zero_bytes", "unreadable-file"),
        ("lfs_pointer", "unreadable-file"),
        ("html_page", "unreadable-file"),
        ("no_frames", "unreadable-file"),
        ("pcm_dup", "duplicate-across-splits"),
        ("exact_dup=3", "exact-duplicate"),
        ("dup_conflict", "conflicting-labels"),
        ("dup_row", "duplicate-row"),
        ("dup_row_split", "duplicate-across-splits"),
        ("unicode_nfd", "path-mismatch"),
        ("case_ext", "path-mismatch"),
        ("backslash", "path-mismatch"),
        ("orphan_file", "orphan-file"),
        ("label_nan", "empty-label"),
        ("label_spelling", "label-spelling"),
        ("group_missing", "group-missing"),
        ("group_alias", "group-alias"),
        ("group_overlap", "group-overlap"),
        ("class_imbalance", "class-imbalance"),
        ("mixed_rate", "mixed-sample-rate"),
    ],
)
def test_a_planted_fault_is_reported_by_its_name(
    test_data: Path, knowledge: Knowledge, tmp_path: Path, faults: str, finding: str
) -> None:
    made = plant(test_data, "fsdd", tmp_path, faults, seed=2, limit=300)

    audit = audit_dataset(knowledge, made.manifest)

    reported = next((item for item in audit.session.findings if item.id == finding), None)
    assert reported is not None, severities(audit)
    scope = {fault["scope"] for fault in made.truth["faults"]}
    if scope != {"set"} and finding != "duplicate-row":
        resolved = {row.path for row in audit.dataset.rows if row.file and str(row.file.name) in _names(made.truth)}
        assert resolved | made.paths("missing_file", "orphan_file") <= set(reported.paths) | _other_half(made.truth)


def test_a_drift_of_labels_is_reported_when_the_split_is_large_enough_to_tell(
    test_data: Path, knowledge: Knowledge, tmp_path: Path
) -> None:
    made = plant(test_data, "fsdd", tmp_path, "label_drift", seed=2, limit=1200)

    assert unheard(audit_dataset(knowledge, made.manifest)) == {"label-drift": "warning"}


def _names(truth: dict[str, object]) -> set[str]:
    return {Path(path).name for fault in truth["faults"] for path in fault["paths"]}  # type: ignore[attr-defined]


def _other_half(truth: dict[str, object]) -> set[str]:
    """A copy inside one split is exact, and not across splits."""
    return {
        path
        for fault in truth["faults"]  # type: ignore[attr-defined]
        if fault["detail"].get("cross_split") is False
        for path in fault["paths"]
    }


@pytest.mark.parametrize(("name", "limit"), [("fsdd", 400), ("esc10", 0), ("speechocean762", 0)])
def test_a_clean_control_gets_no_warning_that_is_not_true(
    test_data: Path, knowledge: Knowledge, tmp_path: Path, name: str, limit: int
) -> None:
    audit = audit_dataset(knowledge, plant(test_data, name, tmp_path, "none", seed=2, limit=limit).manifest)

    assert set(unheard(audit)) == ({"sparse-extremes"} if name == "speechocean762" else set())


def test_a_score_outside_the_stated_scale_is_an_error(knowledge: Knowledge, tmp_path: Path) -> None:
    rows = "".join(f"{n}.wav,{1 + n / 10:.1f},s{n}\n" for n in range(40))
    manifest = write_manifest(tmp_path, f"path,mos,speaker\n{rows}x.wav,5.5,s1\n")

    unstated = audit_dataset(knowledge, manifest)
    stated = audit_dataset(knowledge, manifest, scale=(1, 5))

    assert "label-out-of-range" not in severities(unstated)
    assert severities(stated)["label-out-of-range"] == "error"
    finding = next(item for item in stated.session.findings if item.id == "label-out-of-range")
    assert finding.paths == ("x.wav",)


def test_what_cannot_be_told_is_said_with_its_need(knowledge: Knowledge, tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path, "path,label,split\na.wav,x,train\nb.wav,y,train\nc.wav,x,test\n")

    needs = {item.id: item.needs for item in audit_dataset(knowledge, manifest).session.not_assessable}

    assert any("no group column" in need for need in needs["group-overlap"])
    assert any("1 labels in the smaller split, 20 needed" in need for need in needs["label-drift"])


def test_a_set_without_a_split_gets_one(knowledge: Knowledge, tmp_path: Path) -> None:
    rows = "".join(f"{n}.wav,{'xy'[n % 2]},s{n // 4}\n" for n in range(80))
    audit = audit_dataset(knowledge, write_manifest(tmp_path, f"path,label,speaker\n{rows}"))

    assert audit.proposal is not None
    assert audit.proposal.protocol == "group-disjoint-split"
    assert audit.proposal.before.get("dataset.test_clips") is None
    assert audit.proposal.after.get("dataset.label_split_distance") == 0


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, knowledge: Knowledge) -> Audit:
    return audit_dataset(knowledge, make_corpus(tmp_path_factory.mktemp("demo") / "corpus", speakers=10, takes=4))


def test_the_repair_is_a_remedy_that_the_plan_takes(demo: Audit, knowledge: Knowledge, tmp_path: Path) -> None:
    plan = Plan.model_validate(
        {"task": {"type": "classification"}, "data": {"manifest": str(demo.dataset.manifest), "split_column": "split"}}
    )
    target = write_repaired_manifest(demo, tmp_path / "repaired.csv")
    facts = {fact.name: fact for fact in demo.repair_facts(target)}

    patched = apply_remedy(plan, knowledge.remedies["data.repair-split"], facts)

    assert patched.data.manifest == str(target)
    assert (patched.data.split_column, patched.data.protocol) == ("repaired_split", "given-split")
    again = audit_dataset(knowledge, target, split=patched.data.split_column)
    assert unheard(again) == {"truncated-file": "warning", "exact-duplicate": "warning"}
    assert again.proposal is None  # a repaired set asks for no repair


def test_leave_one_group_out_is_a_remedy_that_the_plan_takes(demo: Audit, knowledge: Knowledge) -> None:
    plan = Plan.model_validate({"task": {"type": "classification"}, "data": {"manifest": "m.csv"}})

    patched = apply_remedy(plan, knowledge.remedies["data.leave-one-group-out"], demo.session.facts)

    assert (patched.data.protocol, patched.data.group_column) == ("leave-one-group-out", "speaker")


def test_without_a_proposal_nothing_is_written(esc10: Audit, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no new split is proposed"):
        write_repaired_manifest(esc10, tmp_path / "repaired.csv")

    assert esc10.repair_facts(tmp_path / "repaired.csv") == ()


def test_errors_keep_their_kind(knowledge: Knowledge, tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path, "path,label\na.wav,x\n")

    with pytest.raises(InputError, match="no such manifest"):
        audit_dataset(knowledge, tmp_path / "other.csv")
    with pytest.raises(UsageError, match="no column 'speaker'"):
        audit_dataset(knowledge, manifest, group="speaker")


def test_an_audit_imports_neither_torch_nor_the_slow_parts_of_scipy(test_data: Path) -> None:
    code = (
        "import json, sys; from pathlib import Path; from knowledge.loader import load_knowledge;"
        "from expert.consultation.audit import audit_dataset;"
        f"audit_dataset(load_knowledge(), Path({str(test_data / 'audio' / 'speechocean762' / 'manifest.csv')!r}));"
        "print(json.dumps(sorted(set(sys.modules) & {'torch', 'scipy.signal', 'scipy.stats', 'textual'})))"
    )

    assert json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout) == []


def test_the_rules_say_what_a_probe_must_rest_on(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("path,label\na.wav,x\nb.wav,y\n", encoding="utf-8")
    knowledge = load_knowledge()
    rules = tuple(rule for rule in knowledge.rules if rule.id != "audit.least-class-clips")
    fewer = replace(knowledge, rules=rules, digest="without that rule")

    assert Standards.of(knowledge, read_dataset(manifest)).minimums == Minimums(10, 3, 0.1, 50, 4)
    assert Standards.of(fewer, read_dataset(manifest)).minimums is None
