"""How far the worst of several evaluation sets lies behind their mean; needs sets that were scored side by side."""

from __future__ import annotations

import numpy as np

from knowledge.records import Evidence, Measured

from .measuring import known, unknown
from .series import RunSeries, Series, is_share
from .skill import oriented
from .statistics import smoothed, tail

_NAMES = ("run.evaluation_sets", "run.worst_set_behind")
_PREFIX = "val:"


def groups(run: RunSeries) -> Measured:
    """Score of the worst set below the mean of all at the end, in points of the metric."""
    by_metric: dict[str, list[Series]] = {}
    for series in run.series:
        if series.split.startswith(_PREFIX) and is_share(series.metric) and len(series.finite()):
            by_metric.setdefault(series.metric, []).append(series.finite())
    if not by_metric:
        return unknown("only one evaluation set was scored", *_NAMES)
    sets = max(by_metric.values(), key=len)
    ends = {one.split.removeprefix(_PREFIX): tail(smoothed(oriented(one))) for one in sets}
    worst, mean = min(ends, key=lambda name: ends[name]), float(np.mean(list(ends.values())))
    text = Evidence(f"{sets[0].metric} {ends[worst]:.3g} on {worst}, {mean:.3g} on average over {len(ends)} sets")
    return known(_NAMES[0], len(ends), n=len(sets[0])) + known(
        _NAMES[1], mean - ends[worst], n=min(map(len, sets)), evidence=[text]
    )
