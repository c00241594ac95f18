"""Data sets as evidence: manifests and folders are read, every clip is decoded once, and facts come out.

`read_dataset` -> `scan_clips` -> `measure_dataset`, and `propose_split` where the split has to be repaired.
"""

from .clips import Clip, Scan, merge_scans
from .manifest import read_dataset
from .measurement import measure_dataset
from .near import NearPair, find_near
from .records import Columns, Dataset, Region, Row
from .repair import SplitProposal, propose_split
from .repaired_manifest import write_manifest
from .scan import scan_clips
from .scan_cache import default_cache

__all__ = [
    "Clip",
    "Columns",
    "Dataset",
    "NearPair",
    "Region",
    "Row",
    "Scan",
    "SplitProposal",
    "default_cache",
    "find_near",
    "measure_dataset",
    "merge_scans",
    "propose_split",
    "read_dataset",
    "scan_clips",
    "write_manifest",
]
