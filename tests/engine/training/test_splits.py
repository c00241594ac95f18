from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.evidence.dataset import Region
from engine.plan import Plan, make_plan
from engine.training.items import Item
from engine.training.splits import Parts, folds_of, natural, parts_of
from knowledge.errors import InputError, PlanError, UsageError


def plan_of(protocol: str, *, group: bool = True, regression: bool = False, seed: int = 0, **data: float) -> Plan:
    content = {
        "task": {"type": "regression" if regression else "classification"},
        "data": {"manifest": "clips.csv", "protocol": protocol, "group_column": "speaker" if group else None, **data},
        "training": {"loss": "mse" if regression else "cross-entropy", "seed": seed},
    }
    return make_plan(content, "test")


def items_of(groups: list[str], targets: list[float], splits: list[str] | None = None) -> list[Item]:
    return [
        Item(
            n,
            f"{n}.wav",
            Region(Path(f"{n}.wav")),
            f"{t:g}",
            t,
            g,
            splits[n] if splits else "",
            f"fold {int(t)}",
            n + 2,
        )
        for n, (g, t) in enumerate(zip(groups, targets, strict=True))
    ]


def groups_in(part: tuple[Item, ...]) -> set[str]:
    return {item.group for item in part}


@st.composite
def grouped(draw: st.DrawFn) -> list[Item]:
    groups = draw(st.integers(3, 12))
    clips = draw(st.lists(st.tuples(st.integers(0, groups - 1), st.integers(0, 3)), min_size=3 * groups, max_size=90))
    clips += [(group, group % 4) for group in range(groups)]
    return items_of([f"g{group}" for group, _ in clips], [float(target) for _, target in clips])


@settings(deadline=None, max_examples=40)
@given(grouped(), st.integers(0, 5), st.sampled_from([0.1, 0.2, 0.3]))
def test_no_group_is_in_two_parts_of_a_group_disjoint_split(items: list[Item], seed: int, share: float) -> None:
    plan = plan_of("group-disjoint-split", seed=seed, validation_share=share)
    parts = parts_of(items, plan)
    seen = [groups_in(part) for part in (parts.train, parts.validation, parts.held_out)]

    assert not seen[0] & seen[1] and not seen[0] & seen[2] and not seen[1] & seen[2]
    assert sum(len(part) for part in vars(parts).values()) == len(items)
    assert parts == parts_of(items, plan)


@settings(deadline=None, max_examples=40)
@given(grouped(), st.integers(0, 5))
def test_no_fold_mixes_groups_and_every_clip_is_held_out_once(items: list[Item], seed: int) -> None:
    folds = folds_of(items, plan_of("leave-one-group-out", seed=seed), "leave-one-group-out")

    for value, parts in folds.items():
        assert groups_in(parts.held_out) == {value}
        assert not groups_in(parts.train) & groups_in(parts.validation)
        assert value not in groups_in(parts.train) | groups_in(parts.validation)
        assert parts.train and parts.validation
        assert sum(len(part) for part in vars(parts).values()) == len(items)
    held_out = [item.index for parts in folds.values() for item in parts.held_out]
    assert sorted(held_out) == [item.index for item in items]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 3), min_size=20, max_size=200), st.integers(0, 5))
def test_a_stratified_split_holds_every_class_alike(labels: list[int], seed: int) -> None:
    items = items_of(["" for _ in labels], [float(label) for label in labels])
    plan = plan_of("random-stratified-split", group=False, seed=seed, validation_share=0.25, test_share=0.0)
    parts = parts_of(items, plan)
    all_of, held_out = Counter(labels), Counter(int(item.target) for item in parts.validation)

    assert {int(item.target) for item in parts.train} == set(labels)
    assert all(abs(held_out[label] - 0.25 * count) <= 1 for label, count in all_of.items())


def test_scores_are_stratified_by_their_rank() -> None:
    items = items_of([""] * 100, [float(n) ** 2 for n in range(100)])
    plan = plan_of("random-stratified-split", group=False, regression=True, validation_share=0.2, test_share=0.0)
    ranks = [item.index // 20 for item in parts_of(items, plan).validation]

    assert Counter(ranks) == dict.fromkeys(range(5), 4)


def test_a_given_split_is_taken_as_it_is() -> None:
    items = items_of(["a", "b", "c", "d"], [0, 1, 0, 1], ["train", "train", "val", "test"])
    parts = parts_of(items, plan_of("given-split"))

    assert [[item.index for item in part] for part in vars(parts).values()] == [[0, 1], [2], [3]]


def test_without_a_validation_split_whole_groups_of_the_training_part_are_held_out() -> None:
    groups = [f"g{n // 4}" for n in range(40)]
    splits = ["test" if n < 8 else "train" for n in range(40)]
    parts = parts_of(items_of(groups, [float(n % 2) for n in range(40)], splits), plan_of("given-split"))

    assert not groups_in(parts.train) & groups_in(parts.validation)
    assert [item.index for item in parts.held_out] == list(range(8))
    assert 1 <= len(groups_in(parts.validation)) <= 2


def test_folds_leave_a_given_test_split_closed() -> None:
    groups = [f"g{n % 5}" for n in range(40)]
    splits = ["test" if n % 5 == 0 else "train" for n in range(40)]
    items = items_of(groups, [float(n // 20) for n in range(40)], splits)
    folds = folds_of(items, plan_of("given-split"), "leave-one-group-out")

    assert sorted(folds) == ["g1", "g2", "g3", "g4"]
    assert all(item.split == "train" for parts in folds.values() for part in vars(parts).values() for item in part)


def test_a_group_in_two_folds_is_refused() -> None:
    items = items_of(["a", "a", "b", "b"], [0, 1, 0, 0])
    with pytest.raises(InputError, match="the group a lies in the folds fold 0 and fold 1"):
        folds_of(items, plan_of("given-split"), "fold")


def test_the_validation_part_of_a_fold_depends_on_the_seed() -> None:
    items = items_of([f"g{n % 12}" for n in range(120)], [float(n // 12 % 2) for n in range(120)])
    chosen = {
        frozenset(
            groups_in(
                folds_of(items, plan_of("leave-one-group-out", seed=seed), "leave-one-group-out")["g0"].validation
            )
        )
        for seed in range(6)
    }
    assert len(chosen) > 1


@pytest.mark.parametrize(
    ("plan", "items", "kind", "words"),
    [
        (plan_of("given-split"), items_of(["a", "b"], [0, 1]), InputError, "no row belongs to a training split"),
        (plan_of("group-disjoint-split", group=False), items_of(["", ""], [0, 1]), PlanError, "group_column"),
        (plan_of("leave-one-group-out"), items_of(["a", "b"], [0, 1]), PlanError, "use --folds"),
        (plan_of("group-disjoint-split"), items_of(["a"] * 4, [0, 1, 0, 1]), InputError, "only 1 group"),
    ],
)  # fmt: skip
def test_a_protocol_that_cannot_be_followed_is_refused(plan: Plan, items: list[Item], kind: type, words: str) -> None:
    with pytest.raises(kind, match=words):
        parts_of(items, plan)


def test_one_fold_is_no_cross_validation() -> None:
    with pytest.raises(UsageError, match="1 fold, expected at least 2"):
        folds_of(items_of(["a", "a"], [0, 1]), plan_of("leave-one-group-out"), "leave-one-group-out")


def test_parts_can_be_thinned() -> None:
    items = tuple(items_of(["a", "b", "c"], [0, 1, 2]))

    assert Parts(items[:2], items[2:], ()).only(lambda item: item.index != 0) == Parts((items[1],), (items[2],), ())


@pytest.mark.parametrize(("text", "after"), [("fold 2", "fold 10"), ("9", "10"), ("a", "b"), ("3", "a")])
def test_names_are_sorted_as_people_count(text: str, after: str) -> None:
    assert sorted([after, text], key=natural) == [text, after]
