"""Every table of S000 as the plan consultation applies it, on both sides of every boundary."""

import pytest

from knowledge.records import Value

from .plan_cases import (
    CASES,
    KNOWLEDGE,
    LARGE_GPU,
    MOS,
    NO_GPU,
    REACHABLE,
    SMALL_GPU,
    UNREACHABLE,
    WORDS,
    decided,
    draft,
    losers,
)  # fmt: skip


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
    [(5000, 141, "lora"), (5001, 11, "full"), (5001, 10, "lora"), (50000, 10, "lora"), (50000, 11, "full")],
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
        ({"task.domain": "speech-quality", **LARGE_GPU, **REACHABLE}, "wavlm-large", "wavlm",
         "microsoft/wavlm-large"),
        ({"task.domain": "speech-quality", **LARGE_GPU, **UNREACHABLE}, "wavlm-large", "mfcc", None),
        ({"task.domain": "speech-quality", **LARGE_GPU}, "wavlm-large", "mfcc", None),
        ({"task.domain": "environmental", **LARGE_GPU, **REACHABLE}, "ast", "ast",
         "MIT/ast-finetuned-audioset-10-10-0.4593"),
        ({"task.domain": "environmental", **LARGE_GPU, **UNREACHABLE}, "ast", "log-mel", None),
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
    assert bool(result.not_runnable) == (run in ("mfcc", "log-mel") and wanted != run)


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
    plan = draft({**CASES["telephone-speech-huge"], "dataset.clips": 50000}).plan

    assert plan is not None
    assert plan.adaptation.method == "full"
    assert (plan.training.backbone_learning_rate, plan.training.learning_rate) == (1e-5, 1e-3)


def test_four_times_the_batch_doubles_the_rate_of_pretrained_weights() -> None:
    plan = draft(CASES["telephone-speech-huge"]).plan

    assert plan is not None
    assert plan.training.batch_size == 128
    assert plan.training.backbone_learning_rate == 2e-5


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


@pytest.mark.parametrize(
    ("clips", "batch_size", "accumulation", "loss"),
    [
        (5000, 32, 1, "mse+ccc"), (5000, 31, 1, "mse"), (5000, 32, 2, "mse"), (5000, 64, 2, "mse+ccc"),
        (5000, 128, 4, "mse+ccc"), (5000, 127, 4, "mse"), (5000, 256, 8, "mse+ccc"), (40, 32, 1, "mse+ccc"),
        (39, 32, 1, "mse"),
    ],
)  # fmt: skip
def test_concordance_is_trained_on_only_where_a_pass_can_measure_it(
    clips: int, batch_size: int, accumulation: int, loss: str
) -> None:
    fixed = {"training.batch_size": batch_size, "training.accumulation": accumulation}

    session = draft({**MOS, **UNREACHABLE, "dataset.clips": clips}, fixed).session

    assert session.decisions["training.loss"].value == loss


@pytest.mark.parametrize("clips", [99, 100, 499])
def test_pooled_statistics_are_never_those_of_clips_normalised_over_themselves(clips: int) -> None:
    session = draft({**WORDS, **UNREACHABLE, "dataset.clips": clips}, {"backbone.normalise": "clip"}).session

    assert "normalise.never-each-clip-under-statistics" in session.decisions["backbone.normalise"].objections


@pytest.mark.parametrize("clips", [40, 99, 999, 9999, 99999])
def test_scores_are_trained_on_concordance_unless_memory_forbids(clips: int) -> None:
    assert decided({**MOS, **NO_GPU, **REACHABLE, "dataset.clips": clips}, "training.loss") == "mse+ccc"


@pytest.mark.parametrize(("ratio", "metric"), [(1.0, "accuracy"), (2.99, "accuracy"), (3.0, "macro-f1")])
def test_uneven_classes_are_selected_by_macro_f1(ratio: float, metric: str) -> None:
    assert decided({**WORDS, "dataset.imbalance_ratio": ratio}, "evaluation.select_by") == metric


def test_no_rule_ever_selects_by_the_loss_or_by_pearson() -> None:
    selected = {rule.then.value for rule in KNOWLEDGE.pack("plan") if rule.then.attribute == "evaluation.select_by"}

    sequences = {"word-error-rate", "character-error-rate", "segment-f1", "mean-average-precision"}
    assert selected == {"ccc", "accuracy", "macro-f1"} | sequences
