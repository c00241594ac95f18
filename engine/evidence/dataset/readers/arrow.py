"""Reads parquet and Arrow files, and folders that Hugging Face `datasets` saved; needs pyarrow, writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledge.errors import InputError, UsageError

from .jsonl import flat
from .table import Table, table_of_records

if TYPE_CHECKING:
    import pyarrow

ARROW_SUFFIXES = (".parquet", ".arrow", ".feather")
_BATCH_ROWS = 1024


def arrow_files(folder: Path) -> list[Path]:
    """Return the Arrow and parquet files of a saved data set: in the folder, or in one folder a split."""
    found = [path for suffix in ARROW_SUFFIXES for depth in ("*", "*/*") for path in folder.glob(depth + suffix)]
    return sorted(path for path in found if not path.name.startswith("cache-"))


def read_arrow(path: Path) -> Table:
    """Read one file, or all of a folder; the folders of a saved `DatasetDict` are its splits.

    Sound that is stored inside the file is not taken out: paths beside it are used, and what has none is counted.

    Raises:
        UsageError: pyarrow is not installed.
        InputError: a file is damaged.
    """
    files = arrow_files(path) if path.is_dir() else [path]
    folder = path if path.is_dir() else path.parent
    counts: Counter[str] = Counter()
    records: list[tuple[int, dict[str, str]]] = []
    for file in files:
        split = file.parent.name if file.parent != folder else _split(file.name)
        own = {"split": split} if split else {}
        records.extend((0, {**own, **record}) for record in _records(file, counts))
    paths = [name for _, record in records[:1] for name in record if name.endswith("audio.path")]
    notes = [f"{name}: {count}" for name, count in counts.items()]
    return table_of_records("Arrow", records, folder, roles={"path": (paths or ["path"])[0]}, notes=notes)


def _split(name: str) -> str:
    """The split in a name such as `train-00000-of-00004.parquet`."""
    head = name.partition("-")[0].partition(".")[0]
    return head if head in ("train", "validation", "test", "dev") else ""


def _records(file: Path, counts: Counter[str]) -> Iterator[dict[str, str]]:
    for batch in _batches(file):
        for row in _without_sound(batch, counts).to_pylist():
            yield dict(flat(row, counts))


def _without_sound(batch: pyarrow.RecordBatch, counts: Counter[str]) -> pyarrow.RecordBatch:
    """Drop binary columns, and the bytes inside `audio` structures, before anything is turned into Python."""
    import pyarrow as pa

    arrays, names = [], []
    for name, array in zip(batch.schema.names, batch.columns, strict=True):
        if _is_binary(array.type):
            counts[f"column {name} holds bytes, which are not read; rows"] += len(array)
            continue
        if pa.types.is_struct(array.type):
            for field in array.type:
                if _is_binary(field.type):
                    counts[f"column {name} holds sound as bytes, which is not read; rows"] += len(array)
                else:
                    arrays.append(array.field(field.name))
                    names.append(f"{name}.{field.name}")
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
            yield from pyarrow.parquet.ParquetFile(file).iter_batches(batch_size=_BATCH_ROWS)
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
