"""A plan settles every one of the eight topics: for the golden cases, for each kind of task, and for drawn answers."""

from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.records import Value
from knowledge.vocabulary import TOPICS

from .plan_cases import CASES, KNOWLEDGE, LARGE_GPU, OPERATIONS, SMALL_GPU, decided, draft

ENTRIES = KNOWLEDGE.vocabulary.entries
KINDS = ENTRIES["task.kind"].values
SETS = ENTRIES["dataset.known_as"].values
DOMAINS = ENTRIES["task.domain"].values
TYPES = ENTRIES["task.type"].values


def settled_topics(answers: Mapping[str, Value]) -> set[str]:
    return {topic for name in draft(answers).session.decisions if (topic := ENTRIES[name].topic)}


@pytest.mark.parametrize("case", CASES)
def test_every_topic_is_settled_in_the_golden_cases(case: str) -> None:
    assert settled_topics(CASES[case]) == set(TOPICS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_topic_is_settled_for_each_kind_of_task(kind: str) -> None:
    answers: dict[str, Value] = {"task.type": "classification", "task.kind": kind, "dataset.clips": 3000}

    assert settled_topics(answers) == set(TOPICS)
    settled = draft(answers).session.decisions
    assert {f"augmentation.{operation}" for operation in OPERATIONS} <= set(settled)


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(TYPES),
    st.sampled_from(DOMAINS),
    st.fixed_dictionaries(
        {},
        optional={
            "task.kind": st.sampled_from(KINDS),
            "dataset.known_as": st.sampled_from(SETS),
            "dataset.clips": st.sampled_from([40, 99, 100, 5000, 200_000]),
            "dataset.groups": st.sampled_from([1, 2, 9, 10, 400]),
            "dataset.imbalance_ratio": st.sampled_from([1.0, 3.0, 10.0]),
            "dataset.duration_max_seconds": st.sampled_from([1.0, 30.0, 600.0]),
        },
    ),
    st.sampled_from([{}, SMALL_GPU, LARGE_GPU]),
)
def test_every_topic_is_settled_whatever_is_answered(
    task: str, domain: str, known: dict[str, Value], machine: Mapping[str, Value]
) -> None:
    """Transcription and detection too, whose plan is advice until the trainer can run it."""
    assert settled_topics({"task.type": task, "task.domain": domain, **known, **machine}) == set(TOPICS)


@pytest.mark.parametrize(
    ("kind", "operation", "verdict"),
    [
        ("emotion", "pitch_shift", "avoid"),
        ("quality", "added_noise", "avoid"),
        ("species", "time_stretch", "avoid"),
        ("music-pitch-or-tempo", "pitch_shift", "avoid"),
        ("speaker-verification", "speed", "new-class"),
        ("transcription", "speed", "use"),
        ("scene", "reverberation", "avoid"),
        ("sound-class", "pitch_shift", "use"),
    ],
)
def test_a_variation_that_changes_the_label_is_avoided(kind: str, operation: str, verdict: str) -> None:
    assert decided({"task.type": "classification", "task.kind": kind}, f"augmentation.{operation}") == verdict


@pytest.mark.parametrize(
    ("known_as", "kind", "protocol"),
    [
        ("esc-50", "sound-class", "published-folds"),
        ("iemocap", "emotion", "one-group-out"),
        ("gtzan", "music-class", "fault-filtered-split"),
        ("dcase-task-2", "machine-anomaly", "published-split"),
        ("speech-commands", "keyword-spotting", "published-split"),
    ],
)
def test_a_public_set_brings_its_task_and_its_protocol(known_as: str, kind: str, protocol: str) -> None:
    session = draft({"task.type": "classification", "dataset.known_as": known_as}).session

    assert session.facts["task.kind"].value == kind
    assert session.decisions["evaluation.protocol"].value == protocol


def test_what_the_user_says_of_his_task_overrules_what_the_data_set_suggests() -> None:
    answers: dict[str, Value] = {
        "task.type": "classification",
        "dataset.known_as": "speech-commands",
        "task.kind": "speaker-identification",
    }

    assert decided(answers, "split.unit") == "session"


def test_transcription_is_planned_as_the_language_wants() -> None:
    result = draft({"task.type": "ctc", "task.domain": "multilingual-speech"})

    assert result.plan is not None and result.plan.training.loss == "ctc"
    assert result.session.decisions["training.objective"].value == "ctc"
    assert result.session.decisions["evaluation.normaliser"].value == "marks-kept"
