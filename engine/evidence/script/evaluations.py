"""Where a script evaluates: by a framework's loop, or by running a model where nothing follows backwards."""

from __future__ import annotations

from dataclasses import dataclass

from .calls import Call, _Names
from .script import Script
from .values import Instance, constant, truth


@dataclass(frozen=True)
class Evaluations:
    """All evaluation of a project."""

    frameworks: tuple[Call, ...]
    """Calls by which a framework evaluates, in the right mode and without gradients."""
    runs: tuple[Call, ...]
    """Where a model is run by hand without training on the result."""

    @property
    def any(self) -> bool:
        return bool(self.frameworks or self.runs)


def evaluations_of(script: Script) -> Evaluations:
    """Return where the project evaluates, the launch first."""
    frameworks = tuple(each for main in (True, False) for each in _frameworks(script, main))
    return Evaluations(frameworks, tuple(_by_hand(script)))


def _frameworks(script: Script, main: bool) -> list[Call]:
    found = script.calls("trainer-evaluation", "other-evaluation", main=main)
    found += [call for call in script.calls("keras-fit", main=main) if _has_held_out(call)]
    arguments = script.calls("hf-arguments", main=main)
    trainers = script.calls("hf-trainer", main=main)
    trainers += [call for call in script.trace if call.main is main and _is_trainer(script, call)]
    if any(_evaluates(call) for call in arguments):
        found += trainers or arguments
    return found


def _is_trainer(script: Script, call: Call) -> bool:
    made = call.result
    bases = made.cls.outside() if isinstance(made, Instance) and made.cls is not None and made.call is call else ()
    names = _Names(script.symbols["hf-trainer"])
    return any(names.has(base) for base in bases)


def _has_held_out(call: Call) -> bool:
    held = call.argument("validation_data") or call.argument("validation_split")
    return held is not None and truth(held) is not False


def _evaluates(call: Call) -> bool:
    """Return whether the arguments of a transformers Trainer make it evaluate while it trains."""
    value = call.argument("eval_strategy") or call.argument("evaluation_strategy")
    if value is None:
        switch = call.argument("do_eval")
        during = call.argument("evaluate_during_training")
        return any(each is not None and constant(each) is True for each in (switch, during))
    return constant(value, "steps") not in ("no", None)


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
        if inner in trained_loops or (_scope(call) in trained and not _gradient_off(script, call)):
            continue
        if call.loops or _gradient_off(script, call):
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
    if call.stack and call.stack[-1].rpartition(".")[2] in ("forward", "call", "__init__", "forward_features"):
        return False
    if receiver.cls is not None:
        return any(base in ("torch.nn.Module", "keras.Model") or "Module" in base or "PreTrained" in base
                   for base in receiver.cls.outside())  # fmt: skip
    networks = _Names(script.symbols["pretrained-model"])
    return receiver.call is not None and networks.has(receiver.call.name) and call.name.startswith("transformers.")


def _gradient_off(script: Script, call: Call) -> bool:
    return gradient_off(script, call)


def gradient_off(script: Script, call: Call) -> bool:
    """Return whether a call stands where no gradients are computed."""
    names = _Names(script.symbols["gradient-off"])
    for context in call.contexts:
        if not names.has(context.name):
            continue
        made = context.value.call if isinstance(context.value, Instance) else None
        if context.name.endswith("set_grad_enabled") and made is not None and made.arguments:
            if truth(made.arguments[0]) is True:
                continue
        return True
    return False
