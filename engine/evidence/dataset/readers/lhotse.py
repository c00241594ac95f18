"""Reads lhotse manifests (recordings, supervisions, cuts as JSON Lines, packed or not); needs no lhotse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from knowledge.errors import InputError

from .jsonl import cell_of, flat, read_records
from .split_names import split_in
from .table import Table, table_of_records

_ROLES = {
    "path": "source", "group": "speaker", "split": "split", "text": "text", "session": "recording",
    "start": "start", "duration": "duration", "channel": "channel",
}  # fmt: skip
_KINDS = ("cuts", "recordings", "supervisions")
Json = Mapping[str, Any]


def lhotse_files(folder: Path) -> list[Path]:
    """Return the manifests of a folder whose names say what they hold."""
    names = (path for path in sorted(folder.iterdir()) if path.name.endswith((".jsonl", ".jsonl.gz")))
    return [path for path in names if any(kind in path.name for kind in _KINDS)]


def is_lhotse(record: Json) -> bool:
    """Whether an object is a recording, a supervision or a cut."""
    return "sources" in record or "recording_id" in record or ("recording" in record and "start" in record)


def read_lhotse(path: Path) -> Table:
    """Read one manifest, or all of a folder; supervisions are joined with the recordings beside them.

    Raises:
        InputError: a file cannot be read, or supervisions name recordings that nothing describes.
    """
    files = lhotse_files(path) if path.is_dir() else [path]
    folder = path if path.is_dir() else path.parent
    left_out: Counter[str] = Counter()
    cuts = [file for file in files if "cuts" in file.name]
    records = []
    for file in cuts or files:
        if path.is_dir() and not cuts and "recordings" in file.name and _beside(file, "supervisions").is_file():
            continue
        split = split_in(file.name) if len(cuts or files) > 1 else ""
        own = {"split": split} if split else {}
        records += [(number, {**cells, **own}) for number, cells in _file(file, left_out)]
    notes = [f"{name}: {count} are not read" for name, count in left_out.items()]
    return table_of_records("lhotse manifests", records, folder, roles=_ROLES, notes=notes)


def _file(file: Path, left_out: Counter[str]) -> Iterator[tuple[int, dict[str, str]]]:
    recordings: dict[str, Json] | None = None
    for number, record in read_records(file):
        if "recording_id" in record:
            recordings = _recordings(file) if recordings is None else recordings
            yield number, _supervision(record, recordings.get(str(record["recording_id"])), left_out)
        elif "sources" in record:
            yield number, {"id": cell_of(record.get("id")), **_source(record, left_out)}
        elif "recording" in record:
            yield number, _cut(record, left_out)
        else:
            left_out["cuts without a recording (mixed or padded)"] += 1


def _recordings(file: Path) -> dict[str, Json]:
    other = _beside(file, "recordings")
    if not other.is_file():
        raise InputError(f"{file}: supervisions name recordings, and there is no {other.name} beside it")
    return {str(record.get("id")): record for _, record in read_records(other)}


def _beside(file: Path, kind: str) -> Path:
    """The manifest of another kind that belongs to this one, packed or not."""
    name = file.name.replace("supervisions", kind).replace("recordings", kind)
    plain = name.removesuffix(".gz")
    return next(
        (file.parent / one for one in (name, plain, f"{plain}.gz") if (file.parent / one).is_file()), file.parent / name
    )


def _supervision(record: Json, recording: Json | None, left_out: Counter[str]) -> dict[str, str]:
    where = _source(recording, left_out) if recording else {"source": str(record["recording_id"])}
    return {
        **where,
        **_spoken(record, left_out),
        "start": cell_of(record.get("start")),
        "duration": cell_of(record.get("duration")),
    }


def _cut(record: Json, left_out: Counter[str]) -> dict[str, str]:
    supervisions = _objects(record.get("supervisions"))
    if len(supervisions) > 1:
        left_out["supervisions beyond the first of a cut"] += len(supervisions) - 1
    said = _spoken(supervisions[0], left_out) if supervisions else {}
    recording = record["recording"] if isinstance(record["recording"], dict) else {}
    own = {name: cell_of(record.get(name)) for name in ("id", "start", "duration")}
    return {**_source(recording, left_out), **said, **own}


def _objects(value: Any) -> list[Json]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _source(recording: Json, left_out: Counter[str]) -> dict[str, str]:
    sources = _objects(recording.get("sources"))
    if len(sources) > 1:
        left_out["sources beyond the first of a recording"] += len(sources) - 1
    kind = sources[0].get("type") if sources else "none"
    if kind != "file":
        left_out[f"sources of type {kind}"] += 1
    path = cell_of(sources[0].get("source")) if sources and kind == "file" else ""
    return {"source": path, "recording": cell_of(recording.get("id")), "duration": cell_of(recording.get("duration"))}


def _spoken(supervision: Json, left_out: Counter[str]) -> dict[str, str]:
    kept = {
        key: value
        for key, value in supervision.items()
        if key not in ("recording_id", "start", "duration", "alignment")
    }
    return dict(flat(kept, left_out))
