"""The plan consultation: complete plans, critique of choices, and what cannot be run."""

import os
import shutil
from pathlib import Path

import pytest

from engine.plan import read_plan, value_at
from expert.consultation.plan import draft_plan, facts_of_plan, launch_command, plan_text
from knowledge.errors import PlanError, UsageError
from knowledge.loader import BUILT_IN, load_knowledge
from knowledge.records import Fact, Unknown, Value

from .plan_cases import CASES, KNOWLEDGE, LARGE_GPU, MANIFEST, MOS, REACHABLE, UNREACHABLE, WORDS, draft

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("case", CASES)
def test_the_plan_is_that_of_the_golden_file(case: str) -> None:
    """TONMEISTER_UPDATE_GOLDEN=1 writes the files anew; read the difference before keeping it."""
    file = GOLDEN / f"plan-{case}.yaml"
    result = draft(CASES[case])
    assert result.plan is not None
    text = plan_text(result, launch_command(result.plan, Path(f"plan-{case}.yaml")))
    if os.environ.get("TONMEISTER_UPDATE_GOLDEN"):
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


@pytest.mark.parametrize(
    ("name", "expected"),
    [("speech", "speech"), ("my clips (2)", "my-clips-2-"), ("Gespräche", "Gespr-che"), ("_", "run")],
)
def test_any_name_becomes_that_of_a_plan(name: str, expected: str) -> None:
    facts = [Fact("task.type", "classification", "user")]

    plan = draft_plan(KNOWLEDGE, facts, manifest=MANIFEST, name=name).plan

    assert plan is not None
    assert plan.name == expected


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


@pytest.mark.parametrize(
    ("facts", "answer", "loss", "metric"),
    [
        ({"task.type": "ctc"}, "symbols", "ctc", "character-error-rate"),
        ({"task.type": "ctc", **LARGE_GPU, **REACHABLE}, "symbols", "ctc", "word-error-rate"),
        ({"task.type": "detection"}, "events", "binary-cross-entropy", "segment-f1"),
        (
            {"task.type": "classification", "task.kind": "sound-tags"},
            "tags", "binary-cross-entropy", "mean-average-precision",
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("clips", [None, 60, 600, 20000])
def test_transcripts_tags_and_events_are_planned(
    facts: dict[str, Value], answer: str, loss: str, metric: str, clips: int | None
) -> None:
    plan = draft(facts | ({} if clips is None else {"dataset.clips": clips, "dataset.imbalance_ratio": 12})).plan

    assert plan is not None
    assert (plan.answer, plan.training.loss, plan.evaluation.select_by) == (answer, loss, metric)
    assert not draft(facts).not_runnable or "would suit these recordings best" in draft(facts).not_runnable[0]
    spectral = plan.backbone.name in ("mfcc", "log-mel")
    assert answer == "tags" or not spectral or plan.head.name == "temporal"


def test_a_reference_is_left_out_and_that_is_said() -> None:
    result = draft({**MOS, "task.reference": "full-reference"})

    assert result.plan is not None
    assert "hears the degraded signal alone" in result.not_runnable[0]
    assert "Not run here yet:" in plan_text(result, "tonmeister train x.yaml")

    compared = draft({**MOS, "task.reference": "full-reference", "dataset.reference_column": "clean"})
    assert compared.plan is not None and compared.plan.data.reference_column == "clean"
    assert not any("clean reference" in text for text in compared.not_runnable)


@pytest.mark.parametrize(
    ("recommended", "said"),
    [
        ("yamnet", "yamnet, pretrained"), ("panns", "panns, pretrained"), ("beats", "beats, pretrained on AudioSet"),
    ],
)  # fmt: skip
def test_a_backbone_that_cannot_be_run_is_named(recommended: str, said: str) -> None:
    (line,) = draft({**WORDS, **LARGE_GPU, **REACHABLE}, {"backbone.recommended": recommended}).not_runnable

    assert said in line
    assert "nearest that" in line


@pytest.mark.parametrize(("recommended", "run"), [("wavlm-large", "wavlm"), ("w2v-bert-2", "w2v-bert"), ("ast", "ast")])
def test_a_backbone_that_runs_is_not_called_impossible(recommended: str, run: str) -> None:
    result = draft({**WORDS, **LARGE_GPU, **REACHABLE}, {"backbone.recommended": recommended})

    assert result.plan is not None
    assert result.plan.backbone.name == run
    assert result.not_runnable == ()


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
