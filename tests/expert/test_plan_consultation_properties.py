"""No answers and no choices, drawn from the vocabulary at and beside every threshold, crash or give an invalid plan."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.plan import value_at
from expert.consultation.plan import plan_text
from knowledge.errors import PlanError
from knowledge.records import Value
from knowledge.vocabulary import Entry

from .plan_cases import KNOWLEDGE, UNSETTLED, draft


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
    if (entry.kind == "fact" or entry.ask) and {"user", "audit", "machine"} & set(entry.supplied_by)
    and any(condition.fact == name for rule in KNOWLEDGE.pack("plan") for condition in rule.conditions)
}  # fmt: skip
DECISIONS = {name: entry for name, entry in KNOWLEDGE.vocabulary.entries.items() if entry.kind == "decision"}


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.fixed_dictionaries({}, optional={name: values_of(entry) for name, entry in ANSWERABLE.items()}))
def test_no_answers_crash_or_give_an_invalid_plan(answers: dict[str, Value]) -> None:
    if answers.get("dataset.reference_column") and answers.get("task.type") in ("ctc", "detection"):
        assert draft(answers).plan is None  # a sequence is of one signal; a finding says so
        return
    scale = answers.get("task.label_low"), answers.get("task.label_high")
    upside_down = None not in scale and float(scale[0]) >= float(scale[1])  # type: ignore[arg-type]
    if upside_down and answers.get("task.type"):
        with pytest.raises(PlanError, match=r"output\.low"):
            draft(answers)
        return

    result = draft(answers)

    if not answers.get("task.type"):
        assert result.plan is None
        return
    assert result.plan is not None
    if answers["task.type"] in ("classification", "regression"):  # a sequence has nothing to pool and no scale
        assert set(DECISIONS) - UNSETTLED <= set(result.session.decisions)
    pretrained = result.plan.backbone.name not in ("mfcc", "log-mel")
    assert pretrained == (result.plan.backbone.checkpoint is not None)
    if result.plan.data.protocol in ("group-disjoint-split", "leave-one-group-out"):
        assert result.plan.data.group_column is not None
    if result.plan.data.protocol == "given-split":
        assert result.plan.data.split_column is not None
    plan_text(result, "tonmeister train x.yaml")


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
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
