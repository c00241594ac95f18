"""Cases of plan consultations, and short ways to draft a plan from answers; shared by the tests of the plan."""

from collections.abc import Mapping
from pathlib import Path

from expert.consultation.plan import PlanDraft, draft_plan
from knowledge.loader import load_knowledge
from knowledge.records import Value

KNOWLEDGE = load_knowledge()
GOLDEN = Path(__file__).parent / "golden"
MANIFEST = Path("/data/clips.csv")
OPERATIONS = (
    "pitch_shift", "time_stretch", "speed", "added_noise", "reverberation", "gain", "mixing", "filtering",
)  # fmt: skip
"""What may be done to a clip in training; settled once the kind of task is known."""
UNSETTLED = {
    *("backbone.checkpoint", "data.max_seconds", "compute.threads"),
    *("training.label_bins", "training.pair_epochs", "training.pair_temperature", "adaptation.placed_on"),
    *("output.symbols", "output.frames", "evaluation.normaliser", "training.class_balance"),
    *("augmentation.mask_most", "backbone.coefficients", "backbone.normalise"),
    *(f"augmentation.{operation}" for operation in OPERATIONS),
}
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
        "dataset.known_as": "fsdd",
        "dataset.sample_rate_hz": 8000, "dataset.imbalance_ratio": 1.0, "dataset.duration_max_seconds": 2.3,
    },
    "pronunciation-scores-without-gpu": {
        "task.type": "regression", "task.domain": "clean-speech", "task.label_low": 0, "task.label_high": 10, **NO_GPU,
        **UNREACHABLE, "dataset.clips": 250, "dataset.groups": 25, "dataset.group_column": "speaker",
        "dataset.known_as": "speechocean762",
        "dataset.split_column": "split", "dataset.overlapping_groups": 0, "dataset.sample_rate_hz": 16000,
    },
    "transcripts-without-gpu": {
        "task.type": "ctc", "task.domain": "clean-speech", **NO_GPU, **UNREACHABLE, "dataset.clips": 1200,
        "dataset.groups": 25, "dataset.group_column": "speaker", "dataset.label_column": "text",
        "dataset.sample_rate_hz": 16000, "dataset.duration_max_seconds": 9.0, "dataset.hours": 1.3,
    },
    "tags-with-a-large-gpu": {
        "task.type": "classification", "task.kind": "sound-tags", "task.domain": "environmental", **LARGE_GPU,
        **REACHABLE, "dataset.clips": 40000, "dataset.split_column": "split", "dataset.sample_rate_hz": 44100,
        "dataset.imbalance_ratio": 40.0, "dataset.duration_max_seconds": 30.0,
    },
    "events-without-gpu": {
        "task.type": "detection", "task.domain": "environmental", **NO_GPU, **UNREACHABLE, "dataset.clips": 380,
        "dataset.sample_rate_hz": 16000, "dataset.duration_max_seconds": 10.0,
    },
    "sound-events-leaking-split": {
        "task.type": "classification", "task.domain": "environmental", **LARGE_GPU, **REACHABLE, "dataset.clips": 2000,
        "task.kind": "sound-class",
        "dataset.groups": 400, "dataset.group_column": "recording", "dataset.split_column": "fold",
        "dataset.overlapping_groups": 31, "dataset.sample_rate_hz": 44100, "dataset.imbalance_ratio": 4.2,
    },
    "few-clips-many-languages": {
        "task.type": "classification", "task.domain": "multilingual-speech", **SMALL_GPU, **REACHABLE,
        "dataset.clips": 80, "dataset.sample_rate_hz": 16000,
    },
    "telephone-speech-huge": {
        "task.type": "classification", "task.domain": "noisy-speech", **LARGE_GPU, **REACHABLE, "dataset.clips": 200000,
        "task.kind": "emotion",
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
