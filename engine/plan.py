"""The executable plan: what the trainer runs and what the expert writes. Torch-free; decides nothing itself.

Defaults are those of the data model (off, or the neutral choice), not advice: advice comes from the rulebooks.
"""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from knowledge.errors import InputError, PlanError, UsageError

from .plan_sections import (
    Adaptation,
    Augmentation,
    Backbone,
    Compute,
    Data,
    Evaluation,
    Guard,
    Head,
    Output,
    Pooling,
    Section,
    Task,
    Training,
)

Answer = Literal["class", "vector", "tags", "score", "symbols", "events"]
"""What a model says of a clip: its class, where it lies among others, all of its classes, a score, a transcript, or
events in time."""
_LOSSES: dict[Answer, tuple[str, ...]] = {
    "class": ("cross-entropy", "binary-cross-entropy"),
    "vector": ("supcon",),
    "tags": ("binary-cross-entropy",),
    "score": ("mse", "huber", "ccc", "mse+ccc", "clipped-mse+rank"),
    "symbols": ("ctc",),
    "events": ("binary-cross-entropy",),
}
_RANGELESS: dict[Answer, str] = {
    "class": "classes",
    "vector": "classes",
    "tags": "classes",
    "symbols": "transcripts",
    "events": "events",
}
_METRICS: dict[Answer, tuple[str, ...]] = {
    "class": ("loss", "accuracy", "macro-f1"),
    "vector": ("loss", "nearest-accuracy"),
    "tags": ("loss", "mean-average-precision", "macro-f1"),
    "score": ("loss", "ccc", "pearson"),
    "symbols": ("loss", "word-error-rate", "character-error-rate"),
    "events": ("loss", "segment-f1"),
}


class Plan(Section):
    """One executable plan."""

    version: Literal[1] = 1
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")] = "run"
    task: Task
    data: Data
    augmentation: Augmentation = Augmentation()
    backbone: Backbone = Backbone()
    adaptation: Adaptation = Adaptation()
    pooling: Pooling = Pooling()
    head: Head = Head()
    output: Output = Output()
    training: Training = Training()
    evaluation: Evaluation = Evaluation()
    compute: Compute = Compute()
    guard: Guard = Guard()

    @property
    def folds(self) -> str | None:
        """How this plan is cross-validated: `leave-one-group-out`, or None for one training on one split."""
        return self.data.protocol if self.data.protocol == "leave-one-group-out" else None

    @property
    def answer(self) -> Answer:
        """What the model of this plan says of a clip."""
        if self.task.type == "classification":
            if self.training.loss == "supcon":
                return "vector"
            return "tags" if self.task.labels == "several" else "class"
        named: dict[str, Answer] = {"regression": "score", "ctc": "symbols", "detection": "events"}
        return named[self.task.type]

    @model_validator(mode="after")
    def _fits_together(self) -> Plan:
        if self.output.bounded and self.task.type != "regression":
            raise ValueError(
                f"output.bounded is true, and {_RANGELESS[self.answer]} have no range to confine an output to"
            )
        if self.output.bounded and (self.output.low is None or self.output.high is None):
            raise ValueError("output.bounded is true, so output.low and output.high must be given")
        if self.output.low is not None and self.output.high is not None and self.output.low >= self.output.high:
            raise ValueError(f"output.low is {self.output.low}, expected less than output.high, {self.output.high}")
        if self.task.type != "classification" and (
            self.training.label_smoothing or self.training.class_balance != "as-they-come"
        ):
            raise ValueError(
                f"training.label_smoothing and training.class_balance are of classes, not {self.task.type}"
            )
        if self.backbone.name in ("mfcc", "log-mel") and self.adaptation.method != "frozen":
            raise ValueError(
                f"adaptation.method is {self.adaptation.method}; {self.backbone.name} has no weights to adapt"
            )
        spectral = self.backbone.name in ("mfcc", "log-mel", "ast", "whisper")
        if self.augmentation.mask_share and (spectral or self.backbone.is_own):
            raise ValueError(
                f"augmentation.mask_share is {self.augmentation.mask_share}; "
                f"frames of {self.backbone.name} are not hidden"
            )
        if self.adaptation.method == "partial" and not self.adaptation.top_layers:
            raise ValueError("adaptation.method is partial, so adaptation.top_layers must be given")
        if self.data.reference_column is not None and self.answer not in ("class", "tags", "score"):
            raise ValueError(f"data.reference_column is given; {self.answer} are of one signal alone")
        if self.data.reference_column is not None and self.augmentation.mask_share:
            raise ValueError(
                "augmentation.mask_share hides frames of one signal; with data.reference_column set it to 0"
            )
        if self.training.best_epochs and self.data.quality_column is None:
            raise ValueError("training.best_epochs is given, so data.quality_column must say which clips are the best")
        if self.training.best_epochs and self.training.class_balance == "balanced-sampling":
            raise ValueError(
                "training.best_epochs chooses clips by quality; with it balanced-sampling cannot choose them"
            )
        if self.data.protocol == "leave-one-group-out" and self.data.group_column is None:
            raise ValueError("data.protocol is leave-one-group-out, so data.group_column must be given")
        return self

    @model_validator(mode="after")
    def _answers_fit(self) -> Plan:
        task, loss, metric = self.task, self.training.loss, self.evaluation.select_by
        several = ", task.labels several" if task.labels == "several" else ""
        if several and task.type != "classification":
            raise ValueError(f"task.labels is several, which is of classes, not {task.type}")
        if several and (loss == "supcon" or self.training.stages == "audioconfit"):
            raise ValueError("pairs are of one class or not, so task.labels must be one")
        if self.training.stages == "audioconfit" and self.answer != "class":
            raise ValueError(f"training.stages is audioconfit, which names classes; got {task.type} with {loss}")
        if self.training.stages != "one" and self.adaptation.method == "frozen":
            raise ValueError(
                f"adaptation.method is frozen, and one of the stages {self.training.stages} has the backbone learn"
            )
        if loss not in _LOSSES[self.answer]:
            raise ValueError(f"training.loss is {loss}, which does not fit task.type {task.type}{several}")
        if metric not in _METRICS[self.answer]:
            raise ValueError(f"evaluation.select_by is {metric}, which does not fit {task.type}{several}")
        if (
            self.answer == "symbols"
            and self.augmentation.mixing in ("use", "mild")
            and self.augmentation.strength != "none"
        ):
            raise ValueError(
                f"augmentation.mixing is {self.augmentation.mixing}, expected avoid: two transcripts cannot be mixed"
            )
        return self


def read_plan(path: Path) -> Plan:
    """Read plan.yaml; relative paths in it become absolute.

    Raises:
        InputError: the file cannot be read or is not YAML.
        PlanError: an unknown key or a value that does not fit, with file and line.
    """
    try:
        text = path.read_text("utf-8")
        content = yaml.load(text, Loader=yaml.CSafeLoader)
        lines = dict(_key_lines(yaml.compose(text, Loader=yaml.CSafeLoader)))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not YAML: {error}") from None
    if not isinstance(content, dict):
        raise PlanError(f"{path}:1: expected sections such as `task:` and `data:`")
    return absolute(make_plan(content, str(path), lines), path.parent)


def make_plan(content: Mapping[str, Any], where: str, lines: Mapping[str, int] | None = None) -> Plan:
    """Check a nested mapping and return the plan.

    Raises:
        PlanError: an unknown key or a value that does not fit.
    """
    try:
        return Plan.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(part) for part in first["loc"])
        line = (lines or {}).get(path)
        place = f"{where}:{line}" if line else where
        if first["type"] == "extra_forbidden":
            close = difflib.get_close_matches(path, list(plan_paths()), n=1)
            hint = f"Did you mean {close[0]}?" if close else "`tonmeister schema plan` lists every key."
            raise PlanError(f"{place}: unknown key {path}", hint=hint) from None
        got = f", got {first['input']!r}" if path and not isinstance(first["input"], dict) else ""
        raise PlanError(
            f"{place}: {path + ': ' if path else ''}{first['msg'].removeprefix('Value error, ')}{got}"
        ) from None


def _key_lines(node: yaml.Node | None, prefix: str = "") -> Iterator[tuple[str, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            path = f"{prefix}{key.value}"
            yield path, key.start_mark.line + 1
            yield from _key_lines(value, f"{path}.")


def absolute(plan: Plan, base: Path) -> Plan:
    """Return the plan with manifest, audio root and a local checkpoint as absolute paths."""
    changes: dict[str, Any] = {"data.manifest": str((base / plan.data.manifest).resolve())}
    if plan.data.audio_root is not None:
        changes["data.audio_root"] = str((base / plan.data.audio_root).resolve())
    checkpoint = plan.backbone.checkpoint
    if checkpoint is not None and (base / checkpoint).is_dir():
        changes["backbone.checkpoint"] = str((base / checkpoint).resolve())
    return patched(plan, changes)


def plan_paths() -> Iterator[str]:
    """Every path of the plan, such as `training.epochs`."""
    for section, field in Plan.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, Section):
            yield from (f"{section}.{name}" for name in model.model_fields)
        else:
            yield section


def value_at(plan: Plan, path: str) -> Any:
    """Return the value at `path`.

    Raises:
        UsageError: there is no such path.
    """
    section, _, name = path.partition(".")
    part = getattr(plan, section, None)
    if path not in plan_paths():
        close = difflib.get_close_matches(path, list(plan_paths()), n=1)
        raise UsageError(f"unknown plan path {path!r}", hint=f"Did you mean {close[0]}?" if close else "")
    return getattr(part, name) if name else part


def patched(plan: Plan, changes: Mapping[str, Any], where: str = "patch") -> Plan:
    """Return the plan with the values at the given paths replaced.

    Raises:
        UsageError: unknown path.  PlanError: the result is not a valid plan.
    """
    content = plan.model_dump()
    for path, value in changes.items():
        value_at(plan, path)
        section, _, name = path.partition(".")
        if name:
            content[section][name] = value
        else:
            content[section] = value
    return make_plan(content, where)


def differences(old: Plan, new: Plan) -> dict[str, tuple[Any, Any]]:
    """Return every path whose value differs, with both values."""
    pairs = {path: (value_at(old, path), value_at(new, path)) for path in plan_paths()}
    return {path: (before, after) for path, (before, after) in pairs.items() if before != after}


def write_atomically(path: Path, text: str) -> None:
    """Write `text` to a temporary file beside `path` and rename it, so that nobody ever sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def plan_yaml(plan: Plan, comments: Mapping[str, str] | None = None, header: str = "") -> str:
    """Write a plan as YAML text with a trailing comment for each path in `comments`, and `header` on top."""
    lines = [f"# {line}" if line else "#" for line in header.splitlines()]
    for section, value in plan.model_dump(mode="json").items():
        if not isinstance(value, dict):
            lines.append(_line(section, value, comments or {}, section, ""))
            continue
        lines.append(f"{section}:")
        lines += [_line(name, item, comments or {}, f"{section}.{name}", "  ") for name, item in value.items()]
    return "\n".join(lines) + "\n"


def _line(name: str, value: Any, comments: Mapping[str, str], path: str, indent: str) -> str:
    text = (
        yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000).removesuffix("\n...\n").strip()
    )
    line = f"{indent}{name}: {text}"
    return f"{line:<40}  # {comments[path]}" if path in comments else line
