"""What a plan takes, as facts: when it is known, what it rests on, and that every evaluator says the same."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expert.chaining import consult
from expert.consultation.plan_words import costs
from expert.givens import admit
from expert.proof import how
from expert.ratios import concluded_parts
from expert.reference import Reference
from expert.session import Session
from expert.strata import concluding, stratify
from expert.sweep import Sweep
from expert.whatif import what_if
from knowledge.errors import KnowledgeError
from knowledge.loader import load_knowledge
from knowledge.records import Fact
from tests.knowledge.folder import folder

KNOWLEDGE = load_knowledge()
RULES = KNOWLEDGE.pack("plan")
PROJECT: dict[str, Any] = {
    "task.type": "classification", "task.domain": "clean-speech", "machine.pretrained_reachable": True,
    "dataset.clips": 6000, "dataset.hours": 7.0, "dataset.duration_max_seconds": 8.0, "machine.gpu": True,
    "dataset.duration_median_seconds": 4.0, "machine.gpu_memory_gib": 24.0, "machine.bf16": True,
    "machine.accelerator": "rtx-3090",
}  # fmt: skip


def session_of(**changes: Any) -> Session:
    said = {**PROJECT, **{name.replace("__", "."): value for name, value in changes.items()}}
    return consult(KNOWLEDGE, facts_of(said), packs=("plan",))


def facts_of(said: dict[str, Any]) -> list[Fact]:
    return [Fact(name, value, "user") for name, value in said.items() if value is not None]


def findings_of(session: Session) -> set[str]:
    return {finding.id for finding in session.findings}


def test_hours_are_a_fact_with_a_range_once_the_plan_is_settled() -> None:
    session = session_of()
    low, middle, high = (session.facts[f"time.training_hours{end}"].value for end in ("_low", "", "_high"))

    assert float(middle) / float(low) == pytest.approx(float(high) / float(middle)) == pytest.approx(3)
    assert "7 h of sound, 20 epochs" in session.facts["time.training_hours"].evidence[0].text
    assert "7 h of sound" in how(session, "time.training_hours").render()
    assert costs(session)[0].startswith("Training takes about")


@pytest.mark.parametrize("lacking", ["machine.accelerator", "dataset.clips", "machine.gpu"])
def test_without_what_they_need_hours_are_unknown(lacking: str) -> None:
    session = session_of(**{lacking.replace(".", "__"): None})

    assert "time.training_hours" not in session.facts
    assert not findings_of(session) & {"takes-hours", "over-budget", "budget-in-doubt"}


@pytest.mark.parametrize(("hours", "found"), [(0.01, "over-budget"), (1.0, "budget-in-doubt"), (1000.0, "takes-hours")])
def test_hours_are_held_against_the_budget(hours: float, found: str) -> None:
    session = session_of(task__budget_hours=hours)

    assert findings_of(session) & {"takes-hours", "over-budget", "budget-in-doubt"} == {found}


def test_a_budget_that_does_not_suffice_has_a_remedy_that_makes_it_shorter() -> None:
    session = session_of(task__budget_hours=0.01)
    (finding,) = (one for one in session.findings if one.id == "over-budget")
    frozen = what_if(session, dict(KNOWLEDGE.remedies["time.freeze"].patch))
    (change,) = (one for one in frozen.changes if one.attribute == "time.training_hours")

    assert "time.freeze" in finding.remedies
    assert float(change.after or 0) < float(change.before or 0)


@pytest.mark.parametrize(("memory", "passes"), [(80.0, 1), (24.0, 1), (16.0, 2)])
def test_passes_follow_from_what_fits(memory: float, passes: int) -> None:
    """A large model that learns as a whole, clips of 8 s, batches of 32."""
    session = session_of(machine__gpu_memory_gib=memory, dataset__duration_max_seconds=8.0)
    held, batch = (int(session.facts[name].value) for name in ("memory.pass_clips", "training.batch_size"))

    assert session.decisions["training.accumulation"].value == passes
    assert held * passes >= batch


def test_activations_are_computed_again_where_a_pass_holds_too_few() -> None:
    session = session_of(machine__gpu_memory_gib=4.0, backbone__checkpoint="facebook/wav2vec2-large")

    assert int(session.facts["memory.plain_clips"].value) < 4
    assert session.decisions["training.memory_saver"].value == "gradient-checkpointing"
    assert int(session.facts["memory.pass_clips"].value) > int(session.facts["memory.plain_clips"].value)


BILLION = {
    "backbone__checkpoint": "facebook/wav2vec2-xls-r-1b", "backbone__name": "wav2vec2", "adaptation__method": "full",
}  # fmt: skip


@pytest.mark.parametrize(
    ("gib", "gpus", "sharding", "saver"),
    [
        (16.0, None, "none", "gradient-checkpointing"),  # how many there are is unknown
        (16.0, 1, "none", "gradient-checkpointing"),
        (16.0, 4, "fsdp", "none"),
        (12.0, 4, "fsdp", "gradient-checkpointing"),
        (9.0, 2, "none", "gradient-checkpointing"),  # not even divided
        (24.0, 4, "none", "gradient-checkpointing"),  # one holds all of it, every layer computed twice
        (80.0, 4, "none", "none"),
    ],
)
def test_layers_are_divided_only_where_that_makes_the_model_fit(
    gib: float, gpus: int | None, sharding: str, saver: str
) -> None:
    session = session_of(**BILLION, machine__gpu_memory_gib=gib, machine__gpus=gpus)
    chosen = session.decisions

    assert (chosen["compute.sharding"].value, chosen["training.memory_saver"].value) == (sharding, saver)
    if sharding == "fsdp":
        assert chosen["augmentation.mixing"].value == "avoid", "the trainer refuses to mix clips of two processes"
        assert int(session.facts["memory.whole_clips"].value) == 0
        assert int(session.facts["memory.pass_clips"].value) > 0
        assert f"divided between {gpus} GPUs" in how(session, "memory.pass_clips").render()


def test_several_gpus_make_room_for_full_fine_tuning_by_dividing_it() -> None:
    said = {"backbone__size": "billion", "dataset__clips": 60000, "dataset__hours": 90.0,
            "machine__gpu_memory_gib": 16.0}  # fmt: skip
    alone, four = (session_of(**said, machine__gpus=gpus) for gpus in (1, 4))

    assert [one.facts["machine.allows_full_finetuning"].value for one in (alone, four)] == [False, True]
    assert "divided between 4 GPUs" in four.facts["memory.full_billion_clips"].evidence[0].text


@pytest.mark.parametrize("changes", [{"task__type": "regression"}, {"machine__bf16": False}])
def test_what_cannot_be_divided_is_not_recommended_to_be(changes: dict[str, Any]) -> None:
    session = session_of(**BILLION, machine__gpu_memory_gib=16.0, machine__gpus=4, **changes)
    assert session.decisions["compute.sharding"].value == "none"


@settings(max_examples=25, deadline=None)
@given(
    clips=st.integers(1, 200_000), gib=st.sampled_from([0.5, 6.0, 12.0, 24.0, 80.0]), hours=st.floats(0.01, 500),
    gpu=st.sampled_from(["t4", "a100", None]), budget=st.sampled_from([None, 0.1, 10.0]),
    gpus=st.sampled_from([None, 1, 8]),
)  # fmt: skip
def test_the_naive_evaluator_estimates_the_same(
    clips: int, gib: float, hours: float, gpu: str | None, budget: float | None, gpus: int | None
) -> None:
    said = {**PROJECT, "dataset.clips": clips, "machine.gpu_memory_gib": gib, "dataset.hours": hours,
            "machine.accelerator": gpu, "task.budget_hours": budget, "machine.gpus": gpus}  # fmt: skip
    session = consult(KNOWLEDGE, facts_of(said), packs=("plan",))
    by_attribute = concluding(RULES)
    givens = admit(KNOWLEDGE.vocabulary, by_attribute, facts_of(said), (), {})
    reference = Reference(KNOWLEDGE.vocabulary, by_attribute, givens.facts).everything()

    assert {name: fact.value for name, fact in reference.items()} == {
        name: fact.value for name, fact in session.facts.items()
    }


def test_a_rule_about_an_estimate_runs_after_all_that_it_rests_on() -> None:
    late = concluded_parts(KNOWLEDGE.vocabulary, concluding(RULES))
    level = {name: stratum.level for stratum in stratify(RULES, late) for name in stratum.settles}

    assert "training.epochs" in late["time.budget_over_low"]
    assert all(level[part] < level["finding.over-budget"] for part in late["time.budget_over_low"])
    assert all(level[part] < level["training.accumulation"] for part in late["memory.batch_share"])


def test_an_estimate_that_would_decide_what_it_rests_on_is_a_circle() -> None:
    rule = next(rule for rule in RULES if rule.id == "accumulation.eight-for-full-large")
    from dataclasses import replace

    from knowledge.rulebook import Conclusion

    wrong = replace(rule, then=Conclusion("recommend", "training.batch_size", 8))
    rules = [*(one for one in RULES if one.then.attribute != "training.batch_size"), wrong]
    with pytest.raises(KnowledgeError, match="circle"):
        stratify(rules, concluded_parts(KNOWLEDGE.vocabulary, concluding(rules)))


def test_suppositions_tell_no_estimates() -> None:
    changes = Sweep(session_of()).changes({"dataset.hours": 70.0})

    assert not [change for change in changes if change.attribute.startswith("time.")]


def test_full_fine_tuning_rests_on_memory_and_on_hours() -> None:
    """60 000 clips carry it and the memory has room; hours decide once a limit is given."""
    many = {"dataset__clips": 60000, "dataset__hours": 90.0}
    hours = float(session_of(**many).facts["time.full_hours"].value)
    free, enough, few = (session_of(**many, task__budget_hours=budget) for budget in (None, hours * 1.01, hours * 0.99))

    assert [session.decisions["adaptation.method"].value for session in (free, enough, few)] == ["full", "full", "lora"]
    assert [session.facts["machine.allows_full_finetuning"].value for session in (free, enough, few)] == [
        True, True, False,
    ]  # fmt: skip
    told = how(few, "machine.allows_full_finetuning").render()
    assert "even in eight epochs" in told
    assert "is experience, not measured" in told


def test_hours_alone_do_not_allow_what_the_memory_does_not() -> None:
    session = session_of(dataset__clips=60000, dataset__hours=90.0, machine__gpu_memory_gib=3.0, task__budget_hours=1e6)

    assert session.facts["machine.allows_full_finetuning"].value is False


def test_full_fine_tuning_is_held_against_the_fewest_epochs_that_it_is_given() -> None:
    estimate = KNOWLEDGE.vocabulary.entries["time.full_hours"].estimated
    given_epochs = [rule.then.value for rule in KNOWLEDGE.table("duration-adapted")]

    assert estimate is not None
    assert estimate.assumes["training.epochs"] == min(given_epochs)
    cropped = KNOWLEDGE.vocabulary.entries["memory.full_large_clips"].fits
    assert cropped is not None
    assert estimate.assumes["data.max_seconds"] == cropped.cropped_seconds


def test_an_assumption_that_nothing_can_be_is_refused(tmp_path: Path) -> None:
    text = (
        "- {fact: time.some_hours, type: number, means: Hours., supplied_by: [rule], estimated: "
        "{what: training-hours, needs: [dataset.clips], assumes: {adaptation.method: wholly}}}\n"
    )
    with pytest.raises(KnowledgeError, match=r"time\.some_hours.*adaptation\.method.*'wholly'"):
        load_knowledge(folder(tmp_path, vocabulary__time=text))


def test_while_the_longest_clip_is_unknown_a_typical_one_bounds_it() -> None:
    """Words of a second are not taken for clips of ten, which would cut a batch of 32 into passes."""
    unknown, typical = (
        session_of(dataset__duration_max_seconds=None, dataset__duration_median_seconds=median) for median in (None, 1)
    )

    assert "clips of 10 s, a length that is assumed" in unknown.facts["memory.pass_clips"].evidence[0].text
    assert "clips of 4 s, a length that is assumed" in typical.facts["memory.pass_clips"].evidence[0].text
    assert int(typical.facts["memory.pass_clips"].value) > int(unknown.facts["memory.pass_clips"].value)
