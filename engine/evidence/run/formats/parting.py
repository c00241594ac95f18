"""Parts a line of a console log that tells of several splits, and records of several runs; reads no number."""

from __future__ import annotations

import re
from dataclasses import replace

from .record import Record

_NUMBER = r"(?>[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+|nan|NaN|inf))"
_OF_SPLITS = ("train", "val", "dev", "test")
_JULIA = re.compile(r"(\d\.\d+)f0\b")
"""`0.25f0` is how Julia prints a number of single precision."""
_PARTS = re.compile(r"(?=\[(?:train|valid|val|dev|test)\])", re.IGNORECASE)
_TITLED = re.compile(
    rf"(?<![\w/])(?:train(?:ing)?|valid(?:ation)?|val|eval(?:uation)?|dev|test(?:ing)?)\b(?:[ _]set|[ _]metrics)?"
    rf"(?:\s?\(\d{{1,9}}(?:\.\d{{1,9}})?\s?(?:s|secs?|seconds|ms|mins?|m)\)(?=\s*:))?"
    rf"(?:\s*:\s*|\s+[-|]\s+)(?=[A-Za-z]\w*(?:[ _]\w+)?\s*[:=]?\s*{_NUMBER})", re.IGNORECASE)  # fmt: skip
"""`train: loss 0.5; valid: loss 0.6`, `train (51.2 sec): loss=0.5`: each names the split of what follows."""
_CLAUSES = re.compile(r"\s[|;]\s(?=(?:valid(?:ation)?|val|eval(?:uation)?|dev|test)\s+epoch\b)", re.IGNORECASE)
"""`Train Epoch: 3 Loss: 0.5 | Val Epoch: 3 Loss: 0.6` are two lines in one."""
_OBJECTS = re.compile(
    r"(?<=\}),?\s(?=(?:valid(?:ation)?|val|eval(?:uation)?|dev|test)(?:_\w{1,20})?\s?[:=]?\s?\{)", re.IGNORECASE
)
"""`train {'loss': 0.5} val {'loss': 0.6}`."""
_BARE_LOSS = re.compile(rf"(?<![\w/] )(?<![\w/_])loss\s*[:=]?\s*{_NUMBER}", re.IGNORECASE)

_TRAIN_LOSS = re.compile(rf"\btrain(?:ing)?[ _/]loss\s*[:=]?\s*{_NUMBER}", re.IGNORECASE)
_GLUED = re.compile(r"(?<=[\d%)\]])(?=[Ee](?:poch|POCH)\s?[:\[#]?\s?\d{1,9}\s?/\s?\d{1,9}(?!\d))")


def unglued(line: str) -> list[str]:
    """`loss: 0.5epoch: 2/10, loss: 0.4`, of a script that writes no line ends, is one line for each epoch."""
    return _GLUED.split(line) if line.count("poch") > 1 or line.count("POCH") > 1 else [line]


def parts_of(line: str) -> list[str]:
    """A line that tells of two splits, each behind its name in brackets, is two; `training's loss` is one name."""
    line = line.replace("'s ", " ")
    line = _JULIA.sub(r"\1", line) if "f0" in line else line
    if " epoch" in line.lower() and len(clauses := _CLAUSES.split(line)) > 1:
        return [part for clause in clauses for part in parts_of(clause)]
    if "} " in line and len(objects := _OBJECTS.split(line)) > 1:
        return objects
    parts = _PARTS.split(line) if "[" in line else []
    if len(parts) > 2:
        return parts
    titles = (
        [found.start() for found in _TITLED.finditer(line)] if any(part in line.lower() for part in _OF_SPLITS) else []
    )
    if len(titles) < 2 and not (
        titles and (_BARE_LOSS.search(line, 0, titles[0]) or _TRAIN_LOSS.search(line, 0, titles[0]))
    ):
        return [line]
    ends = [*titles[1:], len(line)] if not line[: titles[0]].strip() else [*titles, len(line)]
    return [line[begin:end] for begin, end in zip([0, *ends[:-1]], ends, strict=True)]


_FEWEST = 3
"""Records of one form from which on it is the form of a run, and no line that says something once."""


def runs_parted(records: list[Record], forms: list[str]) -> list[Record]:
    """Records of another run where epochs alone are counted up to a line, and steps alone after it, or the reverse.

    A log that counts both has steps before its last epoch.
    """
    by_epoch, by_step = ([i for i, form in enumerate(forms) if form == name] for name in ("epoch", "step"))
    if min(len(by_epoch), len(by_step)) < _FEWEST:
        return records
    if by_epoch[-1] < by_step[0]:
        begin = by_epoch[-1] + 1
        return records[:begin] + [replace(one, epoch=None, part=1) for one in records[begin:]]
    # Batches that are counted on after the line of an epoch are those of its epochs.
    if by_step[-1] < by_epoch[0] and "" not in forms[by_epoch[0] :]:
        begin = by_epoch[0]
        return records[:begin] + [replace(one, step=None, part=1) for one in records[begin:]]
    return records
