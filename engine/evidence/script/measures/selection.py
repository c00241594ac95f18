"""By what the best checkpoint is chosen, and whether it is kept on disk; says what is there, no more."""

from __future__ import annotations

from knowledge.records import Evidence, Measured

from ..best import Best, bests
from ..calls import Call, texts
from ..loops import rounds_of
from ..script import Script
from ..settings import Setting, settings
from ..training import Training, first_on, training_of
from .answers import NO_TRAINING, TRAINING_FILE, absent, of_setting, there, unknown, untold

CRITERION, KEPT = "script.selection", "script.best_checkpoint"


def measure_selection(script: Script) -> Measured:
    """Return `script.selection` and `script.best_checkpoint`: what chooses the best checkpoint, and where it goes."""
    training = training_of(script)
    if not training.found:
        return unknown(script, CRITERION, NO_TRAINING, TRAINING_FILE) + unknown(
            script, KEPT, NO_TRAINING, TRAINING_FILE
        )
    for answer in (_by_trainer, _by_checkpointer, _by_callback):
        found = answer(script)
        if found is not None:
            return found
    chosen = bests(script)
    if chosen:
        return _by_hand(script, chosen)
    anchors = _anchors(script, training)
    return absent(script, CRITERION, "nothing", "no checkpoint is chosen", anchors) + absent(
        script, KEPT, False, "no best checkpoint is kept", anchors
    )


def _anchors(script: Script, training: Training) -> list[Call]:
    """Return where a checkpoint is saved without being chosen, else where the training is set up."""
    saves = script.calls("weights-saved")
    rounds = rounds_of(script, training).loop
    inside = [call for call in saves if rounds is not None and rounds in call.loops]
    return [*training.arguments, *(inside or saves), *training.starts] or list(training.step_anchor)


def _both(script: Script, criterion: str, kept: bool, *evidence: Evidence) -> Measured:
    return there(script, CRITERION, criterion, *evidence) + there(script, KEPT, kept, *evidence)


def _named(script: Script, texts_of: tuple[object, ...]) -> str:
    """Return the kind of criterion that a name such as `val_loss` stands for."""
    names = [str(each) for each in texts_of]
    if any(script.says("of-training-clips", name) and not script.says("held-out", name) for name in names):
        return "on-training-data"
    return "loss" if any(script.says("loss", name) for name in names) else "task-metric"


def _by_trainer(script: Script) -> Measured | None:
    """Return how a transformers Trainer chooses, or None when none is there."""
    loads = settings(script, "load-best")
    if not loads:
        return None
    evidence = tuple(of_setting(script, each) for each in loads) + tuple(
        script.of(call) for call in training_of(script).starts
    )
    on, _, open_ones = first_on(script, "load-best")
    if open_ones:
        return untold(script, CRITERION, open_ones[0]) + untold(script, KEPT, open_ones[0])
    if not on:
        return _both(script, "nothing", False, *evidence)
    metric, evaluation = settings(script, "selection-metric"), settings(script, "evaluation")
    if any(each.on is False for each in evaluation):
        return _both(script, "nothing", False, *evidence)
    names = next((each.options for each in metric if each.options), None)
    if names is None or None in names:
        return there(script, KEPT, True, *evidence) + untold(script, CRITERION, metric[0])
    return _both(script, _named(script, names), True, *(of_setting(script, each) for each in metric), *evidence)


def _by_checkpointer(script: Script) -> Measured | None:
    """Return how a checkpointer of SpeechBrain chooses, or None when none keeps by a key."""
    calls = script.calls("kept-by-metric")
    keys = [text for call in calls for name in ("min_keys", "max_keys") for text in texts(call.argument(name))]
    return _both(script, _named(script, tuple(keys)), True, *(script.of(call) for call in calls)) if keys else None


def _by_callback(script: Script) -> Measured | None:
    """Return how a checkpoint callback of Lightning or Keras chooses, or None when none is there."""
    monitors = [each for each in settings(script, "selection-monitor") if _selects(script, each)]
    saving = [each for each in monitors if "Checkpoint" in each.call.name or _derives_checkpoint(each.call)]
    anchors = training_of(script)
    if not monitors:
        if not anchors.frameworks or not any(
            "lightning" in call.name or "fit" in call.attribute for call in anchors.frameworks
        ):
            return None
        return (
            None
            if bests(script)
            else _both(
                script,
                "nothing",
                False,
                *(script.of(call) for call in (*_checkpoints(script), *anchors.arguments, *anchors.starts)),
            )
        )
    known = [(each, each.options) for each in monitors]
    kinds = {_watched(script, each) for each, options in known if options is not None and None not in options}
    evidence = tuple(of_setting(script, each) for each in monitors) + tuple(script.of(each.call) for each in monitors)
    kept = there(script, KEPT, bool(saving), *evidence)
    if any(options is not None and None in options for _, options in known):
        others = [option for _, options in known for option in options or () if option is not None]
        if others:
            why = "the checkpoint's monitor depends on what the run finds"
            return unknown(script, CRITERION, why, "the data set") + unknown(script, KEPT, why, "the data set")
    if not kinds:
        return untold(script, CRITERION, monitors[0]) + kept
    best = "task-metric" if "task-metric" in kinds else kinds.pop()
    return there(script, CRITERION, best, *evidence) + kept


def _watched(script: Script, monitor: Setting) -> str:
    """Return the kind of criterion of a callback; Keras calls what is of held-out clips `val_...`, all else is not."""
    names = monitor.options or ()
    if monitor.profile.package == "keras" and not any(script.says("held-out", str(name)) for name in names):
        return "on-training-data"
    return _named(script, names)


def _derives_checkpoint(call: Call) -> bool:
    return "checkpoint" in call.name.lower()


def _checkpoints(script: Script) -> list[Call]:
    return [each.call for each in settings(script, "selection-monitor")]


def _selects(script: Script, monitor: Setting) -> bool:
    """Return whether a callback keeps the best by its monitor: told to, and with something to watch."""
    if monitor.on is False:
        return False
    only = [each for each in settings(script, "best-only") if each.call is monitor.call]
    kept = [each for each in settings(script, "kept") if each.call is monitor.call]
    return all(each.on is not False for each in only) and all(
        each.options is None or any(each.options) for each in kept
    )


def _by_hand(script: Script, chosen: list[Best]) -> Measured:
    """Return how the script's own loop chooses."""
    evidence = tuple(script.evidence(each.place, "the best so far is kept here") for each in chosen)
    kinds = [_criterion(script, each) for each in chosen]
    best = next((kind for kind in ("task-metric", "loss", "on-training-data") if kind in kinds), "loss")
    kept = any(each.saved for each in chosen)
    saves = tuple(script.of(call) for each in chosen for call in each.saves)
    if not kept:
        anchors = tuple(script.of(call) for call in script.calls("weights-saved"))
        return _both(script, "nothing", False, *anchors, *evidence)
    return there(script, CRITERION, best, *evidence, *saves) + there(script, KEPT, True, *evidence, *saves)


def _criterion(script: Script, best: Best) -> str:
    words = (best.text, *(text for value in best.values for text in texts(value, deepest=4)))
    if script.says("of-training-clips", best.text) and not script.says("held-out", best.text):
        return "on-training-data"
    if script.says("loss", best.text):
        return "loss"
    if best.falls and not script.says("falling-metric", best.text):
        return "loss" if not any(script.says("task-metric", word) for word in words) else "task-metric"
    return "task-metric"
