"""Follows where in a run a console log is: its epoch, its step, its split; reads no curve."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from ..collecting import count
from ..words import splits
from .counting import Batches, Counts
from .drawn import Drawn
from .names import meaning
from .pairs import pairs_of
from .planned import GONE_ON, Told, is_plan_of_epochs

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
_BATCH = re.compile(r"\]\s*\[\s*(?P<batch>\d+)\s*/\s*(?P<of>\d+)\s*\]")
_BRACKET = re.compile(r"\b(?:train|training)\b\s*:?\s*\[\s*(?P<epoch>\d+)\s*/\s*(?P<of>\d+)\s*\]", re.IGNORECASE)
_BARRED = re.compile(r"\[\s*(?:train|valid|val|test)\w*\s*\|\s*(?P<epoch>\d+)\s*/\s*(?P<of>\d+)\s*\]", re.IGNORECASE)
"""`[ Valid | 003/100 ] loss = 0.5`, as a course with very many pupils prints."""
_BEFORE_BATCHES = re.compile(r"\btrain: (?P<epoch>\d+)(?P<of>(?!))? \[\s*\d+/\d+ ", re.IGNORECASE)
"""`Train: 3 [ 50/100 ( 51%)]`, as timm prints."""
_COUNTED = re.compile(
    r"(?:\b(?:step|iter|iteration|batch)s?\b\s*[:=#]?\s*\[?|\[)\s*(?P<batch>\d+)\s*/\s*(?P<of>\d+)"
    r"(?:\s*\(\s*\d+%\s*\))?\s*(?P<end>\]|(?![\w/]|, \d+ ins))", re.IGNORECASE)  # fmt: skip
"""`Step [100/300]`, `[32000/60000 (53%)]`: how far an epoch is, or the run where the log counts none."""
_BARE_COUNT = re.compile(
    r"(?:.{0,80}\]\s|\s*)\[\s*(?:train(?:ing)?\s+)?(?P<batch>\d{1,9})\s*/\s*(?P<of>\d{1,9})\s*\](?!\s*\[)",
    re.IGNORECASE,
)
"""`[1900/200000] Train loss: 0.1`, `[Train 10/1882] {...}`, where no epoch is told."""
_STEP = re.compile(
    r"\b(?:global[_ ]?step|step|iter|iteration|num_update|nupdate|results?(?=@))"
    r"s?\b\s*[:=#@]*\s*(?P<step>\d{1,3}(?:,\d{3})+|\d+)(?!\d|\s*[/%])",
    re.IGNORECASE,
)
_BY_LETTER = re.compile(r"\s*E(?P<epoch>\d{1,6})/(?P<of>\d{1,6})\b(?!\s*\[)")
"""`E15/15 - loss: 0.0085`."""
_LONGEST_COUNT = 60
_BEHIND_EPOCH = re.compile(r"\s*[,|;]\s*(?P<batch>\d{1,9})/(?P<of>\d{1,9})(?![\w/.])")
"""`epoch: 1, 11/125 8.8%`."""
_ROUND = re.compile(r"\s*\[(?P<step>\d+)\]\s")
"""`[10] train-logloss:0.41`, as XGBoost and LightGBM count."""
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
OF_HELD_OUT = ("val", "dev", "test")
_OF_STEPS = ("step", "iter", "num_updates", "nupdates", "results@", "result@")
_OF_COUNTS = (*_OF_STEPS, "batch")


@dataclass
class Place:
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


def holds(low: str, parts: tuple[str, ...]) -> bool:
    """Whether a line in lower case holds any of them; ten times as fast as the form that tells for sure."""
    return any(part in low for part in parts)


def move(line: str, place: Place) -> str:
    """Take epoch and step from a line, and return which of the two alone it tells.

    Batches of an evaluation are no steps: what is told of them is its mean so far, of which the last one counts.
    """
    low = line.lower()
    held_out = holds(low, OF_HELD_OUT) and "/" in line
    if held_out and (opened := _EVALUATED.match(line)):
        place.split = splits()[opened[1].lower()]
        return ""
    if held_out and (judged := _EPOCH_JUDGED.search(line)):
        place.epoch = float(judged[1])
        return ""
    if place.by_bare_count and "/" in line and (bare := _BARE_COUNT.match(line)):
        return _by_bare_count(bare, place)
    epoch = _epoch_of(line, low)
    if epoch and math.isfinite(number := float(epoch["epoch"])):
        _begin_epoch(place, number, count(float(epoch["of"] or 0)))
    batch = (_BATCH.search(line) if "]" in line else None) or (_counted(line, epoch) if "/" in line else None)
    if batch and held_out and _is_of_evaluation(line, batch.start()):
        batch = None
    if batch or epoch:
        place.counted = bool(batch)
    if batch and place.epoch is not None:
        place.step = place.batches.step(int(place.epoch), int(batch["of"]), int(batch["batch"]))
        return ""
    if batch and place.epoch is None and not epoch and holds(low, _OF_COUNTS):
        place.step = place.named.step(int(batch["batch"]), int(batch["of"]))
        return "step"
    step = (_STEP.search(line) if holds(low, _OF_STEPS) else None) or _ROUND.match(line)
    if step:
        place.step = int(step["step"].replace(",", ""))
    elif place.epoch is None and (bare := _BARE_COUNT.match(line) if "/" in line else None):
        if held_out and int(bare["batch"]) <= 1 and _tells_both(line):
            place.by_bare_count = True
            return _by_bare_count(bare, place)
        place.step = place.bare.step(int(bare["batch"]), int(bare["of"]))
    return "" if bool(epoch) == bool(step) else "epoch" if epoch else "step"


def _epoch_of(line: str, low: str) -> re.Match[str] | None:
    """Where a line tells an epoch, and of how many."""
    found = None
    if "ep" in low and not is_plan_of_epochs(line):
        found = _NUMBERED.search(line) or _EPOCH.search(line) or _COUNTED_FIRST.match(line) or _IN_CELLS.search(line)
    found = found or (_BY_LETTER.match(line) if "/" in line[:_LONGEST_COUNT] and low.lstrip()[:1] == "e" else None)
    found = found or (_BARRED.search(line) if "|" in line and "[" in line else None)
    found = found or (_PASS.search(line) if "iteration" in low and "/" in line else None)
    return found or (_BRACKET.search(line) or _BEFORE_BATCHES.search(line) if "train" in low else None)


def _is_of_evaluation(line: str, end: int) -> bool:
    """Whether a count that begins there is one of the batches of an evaluation."""
    return bool(_OF_AN_EVALUATION.search(line, 0, end) or _BATCH_OF_EVALUATION.search(line[:end]))


def _by_bare_count(bare: re.Match[str], place: Place) -> str:
    _begin_epoch(place, float(bare["batch"]), int(bare["of"]))
    return "epoch"


def _begin_epoch(place: Place, number: float, of: int) -> None:
    if place.epoch is not None and number < place.epoch:
        place.step = None
    if place.epoch is not None and number != place.epoch and place.told.status in GONE_ON:
        place.told.status = ""  # it was started again, and this is what came of it
    place.epoch = number
    place.told.planned_epochs = of or place.told.planned_epochs


def _tells_both(line: str) -> bool:
    """Whether a line tells a loss of an evaluation beside that of the training: it is one of an epoch."""
    meanings = [meaning(name) for name, _ in pairs_of(line)]
    held = {one.metric for one in meanings if one.split in OF_HELD_OUT}
    return any(one.split in ("", "train") and one.metric == "loss" for one in meanings) and bool(held)


def _counted(line: str, epoch: re.Match[str] | None) -> re.Match[str] | None:
    """A count of batches that is not the one of the epochs."""
    begin, end = epoch.span() if epoch else (-1, -1)
    counted = next((one for one in _COUNTED.finditer(line) if not begin <= one.start("batch") < end), None)
    return counted or (
        _BEHIND_EPOCH.match(line, end) if epoch and not epoch["of"] and not holds(line.lower(), OF_HELD_OUT) else None
    )
