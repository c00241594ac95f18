"""Which losses see what, and what kind of labels that makes; says what is there, not what it is worth."""

from __future__ import annotations

from knowledge.records import Measured

from ..calls import Call, texts
from ..columns import column_against_row
from ..flow import kind, producers
from ..script import Script
from ..values import Instance

LABELS, MATCH, RANGE = "script.labels", "script.loss_input", "script.output_range"
_KINDS = {"recognition-loss": "text", "class-loss": "classes", "tag-loss": "tags", "scale-loss": "scale"}


def measure_losses(script: Script) -> Measured:
    """Return `script.labels`, `script.loss_input` and `script.output_range`."""
    found = {value: script.calls(symbol) for symbol, value in _KINDS.items()}
    for call in script.calls("keras-compile"):
        for named in dict.fromkeys(_of_name(text) for text in texts(call.argument("loss", 1), deepest=3)):
            if named:  # a network with several outputs has one for each, in a list or under its name
                found[named] = [*found[named], call]
    seen = [value for value, calls in found.items() if calls]
    if not seen:
        why = "no loss was found in what the launch reaches"
        facts = (LABELS, MATCH, RANGE)
        return Measured((), tuple(script.unknown(name, why, "the network and its loss") for name in facts))
    sure = [value for value in seen if any(not call.guards for call in found[value])] or seen
    labels = sure[0] if len(sure) == 1 else "text" if "text" in sure else "several"
    calls = [call for value in sure for call in found[value]]
    fact = script.fact(LABELS, labels, *(script.of(call) for call in calls))
    return Measured((fact,)) + _match(script, found) + _range(script, found["scale"], labels)


def _of_name(loss: object) -> str:
    """Return the kind of labels of a loss that Keras is given by its name."""
    name = str(loss).lower()
    if "categorical_crossentropy" in name:
        return "classes"
    if "binary_crossentropy" in name:
        return "tags"
    return "scale" if name in ("mse", "mae", "mean_squared_error", "mean_absolute_error", "huber") else ""


def _outputs(call: Call, *, scaled: bool = False) -> list[Instance]:
    """Return what made the first argument of a loss."""
    given = call.argument("input", 0) or call.argument("y_pred")
    return list(producers(given, scaled=scaled))


def _match(script: Script, found: dict[str, list[Call]]) -> Measured:
    """Return whether a loss sees something that was already turned into probabilities."""
    softmaxes, sigmoids = script.symbols["softmax"], script.symbols["sigmoid"]
    logits, binary = script.symbols["wants-logits"], script.symbols["wants-binary-logits"]
    called = [call for calls in found.values() for call in calls]
    wrong = [("softmax-before-cross-entropy", call, made) for call in called if call.name in logits
             for made in _outputs(call) if kind(made) in softmaxes or _ends_with(made, "softmax")]  # fmt: skip
    wrong += [("sigmoid-before-logits-loss", call, made) for call in called if call.name in binary
              for made in _outputs(call) if kind(made) in sigmoids]  # fmt: skip
    if wrong:
        value = wrong[0][0]
        places = [script.of(each, value) for _, each, _ in wrong]
        places += [script.of(made.call, "made probabilities here") for _, _, made in wrong if made.call is not None]
        return Measured((script.fact(MATCH, value, *places),))
    crossed = [call for call in found["scale"] if column_against_row(script, call)]
    if crossed:
        places = [script.of(call, "compares (B, 1) with (B)") for call in crossed]
        return Measured((script.fact(MATCH, "column-against-row", *places),))
    if not called:
        return Measured()
    return Measured((script.fact(MATCH, "fits", *(script.of(call) for call in called)),))


def _ends_with(made: Instance, name: str) -> bool:
    return made.call is not None and made.call.attribute == name and "log" not in made.call.name.rpartition(".")[2]


def _range(script: Script, calls: list[Call], labels: str) -> Measured:
    """Return whether the numbers that a regression gives are bounded by their last step."""
    made = [each for call in calls for each in _outputs(call, scaled=True)]
    bounded, linear = set(script.symbols["bounding"]), set(script.symbols["linear"])
    methods = ("clamp", "clip", "sigmoid", "tanh")
    there = [each for each in made if kind(each) in bounded or (each.call and each.call.attribute in methods)]
    if there:
        return Measured((script.fact(RANGE, "bounded", *(script.of(each.call) for each in there if each.call)),))
    open_ends = [each for each in made if kind(each) in linear]
    if open_ends and labels == "scale":
        places = tuple(script.of(each.call) for each in open_ends if each.call is not None)
        return Measured((script.fact(RANGE, "unbounded", *places),))
    if labels in ("classes", "tags", "text"):
        return Measured((script.fact(RANGE, "no-scale", *(script.of(call) for call in calls[:1])),))
    why = "what makes the predictions was not followed to a layer"
    return Measured((), (script.unknown(RANGE, why, "the last layer of the network"),))
