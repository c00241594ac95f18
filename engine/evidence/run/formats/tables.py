"""Reads tables of any delimiter, with or without a header, into records; knows no framework but one headless table."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

from ..collecting import count, number
from ..words import splits
from .aligned import heading_of
from .names import meaning
from .record import Record, told_by_split

DELIMITERS = (",", ";", "\t", "|")
_AST = (
    "val_accuracy", "val_auc", "val_precision", "val_recall", "val_d_prime", "train_loss", "val_loss",
    "cumulative_accuracy", "cumulative_auc", "lr",
)  # fmt: skip
"""The ten columns of result.csv, which the training script of AST and of its successors writes without a header."""


def read_table(text: str) -> tuple[list[Record], tuple[str, ...]] | None:
    """Return the records of a table and what was not understood; None when the text is no table."""
    lines = [line for line in text.split("\n") if line.strip() and not _RULED.fullmatch(line)]
    lines = _from_the_heading(lines)
    if len(lines) < 2:
        return None
    delimiter = max(DELIMITERS, key=lambda one: lines[0].count(one))
    blanks = not lines[0].count(delimiter)
    try:
        if lines[0].lstrip().startswith("|"):
            rows = _joined_heads([[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines])
        elif not blanks:
            rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter)]
        else:
            rows = [re.split(r"\s{2,}", line.strip()) for line in lines]
            rows = _below_the_heading(lines, rows) if len(rows[0]) > 1 else _parted_by_single_spaces(lines)
    except csv.Error:
        return None
    if len(rows) < 2 or len(rows[0]) < 2:
        return None
    if blanks and (2 * sum(len(row) == len(rows[0]) for row in rows) < len(rows) or rows[0] in rows[1:]):
        return None  # headings among lines of another kind
    if "%" in text:
        rows = [rows[0], *([_SHARE.sub(r"\1", cell) if "%" in cell else cell for cell in row] for row in rows[1:])]
    rows = _turned(rows)
    header, body = _header(_pivoted(rows) or (rows[:-1] if _is_torn(rows, text) else rows))
    return None if header is None else _records(header, body)


_MOST_ABOVE = 20
"""Lines above a heading in which it is looked for: a title, or settings behind a `#`."""


def _from_the_heading(lines: list[str]) -> list[str]:
    """Lines without what stands above the heading, where a line below it is the first that names a curve of a table."""
    for place, line in enumerate(lines[:_MOST_ABOVE]):
        delimiter = max(DELIMITERS[:3], key=line.count)
        cells = [cell.strip().strip('"') for cell in line.split(delimiter)]
        if len(cells) > 2 and not line.startswith("#") and any(meaning(cell).role == "curve" for cell in cells):
            alike = [
                one for one in lines[place + 1 : place + 1 + _ABOVE] if one.count(delimiter) == line.count(delimiter)
            ]
            above = any(
                one.count(delimiter) >= line.count(delimiter) and not one.startswith("#") for one in lines[:place]
            )
            heads = all(number(cell) is None and ": " not in cell for cell in cells)
            return lines[place:] if place and heads and not above and len(alike) >= _FEWEST else lines
    return lines


_FEWEST = 2


def _is_torn(rows: Sequence[Sequence[str]], text: str) -> bool:
    """Whether the last row ends without a line end, and in a number of half the length that those above it have."""
    above = [len(row[-1]) for row in rows[1:-1] if len(row) == len(rows[-1]) and row[-1]][-_ABOVE:]
    return not text.endswith("\n") and len(above) == _ABOVE and 0 < 2 * len(rows[-1][-1]) <= min(above)


_ABOVE = 5
"""Rows above a torn one that tell how long its number ought to be."""


def _parted_by_single_spaces(lines: list[str]) -> list[list[str]]:
    """Rows of one word a cell: a heading of names, and below it as many numbers in every row."""
    rows = [line.split() for line in lines]
    numbers = [row for row in rows[1:] if all(number(cell) is not None for cell in row)]
    even = len(numbers) == len(rows) - 1 and all(len(row) == len(rows[0]) for row in numbers)
    return rows if even else []


def _below_the_heading(lines: list[str], rows: list[list[str]]) -> list[list[str]]:
    """Rows with an empty cell where a column has nothing to say, as a mark of the best so far."""
    heading = heading_of(lines[0])
    if heading is None:
        return rows
    told = [row if len(row) == len(rows[0]) else heading.cells(line) for line, row in zip(lines, rows, strict=True)]
    return [one or row for one, row in zip(told, rows, strict=True)]


_RULED = re.compile(r"[|+:=\s-]*[-=][|+:=\s-]*")
"""A line of a drawn table that holds no cell."""
_SHARE = re.compile(r"(-?[\d.]+)\s*%")


def _joined_heads(rows: list[list[str]]) -> list[list[str]]:
    """Rows of a drawn table, the lines of a heading made one, percent signs left out."""
    heads = next(
        (i for i, row in enumerate(rows) if any(number(_SHARE.sub(r"\1", cell)) is not None for cell in row)), 0
    )
    if not heads or len({len(row) for row in rows[: heads + 1]}) > 1:
        return rows
    head = [" ".join(filter(None, cells)) for cells in zip(*rows[:heads], strict=True)]
    return [head, *([_SHARE.sub(r"\1", cell) for cell in row] for row in rows[heads:])]


_NAMED_BY = {"metric", "name", "key", "tag", "variable", "measure", "series"}
_SPLIT_BY = {"split", "phase", "mode", "stage", "set", "subset"}
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD = re.compile(r"[a-z]+")


def _turned(rows: list[list[str]]) -> list[list[str]]:
    """A table with a row for each curve, and a column for each epoch or step, turned; any other as it is."""
    first, *others = rows
    across = meaning(first[0]).role in ("epoch", "step") and all(number(cell) is not None for cell in first[1:])
    even = all(len(row) == len(first) and number(row[0]) is None for row in others)
    return [list(column) for column in zip(*rows, strict=True)] if across and even and len(first) > _FEWEST else rows


def _pivoted(rows: list[list[str]]) -> list[list[str]] | None:
    """A table of one number a row, beside the name of what it is, with a column for each name; None for any other.

    `key,step,value`, as exports and tidy data frames have it, under any longer name (`metricName`, `metric.value`); a
    column of splits becomes part of the name.
    """
    head = [set(_WORD.findall(cell)) for cell in (_CAMEL.sub(" ", cell).lower() for cell in rows[0])]
    values = [index for index, said in enumerate(head) if "value" in said]
    placed = [index for index, cell in enumerate(rows[0]) if meaning(cell).role in ("epoch", "step")]
    if len(values) != 1 or not placed or any(len(row) != len(head) for row in rows):
        return None
    told_in_words = [i for i, cell in enumerate(rows[1]) if i not in (*values, *placed) and number(cell) is None]
    split = next((i for i in told_in_words if head[i] & _SPLIT_BY), None)
    named = next((i for i in told_in_words if i != split and head[i] & _NAMED_BY), None)
    if named is None:
        return None
    names: dict[str, None] = {}
    told: dict[tuple[str, ...], dict[str, str]] = {}
    for row in rows[1:]:
        name = f"{row[split]} {row[named]}" if split is not None else row[named]
        names[name] = None
        told.setdefault(tuple(row[index] for index in placed), {})[name] = row[values[0]]
    body = [[*place, *(cells.get(name, "") for name in names)] for place, cells in told.items()]
    return [[*(rows[0][index] for index in placed), *names], *body]


def _header(rows: list[list[str]]) -> tuple[list[str] | None, list[list[str]]]:
    if any(number(cell) is None for cell in rows[0]):
        understood = any(meaning(name).role in ("curve", "rate") for name in rows[0])
        numeric = any(number(cell) is not None for cell in rows[1])
        return (rows[0] if understood and numeric else None), rows[1:]
    return (list(_AST) if len(rows[0]) == len(_AST) else None), rows


def _records(header: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[list[Record], tuple[str, ...]]:
    places = {role: _place(header, rows, role) for role in ("epoch", "step")}
    kept = [index for index, name in enumerate(header) if name and index not in places.values()]
    fitting = [row for row in rows if len(row) == len(header)]
    split = _split_column(fitting)
    records = []
    for row in fitting:
        values = {header[index]: value for index in kept if (value := number(row[index])) is not None}
        if values:
            epoch, step = (None if place is None else number(row[place]) for place in places.values())
            said = "" if split is None else splits()[row[split].lower()]
            records.append(Record(values, said, epoch, None if step is None else count(step)))
    records = told_by_split(records)
    strange = len(rows) - len(fitting)
    notes = (f"{strange} rows have more or fewer columns than the header and were left out",) if strange else ()
    return records, notes


def _place(header: Sequence[str], rows: Sequence[Sequence[str]], role: str) -> int | None:
    """The column of epochs or steps; a first column without a name that counts is one of epochs."""
    named = [index for index, name in enumerate(header) if meaning(name).role == role]
    if named or role == "step":
        return named[0] if named else None
    counted = [row[0] for row in rows if row]
    return 0 if not header[0] and counted[:2] in (["0", "1"], ["1", "2"]) else None


def _split_column(rows: Sequence[Sequence[str]]) -> int | None:
    """Some tables have a column that says which split a row is of, whatever its name."""
    columns = zip(*rows, strict=True) if rows else ()
    return next((i for i, cells in enumerate(columns) if all(cell.lower() in splits() for cell in cells)), None)
