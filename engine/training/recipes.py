"""Training in two stages: what the first one is, where it lies, and what the second begins with. It runs neither.

The first stage is a run of its own in `first-stage` beside the second one, with its own events and checkpoints, so that
whatever holds for a run holds for a stage: it stops, resumes and is checked like any other.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from engine.plan import Plan, patched
from knowledge.errors import InputError

from .backbones import PretrainedEncoder
from .checkpoints import BEST, read_checkpoint
from .foreign import ForeignEncoder
from .model import AudioModel

FOLDER = "first-stage"
_OF_A_CLASS = 4
"""Clips of one class in a batch of pairs, where the plan does not say: three partners each, and many classes."""
_ENCODER = "encoder."


def first_stage(plan: Plan) -> Plan | None:
    """Return the plan of the first stage; None where there is but one."""
    training = plan.training
    if training.stages == "audioconfit":
        together = training.clips_per_class or min(_OF_A_CLASS, max(training.batch_size // 2, 2))
        changes: dict[str, object] = {
            "training.loss": "supcon",
            "training.epochs": training.pair_epochs,
            "training.label_smoothing": 0.0,
            "training.class_balance": "balanced-sampling",
            "training.clips_per_class": together,
            "training.batch_seconds": 0.0,
            "evaluation.select_by": "loss",
            "pooling.name": "mean",
            "head.name": "linear",
        }
    elif training.stages == "probe-then-finetune":
        changes = {"training.epochs": training.probe_epochs, "adaptation.method": "frozen", "adaptation.top_layers": 0}
        if plan.augmentation.mask_share:
            changes["augmentation.mask_share"] = 0.0  # hides frames from layers that learn, and none does
    else:
        return None
    return patched(plan, {"name": f"{plan.name}-{FOLDER}", "training.stages": "one", **changes}, "the first stage")


def begin_with(model: AudioModel, plan: Plan, run: Path) -> AudioModel:
    """Put what the first stage learnt into the model of the second, and freeze what is not to learn any more.

    Raises:
        InputError: the first stage is not there, or belongs to another plan.
    """
    if plan.training.stages == "one":
        return model
    path = run / FOLDER / "checkpoints" / BEST
    if not path.exists():
        raise InputError(
            f"{path} is missing: training.stages is {plan.training.stages}, and the second stage begins with it",
            hint="Keep the folder first-stage beside the run, or train again.",
        )
    tensors, _ = read_checkpoint(path)
    if plan.training.stages == "audioconfit":
        _load(model, {name: value for name, value in tensors.items() if name.startswith(_ENCODER)}, path)
        assert isinstance(model.encoder, PretrainedEncoder | ForeignEncoder), (
            "a plan of stages has a backbone that learns"
        )
        model.encoder.freeze()
        model.encoder_is_frozen = True
    else:
        _load(model, {name: value for name, value in tensors.items() if not name.startswith(_ENCODER)}, path)
    return model


def _load(model: AudioModel, tensors: dict[str, Tensor], path: Path) -> None:
    own = dict(model.named_parameters()) | dict(model.named_buffers())
    wrong = [name for name, value in tensors.items() if name not in own or own[name].shape != value.shape]
    if wrong or not tensors:
        raise InputError(f"{path} does not fit this plan: {len(wrong)} tensors differ, among them {wrong[:1]}")
    model.load_state_dict(tensors, strict=False)
