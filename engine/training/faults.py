"""The ways in which training fails, told so that the user can act; it detects none of them but lack of memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from engine.plan_sections import Training
from knowledge.errors import TrainingError

from .memory_backoff import NoRoomError, is_out_of_memory

_NAMED_CLIPS = 8


class DivergedError(TrainingError):
    """A loss or gradient is no longer a number."""

    code = "nan"
    title = "Training left the numbers"


class MemoryExhaustedError(TrainingError):
    """The device has no room for a batch."""

    code = "out-of-memory"
    title = "Not enough memory"
    clips: int | None = None
    """Clips of the smallest pass that was tried; None where it was not a pass of training."""


class DeadTensorsError(TrainingError):
    """Weights that the plan wants to train get no gradient."""

    code = "dead-tensors"
    title = "Part of the model learns nothing"


class OverheatedError(TrainingError):
    """The GPU came too near to the temperature at which it switches itself off."""

    code = "overheated"
    title = "The GPU is too hot"


class StorageError(TrainingError):
    """A checkpoint or event cannot be written."""

    code = "storage"
    title = "The run cannot be written"


class LostProcessError(TrainingError):
    """Another process of the same run is gone."""

    code = "lost-process"
    title = "A process of this run is gone"


def lost_process(error: RuntimeError, count: int) -> LostProcessError:
    """Return the error for a step that cannot be added up any more."""
    said = (str(error).splitlines() or ["no reason given"])[0]
    return LostProcessError(
        f"one of the {count} processes of this run ended ({said}); the checkpoints from before are whole",
        hint="See what ended it (memory, a kill, its machine), and go on with --resume, in one process or in several.",
    )


def diverged(what: str, value: float, step: int, clips: Sequence[str], place: str = "") -> DivergedError:
    """Return the error for a `what` of NaN or infinity at `step`, with the clips it is on and the layer it is from."""
    more = f" and {len(clips) - _NAMED_CLIPS} more" if len(clips) > _NAMED_CLIPS else ""
    named = f" on {', '.join(clips[:_NAMED_CLIPS])}{more}" if clips else ""
    return DivergedError(
        f"the {what} is {value} at step {step}{named}{place}; the checkpoints from before are whole",
        hint="Lower training.learning_rate, set training.clip_norm, or look at those clips.",
    )


def overheated(temperature_c: float, step: int) -> OverheatedError:
    """Return the error for a GPU of this temperature."""
    return OverheatedError(
        f"the GPU has {temperature_c:.0f} C at step {step}, which is next to where it switches itself off; "
        "the state was saved",
        hint="Let it cool, see to its fans, and go on with --resume.",
    )


def cannot_write(path: Path, error: OSError) -> StorageError:
    """Return the error for a file of the run that cannot be written."""
    return StorageError(
        f"{path}: {error.strerror or error}; the checkpoints from before are whole",
        hint="Make room or restore the disk, and go on with --resume.",
    )


def dead_tensors(names: Sequence[str]) -> DeadTensorsError:
    """Return the error for trainable tensors that the first two backward passes gave no gradient."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return DeadTensorsError(
        f"{len(names)} trainable tensors got no gradient in two steps: {', '.join(names[:3])}{more}",
        hint="This backbone does not use the weights that adaptation.targets names; choose other targets.",
    )


@contextmanager
def memory_watched(training: Training) -> Iterator[None]:
    """Turn the many ways of running out of memory into one error that says what to change.

    Raises:
        MemoryExhaustedError: inside there was no memory.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        text = str(error)
        if not is_out_of_memory(error):
            raise
        clips = error.clips if isinstance(error, NoRoomError) else -(-training.batch_size // training.accumulation)
        exhausted = MemoryExhaustedError(
            f"no memory for a pass of {clips} clip{'' if clips == 1 else 's'} "
            f"(training.batch_size {training.batch_size}, training.accumulation {training.accumulation}): "
            f"{text.splitlines()[0] if text else 'allocation failed'}",
            hint=_room_hint(training, clips),
        )
        exhausted.clips = error.clips if isinstance(error, NoRoomError) else None
        raise exhausted from error


def _room_hint(training: Training, clips: int) -> str:
    if clips == 1:
        return "One clip alone does not fit: set data.max_seconds, or choose a smaller backbone."
    twice = f"Set training.accumulation to {2 * training.accumulation}: the same steps at half the memory."
    return f"{twice} Or set data.max_seconds."
