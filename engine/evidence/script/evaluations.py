"""Where a script evaluates: by a framework's loop, or by running a model where nothing follows backwards."""

from __future__ import annotations

from dataclasses import dataclass

from .calls import Call, _Names
from .script import Script
from .settings import settings
from .training import training_of
from .values import Instance, truth


@dataclass(frozen=True)
class Evaluations:
    """All evaluation of a project."""

    frameworks: tuple[Call, ...]
    """Calls by which a framework evaluates, in the right mode and without gradients."""
    runs: tuple[Call, ...]
    """Where a model is run by hand without training on the result."""

    @property
    def any(self) -> bool:
        """Whether anything is evaluated."""
        return bool(self.frameworks or self.runs)


def evaluations_of(script: Script) -> Evaluations:
    """Return where the project evaluates, the launch first."""
    frameworks = tuple(each for main in (True, False) for each in _frameworks(script, main))
    judged = {call.place.path for call in script.calls("task-metric", "backward", main=None)}
    runs = [call for call in _by_hand(script) if call.main or call.place.path in judged]  # others only use the model
    return Evaluations(frameworks, tuple(runs))


def _frameworks(script: Script, main: bool) -> list[Call]:
    found = script.calls("trainer-evaluation", "other-evaluation", main=main)
    found += [call for call in script.calls("model-keras-fit", main=main) if _has_held_out(call)]
    trainers = [call for call in training_of(script).frameworks if call.main is main]
    if main and any(each.on is not False for each in settings(script, "evaluation")):
        found += trainers or [each.call for each in settings(script, "evaluation")]
    return found


def _has_held_out(call: Call) -> bool:
    held = call.argument("validation_data") or call.argument("validation_split")
    return held is not None and truth(held) is not False


def _by_hand(script: Script) -> list[Call]:
    """Return runs of a model in loops or functions where no gradient is computed from them."""
    trained = {_scope(call) for call in script.calls("backward", main=None) if call.receiver is not None}
    trained_loops = {id(loop) for call in script.calls("backward", main=None) for loop in call.loops[-1:]}
    found: list[Call] = []
    seen: set[tuple[str, int]] = set()
    for call in script.trace:
        key = (call.place.path, call.place.line)
        if not _runs_model(script, call) or key in seen or call.hook:
            continue
        inner = id(call.loops[-1]) if call.loops else 0
        if inner in trained_loops or (_scope(call) in trained and not gradient_off(script, call)):
            continue
        if call.loops or gradient_off(script, call):
            seen.add(key)
            found.append(call)
    return found


def _scope(call: Call) -> tuple[str, int]:
    """Return the function around a call and the loop that it stands in."""
    return (call.stack[-1] if call.stack else "", id(call.loops[-1]) if call.loops else 0)


def _runs_model(script: Script, call: Call) -> bool:
    """Return whether a call runs a whole model: an object of the project that is a network, from outside networks."""
    receiver = call.receiver
    if call.attribute not in ("__call__", "forward", "generate") or not isinstance(receiver, Instance):
        return False
    if any(name.endswith((".__getitem__", ".__getitems__")) for name in call.stack):
        return False  # what prepares a clip may be a module as well
    inside = call.stack[-1] if call.stack else ""
    if "." in inside and inside.rpartition(".")[2] in script.reading.callable_methods:
        return False  # a part of a network, run by the network around it
    if receiver.cls is not None:
        return any(base in ("torch.nn.Module", "keras.Model") or "Module" in base or "PreTrained" in base
                   for base in receiver.cls.outside())  # fmt: skip
    if id(receiver) in _optimized(script):
        return True
    networks, others = _Names(script.symbols["pretrained-model"]), _Names(script.symbols["no-network"])
    loaded = receiver.call.name if receiver.call is not None else ""
    adapted = _Names(script.symbols["model-adapters"]).has(loaded)
    return adapted or (networks.has(loaded) and not others.has(loaded) and receiver.type.startswith("transformers."))


def _optimized(script: Script) -> set[int]:
    """Return the objects of packages whose parameters are asked for, to be trained: `nn.Sequential`, a vision model."""
    if "optimized" not in script.shelf:
        asked = script.trace.named("*.parameters", main=None)
        script.shelf["optimized"] = {id(call.receiver) for call in asked if isinstance(call.receiver, Instance)}
    found: set[int] = script.shelf["optimized"]
    return found


def gradient_off(script: Script, call: Call) -> bool:
    """Return whether a call stands where no gradients are computed."""
    names = _Names(script.symbols["gradient-off"])
    for context in call.contexts:
        if not names.has(context.name):
            continue
        made = context.value.call if isinstance(context.value, Instance) else None
        switched = context.name.endswith("set_grad_enabled") and made is not None and bool(made.arguments)
        if not (switched and made is not None and truth(made.arguments[0]) is True):
            return True
    return False
