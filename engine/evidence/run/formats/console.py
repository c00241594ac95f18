"""Reads what training scripts print: numbers behind the names of losses and metrics, in any language around them.

Nothing is guessed from prose: a number counts when the word before it names a loss, a metric or a rate.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from functools import lru_cache

from ..collecting import count
from ..series import RunMeta, direction_of
from ..words import splits, words
from .clocks import clocks
from .counting import Batches, Counts
from .drawn import Drawn
from .json_logs import read_json_lines
from .names import is_metric, meaning
from .parting import parts_of, runs_parted, unglued
from .planned import GONE_ON, OUT_OF_MEMORY, Told, is_plan_of_epochs
from .record import Record
from .rewriting import rewritten

_NUMBER = r"(?>[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+|nan|NaN|inf|Infinity))"
"""Whole or not at all: part of a long row of digits is no number, and trying each part would take their cube."""
_PAIR = re.compile(
    rf"(?<![A-Za-z])(?P<name>[A-Za-z_][\w@./]{{0,59}}(?:[ -][A-Za-z_@][\w@./]{{0,59}}){{0,3}}?)"
    rf"\s*(?P<sign>[:=]\s*[(\[]?\s*|\s+|\s*\(\s*)"
    rf"(?P<value>{_NUMBER})(?![\w/:.-]*[A-Za-z_/])(?:\s*\((?P<mean>(?![-+]){_NUMBER})\))?"
)
_EPOCH = re.compile(
    r"(?<!/)\b(?:epochs?|ep)\b(?:\((?:train|val|test)\))?\.?(?!\s*[\[(]\s*-)[-:=#\[(\s]*"
    r"(?P<epoch>(?>\d+))(?!(?:\.\d{1,18})?(?:\s{0,3},\s{0,3}-?\d{1,9}(?:\.\d{1,18})?){2})"
    r"\s*(?:(?:/|\b(?:(?:out )?of|von|de|di|sur|из)\b)\s*(?P<of>\d+))?",
    re.IGNORECASE,
)
"""Not `from Epoch [-1, -1]` or `[12, 0, 7]`, which list what came when."""
_PASS = re.compile(
    r"\biteration\s{0,3}[:=#]?\s{0,3}(?P<epoch>\d{1,9})(?:/(?P<of>\d{1,9}))?,?\s{1,3}(?=(?:step|batch)\b.{0,4}\d+/\d)",
    re.IGNORECASE,
)
"""`iteration:7 step:8/652`: beside a count of batches an iteration is one through the data."""
_NUMBERED = re.compile(r"\b(?P<epoch>\d+)(?:/(?P<of>\d+)(?: \* [Ee]|e)|e)poch\b")
"""`3epoch results`, `3/50epoch started`, as ESPnet counts; `3/50 * Epoch (train)`, as Catalyst does."""
_IN_CELLS = re.compile(r"\bepoch\s*\|\s*(?P<epoch>\d{1,6})\s*/\s*(?P<of>\d{1,6})\s*(?:\||$)", re.IGNORECASE)
"""`| Epoch | 3/15 |`."""
_COUNTED_FIRST = re.compile(r"\s*(?P<epoch>\d{1,6})(?P<of>(?!))? epoch, ")
"""`3 epoch, LR 0.001, LOSS 0.5`, as trainers of speaker verification print."""
_EMBEDDED = re.compile(r"\{[\"'].*\}(?=[\s)\],]*$)")
_OF_PYTHON = {"nan": "NaN", "inf": "Infinity", "None": "null", "True": "true", "False": "false", "'": '"'}
_PYTHON = re.compile(r"\b(?:nan|inf|None|True|False)\b|'")
_TQDM = re.compile(r"\d{1,3}%\|[^|]{0,200}\|\s{0,3}(?P<at>\d{1,9})/(?P<of>\d{1,9}) \[")
_NOTEBOOK = re.compile(r"\[\s?\d{1,9}/(?P<of>\d{1,9}) [\d:]{4,12}(?: < [\d:]{4,12}, [\d.]{1,9} it/s)?, Epoch [\d.]{1,12}/\d")
"""`[1200/4000 20:01 < 46:12, 1.01 it/s, Epoch 12/40]`, as the Trainer of transformers draws in a notebook."""
_ACHIEVED = "achieves the following results on the"
"""By this a model card tells the last values, above the table of their course."""
_WHOLE_RUN = ("train_runtime", "train_samples_per_second")
"""In a record with these the Trainer of transformers tells the mean over the whole run."""
_BATCH = re.compile(r"\]\s*\[\s*(?P<batch>\d+)\s*/\s*(?P<of>\d+)\s*\]")
_BRACKET = re.compile(r"\b(?:train|training)\b\s*:?\s*\[\s*(?P<epoch>\d+)\s*/\s*(?P<of>\d+)\s*\]", re.IGNORECASE)
_BARRED = re.compile(r"\[\s*(?:train|valid|val|test)\w*\s*\|\s*(?P<epoch>\d+)\s*/\s*(?P<of>\d+)\s*\]", re.IGNORECASE)
"""`[ Valid | 003/100 ] loss = 0.5`, as a course with very many pupils prints."""
_BEFORE_BATCHES = re.compile(r"\btrain: (?P<epoch>\d+)(?P<of>(?!))? \[\s*\d+/\d+ ", re.IGNORECASE)
"""`Train: 3 [ 50/100 ( 51%)]`, as timm prints."""
_COUNTED = re.compile(
    r"(?:\b(?:step|iter|iteration|batch)s?\b\s*[:=#]?\s*\[?|\[)\s*(?P<batch>\d+)\s*/\s*(?P<of>\d+)"
    r"(?:\s*\(\s*\d+%\s*\))?\s*(?P<end>\]|(?![\w/]))", re.IGNORECASE)  # fmt: skip
"""`Step [100/300]`, `[32000/60000 (53%)]`: how far an epoch is, or the run where the log counts none."""
_BARE_COUNT = re.compile(
    r"(?:.{0,80}\]\s|\s*)\[\s*(?:train(?:ing)?\s+)?(?P<batch>\d{1,9})\s*/\s*(?P<of>\d{1,9})\s*\](?!\s*\[)",
    re.IGNORECASE,
)
"""`[1900/200000] Train loss: 0.1`, `[Train 10/1882] {...}`, where no epoch is told."""
_STEP = re.compile(
    r"\b(?:global[_ ]?step|step|iter|iteration|num_update|nupdate|results?(?=@))s?\b\s*[:=#@]*\s*(?P<step>\d{1,3}(?:,\d{3})+|\d+)(?!\d|\s*[/%])",
    re.IGNORECASE,
)
_BY_LETTER = re.compile(r"\s*E(?P<epoch>\d{1,6})/(?P<of>\d{1,6})\b(?!\s*\[)")
"""`E15/15 - loss: 0.0085`."""
_BEHIND_EPOCH = re.compile(r"\s*[,|;]\s*(?P<batch>\d{1,9})/(?P<of>\d{1,9})(?![\w/.])")
"""`epoch: 1, 11/125 8.8%`."""
_ROUND = re.compile(r"\s*\[(?P<step>\d+)\]\s")
"""`[10] train-logloss:0.41`, as XGBoost and LightGBM count."""
_SPLIT = re.compile(
    r"\b(train(?:ing)?|valid(?:ation|at(?:e|ing))?|val|eval(?:uation|uating)?|dev|cv|test(?:ing)?)(?:_inner)?\b(?!\.py)",
    re.IGNORECASE,
)
_OVER = re.compile(r"finish|done|end|complete|took|takes|time", re.IGNORECASE)
_RETOLD = re.compile(r"(?:scores?|results?) (?:for|of) fold|early.?stop|best|melhor|restor|saving|saved|loaded|resum", re.IGNORECASE)
_STAMP = re.compile(
    r"^\W*\d\d/\d\d \d\d:\d\d:\d\d[^\]]{0,60}\]:?\s*|^\W*(?:\d{2,4}[-/.]\d\d[-/.]\d\d[ T_])?\d\d:\d\d:\d\d\S*\s+"
    r"(?:.{0,60}?[^\w.])?(?:INFO|DEBUG|WARNING|NOTICE)\b[\s\]:|-]*"
)
"""What a logger writes before what it is told: a time, a name, a level."""
_SCORE_AT = re.compile(r"\bScore at iteration (\d+) is ")
"""`Score at iteration 100 is 1.39`, by which DL4J tells the training loss."""
_LONGEST_TITLE = 60
_TOLD = re.compile(rf"[:=]\s*{_NUMBER}\s*$")
"""A number at the end of a line: it says something, and is no title of what follows."""
_BAR = re.compile(r"\s*\d+/\d+ ?(?:\[|\u2501)")
"""The progress bar of Keras, of versions 2 and 3."""
_NUMBERED_NAME = re.compile(r"\b(?:top[ -]\d+(?=[ -]?(?:acc|err|prec))|(?:bleu|rouge)-\d\b)", re.IGNORECASE)
"""`top 5 acc`, `BLEU-4`: the number belongs to the name."""
_CLASS = re.compile(r"\s*[\w-]+:\s+precision:.*FB1:")
"""What conlleval tells of one class, below the scores of all."""
_SECONDS = re.compile(r"\s?s(?:ec(?:onds)?)?\b")
_DECIMAL = re.compile(r"\s+\d+\.\d")
_TELLS = re.compile(rf"[A-Za-z](?:_?\d{{1,3}})?\s*[:=]\s*{_NUMBER}")
_MANY = 10
"""Numbers in a list that are no classes any more."""
_LONGEST_LINE = 4000
"""Longer lines are dumps of arrays, or configurations, not logs."""
_OF_CONFIGURATION = 1000
"""Lines at the start in which a configuration is looked for."""
_BLANKS = re.compile(r"\s{80,}")
"""More than aligns columns: what looks for a number behind a name would try each of them, behind each."""


@dataclass
class _Place:
    """Where in the run the reader is."""

    epoch: float | None = None
    step: int | None = None
    split: str = ""
    told: Told = field(default_factory=Told)
    judged: float | None = None
    """The last epoch whose progress bar told a validation."""
    batches: Batches = field(default_factory=Batches)
    named: Counts = field(default_factory=Counts)
    bare: Counts = field(default_factory=Counts)
    counted: bool = False
    in_training: bool = False
    """Whether the last record is of a batch of a training."""
    by_bare_count: bool = False
    """Whether `[3/50]` counts epochs in this log."""
    notebook: int | None = None
    """The steps that a bar of the Trainer in a notebook counts towards."""
    bar: bool = False
    """Whether this line draws a progress bar."""
    bars: dict[int, int] = field(default_factory=dict)
    """How far the bar of each length is."""
    barred: dict[int, dict[int, int]] = field(default_factory=dict)
    """The same at each record that says its epoch and no step, by its number."""
    retelling: bool = False
    """Whether a list of final results goes on."""
    drawn: Drawn = field(default_factory=Drawn)
    forms: list[str] = field(default_factory=list)
    """By what each record says itself where in the run it is: `epoch`, `step`, or nothing."""


def read_console(lines: list[str]) -> tuple[list[Record], RunMeta] | None:
    """Return the records of a console log and what it says of its length; None when it names no loss or metric.

    A log that ends for want of memory before its first loss has no record, and says that.
    """
    place = _Place()
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
    if place.bare.counts_epochs and any(one.split in _OF_HELD_OUT for one in records):
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
_EVALUATED = re.compile(
    r"\W*(val(?:id(?:ation)?)?|eval(?:uation)?|dev|test)(?:ing)?\b\s*:?\s*[\[(]\s*\d+\s*/\s*\d+\s*[\])]", re.IGNORECASE
)
"""`Test: [10/242] Loss 0.5 (0.6)`, as the ImageNet example of PyTorch and its successors print."""
_EPOCH_JUDGED = re.compile(r"\bEpoch\((?:val|test)\)\s*\[(\d{1,9})\]")
"""`Epoch(val) [3][20/20]`, as MMEngine prints."""
_OF_AN_EVALUATION = re.compile(r"\[(?:val(?:id(?:ation)?)?|eval(?:uation)?|dev|test)\]", re.IGNORECASE)
"""`[Eval][Epoch 1][Iter: 0/25]`, as PaddleClas prints: batches of an evaluation, and no steps."""
_BATCH_OF_EVALUATION = re.compile(r"\b(?:val(?:id(?:ation)?)?|eval(?:uation)?|dev|test)[ _]$", re.IGNORECASE)
"""`[Eval batch=1/10]`, as Composer prints."""
_OF_HELD_OUT = ("val", "dev", "test")
_OF_STEPS = ("step", "iter", "num_updates", "nupdates", "results@", "result@")
_OF_COUNTS = (*_OF_STEPS, "batch")
_OF_SPLITS = ("train", "val", "dev", "cv", "test")
"""Parts of a word without one of which the form that goes by it is not in a line; most lines have none."""


def _holds(low: str, parts: tuple[str, ...]) -> bool:
    """Whether a line in lower case holds any of them; ten times as fast as the form that tells for sure."""
    return any(part in low for part in parts)


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


def _placed(record: Record, line: str, place: _Place) -> Record:
    """The record of an object that says neither epoch nor step is of where the log is."""
    if record.epoch is not None or record.step is not None:
        return record
    _move(line.partition("{")[0], place)
    return replace(record, epoch=place.epoch, step=place.step)


def _line(line: str, place: _Place) -> Record | None:
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
    form = _move(line, place)
    if place.epoch != before:
        place.split = ""  # a title speaks of its own epoch
    values = dict(_pairs(line))
    words = _SPLIT.findall(line) if _holds(line.lower(), _OF_SPLITS) else []
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
    if place.split not in _OF_HELD_OUT:
        values |= clocks(line)
    # Of a line that tells of two splits, a bare `accuracy` belongs to neither by its place.
    if not told and not place.split and _is_training(tuple(values)):
        return _appended(Record(values, "train", place.epoch, place.step), form, place)
    split = place.split if not told else next(iter(told)) if len(told) == 1 and not _told_twice(tuple(values)) else ""
    return _appended(Record(values, split, place.epoch, place.step), form, place)


def _appended(record: Record, form: str, place: _Place) -> Record:
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
    if _holds(low, ("top", "bleu", "rouge")):
        line = _NUMBERED_NAME.sub(lambda found: re.sub("[ -]", "", found[0]), line)
    retold = _RETOLD.search(line) if _holds(low, _OF_RETELLING) else None
    if retold is None:
        return line
    before = line[: retold.start()]
    pairs = _pairs(before)
    return before if (_TELLS.search(before) and pairs) or len(pairs) > 1 else ""


def _move(line: str, place: _Place) -> str:
    """Take epoch and step from a line, and return which of the two alone it tells.

    Batches of an evaluation are no steps: what is told of them is its mean so far, of which the last one counts.
    """
    low = line.lower()
    held_out = _holds(low, _OF_HELD_OUT) and "/" in line
    if held_out and (opened := _EVALUATED.match(line)):
        place.split = splits()[opened[1].lower()]
        return ""
    if held_out and (judged := _EPOCH_JUDGED.search(line)):
        place.epoch = float(judged[1])
        return ""
    if place.by_bare_count and "/" in line and (bare := _BARE_COUNT.match(line)):
        return _by_bare_count(bare, place)
    told = "epoch" in low or "ep" in low
    told = told and not is_plan_of_epochs(line)
    epoch = (_NUMBERED.search(line) or _EPOCH.search(line) or _COUNTED_FIRST.match(line) or _IN_CELLS.search(line)) if told else None
    epoch = epoch or (_BY_LETTER.match(line) if "/" in line[:_LONGEST_TITLE] and low.lstrip()[:1] == "e" else None)
    epoch = epoch or (_BARRED.search(line) if "|" in line and "[" in line else None)
    epoch = epoch or (_PASS.search(line) if "iteration" in low and "/" in line else None)
    epoch = epoch or (_BRACKET.search(line) or _BEFORE_BATCHES.search(line) if "train" in low else None)
    if epoch and math.isfinite(number := float(epoch["epoch"])):
        _begin_epoch(place, number, count(float(epoch["of"] or 0)))
    batch = (_BATCH.search(line) if "]" in line else None) or (_counted(line, epoch) if "/" in line else None)
    if batch and held_out and (
        _OF_AN_EVALUATION.search(line, 0, batch.start()) or _BATCH_OF_EVALUATION.search(line[: batch.start()])
    ):
        batch = None
    if batch or epoch:
        place.counted = bool(batch)
    if batch and place.epoch is not None:
        place.step = place.batches.step(int(place.epoch), int(batch["of"]), int(batch["batch"]))
        return ""
    if batch and place.epoch is None and not epoch and _holds(low, _OF_COUNTS):
        place.step = place.named.step(int(batch["batch"]), int(batch["of"]))
        return "step"
    step = (_STEP.search(line) if _holds(low, _OF_STEPS) else None) or _ROUND.match(line)
    if step:
        place.step = int(step["step"].replace(",", ""))
    elif place.epoch is None and (bare := _BARE_COUNT.match(line) if "/" in line else None):
        if held_out and int(bare["batch"]) <= 1 and _tells_both(line):
            place.by_bare_count = True
            return _by_bare_count(bare, place)
        place.step = place.bare.step(int(bare["batch"]), int(bare["of"]))
    return "" if bool(epoch) == bool(step) else "epoch" if epoch else "step"


def _by_bare_count(bare: re.Match[str], place: _Place) -> str:
    _begin_epoch(place, float(bare["batch"]), int(bare["of"]))
    return "epoch"


def _begin_epoch(place: _Place, number: float, of: int) -> None:
    if place.epoch is not None and number < place.epoch:
        place.step = None
    if place.epoch is not None and number != place.epoch and place.told.status in GONE_ON:
        place.told.status = ""  # it was started again, and this is what came of it
    place.epoch = number
    place.told.planned_epochs = of or place.told.planned_epochs


def _tells_both(line: str) -> bool:
    """Whether a line tells a loss of an evaluation beside that of the training: it is one of an epoch."""
    meanings = [meaning(name) for name, _ in _pairs(line)]
    held = {one.metric for one in meanings if one.split in _OF_HELD_OUT}
    return any(one.split in ("", "train") and one.metric == "loss" for one in meanings) and bool(held)


def _counted(line: str, epoch: re.Match[str] | None) -> re.Match[str] | None:
    """A count of batches that is not the one of the epochs."""
    begin, end = epoch.span() if epoch else (-1, -1)
    counted = next((one for one in _COUNTED.finditer(line) if not begin <= one.start("batch") < end), None)
    return counted or (
        _BEHIND_EPOCH.match(line, end) if epoch and not epoch["of"] and not _holds(line.lower(), _OF_HELD_OUT) else None
    )


def _pairs(line: str) -> list[tuple[str, float]]:
    found = []
    for pair in _PAIR.finditer(line):
        told = pair["sign"].strip()[:1] in (":", "=") or ("_" in pair["name"] and _is_of_split(pair["name"]))
        name = ("ce" if pair["name"] == "ce" else _identifier(pair["name"])) if told else ""
        name = name or _name(pair["name"]) or _among_columns(pair["name"], line)
        if pair["sign"].strip() == ":" and line[pair.end() : pair.end() + 1] == "]" and pair["value"].isdigit():
            continue  # `module:231]` is a line of code
        if pair["sign"].rstrip()[-1:] == "[" and line[pair.end() :].partition("]")[0].count(",") >= _MANY:
            continue  # a score at each of many thresholds
        if not pair["sign"].strip() and pair["value"].isdigit() and _DECIMAL.match(line, pair.end("value")):
            continue  # `top 5 0.93`, `class 0 0.81`: the first number belongs to the name
        if pair["name"].lower().endswith("cost") and _SECONDS.match(line, pair.end()):
            continue  # `cost 112.1 s` is what the epoch took
        mean = pair["mean"] if "." in (pair["mean"] or "") or "." not in pair["value"] else None
        if mean and float(mean) == 0 and pair["sign"].strip() != "(":
            mean = None  # `1.609 (0.000)` is a deviation or a penalty: no mean of what is told
        if name and not (pair["sign"].strip() == "(" and mean):
            found.append((name, float(mean or pair["value"])))
    return found


@lru_cache(maxsize=4096)
def _is_of_split(text: str) -> bool:
    """Whether a name tells a split, or is that of a score that is held out by nature, as `EER_a` is."""
    one = meaning(text)
    return bool(one.split or (one.role == "curve" and words("held-out-by-nature") & set(one.metric.split("_")[:1])))


def _among_columns(text: str, line: str) -> str:
    """A cross entropy by its two letters, which are a French word as well, where bars part what is told."""
    return "ce" if text == "ce" and line.count("|") > 1 else ""


@lru_cache(maxsize=4096)
def _identifier(text: str) -> str:
    """A name in the way of programs, such as `avg_loss_mel`, may hold the word for a loss or metric anywhere."""
    before, _, last = text.rpartition(" ")
    if "_" not in last or meaning(last).role != "curve" or not direction_of(meaning(last).metric):
        return ""
    split = before.rpartition(" ")[2]
    return f"{split} {last}" if split.lower().rstrip("_0123456789") in splits() else last


@lru_cache(maxsize=4096)
def _name(text: str) -> str:
    """The words before a number that name something logged; empty when they are prose."""
    role = meaning(text).role
    if role in ("rate", "gradient"):
        return text
    if role == "curve" and is_metric(text):
        words = text.split(" ")
        told = [index for index, word in enumerate(words) if word.lower() in splits()]
        return " ".join(words[told[-1] :]) if told and told[-1] < len(words) - 1 else text
    last = text.rsplit(" ", 1)[-1]
    return _name(last) if last != text else ""
