"""Reads parquet and Arrow files, and folders that Hugging Face `datasets` saved; needs pyarrow.

It writes nothing beside them: sound inside them is laid out in the user's cache (`embedded.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from os.path import isfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledge.errors import InputError, UsageError

from .class_names import class_names, named
from .embedded import lay_out, sound_folder
from .files_within import files_within
from .jsonl import flat
from .table import Table, table_of_records

if TYPE_CHECKING:
    import pyarrow

ARROW_SUFFIXES = (".parquet", ".arrow", ".feather")
_BATCH_ROWS = 1024
_SOUND_ROWS = 32
"""Read at a time where rows hold sound: a minute each of 16-bit stereo at 48 kHz takes 370 MB."""
_SOUND_NAMES = frozenset({"audio", "sound", "speech", "wav", "flac", "mp3", "recording"})
"""Columns of bare bytes that are sound; of structures, every field of bytes beside a path is."""


def arrow_files(folder: Path) -> list[Path]:
    """Return the Arrow and parquet files of a saved data set: in the folder, or in one folder a split."""
    return files_within(folder, 1, lambda name: name.endswith(ARROW_SUFFIXES) and not name.startswith("cache-"))


def read_arrow(path: Path, *, with_sound: bool = True) -> Table:
    """Read one file, or all of a folder; the folders of a saved `DatasetDict` are its splits.

    Args:
        path: file or folder.
        with_sound: whether sound that is stored as bytes becomes files of the cache, to be decoded as any other;
            without, such rows name no file.

    Raises:
        UsageError: pyarrow is not installed.
        InputError: a file is damaged, or its sound cannot be laid out.
    """
    files = arrow_files(path) if path.is_dir() else [path]
    folder = path if path.is_dir() else path.parent
    counts: Counter[str] = Counter()
    sound = sound_folder(files) if with_sound else None
    records: list[tuple[int, dict[str, str]]] = []
    for file in files:
        split = file.parent.name if file.parent != folder else _split(file.name)
        own = {"split": split} if split else {}
        records.extend((0, {**own, **record}) for record in _records(file, counts, sound))
    notes = [f"{name}: {count}" for name, count in counts.items() if not name.startswith(_LAID_OUT)]
    held = {name[len(_LAID_OUT) :]: count for name, count in counts.items() if name.startswith(_LAID_OUT)}
    if held and sound is not None:
        column = f"{next(iter(held))}.path"
        _make_absolute([record for _, record in records], column, folder, sound)
        kind = f"Arrow; the sound inside it was laid out as {sum(held.values())} files in {sound}"
        return table_of_records(kind, records, sound, roles={"path": column}, notes=notes)
    paths = [name for _, record in records[:1] for name in record if name.endswith("audio.path")]
    return table_of_records("Arrow", records, folder, roles={"path": (paths or ["path"])[0]}, notes=notes)


_LAID_OUT = "sound laid out: "
"""Before the name of a column among what is counted."""


def _make_absolute(records: list[dict[str, str]], column: str, folder: Path, sound: Path) -> None:
    """Let rows without bytes, whose path is relative to the data set, be found from the folder of the sound."""
    for record in records:
        path = record.get(column, "")
        if path and not isfile(sound / path):  # noqa: PTH113 - a name may be too long
            record[column] = str(folder / path)


def _split(name: str) -> str:
    """The split in a name such as `train-00000-of-00004.parquet`."""
    head = name.partition("-")[0].partition(".")[0]
    return head if head in ("train", "validation", "test", "dev") else ""


def _records(file: Path, counts: Counter[str], sound: Path | None) -> Iterator[dict[str, str]]:
    row = 0
    for batch in _batches(file):
        classes = class_names(batch.schema.metadata)
        paths = {} if sound is None else _laid_out(batch, file, row, counts, sound)
        for place, record in enumerate(_without_sound(batch, counts, laid_out=sound is not None).to_pylist()):
            own = {f"{name}.path": cells[place] for name, cells in paths.items() if cells[place]}
            yield {**named(dict(flat(record, counts)), classes), **own}
        row += len(batch)


def _laid_out(
    batch: pyarrow.RecordBatch, file: Path, first: int, counts: Counter[str], sound: Path
) -> dict[str, list[str]]:
    """Write the sound of a batch; return the path of each row for each column of sound, empty where it has no bytes."""
    found: dict[str, list[str]] = {}
    for name, array in zip(batch.schema.names, batch.columns, strict=True):
        content, names = _sound_in(name, array)
        if content is None:
            continue
        cells = []
        for place in range(len(batch)):
            held = content[place].as_py() if array[place].is_valid else None
            told = names[place].as_py() if names is not None and array[place].is_valid else ""
            cells.append("" if held is None else lay_out(sound, file, first + place, str(told or ""), held))
        if any(cells):
            counts[f"{_LAID_OUT}{name}"] += sum(map(bool, cells))
            found[name] = cells
    return found


def _sound_in(name: str, array: Any) -> tuple[Any, Any]:
    """Return the bytes and the names of a column of sound; None where it is none."""
    import pyarrow as pa

    if _is_binary(array.type):
        return (array, None) if name.casefold() in _SOUND_NAMES else (None, None)
    if not pa.types.is_struct(array.type):
        return None, None
    fields = {field.name: field.type for field in array.type}
    if "bytes" not in fields or not _is_binary(fields["bytes"]):
        return None, None
    return array.field("bytes"), array.field("path") if "path" in fields else None


def _without_sound(batch: pyarrow.RecordBatch, counts: Counter[str], *, laid_out: bool) -> pyarrow.RecordBatch:
    """Drop binary columns, and the bytes inside `audio` structures, before anything is turned into Python."""
    import pyarrow as pa

    arrays, names = [], []
    for name, array in zip(batch.schema.names, batch.columns, strict=True):
        read = laid_out and _sound_in(name, array)[0] is not None
        if _is_binary(array.type):
            if not read:
                counts[f"column {name} holds bytes, which are not read; rows"] += len(array)
            continue
        if pa.types.is_struct(array.type):
            for field in array.type:
                if not _is_binary(field.type):
                    arrays.append(array.field(field.name))
                    names.append(f"{name}.{field.name}")
                elif not (read and field.name == "bytes"):
                    counts[f"column {name} holds sound as bytes, which is not read; rows"] += len(array)
            continue
        arrays.append(array)
        names.append(name)
    return pa.RecordBatch.from_arrays(arrays, names=names)


def _is_binary(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _batches(file: Path) -> Iterator[pyarrow.RecordBatch]:
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ImportError:
        raise UsageError(
            f"{file}: Arrow and parquet files need pyarrow", hint="Install it with: pip install 'tonmeister[arrow]'"
        ) from None
    try:
        if file.suffix == ".parquet":
            opened = pyarrow.parquet.ParquetFile(file)
            heavy = any(_sound_in(field.name, pa.nulls(0, field.type))[0] is not None for field in opened.schema_arrow)
            yield from opened.iter_batches(batch_size=_SOUND_ROWS if heavy else _BATCH_ROWS)
            return
        with pa.memory_map(str(file)) as source:
            try:
                yield from pa.ipc.open_stream(source)
            except pa.ArrowInvalid:
                source.seek(0)
                reader = pa.ipc.open_file(source)
                yield from (reader.get_batch(number) for number in range(reader.num_record_batches))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(f"{file} cannot be read as {file.suffix[1:]}: {str(error).splitlines()[0]}") from None
