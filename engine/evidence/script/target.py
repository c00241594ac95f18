"""What a script trains a model for: a class, labels, a number, or text; by its losses and networks."""

from __future__ import annotations

from .calls import Call, _Names, sources
from .script import Script
from .values import Instance, constant, constants, options_of

_NAMED_LOSSES = {
    "class": ("categorical_crossentropy", "sparse_categorical_crossentropy", "nll", "cross_entropy"),
    "labels": ("binary_crossentropy",),
    "number": ("mse", "mae", "mean_squared_error", "mean_absolute_error", "huber", "huber_loss"),
}
_SYMBOLS = {"class": "one-class-loss", "labels": "label-loss", "number": "value-loss"}


def target_of(script: Script) -> tuple[str, list[Call]]:
    """Return `class`, `labels`, `number`, `text`, `several` or an empty text, and the calls that show it."""
    transcribing = _transcribing(script)
    if transcribing:
        return "text", transcribing
    for main in (True, False):
        found = {kind: losses for kind in _SYMBOLS if (losses := _losses(script, kind, main))}
        if found:
            break
    headed = [call for call in _networks(script) if "Classification" in _kind(call)]
    if headed and not found:
        return "class", headed
    if len(found) == 1:
        return next(iter(found.items()))
    if not found:
        return _by_metrics(script)
    unguarded = {kind: [call for call in calls if not call.guards] for kind, calls in found.items()}
    sure = {kind: calls for kind, calls in unguarded.items() if calls}
    if len(sure) == 1:
        return next(iter(sure.items()))
    everything = [call for calls in found.values() for call in calls]
    if set(found) == {"class", "labels"}:
        return "class", everything
    return ("class" if _counts_labels(script) else "several"), everything


def _counts_labels(script: Script) -> bool:
    """Return whether a network gets one output for each label, and never a single one for a number."""
    given = [call.argument("num_labels") for call in script.calls("pretrained-model", "no-network")]
    known = [value for value in given if value is not None]
    single = any(constant(option) == 1 for value in known for option in options_of(value))
    return bool(known) and not single


def _kind(call: Call) -> str:
    return call.result.type if isinstance(call.result, Instance) else call.name


def _networks(script: Script) -> list[Call]:
    headed = _Names(script.symbols["network-with-head"])
    return [call for call in script.calls("pretrained-model") if headed.has(_kind(call))]


def _transcribing(script: Script) -> list[Call]:
    texts = _Names(script.symbols["transcribes"])
    networks = [call for call in _networks(script) if texts.has(_kind(call))]
    return networks or script.calls("transcribes") or _spoken(script)


def _spoken(script: Script) -> list[Call]:
    """Return calls that load the word error rate as a metric."""
    loads = [call for call in script.calls("task-metric") if call.name.endswith((".load", ".load_metric"))]
    return [call for call in loads if call.arguments and set(constants(call.arguments[0]) or ()) & {"wer", "cer"}]


def _losses(script: Script, kind: str, main: bool) -> list[Call]:
    calls = script.calls(_SYMBOLS[kind], main=main)
    used = _Names(f"{name}.__call__" for name in script.symbols[_SYMBOLS[kind]])
    run = [call for call in script.trace if call.main is main and used.has(call.name)]
    functions = [call for call in calls if call.attribute[:1].islower()]
    named = [call for call in script.calls("model-keras-compile", main=main) if _named(call, kind)]
    return [*run, *functions, *named] or (calls if not _any_run(script, main) else [])


def _any_run(script: Script, main: bool) -> bool:
    names = _Names(f"{name}.__call__" for each in _SYMBOLS.values() for name in script.symbols[each])
    return any(call.main is main and names.has(call.name) for call in script.trace)


def _named(call: Call, kind: str) -> bool:
    value = call.argument("loss", 1)
    texts = [str(each.value).lower() for each in sources(value, deepest=3) if hasattr(each, "value")]
    return any(text in _NAMED_LOSSES[kind] for text in texts)


def _by_metrics(script: Script) -> tuple[str, list[Call]]:
    """Return what the metrics are of, where no loss tells."""
    numbers, classes = script.calls("number-metric", main=None), script.calls("class-metric", main=None)
    if numbers and not classes:
        return "number", numbers
    return ("class", classes) if classes and not numbers else ("", [])
