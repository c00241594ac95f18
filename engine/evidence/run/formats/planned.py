"""What a log says of its planned length and of its end, in configurations and in prose; reads no curve."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..collecting import count
from ..series import RunMeta
from .names import meaning
from .record import Record

OUT_OF_MEMORY = "out-of-memory"
GONE_ON = (OUT_OF_MEMORY, "interrupted", "completed")
"""Ends after which a log may go on: it was started again, or only an epoch had come to its end."""
_ENDS = (
    (
        "completed",
        re.compile(
            r"(?:^|[-\]:|]\s{0,8})\W{0,8}(?:training(?: is| has)?(?: been)? (?:complete[d]?|finished|done)|"
            r"(?:finished|done|completed) training)\b(?![^.!]{0,20}\b(?:epoch|fold|step|iter|stage|phase|round|batch))|"
            r"\bmax_(?:epochs|steps)=\d{1,9}\W{0,3}reached\b",
            re.IGNORECASE,
        ),
    ),
    (
        "early-stopped",
        re.compile(
            r"\bearly[ -]?stop(?:p(?:ed|ing)\b|\s*!|\s+triggered)(?!.*(?:patience|[=:]\s*\d+\s*[,)]))|"
            r"\b(?:did not|not) improve[^.]{0,20}(?:\.\d|[^.]){0,80}\. stopping\b",
            re.IGNORECASE,
        ),
    ),
    (OUT_OF_MEMORY, re.compile(r"OutOfMemoryError|CUDA out of memory|OUT_OF_MEMORY|oom-kill", re.IGNORECASE)),
    ("interrupted", re.compile(r"\bKeyboardInterrupt\b|\bSIGTERM\b|DUE TO (?:TIME LIMIT|PREEMPTION)|^\s*Killed\s*$")),
)
"""What a log says of its end: that of the trainer, the allocator, the shell or the scheduler; the last says most."""
_OF_ENDS = (
    "stopp", "stop!", "stop !", "memory", "oom-kill", "keyboardinterrupt", "sigterm", "due to", "killed", "complete",
    "finished", "done", "reached", "triggered",
)  # fmt: skip
"""Parts of a word without one of which none of these is in a line; most lines have none."""
_CONFIGURED = re.compile(
    r"\b(?:n_epochs?|num_epochs?|max_epochs?|num_train_epochs|epochs)['\"]?\s*[=:]\s*(\d{1,9})\b(?!\s*/)"
)
_PLANNED = re.compile(
    r"^\W*(?:(?:number|num|no\.?|total|max(?:imum)?)\W+(?:of\W+)?)?epochs\s*[:=]?\s*(\d+)\s*$", re.IGNORECASE
)
"""`# Epochs: 3` and nothing else: how many there are to be."""
_LIMIT = re.compile(r"\bmax_epochs=(\d{1,9})\W{0,3}reached\b")
"""`Trainer.fit` stopped: `max_epochs=12` reached, as Lightning says at its end."""
_ANNOUNCED = re.compile(r"\btrain(?:ing)?\b[^.\d]{0,30}?\b(\d{1,5}) epochs\b", re.IGNORECASE)
"""`Starting training - 50 epochs`, `Training the model for 50 epochs`, before the first of them."""
_STEPS = re.compile(
    r"\b(?:max_updates?|max_steps|total_steps|max_train_steps|num_train_steps|num_training_steps|total_training_steps|max_iter|MAX_ITER|"
    r"(?:max_|total_|num_|n_)?iters|(?:max_|num_)iterations)"
    r"['\"]?\s*[=:]\s*(\d{1,9})\b(?![.,]?\d|\s*/)|\bTotal (?:optimization )?steps\s*=\s*(\d{1,3}(?:,\d{3})+|\d{1,9})"
)
"""`'max_update': 400000` of fairseq, `total_steps: 3000` of a printed configuration, the line of transformers,
`max_iter: 10000` of Caffe and `MAX_ITER: 90000` of Detectron2."""
_FOLD = re.compile(r"\bfold\b\W{0,3}\d+\s*(?:/|of|von|de|sur)\s*\d+", re.IGNORECASE)
_SELECTS = re.compile(r"did not improve|improved from|early.?stop(?:ping|ped)?\b|monitored metric", re.IGNORECASE)
"""Lines in which a trainer says by what it chooses a checkpoint, or stops; most callbacks say it in English."""
_SELECTED = re.compile(r"\b(?:val|valid|validation|eval|dev)[_/ ][A-Za-z][\w/]*")
_OF_CHOICES = ("improve", "stop", "monitored")
_LONGEST_CONFIGURATION = 100_000


def end_of(line: str) -> str:
    """Return how a line says that the run ended; empty when it says nothing of that."""
    low = line.lower()
    if not any(part in low for part in _OF_ENDS):
        return ""
    return next((status for status, form in reversed(_ENDS) if form.search(line)), "")


_OF_JSON = re.compile(r'"(?:n_|num_|max_|num_train_|total_)?epochs"\s*:\s*(\d{1,6})\s*[,}\n]')
_STEPS_OF_JSON = re.compile(r'"(?:total|max)_steps"\s*:\s*(\d{1,9})\s*[,}\n]')
_ENDS_OF_JSON = 20_000


def plan_of_json(text: str, records: Sequence[Record]) -> RunMeta | None:
    """Return the number of epochs, or else of steps, that a JSON log names, if it names one number."""
    ends = text if len(text) <= 2 * _ENDS_OF_JSON else f"{text[:_ENDS_OF_JSON]}\n{text[-_ENDS_OF_JSON:]}"
    told = {int(one) for one in _OF_JSON.findall(ends)}
    steps = {int(one) for one in _STEPS_OF_JSON.findall(ends)}
    last = max((record.step for record in records if record.step is not None), default=0)
    if not told and len(steps) == 1 and max(steps) >= last > 0:
        planned = steps.pop()
        return RunMeta(planned_steps=planned, status="completed" if _reached(records, planned) else "unfinished")
    counted = [record.epoch for record in records if record.epoch is not None]
    if len(told) != 1 or (not counted and (last or len(records) > max(told))):
        return None
    counted = counted or [0, len(records) - 1]  # a row for each epoch
    epochs = told.pop()
    done = max(counted) + (1 - min(min(counted), 1))
    return RunMeta(planned_epochs=epochs, status="completed" if done >= epochs else "unfinished") if epochs else None


def is_plan_of_epochs(line: str) -> bool:
    """Whether a line says how many epochs there are to be and nothing else."""
    return _PLANNED.match(line) is not None


def epochs_of(line: str) -> int | None:
    """Return the number of epochs that a configuration or an announcement names; None without one."""
    if "epoch" not in line.lower():
        return None
    for form in (_CONFIGURED.search, _PLANNED.match, _ANNOUNCED.search):
        if (found := form(line)) and (epochs := count(found[1])):
            return epochs
    return None


def steps_of(line: str) -> frozenset[int]:
    """Return the numbers of steps that a configuration plans; several where it speaks of several trainings."""
    if not any(part in line for part in ("step", "max_update", "iter", "MAX_ITER")):
        return frozenset()
    told = _STEPS.finditer(line[:_LONGEST_CONFIGURATION])
    return frozenset(steps for one in told if (steps := count((one[1] or one[2]).replace(",", ""))))


_LAST = 5
"""Records whose distances tell how often the log counts."""


@dataclass
class Told:
    """What the lines of a log said so far."""

    planned_epochs: int | None = None
    """As lines count them: `epoch 3/50`."""
    configured_epochs: int | None = None
    """From a configuration that was printed before the first epoch."""
    configured_steps: frozenset[int] = frozenset()
    """The same for steps; several where it speaks of several trainings."""
    status: str = ""
    selected_by: str = ""
    announced: bool = False
    """Whether the log itself says where its next run begins."""

    def said(self, line: str, *, begun: bool, logged: bool) -> None:
        """Take in a line; what is planned is said before the first epoch, or the first step that was
        logged: a printed configuration holds rates and weights of losses itself."""
        low = line.lower()
        if (ended := end_of(line)) and not (ended == "completed" and self.status):
            self.status = ended
        self.announced = self.announced or ("fold" in low and bool(_FOLD.search(line)))
        if any(part in low for part in _OF_CHOICES) and _SELECTS.search(line) and (named := _SELECTED.search(line)):
            self.selected_by = meaning(named[0]).metric or self.selected_by
        if "reached" in low and (limit := _LIMIT.search(line)):
            self.configured_epochs = count(limit[1]) or self.configured_epochs
        if not begun and (epochs := epochs_of(line)):
            self.configured_epochs = epochs
        if not logged:
            self.configured_steps |= steps_of(line)

    def configured(self, line: str) -> None:
        """Take in a long line that may hold a configuration."""
        self.configured_epochs = epochs_of(line[:_LONGEST_CONFIGURATION]) or self.configured_epochs
        self.configured_steps |= steps_of(line)

    def meta(self, records: Sequence[Record], counted_steps: int | None = None) -> RunMeta:
        """Return what the log says of its length: in epochs, or in steps where its lines do not count `epoch 3/50`.

        Args:
            records: what it logged.
            counted_steps: the steps that its lines count towards, as `[1900/200000]` does; they say more than plans.
        """
        epochs, steps = self.planned_epochs or self.configured_epochs, None
        told = [record.epoch for record in records if record.epoch is not None]
        done = bool(epochs and told) and max(told) + (1 - min(min(told), 1)) >= (epochs or 0)
        if not self.planned_epochs and not done and self.status != "completed":
            steps = counted_steps or self._steps(records)
            epochs, done = (None, _reached(records, steps)) if steps else (epochs, done)
        status = self.status or ("completed" if done else "unfinished" if epochs or steps else "")
        return RunMeta(
            planned_epochs=epochs, planned_steps=steps, status=status, selected_by=self.selected_by,
            announced=self.announced,
        )  # fmt: skip

    def _steps(self, records: Sequence[Record]) -> int | None:
        """The steps that one configuration plans, unless the log counts further: then it speaks of other steps."""
        last = max((record.step for record in records if record.step is not None), default=0)
        planned = min(self.configured_steps) if len(self.configured_steps) == 1 else 0
        return planned if planned >= last > 0 else None


def _reached(records: Sequence[Record], planned: int) -> bool:
    """Whether the next record would have been behind the last step."""
    told = sorted({record.step for record in records if record.step is not None})
    gap = max((later - sooner for sooner, later in itertools.pairwise(told[-_LAST:])), default=1)
    return told[-1] + gap >= planned
