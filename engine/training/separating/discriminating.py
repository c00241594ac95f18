"""ABX before and after fine-tuning: does the encoder still tell apart what it told apart? Judges nothing.

On the run's own validation clips it is a separating test; on another data set, such as the sounds of the task that the
backbone came from, a probe of what was forgotten (S002). Both write the same outcome, which `diagnose` reasons with.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from engine.discrimination import Discrimination, abx, alignment_distances
from engine.evidence.dataset.manifest import read_dataset
from engine.plan import Plan, read_plan
from engine.separating import Outcome, outcome_folder, write_outcome
from engine.significance import sign_flip
from knowledge.errors import InputError, UsageError

from ..checkpoints import BEST, read_checkpoint
from ..items import Item
from ..model import AudioModel, build_model
from ..representing import frames_of, model_of
from .bench import Bench

NAME = "abx"
FACT = "predictions.discrimination_spread_share"
_CLIPS = 180
"""16,110 pairs: some seconds of one core."""


def discrimination(bench: Bench) -> Outcome:
    """Compare the encoder before and after on the run's own validation clips."""
    if not (bench.run / "checkpoints" / BEST).exists():
        return _not_known("the run left no checkpoint")
    if bench.plan.answer not in ("class", "vector"):
        return _not_known("its clips have no class of their own")
    return compared(bench.run, bench.plan, bench.parts.validation)


def discriminate(run: Path, manifest: Path, label: str | None, group: str | None) -> Path:
    """Compare on another data set, write the outcome into the run directory, and return its path.

    Raises:
        InputError: the run has no checkpoint, or the manifest no clip with a label.
        UsageError: a column does not exist.
    """
    dataset = read_dataset(manifest, label=label, group=group, task="classification")
    items = tuple(
        Item(row.place, row.path, row.region, row.label, 0.0, row.group, row.split, row.fold, row.line)
        for row in dataset.rows
        if row.region is not None and row.label
    )
    if not items:
        raise InputError(f"{manifest}: none of its rows has a file and a label")
    outcome_folder(run, NAME).mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    found = compared(run, read_plan(run / "plan.yaml"), items)
    return write_outcome(run, replace(found, seconds=round(time.monotonic() - began, 3)))


def compared(run: Path, plan: Plan, items: Sequence[Item]) -> Outcome:
    """Return how the spread of the deltas changed, and in words all else.

    Raises:
        InputError: a clip cannot be decoded.
        UsageError: the run compares clips with references, so that no clip stands for itself.
    """
    if plan.data.reference_column is not None:
        raise UsageError("data.reference_column: this encoder's frames are of pairs, and ABX compares single clips")
    after = model_of(run)
    if after.encoder_is_frozen and plan.training.stages == "one":
        return _not_known("nothing of its encoder learnt, so it tells apart what it told apart before")
    _, notes = read_checkpoint(run / "checkpoints" / BEST)
    before = build_model(plan, classes=len(notes["classes"]) or None, seed=plan.training.seed).eval()
    chosen = _spread(items)
    old, new = (_told_apart(model, plan, chosen) for model in (before, after))
    if not len(old.deltas) or not old.deltas.std() > 0:
        return _not_known("no two classes have enough clips of one group, two of one of them at least")
    share = float(new.deltas.std() / old.deltas.std())
    return Outcome(NAME, {FACT: share}, _shown(old, new, len(chosen)), {}, len(chosen))


def _told_apart(model: AudioModel, plan: Plan, items: Sequence[Item]) -> Discrimination:
    distances = alignment_distances(frames_of(model, plan, items))
    return abx(distances, [item.label for item in items], [item.group for item in items])


def _spread(items: Sequence[Item]) -> list[Item]:
    """Return some clips, evenly over groups and classes."""
    ranked = sorted(items, key=lambda item: (item.group, item.label, item.index))
    places = np.unique(np.linspace(0, len(ranked) - 1, min(_CLIPS, len(ranked))).round().astype(int))
    return [ranked[int(place)] for place in places]


def _shown(old: Discrimination, new: Discrimination, clips: int) -> tuple[str, ...]:
    lines = [
        f"{clips} clips, {len(old.deltas)} triples: ABX {old.score:.3f} before and {new.score:.3f} after, "
        f"deltas {old.deltas.mean():.4f} ± {old.deltas.std():.4f} and {new.deltas.mean():.4f} ± {new.deltas.std():.4f}"
    ]
    first, second = old.by_speaker(), new.by_speaker()
    if len(first) > 1:
        found = asdict(sign_flip([second[group] for group in first], list(first.values())))
        lines.append(
            f"over {found['pairs']} groups the score changes by {found['difference']:+.3f}, p = {found['p_value']:.3f} "
            f"by flipped signs, and so few groups cannot give less than {found['smallest_p']:.3f}"
        )
    return tuple(lines)


def _not_known(reason: str) -> Outcome:
    return Outcome(NAME, {}, (), {FACT: reason})
