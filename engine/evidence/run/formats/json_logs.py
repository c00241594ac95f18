"""Reads JSON logs: a record a line, a list of records, or a list for each name. Draws no conclusion."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from ..collecting import count, number
from ..series import direction_of
from ..words import splits
from .names import meaning
from .record import Record, told_by_split
from .stepped import read_stepped

_MOST_DEPTH = 6
_LARGEST_STEP = 1 << 53
MODES = ("mode", "split", "phase", "stage", "type", "subset", "partition")
_ROLES = {"train_metric": "train_loss", "monitor_metric": "val_loss", "train_metric_acc": "train_accuracy",
          "monitor_metric_acc": "val_accuracy"}  # fmt: skip
"""OverfitGuard's histories name in these keys which of their curves are the ones to compare."""


def read_json(text: str) -> list[Record] | None:
    """Return the records of one JSON document; None when it is none, or holds no curves."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if stepped := read_stepped(content):
        return stepped
    content = _listed(_as_lists(content))
    if (folds := _of_folds(content)) is not None:
        return folds
    rows = _of_columns(content) or _by_split(content) or _numbered(content) or _rows(content)
    if rows:
        return told_by_split([record for row in rows if (record := _record(row)) is not None])
    columns = _columns(_flat(content) if isinstance(content, dict) else content)
    return _records_of_columns(columns, content) if columns else None


SUMMARY = "wandb-summary.json"
"""What Weights & Biases keeps of a run beside its history: the last value of each name."""


def read_summary(text: str) -> list[Record] | None:
    """Return the last values of a run as its only record; None when the text is no JSON object."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict):
        return None
    record = _record(_flat({name: value for name, value in content.items() if not name.startswith("_")}))
    return [record] if record else None


def read_json_lines(text: str) -> tuple[list[Record], tuple[str, ...]] | None:
    """Return the records of a log with one JSON object a line, and what was not understood."""
    lines = [line for line in text.split("\n") if line.strip()]
    objects, broken = [], 0
    for line in lines:
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            broken += 1
            continue
        objects += [found] if isinstance(found, dict) else []
    records = [record for found in objects if (record := _record(_named(_flat(found)))) is not None]
    if not records or broken > len(lines) // 2:
        return None
    records = _told_apart(records)
    return records, (f"{broken} lines are not JSON and were left out",) if broken else ()


def _told_apart(records: list[Record]) -> list[Record]:
    """Records of evaluations that are known by their form alone, as MMEngine writes them.

    Where rows with a rate or a loss stand, those of other names without either are evaluations of the epoch that the
    row before them tells; their own step, which falls back, counts epochs.
    """
    trains = {frozenset(one.values) for one in records if _is_training(one)}
    names = set().union(*trains) if trains else set()
    found: list[Record] = []
    before: Record | None = None
    for one in records:
        if one.split or _is_training(one) or not names or names & set(one.values):
            found.append(one)
            before = one if _is_training(one) else before
            continue
        found.append(_evaluation(one, before) if before else one)
    return found


def _evaluation(one: Record, before: Record) -> Record:
    if before.step is not None and one.step is not None and one.step < before.step:
        return replace(one, split="val", epoch=before.epoch, step=before.step)
    return replace(one, split="val")


def _is_training(record: Record) -> bool:
    return not record.split and any(meaning(name).role == "rate" for name in record.values)


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where in objects with the same names stands what."""

    curves: tuple[str, ...]
    epoch: str
    step: str
    mode: str


@lru_cache(maxsize=256)
def _layout(names: tuple[str, ...]) -> _Layout:
    by_role = {meaning(name).role: name for name in reversed(names)}
    curves = tuple(name for name in names if meaning(name).role in ("curve", "rate", "gradient"))
    mode = next((name for name in MODES if name in names), "")
    return _Layout(curves, by_role.get("epoch", ""), by_role.get("step", ""), mode)


def _record(row: Mapping[str, Any]) -> Record | None:
    layout = _layout(tuple(row))
    values = {name: value for name in layout.curves if (value := number(row[name])) is not None}
    if not values:
        return None
    said = row[layout.mode] if layout.mode else ""
    split = splits().get(said.lower(), "") if isinstance(said, str) else ""
    step = number(row[layout.step]) if layout.step else None
    # A line of an evaluation counts the batches of the evaluation, not those of the training.
    known = step is not None and abs(step) < _LARGEST_STEP and not (split == "val" and layout.step == "iter")
    epoch = number(row[layout.epoch]) if layout.epoch else None
    return Record(values, split, epoch, count(step) if known else None)


def _flat(row: Mapping[str, Any], prefix: str = "", depth: int = 0) -> dict[str, Any]:
    """`{"train": {"loss": 1}}` means `train/loss`."""
    if not prefix and not any(isinstance(value, dict | list) for value in row.values()):
        return dict(row)
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, list) and _OF_COCO.search(name) and len(value) == _SCORES_OF_COCO:
            flat[f"{prefix}{name}/ap"] = value[0]
        elif isinstance(value, dict) and depth < _MOST_DEPTH:
            flat |= _flat(value, f"{prefix}{name}/", depth + 1)
        else:
            flat[f"{prefix}{name}"] = value
    return flat


_OF_COCO = re.compile(r"coco_eval_\w+$")
_SCORES_OF_COCO = 12
"""`"test_coco_eval_bbox": [0.31, ...]`, of which the first is the average precision, as DETR and its heirs write."""


def _rows(content: Any, depth: int = 0) -> list[dict[str, Any]]:
    """The longest list of objects that hold curves, wherever it stands."""
    found: list[dict[str, Any]] = []
    if isinstance(content, list):
        rows = [_flat(item) for item in content if isinstance(item, dict)]
        found = rows if any(_record(row) for row in rows) else []
    if depth < _MOST_DEPTH and isinstance(content, dict | list):
        inner = content.values() if isinstance(content, dict) else content[:8]
        found = max((found, *(_rows(item, depth + 1) for item in inner)), key=len)
    return found


_NAMED_BY = ("metric", "name", "key", "tag")


def _named(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row of one number beside its name, `{"key": "val/loss", "value": 0.5, "step": 3}`, under that name."""
    name = next((row[word] for word in _NAMED_BY if isinstance(row.get(word), str)), None)
    if name is None or "value" not in row:
        return row
    return {name: row["value"]} | {one: value for one, value in row.items() if one not in (*_NAMED_BY, "value")}


_NUMBERS_OF = ("values", "value", "y")


def _listed(content: Any, depth: int = 0) -> Any:
    """Curves that carry their own steps, as lists: `{"loss": [{"step": 1, "value": 0.5}, ...]}` and, as Sacred writes
    it, `{"loss": {"steps": [1, ...], "values": [0.5, ...]}}`.
    """
    if not isinstance(content, dict) or depth > _MOST_DEPTH:
        return content
    return {name: _plain_list(value, depth) for name, value in content.items()}


def _plain_list(value: Any, depth: int) -> Any:
    if isinstance(value, dict):
        told = next((value[name] for name in _NUMBERS_OF if isinstance(value.get(name), list)), None)
        counted = any(meaning(name).role in ("step", "epoch") for name in value)
        return told if told is not None and counted else _listed(value, depth + 1)
    if isinstance(value, list) and value and all(isinstance(one, dict) and len(one) <= _OF_A_POINT for one in value):
        named = all("value" in one and any(meaning(name).role in ("step", "epoch") for name in one) for one in value)
        return [one["value"] for one in value] if named else value
    return value


_OF_A_POINT = 4
"""Names of a point at most: its step, its epoch, its time and its value."""
_FOLD_KEY = re.compile(r"(?:fold|run|seed|trial|split|cv)[ _-]?\d+", re.IGNORECASE)


def _of_folds(content: Any) -> list[Record] | None:
    """Records of an object that holds the same curves for each of several folds or runs: each is a part of its own."""
    if not isinstance(content, dict) or len(content) < 2 or not all(_FOLD_KEY.fullmatch(name) for name in content):
        return None
    if not all(isinstance(one, dict) for one in content.values()):
        return None
    parts = [_columns(_flat(one)) for one in content.values()]
    found = [_records_of_columns(part, one) for part, one in zip(parts, content.values(), strict=True) if part]
    if len(found) < len(parts) or not all(found):
        return None
    return [replace(record, part=number) for number, one in enumerate(found) for record in one or ()]


def _of_columns(content: Any) -> list[dict[str, Any]]:
    """Rows of an object that holds names and lists of as many numbers: `{"columns": [...], "data": [[...], ...]}`."""
    if not isinstance(content, dict):
        return []
    lists = [value for value in content.values() if isinstance(value, list) and len(value) > 1]
    names = next((one for one in lists if all(isinstance(name, str) for name in one)), None)
    rows = next((one for one in lists if all(isinstance(row, list) for row in one)), None)
    if names is None or rows is None or any(len(row) != len(names) for row in rows):
        return []
    return [dict(zip(names, row, strict=True)) for row in rows]


def _by_split(content: Any) -> list[dict[str, Any]]:
    """Rows of an object that holds a list of them for each split: `{"train": [{...}, ...], "val": [{...}, ...]}`."""
    if not isinstance(content, dict):
        return []
    parts = {
        name: _numbered(value) if isinstance(value, dict) else value
        for name, value in content.items()
        if name.lower() in splits() and isinstance(value, dict | list)
    }
    told = len(parts) > 1 and all(part and all(isinstance(row, dict) for row in part) for part in parts.values())
    return [{MODES[0]: name, **_flat(row)} for name, part in parts.items() for row in part] if told else []


_EPOCH_KEY = re.compile(r"(?:epoch[ _-]?)?(\d+)", re.IGNORECASE)


def _numbered(content: Any, depth: int = 0) -> list[dict[str, Any]]:
    """Rows of an object whose every name is the number of an epoch: `{"1": {...}, "2": {...}}`."""
    if not isinstance(content, dict) or depth > _MOST_DEPTH:
        return []
    keys = [_EPOCH_KEY.fullmatch(name) for name in content]
    if len(keys) > 1 and all(keys) and all(isinstance(one, dict) for one in content.values()):
        rows = [{"epoch": int(key[1]), **_flat(one)} for key, one in zip(keys, content.values(), strict=True) if key]
        return rows if any(_record(row) for row in rows) else []
    return max((_numbered(one, depth + 1) for one in content.values()), key=len, default=[])


def _as_lists(content: Any, depth: int = 0) -> Any:
    """A column that is written as an object of row numbers, as pandas writes it, is a list: `{"0": 0.9, "1": 0.7}`."""
    if not isinstance(content, dict) or depth > _MOST_DEPTH:
        return content
    if len(content) > 1 and all(name.isdigit() for name in content):
        values = list(content.values())
        return content if any(isinstance(value, dict | list) for value in values) else values
    return {name: _as_lists(value, depth + 1) for name, value in content.items()}


def _last_of_pairs(values: list[Any]) -> list[Any]:
    """The second of each pair of a step and a value; the values themselves where they are none."""
    pairs = all(isinstance(value, list) and len(value) == 2 for value in values)
    return [value[1] for value in values] if pairs else values


def _columns(content: Any) -> dict[str, list[float]]:
    if not isinstance(content, dict):
        return {}
    lists = {
        name: _last_of_pairs(values) for name, values in content.items() if isinstance(values, list) and len(values) > 1
    }
    lists = _bare_names(lists)
    numbers = {name: [number(value) for value in values] for name, values in lists.items()}
    whole = {name: [value for value in values if value is not None] for name, values in numbers.items()}
    return {name: values for name, values in whole.items() if len(values) == len(lists[name])}


def _bare_names(lists: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Lists without what stands before the names of all of them, such as `history/`, where it says nothing of them."""
    before = {name.partition("/")[0] for name in lists if "/" in name}
    if len(before) != 1 or any("/" not in name and _is_a_curve(name) for name in lists):
        return lists
    first = before.pop()
    if first.lower() in splits() or direction_of(meaning(first).metric):
        return lists
    return _bare_names({name.removeprefix(f"{first}/"): values for name, values in lists.items()})


def _is_a_curve(name: str) -> bool:
    one = meaning(name)
    return one.role == "curve" and bool(direction_of(one.metric))


def _records_of_columns(columns: Mapping[str, list[float]], content: Mapping[str, Any]) -> list[Record] | None:
    named = {content[role]: name for role, name in _ROLES.items() if content.get(role) in columns}
    if named:
        columns = {
            named.get(name, name): column for name, column in columns.items() if name in named or _is_place(name)
        }
    kept = {name: column for name, column in columns.items() if meaning(name).role in ("curve", "rate", "gradient")}
    return list(_across(columns, kept)) if kept else None


def _is_place(name: str) -> bool:
    return meaning(name).role in ("epoch", "step", "rate")


def _across(columns: Mapping[str, list[float]], kept: Mapping[str, list[float]]) -> Iterator[Record]:
    epochs = next((column for name, column in columns.items() if meaning(name).role == "epoch"), None)
    for row in range(max(map(len, kept.values()))):
        values = {name: column[row] for name, column in kept.items() if row < len(column)}
        epoch = epochs[row] if epochs is not None and row < len(epochs) else float(row)
        yield Record(values, epoch=epoch)
