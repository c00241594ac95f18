"""Measures what probes tell of a data set into facts: the one entry to this folder; concludes nothing from them."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable

from knowledge.records import Measured

from ..clips import Scan
from ..coded import Integers
from ..counting import unknown
from ..records import Dataset
from .conditions import CONDITIONS, measure_conditions
from .confounds import CONFOUNDS, measure_confounds
from .gather import gather
from .leakage import LEAKAGE, measure_leakage
from .minimums import Minimums
from .names import NAMES, measure_names
from .raters import measure_raters
from .shift import SHIFT, measure_shift
from .suspects import SUSPECTS, measure_suspects


def measure_probes(
    dataset: Dataset, scan: Scan, copies: Integers, groups: Integers, least: Minimums | None
) -> Measured:
    """Return every fact of this folder; the arguments are those of `probe_tasks`."""
    tasks = probe_tasks(dataset, scan, copies, groups, least)
    return functools.reduce(operator.add, [task() for task in tasks])


def probe_tasks(
    dataset: Dataset, scan: Scan, copies: Integers, groups: Integers, least: Minimums | None
) -> list[Callable[[], Measured]]:
    """Return what brings the facts of this folder when it is called, each without the others.

    What they read is gathered now: children that are forked later share it.

    Args:
        dataset: the rows.
        scan: what decoding them brought.
        copies: a number for each row; exact copies share one.
        groups: a number for each row; rows that must not be parted share one.
        least: how much a probe must rest on; without it nothing is probed.
    """
    labelled = f"{CONFOUNDS} {CONDITIONS} {LEAKAGE} {SUSPECTS} {SHIFT}"
    raters = functools.partial(measure_raters, dataset)
    if not scan.clips or least is None:
        reason = "it was not said how much a probe must rest on" if scan.clips else "no audio was read"
        return [raters, lambda: Measured(unknown=unknown(f"{labelled} {NAMES}", reason))]
    probed = gather(dataset, scan, copies, groups)
    if len(probed):
        return [
            raters,
            lambda: measure_confounds(probed, least),
            lambda: measure_conditions(probed, least),
            lambda: measure_leakage(probed, dataset.task, least),
            lambda: measure_suspects(probed, dataset.task, least),
            lambda: measure_shift(probed, least),
            lambda: measure_names(probed, least),
        ]
    reason = "no clip was decoded that has a class or a score"
    said = gather(dataset, scan, copies, groups, by_text=True)
    if not len(said):
        return [raters, lambda: Measured(unknown=unknown(f"{labelled} {NAMES}", reason))]
    return [raters, lambda: measure_names(said, least), lambda: Measured(unknown=unknown(labelled, reason))]
