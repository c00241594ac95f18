"""The plan consultation: every table of S000, complete plans, critique of choices, and what cannot be run."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.plan import read_plan, value_at
from expert.consultation.plan import PlanDraft, draft_plan, facts_of_plan, launch_command, plan_text
from knowledge.errors import PlanError, UsageError
from knowledge.loader import BUILT_IN, load_knowledge
from knowledge.records import Fact, Unknown, Value
from knowledge.vocabulary import Entry

KNOWLEDGE = load_knowledge()
GOLDEN = Path(__file__).parent / "golden"
MANIFEST = Path("/data/clips.csv")
UNSETTLED = {"backbone.checkpoint", "data.max_seconds"}
"""Decisions that some plans have no use for."""
LARGE_GPU: dict[str, Value] = {"machine.gpu": True, "machine.gpu_memory_gib": 141, "machine.bf16": True}
SMALL_GPU: dict[str, Value] = {"machine.gpu": True, "machine.gpu_memory_gib": 10, "machine.bf16": False}
NO_GPU: dict[str, Value] = {"machine.gpu": False, "machine.gpu_memory_gib": 0, "machine.bf16": False}
REACHABLE: dict[str, Value] = {"machine.pretrained_reachable": True}
UNREACHABLE: dict[str, Value] = {"machine.pretrained_reachable": False}
MOS: dict[str, Value] = {
    "task.type": "regression",
    "task.domain": "speech-quality",
    "task.label_low": 1,
    "task.label_high": 5,
}
WORDS: dict[str, Value] = {"task.type": "classification", "task.domain": "clean-speech"}

CASES: dict[str, Mapping[str, Value]] = {
    "unknown-everything": {"task.type": "classification"},
    "quality-scores-large-gpu": {
        **MOS, **LARGE_GPU, **REACHABLE, "task.reference": "non-intrusive", "dataset.clips": 7000, "dataset.groups": 40,
        "dataset.group_column": "speaker", "dataset.label_column": "mos", "dataset.sample_rate_hz": 48000,
        "dataset.duration_max_seconds": 22.5,
    },
    "spoken-digits-without-gpu": {
        **WORDS, **NO_GPU, **UNREACHABLE, "dataset.clips": 2700, "dataset.groups": 6, "dataset.group_column": "speaker",
        "dataset.sample_rate_hz": 8000, "dataset.imbalance_ratio": 1.0, "dataset.duration_max_seconds": 2.3,
    },
    "pronunciation-scores-without-gpu": {
        "task.type": "regression", "task.domain": "clean-speech", "task.label_low": 0, "task.label_high": 10, **NO_GPU,
        **UNREACHABLE, "dataset.clips": 250, "dataset.groups": 25, "dataset.group_column": "speaker",
        "dataset.split_column": "split", "dataset.overlapping_groups": 0, "dataset.sample_rate_hz": 16000,
    },
    "sound-events-leaking-split": {
        "task.type": "classification", "task.domain": "environmental", **LARGE_GPU, **REACHABLE, "dataset.clips": 2000,
        "dataset.groups": 400, "dataset.group_column": "recording", "dataset.split_column": "fold",
        "dataset.overlapping_groups": 31, "dataset.sample_rate_hz": 44100, "dataset.imbalance_ratio": 4.2,
    },
    "few-clips-many-languages": {
        "task.type": "classification", "task.domain": "multilingual-speech", **SMALL_GPU, **REACHABLE,
        "dataset.clips": 80, "dataset.sample_rate_hz": 16000,
    },
    "telephone-speech-huge": {
        "task.type": "classification", "task.domain": "noisy-speech", **LARGE_GPU, **REACHABLE, "dataset.clips": 200000,
        "dataset.groups": 3000, "dataset.group_column": "caller", "dataset.sample_rate_hz": 8000,
        "dataset.imbalance_ratio": 12,
    },
}  # fmt: skip


def draft(answers: Mapping[str, Value], fixed: Mapping[str, Value] | None = None) -> PlanDraft:
    facts = [KNOWLEDGE.vocabulary.user_fact(name, value, "answers") for name, value in answers.items()]
    return draft_plan(KNOWLEDGE, facts, fixed=fixed, manifest=MANIFEST)


def decided(answers: Mapping[str, Value], attribute: str) -> Value:
    return draft(answers).session.decisions[attribute].value


def losers(answers: Mapping[str, Value], attribute: str) -> list[Value]:
    return [loser.value for loser in draft(answers).session.decisions[attribute].losers]


# --- Whole plans


@pytest.mark.parametrize("case", CASES)
def test_the_plan_is_that_of_the_golden_file(case: str) -> None:
    """UPDATE_GOLDEN=1 writes the files anew; read the difference before keeping it."""
    file = GOLDEN / f"plan-{case}.yaml"
    result = draft(CASES[case])
    assert result.plan is not None
    text = plan_text(result, launch_command(result.plan, Path(f"plan-{case}.yaml")))
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text, "utf-8")

    assert text == file.read_text("utf-8")
    assert read_plan(file) == result.plan


def test_knowing_nothing_gives_a_complete_plan_that_runs_without_a_download() -> None:
    result = draft(CASES["unknown-everything"])

    assert result.plan is not None
    assert result.missing == ()
    assert (result.plan.backbone.name, result.plan.backbone.checkpoint) == ("mfcc", None)
    assert result.plan.training.precision == "fp32"
    assert any(line.startswith("split.protocol = random-stratified-split: ") for line in result.assumptions)
    assert result.comments["training.epochs"].startswith("assumed: ")
    assert "split.protocol" in plan_text(result, "tonmeister train x.yaml").split("version:")[0]


def test_what_is_measured_is_no_assumption() -> None:
    assert draft(CASES["spoken-digits-without-gpu"]).assumptions == ()


def test_the_header_carries_the_launch_command() -> None:
    text = plan_text(draft(CASES["unknown-everything"]), "tonmeister train speech.yaml")

    assert text.splitlines()[0] == "# tonmeister train speech.yaml"


def test_leaving_one_group_out_is_launched_as_folds() -> None:
    plan = draft(CASES["spoken-digits-without-gpu"]).plan
    assert plan is not None

    assert launch_command(plan, Path("a/x.yaml")) == "tonmeister train a/x.yaml --folds leave-one-group-out"


def test_every_decided_line_names_its_rule() -> None:
    result = draft(CASES["quality-scores-large-gpu"])
    entries = KNOWLEDGE.vocabulary.entries

    for name, decision in result.session.decisions.items():
        if entries[name].plan:
            assert f"[{decision.rule}]" in result.comments[entries[name].plan]


def test_the_four_decisions_with_the_greatest_effect_are_named() -> None:
    four = draft(CASES["quality-scores-large-gpu"]).four_decisions

    assert [decision.attribute for decision in four] == [
        "pooling.name", "backbone.recommended", "backbone.name", "output.bounded", "training.epochs",
    ]  # fmt: skip


# --- The tables of S000


@pytest.mark.parametrize(
    ("clips", "regime"),
    [
        (99, "tiny"), (100, "small"), (101, "small"), (999, "small"), (1000, "medium"), (1001, "medium"),
        (9999, "medium"), (10000, "large"), (100000, "large"), (100001, "huge"),
    ],
)  # fmt: skip
def test_the_five_sizes(clips: int, regime: str) -> None:
    assert draft({"dataset.clips": clips}).session.facts["dataset.regime"].value == regime


@pytest.mark.parametrize(
    ("clips", "method", "augmentation"),
    [
        (99, "frozen", "strong"), (100, "frozen", "strong"), (499, "frozen", "strong"), (500, "frozen", "strong"),
        (999, "frozen", "strong"), (1000, "lora", "light"), (5000, "lora", "light"), (5001, "full", "light"),
        (9999, "full", "light"), (10000, "full", "light"), (100000, "full", "light"), (100001, "full", "none"),
    ],
)  # fmt: skip
def test_how_much_learns_and_is_varied_at_each_size(clips: int, method: str, augmentation: str) -> None:
    answers = {**WORDS, **LARGE_GPU, **REACHABLE, "dataset.clips": clips}

    assert decided(answers, "adaptation.method") == method
    assert decided(answers, "augmentation.strength") == augmentation


def test_lora_is_the_challenger_where_the_tables_contradict_each_other() -> None:
    for clips in (100, 499, 999):
        assert losers({**WORDS, **LARGE_GPU, **REACHABLE, "dataset.clips": clips}, "adaptation.method") == ["lora"]
    assert losers({**WORDS, **LARGE_GPU, **REACHABLE, "dataset.clips": 99}, "adaptation.method") == []


@pytest.mark.parametrize(
    ("clips", "gib", "method"),
    [(5000, 141, "lora"), (5001, 24, "full"), (5001, 23, "lora"), (50000, 23, "lora"), (50000, 24, "full")],
)
def test_full_finetuning_needs_both_clips_and_room(clips: int, gib: float, method: str) -> None:
    answers = {**WORDS, **REACHABLE, "dataset.clips": clips, "machine.gpu": True, "machine.gpu_memory_gib": gib}

    assert decided(answers, "adaptation.method") == method


def test_both_sources_of_a_settled_contradiction_are_cited() -> None:
    rules = {rule.id: rule for rule in KNOWLEDGE.pack("plan")}

    assert {"S000-13b", "S000-18a"} <= set(rules["adaptation.frozen-first-below-500"].sources)
    assert {"S000-13c", "S000-19"} <= set(rules["adaptation.full-above-5000-with-room"].sources)
    assert {"S000-29d", "S001-18"} <= set(rules["precision.bf16-where-native"].sources)
    assert {"S001-29b", "S003-14e"} <= set(rules["batch.huge-data"].sources)
    assert all(rules[name].corrects for name in ("adaptation.frozen-first-below-500", "precision.bf16-where-native"))


@pytest.mark.parametrize(
    ("domain", "first", "others"),
    [
        ("speech-quality", "wavlm-large", {"xls-r-300m", "w2v-bert-2"}),
        ("clean-speech", "wav2vec2-large", {"hubert-large"}),
        ("noisy-speech", "wavlm-large", {"wav2vec2-large-robust"}),
        ("environmental", "ast", {"yamnet", "panns", "beats"}),
        ("machine-sound", "ast", {"yamnet", "panns", "beats"}),
        ("multilingual-speech", "xls-r-300m", {"mms-1b"}),
    ],
)
def test_the_backbone_of_each_situation(domain: str, first: str, others: set[str]) -> None:
    answers = {
        "task.type": "classification", "task.domain": domain, "machine.gpu": True, "machine.gpu_memory_gib": 24,
        **REACHABLE,
    }  # fmt: skip

    assert decided(answers, "backbone.recommended") == first
    assert set(losers(answers, "backbone.recommended")) == others


@pytest.mark.parametrize(
    ("answers", "wanted", "run", "checkpoint"),
    [
        ({"task.domain": "clean-speech", **NO_GPU, **REACHABLE}, "wav2vec2-base", "wav2vec2", "facebook/wav2vec2-base"),
        ({"task.domain": "clean-speech", **NO_GPU, **UNREACHABLE}, "mfcc", "mfcc", None),
        ({"task.domain": "environmental", **NO_GPU, **REACHABLE}, "log-mel", "log-mel", None),
        ({"task.domain": "speech-quality", **LARGE_GPU, **REACHABLE}, "wavlm-large", "hubert",
         "facebook/hubert-large-ll60k"),
        ({"task.domain": "speech-quality", **LARGE_GPU, **UNREACHABLE}, "wavlm-large", "mfcc", None),
        ({"task.domain": "speech-quality", **LARGE_GPU}, "wavlm-large", "mfcc", None),
        ({"task.domain": "environmental", **LARGE_GPU, **REACHABLE}, "ast", "log-mel", None),
        ({"task.domain": "multilingual-speech", **LARGE_GPU, **REACHABLE}, "xls-r-1b", "wav2vec2",
         "facebook/wav2vec2-xls-r-1b"),
        ({**REACHABLE}, "wav2vec2-base", "wav2vec2", "facebook/wav2vec2-base"),
    ],
)  # fmt: skip
def test_what_is_wanted_and_what_runs(answers: dict[str, Value], wanted: str, run: str, checkpoint: str | None) -> None:
    result = draft({"task.type": "classification", **answers})

    assert result.plan is not None
    assert result.session.decisions["backbone.recommended"].value == wanted
    assert (result.plan.backbone.name, result.plan.backbone.checkpoint) == (run, checkpoint)
    assert result.plan.data.sample_rate_hz == 16000
    assert bool(result.not_runnable) == (wanted not in (run, "wav2vec2-base", "xls-r-1b"))


def test_distilhubert_is_the_lighter_choice_on_a_small_machine() -> None:
    assert "distilhubert" in losers({**WORDS, **NO_GPU, **REACHABLE}, "backbone.recommended")


@pytest.mark.parametrize(
    ("clips", "head"), [(1, "linear"), (499, "linear"), (500, "mlp"), (5000, "mlp"), (5001, "temporal")]
)
def test_the_head_on_a_frozen_backbone(clips: int, head: str) -> None:
    result = draft({**WORDS, **NO_GPU, **REACHABLE, "dataset.clips": clips})

    assert result.session.decisions["adaptation.method"].value == "frozen"
    assert result.session.decisions["head.name"].value == head
    assert result.session.decisions["pooling.name"].value == ("mean" if clips < 500 else "attention")


def test_pooling_for_scores_is_attention_and_its_rivals_are_shown() -> None:
    answers = {**MOS, **LARGE_GPU, **REACHABLE}

    assert decided(answers, "pooling.name") == "attention"
    assert losers(answers, "pooling.name") == ["hierarchical", "mean"]


@pytest.mark.parametrize(("task", "method"), [("classification", "lora"), ("regression", "dora")])
def test_dora_for_scores_and_lora_for_classes(task: str, method: str) -> None:
    answers = {**REACHABLE, **SMALL_GPU, "task.type": task, "task.domain": "noisy-speech", "dataset.clips": 3000}

    assert decided(answers, "adaptation.method") == method


@pytest.mark.parametrize(("clips", "rank"), [(999, 4), (1000, 8), (9999, 8), (10000, 16), (100001, 16)])
def test_rank_grows_with_the_data_and_alpha_is_twice_the_rank(clips: int, rank: int) -> None:
    result = draft({**WORDS, **SMALL_GPU, **REACHABLE, "dataset.clips": clips}, {"adaptation.method": "lora"})

    assert result.plan is not None
    assert (result.plan.adaptation.rank, result.plan.adaptation.alpha) == (rank, 2 * rank)


@pytest.mark.parametrize("rank", [1, 2, 3, 6, 12, 24, 48, 96, 192, 256])
def test_alpha_follows_a_rank_that_the_user_chose(rank: int) -> None:
    plan = draft({**WORDS, **SMALL_GPU, **REACHABLE}, {"adaptation.method": "lora", "adaptation.rank": rank}).plan

    assert plan is not None
    assert plan.adaptation.alpha == 2 * rank


def test_full_finetuning_has_two_learning_rates() -> None:
    plan = draft(CASES["telephone-speech-huge"]).plan

    assert plan is not None
    assert plan.adaptation.method == "full"
    assert (plan.training.backbone_learning_rate, plan.training.learning_rate) == (1e-5, 1e-3)


def test_the_training_baseline() -> None:
    plan = draft({**MOS, **NO_GPU, **REACHABLE, "dataset.clips": 20000}).plan

    assert plan is not None
    assert plan.adaptation.method == "frozen"
    assert (plan.training.learning_rate, plan.training.weight_decay) == (5e-4, 0.01)
    assert plan.training.schedule == "warmup-cosine"
    assert 0.05 <= plan.training.warmup_fraction <= 0.10
    assert plan.training.clip_norm == 1.0
    assert 15 <= plan.training.epochs <= 20
    assert plan.evaluation.select_by == "ccc"
    assert plan.training.patience_epochs == 10


@pytest.mark.parametrize("clips", [50, 500, 5000, 50000])
def test_a_frozen_backbone_never_stops_before_fifteen_epochs(clips: int) -> None:
    plan = draft({**MOS, **NO_GPU, **REACHABLE, "dataset.clips": clips}).plan

    assert plan is not None
    assert plan.training.epochs >= 15


@pytest.mark.parametrize(
    ("device", "precision"),
    [
        ({"machine.gpu": True, "machine.bf16": True}, "bf16"),
        ({"machine.gpu": True, "machine.bf16": False}, "fp16"),
        ({"machine.gpu": False, "machine.bf16": True}, "bf16"),
        ({"machine.gpu": False, "machine.bf16": False}, "fp32"),
        ({"machine.gpu": True}, "fp32"),
        ({}, "fp32"),
    ],
)
def test_the_device_decides_the_number_format(device: dict[str, Value], precision: str) -> None:
    assert decided({**WORDS, **REACHABLE, **device}, "training.precision") == precision
    assert decided({**WORDS, **UNREACHABLE, **device}, "training.precision") == "fp32"


def test_scores_are_confined_to_their_scale() -> None:
    plan = draft({**MOS}).plan

    assert plan is not None
    assert (plan.output.bounded, plan.output.low, plan.output.high) == (True, 1, 5)


@pytest.mark.parametrize("known", [{}, {"task.label_low": 1}, {"task.label_high": 5}])
def test_without_both_ends_of_the_scale_the_output_stays_open(known: dict[str, Value]) -> None:
    assert decided({"task.type": "regression", **known}, "output.bounded") is False


@pytest.mark.parametrize(
    ("split_column", "group_column", "groups", "overlapping", "protocol"),
    [
        (None, None, None, None, "random-stratified-split"),
        (None, None, 6, None, "random-stratified-split"),
        (None, "speaker", None, None, "group-disjoint-split"),
        (None, "speaker", 1, None, "random-stratified-split"),
        (None, "speaker", 2, None, "leave-one-group-out"),
        (None, "speaker", 9, None, "leave-one-group-out"),
        (None, "speaker", 10, None, "group-disjoint-split"),
        ("split", None, None, None, "given-split"),
        ("split", None, 6, None, "given-split"),
        ("split", None, None, 2, "given-split"),
        ("split", "speaker", 6, 0, "given-split"),
        ("split", "speaker", 60, 0, "given-split"),
        ("split", "speaker", 1, 1, "given-split"),
        ("split", "speaker", 6, 1, "leave-one-group-out"),
        ("split", "speaker", 60, 1, "group-disjoint-split"),
        ("split", "speaker", None, 1, "group-disjoint-split"),
    ],
)
def test_how_clips_are_split(
    split_column: str | None, group_column: str | None, groups: int | None, overlapping: int | None, protocol: str
) -> None:
    facts: dict[str, Value | None] = {
        "task.type": "classification", "dataset.split_column": split_column, "dataset.group_column": group_column,
        "dataset.groups": groups, "dataset.overlapping_groups": overlapping,
    }  # fmt: skip

    assert decided({name: value for name, value in facts.items() if value is not None}, "split.protocol") == protocol


def test_speakers_that_no_column_names_are_warned_about() -> None:
    found = draft({"task.type": "classification", "dataset.groups": 6}).session.findings

    assert [finding.id for finding in found] == ["speakers-without-column"]
    assert "6 speakers" in found[0].because


@pytest.mark.parametrize(
    ("rate", "domain", "expected"),
    [
        (8000, "clean-speech", 8000), (4000, "clean-speech", 8000), (11025, "clean-speech", 11025),
        (16000, "clean-speech", 16000), (44100, "clean-speech", 16000), (48000, "noisy-speech", 16000),
        (44100, "environmental", 44100), (48000, "speech-quality", 48000), (96000, "machine-sound", 48000),
        (24000, "speech-quality", 22050),
    ],
)  # fmt: skip
def test_a_spectral_front_end_works_at_the_rate_of_the_recordings(rate: int, domain: str, expected: int) -> None:
    answers = {"task.type": "classification", "task.domain": domain, **UNREACHABLE, "dataset.sample_rate_hz": rate}

    assert decided(answers, "data.sample_rate_hz") == expected


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_a_pretrained_backbone_always_hears_16_khz(rate: int) -> None:
    answers = {**WORDS, **REACHABLE, "dataset.sample_rate_hz": rate}

    assert decided(answers, "data.sample_rate_hz") == 16000


def test_concordance_is_trained_on_only_where_a_pass_can_measure_it() -> None:
    answers = {**MOS, **UNREACHABLE, "dataset.clips": 5000}

    assert draft(answers).session.decisions["training.loss"].value == "mse+ccc"
    assert draft(answers, {"training.batch_size": 15}).session.decisions["training.loss"].value == "mse"
    assert draft(answers, {"training.accumulation": 4}).session.decisions["training.loss"].value == "mse"
    both = {"training.accumulation": 4, "training.batch_size": 64}
    assert draft(answers, both).session.decisions["training.loss"].value == "mse+ccc"


@pytest.mark.parametrize(("ratio", "metric"), [(1.0, "accuracy"), (2.99, "accuracy"), (3.0, "macro-f1")])
def test_uneven_classes_are_selected_by_macro_f1(ratio: float, metric: str) -> None:
    assert decided({**WORDS, "dataset.imbalance_ratio": ratio}, "evaluation.select_by") == metric


def test_no_rule_ever_selects_by_the_loss_or_by_pearson() -> None:
    selected = {rule.then.value for rule in KNOWLEDGE.pack("plan") if rule.then.attribute == "evaluation.select_by"}

    assert selected == {"ccc", "accuracy", "macro-f1"}


# --- Choices of the user


def test_a_choice_stays_and_is_criticised() -> None:
    result = draft(CASES["quality-scores-large-gpu"], {"pooling.name": "mean"})

    assert result.plan is not None
    assert result.plan.pooling.name == "mean"
    assert result.session.decisions["pooling.name"].objections[0] == "pooling.attention-for-scores"
    assert result.comments["pooling.name"].startswith(
        "you chose this; pooling.attention-for-scores would choose attention: What decides a score"
    )
    assert "Against the rules:" in plan_text(result, "tonmeister train x.yaml")


def test_a_choice_that_a_rule_shares_is_not_criticised() -> None:
    result = draft(WORDS, {"training.clip_norm": 1.0})

    assert result.comments["training.clip_norm"] == "you chose this, and so does training.clip-gradients"
    assert "Against the rules:" not in plan_text(result, "tonmeister train x.yaml")


def test_other_decisions_follow_a_choice() -> None:
    plan = draft({**WORDS, **LARGE_GPU, **UNREACHABLE}, {"backbone.name": "wav2vec2"}).plan

    assert plan is not None
    assert plan.backbone.checkpoint == "facebook/wav2vec2-large"
    assert plan.data.sample_rate_hz == 16000


def test_a_checkpoint_of_another_family_gives_way_to_base_weights() -> None:
    plan = draft({**WORDS, **LARGE_GPU, **REACHABLE}, {"backbone.name": "hubert"}).plan

    assert plan is not None
    assert plan.backbone.checkpoint == "facebook/hubert-base-ls960"


def test_a_local_checkpoint_is_kept() -> None:
    plan = draft({**WORDS, **REACHABLE}, {"backbone.checkpoint": "/models/mine"}).plan

    assert plan is not None
    assert plan.backbone.checkpoint == "/models/mine"


@pytest.mark.parametrize(
    ("answers", "fixed", "message", "hint"),
    [
        (WORDS, {"adaptation.method": "lora"}, "adaptation.method is lora; mfcc has no weights to adapt",
         "adaptation.method = lora is your choice; adaptation.nothing-to-adapt would choose frozen"),
        (WORDS, {"training.loss": "mse"}, "training.loss is mse, which does not fit task.type classification",
         "loss.cross-entropy-for-classes would choose cross-entropy"),
        (WORDS, {"split.protocol": "leave-one-group-out"}, "so data.group_column must be given",
         "split.random-for-lack-of-groups would choose random-stratified-split"),
        ({"task.type": "regression"}, {"output.bounded": True}, "output.low and output.high must be given",
         "give task.label_low and task.label_high"),
        ({"task.type": "regression"}, {"evaluation.select_by": "accuracy"}, "does not fit regression",
         "selection.ccc-for-scores would choose ccc"),
        ({**MOS, "task.label_low": 5, "task.label_high": 1}, {}, "output.low is 5.0, expected less than", ""),
    ],
)  # fmt: skip
def test_choices_that_do_not_fit_together_are_refused(
    answers: dict[str, Value], fixed: dict[str, Value], message: str, hint: str
) -> None:
    with pytest.raises(PlanError) as caught:
        draft(answers, fixed)

    assert message in caught.value.message
    assert hint in caught.value.hint


def test_a_choice_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UsageError, match="expected one of mean, attention"):
        draft(WORDS, {"pooling.name": "max"})


# --- A rulebook that somebody changed

NEW_RULE = """
- rule: pooling.attention-on-spectra
  title: Attention on spectra
  when: [{backbone.name: mfcc}]
  then: {recommend: {pooling.name: attention}}
  because: I have heard otherwise. And I mean it.
  strength: STRENGTH
  certainty: 0.99
  source: experience
  since: "0.1"
  examples:
    - {given: {backbone.name: mfcc}, fires: true}
    - {given: {backbone.name: hubert}, fires: false}
"""


@pytest.mark.parametrize(
    ("strength", "value", "comment"),
    [
        ("strong", "attention", "I have heard otherwise. [pooling.attention-on-spectra]; contested by "
         "pooling.statistics-on-spectra, which wants statistics"),
        ("must", "attention", "I have heard otherwise. [pooling.attention-on-spectra]"),
    ],
)  # fmt: skip
def test_a_new_rule_changes_the_plan(tmp_path: Path, strength: str, value: str, comment: str) -> None:
    shutil.copytree(BUILT_IN, tmp_path / "knowledge", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (tmp_path / "knowledge/rules/plan/mine.yaml").write_text(NEW_RULE.replace("STRENGTH", strength), "utf-8")

    facts = [Fact("task.type", "classification", "user")]
    result = draft_plan(load_knowledge(tmp_path / "knowledge"), facts, manifest=MANIFEST)

    assert result.plan is not None
    assert result.plan.pooling.name == value
    assert result.comments["pooling.name"] == comment


# --- What is missing, and what cannot be run


def test_without_task_and_manifest_there_is_no_plan() -> None:
    result = draft_plan(KNOWLEDGE, [])

    assert result.plan is None
    assert result.missing == ("task.type", "dataset.manifest")
    with pytest.raises(PlanError, match=r"task\.type is unknown"):
        plan_text(result, "tonmeister train x.yaml")


def test_i_do_not_know_leaves_a_fact_unknown() -> None:
    facts = [Fact("task.type", "classification", "user")]
    told = draft_plan(KNOWLEDGE, facts, unknown=[Unknown("dataset.clips", "not known")], manifest=MANIFEST)

    assert told.plan == draft(CASES["unknown-everything"]).plan
    assert told.session.unknown["dataset.clips"] == "not known"


@pytest.mark.parametrize("task", ["ctc", "detection"])
def test_a_task_that_cannot_be_trained_here_is_named_with_the_nearest_that_can(task: str) -> None:
    result = draft({"task.type": task})

    assert result.plan is None
    assert result.missing == ()
    assert "nearest plan that runs is a classification" in result.not_runnable[0]
    with pytest.raises(PlanError, match="nearest plan that runs"):
        plan_text(result, "tonmeister train x.yaml")


def test_a_reference_is_left_out_and_that_is_said() -> None:
    result = draft({**MOS, "task.reference": "full-reference"})

    assert result.plan is not None
    assert "hears the degraded signal alone" in result.not_runnable[0]
    assert "Not run here yet:" in plan_text(result, "tonmeister train x.yaml")


@pytest.mark.parametrize(
    ("recommended", "said"),
    [
        ("wavlm-large", "WavLM-Large would suit"), ("w2v-bert-2", "W2V-BERT 2.0 reads another input"),
        ("ast", "ast, pretrained on AudioSet"), ("yamnet", "yamnet, pretrained"), ("panns", "panns, pretrained"),
        ("beats", "beats, pretrained on AudioSet"),
    ],
)  # fmt: skip
def test_a_backbone_that_cannot_be_run_is_named(recommended: str, said: str) -> None:
    (line,) = draft({**WORDS, **LARGE_GPU, **REACHABLE}, {"backbone.recommended": recommended}).not_runnable

    assert said in line
    assert "nearest that" in line


@pytest.mark.parametrize("reachable", [UNREACHABLE, {}])
def test_weights_that_cannot_be_loaded_are_named(reachable: dict[str, Value]) -> None:
    (line,) = draft({**WORDS, **LARGE_GPU, **reachable}).not_runnable

    assert line.startswith("wav2vec2-large would suit these recordings best")


# --- Reading a plan back


@pytest.mark.parametrize("case", CASES)
def test_a_plan_read_back_gives_the_facts_that_made_it(case: str) -> None:
    result = draft(CASES[case])
    assert result.plan is not None

    facts = {fact.name: fact.value for fact in facts_of_plan(result.plan, KNOWLEDGE)}

    for name, value in facts.items():
        assert value_at(result.plan, KNOWLEDGE.vocabulary.entry(name).plan) == value
    for name, decision in result.session.decisions.items():
        if KNOWLEDGE.vocabulary.entry(name).plan:
            assert facts[name] == decision.value
    assert all(fact.source == "plan" for fact in facts_of_plan(result.plan, KNOWLEDGE))


def test_a_line_without_a_value_says_nothing() -> None:
    plan = draft(CASES["unknown-everything"]).plan
    assert plan is not None
    names = {fact.name for fact in facts_of_plan(plan, KNOWLEDGE)}

    assert "dataset.group_column" not in names
    assert "backbone.checkpoint" not in names
    assert "data.max_seconds" not in names


def test_what_a_plan_says_does_not_fix_what_the_rules_decide() -> None:
    plan = draft(CASES["unknown-everything"], {"evaluation.select_by": "loss"}).plan
    assert plan is not None

    decision = draft_plan(KNOWLEDGE, facts_of_plan(plan, KNOWLEDGE)).session.decisions["evaluation.select_by"]

    assert (decision.value, decision.fixed_by_user) == ("macro-f1", False)


# --- Any answers at all


def values_of(entry: Entry) -> st.SearchStrategy[Any]:
    if entry.type == "boolean":
        return st.booleans()
    if entry.type == "choice":
        return st.sampled_from(entry.values)
    if entry.type == "text":
        return st.sampled_from(["speaker", "label", "a b", "ü: #x"])
    low, high = entry.range
    thresholds = sorted({*_THRESHOLDS.get(entry.name, ()), *(bound for bound in (low, high) if bound is not None)})
    near = [value + step for value in thresholds or [0, 1] for step in (-1, 0, 1)]
    inside = [v for v in near if (low is None or v >= low) and (high is None or v <= high)]
    return st.sampled_from([int(value) for value in inside] if entry.type == "integer" else [float(v) for v in inside])


_THRESHOLDS: dict[str, set[float]] = {}
for _rule in KNOWLEDGE.pack("plan"):
    for _condition in _rule.conditions:
        _numbers = _condition.value if isinstance(_condition.value, tuple) else (_condition.value,)
        if _condition.kind == "is":
            _THRESHOLDS.setdefault(_condition.fact, set()).update(
                float(value) for value in _numbers if isinstance(value, (int, float)) and not isinstance(value, bool)
            )

ANSWERABLE = {
    name: entry
    for name, entry in KNOWLEDGE.vocabulary.entries.items()
    if entry.kind == "fact" and {"user", "audit", "machine"} & set(entry.supplied_by)
    and any(condition.fact == name for rule in KNOWLEDGE.pack("plan") for condition in rule.conditions)
}  # fmt: skip
DECISIONS = {name: entry for name, entry in KNOWLEDGE.vocabulary.entries.items() if entry.kind == "decision"}


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.fixed_dictionaries({}, optional={name: values_of(entry) for name, entry in ANSWERABLE.items()}))
def test_no_answers_crash_or_give_an_invalid_plan(answers: dict[str, Value]) -> None:
    scale = answers.get("task.label_low"), answers.get("task.label_high")
    upside_down = None not in scale and float(scale[0]) >= float(scale[1])  # type: ignore[arg-type]
    if upside_down and answers.get("task.type") in ("classification", "regression"):
        with pytest.raises(PlanError, match=r"output\.low"):
            draft(answers)
        return

    result = draft(answers)

    if answers.get("task.type") not in ("classification", "regression"):
        assert result.plan is None
        return
    assert result.plan is not None
    assert set(DECISIONS) - UNSETTLED <= set(result.session.decisions)
    pretrained = result.plan.backbone.name in ("wav2vec2", "hubert")
    assert pretrained == (result.plan.backbone.checkpoint is not None)
    if result.plan.data.protocol in ("group-disjoint-split", "leave-one-group-out"):
        assert result.plan.data.group_column is not None
    if result.plan.data.protocol == "given-split":
        assert result.plan.data.split_column is not None
    plan_text(result, "tonmeister train x.yaml")


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.fixed_dictionaries({}, optional={name: values_of(entry) for name, entry in ANSWERABLE.items()}),
    st.fixed_dictionaries({}, optional={name: values_of(entry) for name, entry in DECISIONS.items()}),
)
def test_no_choices_crash(answers: dict[str, Value], fixed: dict[str, Value]) -> None:
    try:
        result = draft(answers, fixed)
    except PlanError as error:
        assert error.message.startswith("the plan from these answers: ")
        return

    for name, value in fixed.items():
        assert result.session.decisions[name].value == value
        if result.plan is not None and DECISIONS[name].plan:
            assert value_at(result.plan, DECISIONS[name].plan) == value
