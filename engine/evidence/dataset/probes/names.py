"""How well a field of the file names tells voices or recorders that no column keeps apart; concludes nothing.

A take or a fold sounds like any other; what is still known by its sound in clips of labels that it was never heard with
is a speaker, a microphone or a session. Where nothing is the label but what is said is known, that stands for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from knowledge.records import Measured

from ..coded import different
from ..counting import measured, unknown
from ..name_fields import columns_of_names
from .gather import Floats, Integers, Probed
from .linear import FOLDS, balanced_accuracy, discriminant, grouped_folds, standardised
from .minimums import Minimums

_MOST_VALUES = 200
"""Of more a random part is asked: what their probe takes grows with their number, and what it tells does not."""
_SEED = 20261122
NAMES = "dataset.name_group_field dataset.name_group_values dataset.name_group_skill"


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    values: tuple[str, ...]
    skill: float
    """0 = chance, 1 = all known."""


def measure_names(probed: Probed, least: Minimums) -> Measured:
    """Return the field that is told best, its values, and how well; of no field where a column holds the groups."""
    if not probed.cepstra.shape[1]:
        return Measured(unknown=unknown(NAMES, "the scan holds no cepstra"))
    if probed.grouped:
        return _told(None, probed, f"the column {probed.dataset.columns.group} says whose clips they are")
    paths = [probed.dataset.paths[place] for place in probed.places.tolist()]
    features = standardised(probed.cepstra)
    judged = (_judge(name, cells, probed, features, least) for name, cells in columns_of_names(paths).items())
    fields = [field for field in judged if field is not None]
    best = max(fields, key=lambda field: field.skill, default=None)
    return _told(best, probed, "no field of the file names has values that come back under several labels")


def _told(field: _Field | None, probed: Probed, otherwise: str) -> Measured:
    n = len(probed)
    name, values, skill = ("none", 0, 0.0) if field is None else (field.name, len(field.values), field.skill)
    shown = ", ".join(field.values[:9]) + (" ..." if values > 9 else "") if field else ""
    texts = [f"{name} of the paths: {shown}"] if field else [otherwise]
    return Measured(
        (
            measured("dataset.name_group_field", name, n, texts),
            measured("dataset.name_group_values", values, n, texts),
            measured("dataset.name_group_skill", max(0.0, skill), n, texts),
        )
    )


def _judge(name: str, cells: tuple[str, ...], probed: Probed, features: Floats, least: Minimums) -> _Field | None:
    """Return how well the values are told in labels that they were not learned from; None where that cannot be asked.

    Each value needs clips enough of at least two labels, and such values must make up most of the set.
    """
    names, codes = np.unique(np.array(cells, dtype=object).astype(str), return_inverse=True)
    if not 1 < len(names) <= len(cells) / least.class_clips:
        return None
    span = int(probed.codes.max()) + 1
    labels = np.bincount(different(codes * span + probed.codes) // span, minlength=len(names))
    asked = (np.bincount(codes) >= least.class_clips) & (labels > 1) & (names != "")
    kept = np.flatnonzero(asked[codes])
    if asked.sum() < 2 or 2 * len(kept) < len(codes):
        return None
    sure = names[asked].tolist()
    if len(sure) > _MOST_VALUES:
        some = np.random.default_rng(_SEED).choice(np.flatnonzero(asked), _MOST_VALUES, replace=False)
        asked = np.isin(np.arange(len(names)), some)
        kept = np.flatnonzero(asked[codes])
    own = np.unique(codes[kept], return_inverse=True)[1].astype(np.int64)
    known = _known(own, probed.codes[kept], features[kept])
    chance = 1 / int(asked.sum())
    return _Field(name, tuple(sure), (known - chance) / (1 - chance))


def _known(values: Integers, labels: Integers, features: Floats) -> float:
    """Return the balanced accuracy in labels that are left out; a value that a fold never learned cannot be told."""
    folds = grouped_folds(labels, min(FOLDS, len(different(labels))))
    with np.errstate(invalid="ignore"):
        posterior = discriminant(features, values, folds)
    return balanced_accuracy(values, np.where(np.isnan(posterior), -np.inf, posterior).argmax(axis=1))
