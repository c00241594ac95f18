"""Reads what training scripts print: numbers behind the names of losses and metrics, in any language around them.

Nothing is guessed from prose: a number counts when the word before it names a loss, a metric or a rate.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from ..series import RunMeta, direction_of
from ..words import splits, words
from .clocks import clocks
from .counting import Counts
from .json_logs import read_json_lines
from .names import meaning
from .pairs import NUMBER, pairs_of
from .parting import parts_of, runs_parted, unglued
from .placing import OF_HELD_OUT, Place, holds, move
from .planned import OUT_OF_MEMORY
from .record import Record
from .rewriting import rewritten

_EMBEDDED = re.compile(r"\{[\"'].*\}(?=[\s)\],]*$)")
_OF_PYTHON = {"nan": "NaN", "inf": "Infinity", "None": "null", "True": "true", "False": "false", "'": '"'}
_PYTHON = re.compile(r"\b(?:nan|inf|None|True|False)\b|'")
_TQDM = re.compile(r"\d{1,3}%\|[^|]{0,200}\|\s{0,3}(?P<at>\d{1,9})/(?P<of>\d{1,9}) \[")
_NOTEBOOK = re.compile(
    r"\[\s?\d{1,9}/(?P<of>\d{1,9}) [\d:]{4,12}(?: < [\d:]{4,12}, [\d.]{1,9} it/s)?, Epoch [\d.]{1,12}/\d"
)
"""`[1200/4000 20:01 < 46:12, 1.01 it/s, Epoch 12/40]`, as the Trainer of transformers draws in a notebook."""
_ACHIEVED = "achieves the following results on the"
"""By this a model card tells the last values, above the table of their course."""
_WHOLE_RUN = ("train_runtime", "train_samples_per_second")
"""In a record with these the Trainer of transformers tells the mean over the whole run."""
_SPLIT = re.compile(
    r"\b(train(?:ing)?|valid(?:ation|at(?:e|ing))?|val|eval(?:uation|uating)?|dev|cv|test(?:ing)?)(?:_inner)?\b(?!\.py)",
    re.IGNORECASE,
)
_OVER = re.compile(r"finish|done|end|complete|took|takes|time", re.IGNORECASE)
_RETOLD = re.compile(
    r"(?:scores?|results?) (?:for|of) fold|early.?stop|best|melhor|restor|saving|saved|loaded|resum", re.IGNORECASE
)
_STAMP = re.compile(
    r"^\W*\d\d/\d\d \d\d:\d\d:\d\d[^\]]{0,60}\]:?\s*|^\W*(?:\d{2,4}[-/.]\d\d[-/.]\d\d[ T_])?\d\d:\d\d:\d\d\S*\s+"
    r"(?:.{0,60}?[^\w.])?(?:INFO|DEBUG|WARNING|NOTICE)\b[\s\]:|-]*"
)
"""What a logger writes before what it is told: a time, a name, a level."""
_SCORE_AT = re.compile(r"\bScore at iteration (\d+) is ")
"""`Score at iteration 100 is 1.39`, by which DL4J tells the training loss."""
_LONGEST_TITLE = 60
_TOLD = re.compile(rf"[:=]\s*{NUMBER}\s*$")
"""A number at the end of a line: it says something, and is no title of what follows."""
_BAR = re.compile(r"\s*\d+/\d+ ?(?:\[|\u2501)")
"""The progress bar of Keras, of versions 2 and 3."""
_NUMBERED_NAME = re.compile(r"\b(?:top[ -]\d+(?=[ -]?(?:acc|err|prec))|(?:bleu|rouge)-\d\b)", re.IGNORECASE)
"""`top 5 acc`, `BLEU-4`: the number belongs to the name."""
_CLASS = re.compile(r"\s*[\w-]+:\s+precision:.*FB1:")
"""What conlleval tells of one class, below the scores of all."""
_TELLS = re.compile(rf"[A-Za-z](?:_?\d{{1,3}})?\s*[:=]\s*{NUMBER}")
_LONGEST_LINE = 4000
"""Longer lines are dumps of arrays, or configurations, not logs."""
_OF_CONFIGURATION = 1000
"""Lines at the start in which a configuration is looked for."""
_BLANKS = re.compile(r"\s{80,}")
"""More than aligns columns: what looks for a number behind a name would try each of them, behind each."""


def read_console(lines: list[str]) -> tuple[list[Record], RunMeta] | None:
    """Return the records of a console log and what it says of its length; None when it names no loss or metric.

    A log that ends for want of memory before its first loss has no record, and says that.
    """
    place = Place()
    lines = [part for line in lines for part in unglued(line)]
    for line in lines[:_OF_CONFIGURATION]:
        if len(line) > _LONGEST_LINE:  # a configuration in one line, of which the rest of this reader sees the start
            place.told.configured(line)
    for line in lines:
        if ", Epoch " in line and (bar := _NOTEBOOK.search(line)):
            place.notebook = int(bar["of"])
    lines = [line for line in lines if not _NOTEBOOK.search(line)] if place.notebook else lines
    parts = (part for line in lines for part in parts_of(_narrowed(line[:_LONGEST_LINE])))
    records = [record for part in parts if (record := _line(part, place)) is not None]
    if not records:
        return ([], RunMeta(status=OUT_OF_MEMORY)) if place.told.status == OUT_OF_MEMORY else None
    records = runs_parted(records if "step" in place.forms else place.bare.checked(records), place.forms)
    records, barred = _counted_by_bars(records, place.barred)
    if place.bare.counts_epochs and any(one.split in OF_HELD_OUT for one in records):
        place.told.planned_epochs = place.bare.planned
        records = [one if one.step is None else replace(one, epoch=float(one.step), step=None) for one in records]
    meta = place.told.meta(records, place.notebook or barred or place.bare.planned or place.named.planned)
    return records, replace(meta, cut_in_epoch=place.in_training and place.batches.cut_off)


def _counted_by_bars(records: list[Record], barred: dict[int, dict[int, int]]) -> tuple[list[Record], int | None]:
    """Records with the steps to which the longest progress bar had come, and its length; as they are without one."""
    of = max((length for bars in barred.values() for length in bars), default=0)
    counts = Counts()
    told = {index: counts.step(bars[of], of) for index, bars in barred.items() if of in bars}
    if counts.planned != of or len(told) < len(barred):
        return records, None
    return [replace(one, step=told[i]) if i in told else one for i, one in enumerate(records)], of


def _narrowed(line: str) -> str:
    return _BLANKS.sub(" ", line) if len(line) > 80 else line


_OF_RETELLING = ("fold", "stop", "best", "melhor", "restor", "saving", "saved", "loaded", "resum")
_OF_SPLITS = ("train", "val", "dev", "cv", "test")
"""Parts of a word without one of which the form that goes by it is not in a line; most lines have none."""


def _embedded(line: str) -> Record | None:
    """The record of a JSON object that ends a line, as fairseq prints it."""
    if "{'" in line and "(" in line:
        line = rewritten(line)
    match = _EMBEDDED.search(line) if '{"' in line or "{'" in line else None
    text = match[0] if match else ""
    found = (
        read_json_lines(_PYTHON.sub(lambda one: _OF_PYTHON[one[0]], text) if "'" in text else text) if text else None
    )
    if match is None or found is None or any(f"{name}'" in text for name in _WHOLE_RUN):
        return None
    words = _SPLIT.findall(line[: match.start()])
    record = found[0][0]
    if not any(_is_told(name) for name in record.values):
        return None  # a configuration
    if not words and not record.split and _SCORES_OF_EPOCH.search(line, 0, match.start()) and _holds_scores(record):
        return replace(record, split="val")
    return record if record.split or not words else replace(record, split=splits()[words[-1].lower()])


_SCORES_OF_EPOCH = re.compile(r"\bepoch \d{1,9}: $")
"""`epoch 3: {'accuracy': 0.8}`, as the examples of transformers without its Trainer tell what they evaluated."""


def _holds_scores(record: Record) -> bool:
    """Whether an object holds scores that are better when higher, and nothing else."""
    return all(direction_of(meaning(name).metric) == "higher" for name in record.values)


def _is_told(name: str) -> bool:
    """Whether a name in an object is one of a loss or a metric."""
    return (one := meaning(name)).role == "curve" and bool(direction_of(one.metric))


def _placed(record: Record, line: str, place: Place) -> Record:
    """The record of an object that says neither epoch nor step is of where the log is."""
    if record.epoch is not None or record.step is not None:
        return record
    move(line.partition("{")[0], place)
    return replace(record, epoch=place.epoch, step=place.step)


def _line(line: str, place: Place) -> Record | None:
    place.told.said(line, begun=place.epoch is not None, logged=bool(place.forms) and place.step is not None)
    bar = _TQDM.search(line) if "%|" in line else None
    place.bar = bar is not None
    if bar:
        place.bars[int(bar["of"])] = int(bar["at"])
    if (record := _embedded(line)) is not None:
        if place.bars and record.step is None and record.epoch is not None:
            place.barred[len(place.forms)] = dict(place.bars)
        place.forms.append("")
        return _placed(record, line, place)
    if _ACHIEVED in line or (place.retelling and line.startswith("- ")):
        place.retelling = True
        return None
    place.retelling = place.retelling and not line.strip()
    stamp = _STAMP.match(line)
    line = place.drawn.line(rewritten(line[stamp.end() :] if stamp else line))
    line = _told_anew(line)
    if not line or _CLASS.match(line):
        return None
    before = place.epoch
    form = move(line, place)
    if place.epoch != before:
        place.split = ""  # a title speaks of its own epoch
    values = dict(pairs_of(line))
    words = _SPLIT.findall(line) if holds(line.lower(), _OF_SPLITS) else []
    if not values:
        if words and len(line.strip(" \t=-*#")) <= _LONGEST_TITLE and not _TOLD.search(line):
            last = re.split(r"\s[-|]\s", line.rstrip())[-1]
            place.split = "" if _OVER.search(last if _SPLIT.search(last) else line) else splits()[words[-1].lower()]
        return None
    told = {splits()[word.lower()] for word in words}
    if any(meaning(name).role == "rate" for name in values):
        place.split = ""  # learning rates are told while training
    if _BAR.match(line):
        judged = any(meaning(name).split == "val" for name in values)
        if place.judged == place.epoch is not None and not judged:
            return None  # `evaluate` after the last epoch, whose bar is like that of a training
        place.judged = place.epoch if judged else place.judged
    if place.split not in OF_HELD_OUT:
        values |= clocks(line)
    # Of a line that tells of two splits, a bare `accuracy` belongs to neither by its place.
    if not told and not place.split and _is_training(tuple(values)):
        return _appended(Record(values, "train", place.epoch, place.step), form, place)
    split = place.split if not told else next(iter(told)) if len(told) == 1 and not _told_twice(tuple(values)) else ""
    return _appended(Record(values, split, place.epoch, place.step), form, place)


def _appended(record: Record, form: str, place: Place) -> Record:
    if place.bar and record.step is None:
        place.barred[len(place.forms)] = dict(place.bars)
    place.forms.append(form)
    place.in_training = place.counted and record.split in ("", "train")
    return record


@lru_cache(maxsize=4096)
def _is_training(names: tuple[str, ...]) -> bool:
    """Whether a learning rate stands among names of which none tells a split: rates are told while training."""
    meanings = [meaning(name) for name in names]
    held_out = any(one.split or words("held-out-by-nature") & set(one.metric.split("_")) for one in meanings)
    return not held_out and any(one.role == "rate" for one in meanings)


@lru_cache(maxsize=4096)
def _told_twice(names: tuple[str, ...]) -> bool:
    """Whether one metric stands with the name of its split and without: `loss 0.5, val loss 0.6`."""
    meanings = [meaning(name) for name in names]
    named, bare = ({one.metric for one in meanings if bool(one.split) == said} for said in (True, False))
    return bool(named & bare - {""})


def _told_anew(line: str) -> str:
    """A line without what it tells again, such as the best value so far; empty where that is all."""
    low = line.lower()
    line = _SCORE_AT.sub(r"iteration \1 train loss: ", line) if "score at" in low else line
    if holds(low, ("top", "bleu", "rouge")):
        line = _NUMBERED_NAME.sub(lambda found: re.sub("[ -]", "", found[0]), line)
    retold = _RETOLD.search(line) if holds(low, _OF_RETELLING) else None
    if retold is None:
        return line
    before = line[: retold.start()]
    pairs = pairs_of(before)
    return before if (_TELLS.search(before) and pairs) or len(pairs) > 1 else ""
