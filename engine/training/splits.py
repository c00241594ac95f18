"""Divides labelled clips into training, validation and held-out parts by the plan's protocol; opens no audio.

Nothing here may look at a held-out part: validation clips come from the training part alone, and where groups are
known, no group is in two parts. Equal seeds give equal parts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from string import digits

import numpy as np

from engine.evidence.dataset.assignment import assign
from engine.plan import Plan
from engine.plan_sections import Data
from knowledge.errors import InputError, PlanError, UsageError

from .items import Item

LEAVE_ONE_GROUP_OUT = "leave-one-group-out"
_SCORE_STRATA = 5
"""Equally filled bins of a score that a stratified part holds alike; fewer clips than this a bin say nothing."""


@dataclass(frozen=True)
class Parts:
    """The clips of each part, in the order of the manifest."""

    train: tuple[Item, ...]
    validation: tuple[Item, ...]
    held_out: tuple[Item, ...]
    """The test split, or the clips of one fold."""

    def only(self, keep: Callable[[Item], bool]) -> Parts:
        """Return the parts without the clips that are not to be kept."""
        return Parts(*(tuple(item for item in part if keep(item)) for part in vars(self).values()))


def parts_of(items: Sequence[Item], plan: Plan) -> Parts:
    """Divide by `data.protocol`.

    Raises:
        PlanError: the protocol needs a column that the manifest does not have, or is cross-validation.
        InputError: a part comes out empty.
    """
    data, seed = plan.data, _seed_of(plan)
    if data.protocol == LEAVE_ONE_GROUP_OUT:
        raise PlanError("data.protocol is leave-one-group-out, which trains one model a group: use --folds")
    if data.protocol == "given-split":
        return _given(items, plan)
    held_out: Sequence[Item] = ()
    rest: Sequence[Item] = items
    if data.test_share:
        rest, held_out = _hold_out(items, data.test_share, plan, seed)
    train, validation = _hold_out(rest, data.validation_share, plan, seed + 1)
    return _checked(Parts(tuple(train), tuple(validation), tuple(held_out)), data)


def folds_of(items: Sequence[Item], plan: Plan, folds: str) -> dict[str, Parts]:
    """Return the parts of every fold by the value that is held out; `folds` is a column or leave-one-group-out.

    Where the plan says `given-split`, the test split belongs to no fold: cross-validation leaves it closed.

    Raises:
        PlanError, UsageError: there is no group column, or fewer than two folds.
        InputError: a group lies in several folds, or a clip in none.
    """
    if plan.data.protocol == "given-split":
        items = [item for item in items if item.split != "test"]
    if folds == LEAVE_ONE_GROUP_OUT:
        if plan.data.group_column is None:
            raise PlanError("folds are leave-one-group-out, so data.group_column must be given")
        items = [replace(item, fold=item.group) for item in items]
    _check_folds(items, plan, folds)
    return {value: _fold(items, value, plan) for value in sorted({item.fold for item in items}, key=natural)}


def _fold(items: Sequence[Item], value: str, plan: Plan) -> Parts:
    held_out = tuple(item for item in items if item.fold == value)
    rest = [item for item in items if item.fold != value]
    train, validation = _hold_out(rest, plan.data.validation_share, plan, _seed_of(plan) + 1)
    return _checked(Parts(tuple(train), tuple(validation), held_out), plan.data)


def _check_folds(items: Sequence[Item], plan: Plan, folds: str) -> None:
    nowhere = [item for item in items if not item.fold]
    if nowhere:
        raise InputError(
            f"{plan.data.manifest}:{nowhere[0].line}: no fold in the column {folds} for {nowhere[0].path} "
            f"({len(nowhere)} such rows)"
        )
    if len({item.fold for item in items}) < 2:
        raise UsageError(f"--folds {folds}: {len({item.fold for item in items})} fold, expected at least 2")
    if plan.data.group_column is None:
        return
    seen: dict[str, str] = {}
    for item in items:
        if item.group and seen.setdefault(item.group, item.fold) != item.fold:
            raise InputError(
                f"{plan.data.manifest}:{item.line}: the group {item.group} lies in the folds {seen[item.group]} and "
                f"{item.fold}; expected every group in one fold",
                hint="Otherwise a model is scored on groups that it was trained on.",
            )


def _given(items: Sequence[Item], plan: Plan) -> Parts:
    by_split = {name: [item for item in items if item.split == name] for name in ("train", "val", "test")}
    if not by_split["train"]:
        raise InputError(
            f"{plan.data.manifest}: data.protocol is given-split, and no row belongs to a training split",
            hint="Name the column with data.split_column, or set data.protocol to group-disjoint-split or "
            "random-stratified-split.",
        )
    train, validation = by_split["train"], by_split["val"]
    if not validation:
        train, validation = _hold_out(train, plan.data.validation_share, plan, _seed_of(plan) + 1)
    return _checked(Parts(tuple(train), tuple(validation), tuple(by_split["test"])), plan.data)


def _hold_out(items: Sequence[Item], share: float, plan: Plan, seed: int) -> tuple[list[Item], list[Item]]:
    """Return (what stays, what is held out): whole groups where the plan names them, unless it asks for random."""
    by_group = plan.data.protocol != "random-stratified-split" and plan.data.group_column is not None
    if plan.data.protocol == "group-disjoint-split" and not by_group:
        raise PlanError("data.protocol is group-disjoint-split, so data.group_column must be given")
    strata = _strata(items, plan.answer not in ("score", "symbols"))
    held_out = _whole_groups(items, strata, share, seed) if by_group else _stratified(strata, share, seed)
    return [x for x, out in zip(items, held_out, strict=True) if not out], [
        x for x, out in zip(items, held_out, strict=True) if out
    ]


def _strata(items: Sequence[Item], classes: bool) -> list[int]:
    """Number the stratum of each clip: its class, or a bin of its score."""
    targets = np.array([item.target for item in items])
    if classes:
        return [int(target) for target in targets]
    ranks = targets.argsort(kind="stable").argsort(kind="stable")
    return [int(rank) * _SCORE_STRATA // max(len(items), 1) for rank in ranks]


def _stratified(strata: Sequence[int], share: float, seed: int) -> list[bool]:
    """Hold out `share` of every stratum, drawn at random; every stratum keeps a clip for training."""
    random, held_out = np.random.default_rng(seed), [False] * len(strata)
    for stratum in sorted(set(strata)):
        members = random.permutation([place for place, own in enumerate(strata) if own == stratum])
        for place in members[: min(max(round(share * len(members)), 1), len(members) - 1)]:
            held_out[place] = True
    return held_out


def _whole_groups(items: Sequence[Item], strata: Sequence[int], share: float, seed: int) -> list[bool]:
    """Hold out whole groups of about `share` of the clips, with labels as even as groups allow.

    Clips without a group are groups of their own: nothing is known that ties them to others.
    """
    names = [item.group or f"\0{item.index}" for item in items]
    groups = [str(name) for name in np.random.default_rng(seed).permutation(sorted(set(names)))]
    if len(groups) < 2:
        raise InputError(f"only {len(groups)} group in a part of {len(items)} clips, expected at least 2 to divide it")
    place = {name: number for number, name in enumerate(groups)}
    counts = np.zeros((len(groups), max(strata) + 2), dtype=np.int64)
    for name, stratum in zip(names, strata, strict=True):
        counts[place[name], stratum] += 1
    counts[:, -1] = counts.sum(axis=1)
    required = np.zeros((2, counts.shape[1]), dtype=bool)
    required[0] = counts.sum(axis=0) > 0
    required[1, -1] = True
    chosen = assign(counts, (1 - share, share), required).splits
    if not chosen.any():  # every group has a class of its own; `check_classes` will name what training then lacks
        chosen[counts[:, -1].argmin()] = 1
    return [bool(chosen[place[name]]) for name in names]


def _seed_of(plan: Plan) -> int:
    """Return what the parts are drawn by."""
    return plan.training.seed if plan.data.split_seed is None else plan.data.split_seed


def _checked(parts: Parts, data: Data) -> Parts:
    for name in ("train", "validation"):
        if not getattr(parts, name):
            raise InputError(f"{data.manifest}: no clip is left for {name}; expected at least one")
    return parts


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sorting key under which `10` comes after `9`."""
    pieces = (piece for piece in re.split(r"([0-9]+)", text) if piece)
    return tuple((0, int(piece), "") if piece[0] in digits else (1, 0, piece) for piece in pieces)
