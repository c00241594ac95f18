"""Boxes against brute force: containment and overlap mean what conditions say."""

from hypothesis import given, settings
from hypothesis import strategies as st

from expert.boxes import OTHER, Partition, admits, branches, contains, is_satisfiable, overlap, refines
from knowledge.conditions import Condition
from knowledge.rulebook import Rule

from . import strategies
from .builders import entry, rule, vocabulary

WORDS = vocabulary(
    entry("in.x", range=(0, 10)),
    entry("in.n", "integer", range=(0, None)),
    entry("in.kind", "choice", values=("a", "b", "c")),
    entry("in.text", "text"),
    entry("in.flag", "boolean"),
    entry("out.c", "boolean", "decision"),
)


def made(*when: dict[str, object]) -> Rule:
    return rule(WORDS, "a.rule", list(when), {"recommend": {"out.c": True}})


def conditions(*when: dict[str, object]) -> list[Condition]:
    return list(made(*when).conditions)


def test_cells_stand_for_every_region_that_thresholds_cut() -> None:
    space = Partition(conditions({"in.x": "> 2"}, {"in.x": "<= 8"}))

    assert space.cells["in.x"] == (0.0, 2.0, 5.0, 8.0, 16.0, None)


def test_cells_hold_only_values_that_the_fact_can_take() -> None:
    space = Partition(
        conditions({"in.x": "> 2"}, {"in.n": "> 2.5"}, {"in.kind": "a"}, {"in.text": "t"}, {"none": "in.flag"}), WORDS
    )

    assert space.cells == {
        "in.x": (0.0, 2.0, 4.0, 10.0, None),
        "in.n": (0, 1, 2, 3, 4, None),
        "in.kind": ("a", "b", "c", None),
        "in.text": ("t", OTHER, None),
        "in.flag": (True, False, None),
    }


def test_a_special_case_refines_the_general_one() -> None:
    wide, narrow = made({"in.x": "> 1"}), made({"in.x": "5 .. 6"}, {"in.kind": "a"})

    assert refines(narrow, wide)
    assert not refines(wide, narrow)
    assert not refines(wide, wide)
    assert not refines(made({"in.kind": "a"}), wide)
    assert refines(made({"in.kind": "a"}), made({"in.kind": ["a", "b"]}))
    assert refines(made({"in.kind": "a"}), made({"known": "in.kind"}))
    assert refines(made({"in.kind": "a"}), made({"any": [{"in.kind": "a"}, {"in.x": "> 1"}]}))


def test_bounds_decide_at_the_threshold() -> None:
    assert refines(made({"in.x": "> 1"}), made({"in.x": ">= 1"}))
    assert not refines(made({"in.x": ">= 1"}), made({"in.x": "> 1"}))


def test_conditions_that_exclude_each_other_leave_nothing() -> None:
    rule_ = made({"in.x": "> 5"}, {"in.x": "< 2"})

    assert Partition(rule_.conditions, WORDS).boxes(rule_) == ()


def test_any_expands_without_repetition() -> None:
    (clause_a, clause_b) = made({"any": [{"in.kind": "a"}, {"in.x": 1}]}, {"in.kind": "a"}).when

    a, x = clause_a
    assert branches((clause_a, clause_b)) == ((a,), (x, a))


CONJUNCTIONS = st.lists(st.sampled_from(strategies.conditions(("in.x", "in.flag", "in.colour"), True)), max_size=3)


@settings(max_examples=200, deadline=None)
@given(CONJUNCTIONS, CONJUNCTIONS)
def test_boxes_agree_with_every_case(first: list[dict[str, object]], second: list[dict[str, object]]) -> None:
    left, right = (
        tuple(rule(strategies.WORDS, "a.r", list(when), {"recommend": {"out.flag": True}}).conditions)
        for when in (first, second)
    )
    space = Partition((*left, *right), strategies.WORDS)
    box, other = space.box(left), space.box(right)

    def holds(conjunction: tuple[Condition, ...], case: dict[str, object]) -> bool:
        return all(admits(condition, case[condition.fact]) for condition in conjunction)  # type: ignore[arg-type]

    cases: list[dict[str, object]] = [{}]
    for name, cells in space.cells.items():
        cases = [{**case, name: cell} for case in cases for cell in cells]
    in_left = [case for case in cases if holds(left, case)]
    assert is_satisfiable(box) == bool(in_left)
    assert (overlap(box, other) is not None) == any(holds(right, case) for case in in_left)
    if in_left:
        assert contains(other, box) == all(holds(right, case) for case in in_left)
