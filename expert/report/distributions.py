"""How the measures of clips are spread in the whole set, in each split, class and group; counts, judges nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from engine.evidence.dataset.coded import different, quantiles
from engine.evidence.dataset.records import SPLITS

from .document import Document, Heading, Paragraph, Table

if TYPE_CHECKING:
    from engine.evidence.dataset.coded import Coded

    from ..consultation.audit import Audit

_ROWS = 30
"""More rows than a reader goes through; the JSON has every class."""
_SHOWN = (
    ("duration_seconds", "length, s", 2),
    ("level_dbfs", "level, dBFS", 0),
    ("snr_db", "signal to noise, dB", 0),
    ("bandwidth_hz", "bandwidth, Hz", 0),
    ("lead_seconds", "silence before, s", 2),
)
"""What tells a recorder, a room or a trimming script from another: where two classes differ here, look why."""
_PERCENTILES = (5, 50, 95)


@dataclass(frozen=True, eq=False)
class _Part:
    """The clips of one split or class."""

    kind: str
    name: str
    places: npt.NDArray[np.intp]
    """Numbers of clips in the scan."""


def distribution_blocks(audit: Audit) -> Document:
    """Return the tables of measures by split, class and group; empty where nothing was decoded."""
    columns = _columns(audit)
    parts = list(_parts(audit))
    if not columns or not parts:
        return ()
    titles = [title for name, title, _ in _SHOWN if name in columns]
    blocks: Document = ()
    for kind in dict.fromkeys(part.kind for part in parts):
        of_kind = [part for part in parts if part.kind == kind]
        rows = tuple(_row(columns, part) for part in of_kind[:_ROWS])
        more = len(of_kind) - len(rows)
        blocks += (
            Heading(f"Measures by {kind}" if kind != "all" else "Measures of all clips"),
            Table((kind, "clips", "hours", *titles), rows),
            *((Paragraph(f"{more} more are in the JSON."),) if more else ()),
        )
    note = Paragraph("Each cell: the values below which 5, 50 and 95 % of the clips lie.")
    return (*blocks[:1], note, *blocks[1:])


def distributions_record(audit: Audit) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the same for every split, class and group as plain values: kind, name, measure."""
    columns = _columns(audit)
    record: dict[str, dict[str, dict[str, Any]]] = {}
    for part in _parts(audit) if columns else ():
        found: dict[str, Any] = {"clips": len(part.places)}
        for name, _, _ in _SHOWN:
            spread = _spread(columns[name], part) if name in columns else None
            if spread is not None:
                found[name] = {
                    "n": spread[0],
                    **{f"p{q}": round(v, 4) for q, v in zip(_PERCENTILES, spread[1], strict=True)},
                }
        record.setdefault(part.kind, {})[part.name] = found
    return record


def _columns(audit: Audit) -> dict[str, npt.NDArray[np.floating]]:
    """Return the measures that are shown, `(clips,)` each; none without decoded audio."""
    if not audit.scan.measures:
        return {}
    of_scan = audit.scan.measures
    measures = {name: of_scan[f"clip.{name}"] for name, _, _ in _SHOWN if f"clip.{name}" in of_scan}
    seconds = [clip.duration_seconds or np.nan for clip in audit.scan.clips.values()]
    return {"duration_seconds": np.array(seconds, dtype=float), **measures}


def _parts(audit: Audit) -> Iterator[_Part]:
    """Yield all clips, each split, each class and each group; a clip that several rows name counts once in each."""
    data = audit.dataset
    place_of = {region: place for place, region in enumerate(audit.scan.clips)}
    of_region = np.array([place_of.get(region, -1) for region in data.regions] + [-1], dtype=np.intp)
    clip_of = of_region[data.region_codes]
    known = clip_of >= 0
    yield _Part("all", "all", different(clip_of[known]))
    for number, split in enumerate(SPLITS):
        rows = known & (data.splits == number)
        if rows.any():
            yield _Part("split", split, different(clip_of[rows]))
    if data.columns.label and data.task == "classification":
        yield from _named("class", data.labels, clip_of)
    if data.columns.group:
        yield from _named("group", data.groups, clip_of)


def _named(kind: str, column: Coded, clip_of: npt.NDArray[np.intp]) -> Iterator[_Part]:
    rows = np.flatnonzero((clip_of >= 0) & (column.codes >= 0))
    rows = rows[np.argsort(column.codes[rows], kind="stable")]
    for places in np.split(rows, np.flatnonzero(np.diff(column.codes[rows])) + 1) if len(rows) else ():
        yield _Part(kind, column.names[int(column.codes[places[0]])], different(clip_of[places]))


def _spread(column: npt.NDArray[np.floating], part: _Part) -> tuple[int, list[float]] | None:
    values = column[part.places]
    values = values[np.isfinite(values)]
    return (len(values), quantiles(values, np.array(_PERCENTILES) / 100).tolist()) if len(values) else None


def _row(columns: dict[str, npt.NDArray[np.floating]], part: _Part) -> tuple[str, ...]:
    cells = (_cell(columns[name], part, digits) for name, _, digits in _SHOWN if name in columns)
    return (part.name, str(len(part.places)), _hours(columns, part), *cells)


def _cell(column: npt.NDArray[np.floating], part: _Part, digits: int) -> str:
    spread = _spread(column, part)
    return " / ".join(f"{value:.{digits}f}" for value in spread[1]) if spread else "-"


def _hours(columns: dict[str, npt.NDArray[np.floating]], part: _Part) -> str:
    return f"{np.nansum(columns['duration_seconds'][part.places]) / 3600:.3f}"
