"""Each of the 53 checks can be told every way that it may stand: there, missing, without meaning here, not told."""

import pytest

from expert.chaining import consult
from knowledge.loader import load_knowledge

KNOWLEDGE = load_knowledge()
CHECKS = sorted(name for name in KNOWLEDGE.vocabulary.entries if name.startswith("check."))
ALWAYS_ASKED = frozenset({
    "check.eval.conf_interval", "check.eval.per_group", "check.eval.task_metric", "check.interp.embeddings",
    "check.life.best_ckpt", "check.life.champion", "check.life.optim_state", "check.life.registry", "check.life.resume",
    "check.repro.config_saved", "check.repro.deterministic", "check.repro.seed_framework",
    "check.repro.versions_pinned",
    "check.train.early_stopping", "check.train.grad_clip", "check.train.lr_schedule", "check.train.lr_warmup",
    "check.train.mixed_precision", "check.train.selection_metric", "check.train.weight_decay",
    "check.train.zero_grad_ok", "check.data.resample", "check.data.train_shuffle", "check.data.val_split",
    "check.data.augmentation", "check.arch.dropout", "check.backbone.input_norm", "check.problem.loss_match",
})  # fmt: skip
"""Questions that arise for every training, so that none of them can be without meaning."""


def _rules(check: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for rule in KNOWLEDGE.rules:
        if rule.then.attribute == check:
            found.setdefault(str(rule.then.value), []).append(rule.id)
    return found


def test_there_are_53() -> None:
    assert len(CHECKS) == 53


@pytest.mark.parametrize("check", CHECKS)
def test_a_check_can_be_there_and_missing_and_without_meaning(check: str) -> None:
    states = _rules(check)
    assert {"present", "missing"} <= set(states)
    assert set(states) <= {"present", "missing", "not-applicable"}
    if check not in ALWAYS_ASKED:
        assert "not-applicable" in states


@pytest.mark.parametrize("check", CHECKS)
def test_what_settles_a_check_has_a_case_that_it_fires_on_and_one_that_it_does_not(check: str) -> None:
    rules = [rule for rule in KNOWLEDGE.rules if rule.then.attribute == check]
    for rule in rules:
        assert {case.fires for case in rule.cases} == {True, False}, rule.id


def test_nothing_known_settles_nothing() -> None:
    """Without a single fact every check stays undecided, and each can say which question decides it."""
    session = consult(KNOWLEDGE, (), packs=("review",))
    assert not [check for check in CHECKS if check in session.facts]
    assert all(KNOWLEDGE.reviews[check.removeprefix("check.")].ask for check in CHECKS)


def test_a_missing_check_is_told_as_a_finding_under_its_own_name() -> None:
    told = {rule.then.attribute for rule in KNOWLEDGE.rules if rule.then.attribute.startswith("finding.")}
    assert not [check for check in CHECKS if check.replace("check.", "finding.", 1) not in told]
