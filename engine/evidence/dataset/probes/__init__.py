"""Probes: what content-free conditions tell of the labels, what leakage costs, which labels a model doubts.

`measure_probes(dataset, scan, copies)` gives the facts; rules judge them.
"""

from .measurement import measure_probes
from .minimums import Minimums

__all__ = ["Minimums", "measure_probes"]
