"""Whether a model is evaluated, by what, and in the state in which it will be used; says what is there, no more."""

from __future__ import annotations

from knowledge.records import Measured

from ..calls import Call, _Names, sources
from ..evaluations import Evaluations, evaluations_of, gradient_off
from ..script import Script
from ..settings import settings
from ..training import training_of
from ..values import Const, Derived, Instance, Value, constant
from .answers import absent, there, unknown

_TARGET, _METRIC, _MODE, _GRADIENTS = (
    "script.evaluation", "script.task_metric", "script.evaluation_mode", "script.evaluation_gradients",
)  # fmt: skip
_EVALUATION = "the file that evaluates"


def measure_evaluation(script: Script) -> Measured:
    """Return by what and how the project evaluates."""
    found = evaluations_of(script)
    measured = there(script, _TARGET, found.any, *(script.of(call) for call in (*found.frameworks, *found.runs)[:6]))
    return measured + _metric(script, found) + _mode(script, found) + _gradients(script, found)


def metrics_of(script: Script) -> list[Call]:
    """Return where a task metric is computed, the launch first; agreement that is counted by hand is one."""
    calls = [call for main in (True, False) for call in script.calls("task-metric", main=main)]
    calls = [call for call in calls if not call.attribute.startswith("_") and not call.place.path.endswith("setup.py")]
    return [*calls, *_counted(script), *_compiled(script)]


def _compiled(script: Script) -> list[Call]:
    return [call for call in script.calls("model-keras-compile", main=None) if call.argument("metrics") is not None]


def _counted(script: Script) -> list[Call]:
    """Return where predictions that equal their labels are counted."""
    counts, picks = _Names(script.symbols["counts"]), _Names(script.symbols["picks-class"])
    equal = _Names(script.symbols["agreement"])
    found = []
    for call in script.trace:
        operands = [value for value in call.values() if not isinstance(value, Const)]
        if (equal.has(call.name) and any(_picked(value, picks) for value in operands)) or (
            counts.has(call.name) and any(_compared(value, picks) for value in operands)
        ):
            found.append(call)
    return found


def _compared(value: Value, picks: _Names) -> bool:
    """Return whether a value is nearly a comparison of picked classes with something."""
    for each in sources(value, deepest=4):
        if isinstance(each, Derived) and each.operation == "compare Eq" and _picked(each, picks):
            return True
    return False


def _picked(value: Value, picks: _Names) -> bool:
    return any(
        (isinstance(each, Instance) and each.call is not None and picks.has(each.call.name))
        or (isinstance(each, Derived) and each.operation.startswith("compare Gt"))
        or (isinstance(each, Instance) and each.call is not None and each.call.name.endswith((".round", "torch.round")))
        for each in sources(value, deepest=7)
    )


def _metric(script: Script, found: Evaluations) -> Measured:
    idle = {call.place for call in training_of(script).frameworks} if not found.frameworks else set()
    metrics = [call for call in metrics_of(script) if not idle & set(call.callers)]
    metrics += _handed_over(script) if found.frameworks else []
    if metrics and (found.any or any(_held_out(call, script) for call in metrics)):
        return there(script, _METRIC, True, *(script.of(call) for call in metrics[:8]))
    training = training_of(script)
    anchors = [*training.arguments, *training.starts, *training.steps]
    if not found.any and metrics and not anchors:
        return unknown(script, _METRIC, "nothing that evaluates was found", _EVALUATION)
    if not found.any and script.trace.named("?", main=True) and metrics:
        return unknown(script, _METRIC, "objects that reading does not know may evaluate", _EVALUATION)
    where = [*found.frameworks, *found.runs] or anchors or metrics
    text = "an evaluation without a task metric" if found.any else "training without an evaluation"
    return absent(script, _METRIC, False, text, [*where, *_epochs(script)])


def _handed_over(script: Script) -> list[Call]:
    """Return the frameworks that are given a function of the metrics, which they call on held-out clips."""
    return [
        each.call for each in settings(script, "metrics-function", main=None) if each.given and each.on is not False
    ]


def _held_out(call: Call, script: Script) -> bool:
    """Return whether a metric stands where nothing trains, so that it judges some result."""
    inner = call.loops[-1:] if call.loops else ()
    trains = {id(each.loops[-1]) for each in script.calls("backward", main=None) if each.loops}
    return not call.main or (not call.hook and not any(id(loop) in trains for loop in inner) and bool(call.arguments))


def _epochs(script: Script) -> list[Call]:
    """Return the calls of the function that trains, so that the loop over rounds is among the places."""
    return [call for call in script.calls("backward") if call.loops][:2]


def _mode(script: Script, found: Evaluations) -> Measured:
    """Return whether evaluation runs in evaluation mode: always, never, or left behind in training."""
    if not found.any:
        return there(script, _MODE, "no-evaluation")
    if not found.runs:
        return there(script, _MODE, "framework", *(script.of(call) for call in found.frameworks[:6]))
    switches = _switches(script)
    evals = [call for call, mode in switches if mode == "eval"]
    wrong = [call for call in found.runs if call.main and not _evaluates(call, switches)]
    if wrong and not (evals and _unsure(script, wrong)):
        return absent(script, _MODE, "training", "a run on held-out data without evaluation mode", wrong)
    if wrong:
        return unknown(script, _MODE, "the network's mode is set by code that reading does not follow", _EVALUATION)
    stuck = _stuck(script, switches)
    if stuck:
        return absent(script, _MODE, "stuck", "evaluation mode that nothing ends before training goes on", stuck)
    shown = evals or list(found.frameworks) or list(found.runs)
    return there(script, _MODE, "evaluation", *(script.of(call) for call in shown[:6]))


def _switches(script: Script) -> list[tuple[Call, str]]:
    """Return every call that changes a network's mode, in order."""
    found = []
    for call in script.calls("mode-eval", "mode-train", main=None):
        if call.attribute == "eval":
            found.append((call, "eval"))
        elif call.receiver is not None and not call.name.startswith(("transformers.Trainer", "transformers.Seq2Seq")):
            off = bool(call.arguments) and constant(call.arguments[0]) is False
            found.append((call, "eval" if off else "train"))
    return sorted(found, key=lambda pair: pair[0].order)


def _evaluates(run: Call, switches: list[tuple[Call, str]]) -> bool:
    """Return whether the last change of mode before a run was to evaluation; from_pretrained starts in it."""
    before = [mode for call, mode in switches if call.order < run.order and call.main == run.main]
    if before:
        return before[-1] == "eval"
    made = run.receiver.call if isinstance(run.receiver, Instance) else None
    return made is not None and made.attribute == "from_pretrained"


def _unsure(script: Script, runs: list[Call]) -> bool:
    return bool(script.cut) or any(not call.complete for call in runs)


def _stuck(script: Script, switches: list[tuple[Call, str]]) -> list[Call]:
    """Return switches to evaluation inside a loop that trains again afterwards without a switch back."""
    backward = [call for call in script.calls("backward") if call.loops]
    found = []
    for call, mode in switches:
        if mode != "eval" or not call.main or not call.loops or not isinstance(call.receiver, Instance):
            continue
        if call.receiver.cls is None and call.receiver.type.startswith("transformers."):
            continue  # a frozen part that is kept in evaluation mode
        shared = {id(loop) for loop in call.loops}
        trained = [each for each in backward if shared & {id(loop) for loop in each.loops}]
        if not trained or _in_forward(call, script):
            continue
        common = {id(loop) for each in trained for loop in each.loops} & shared
        back = [each for each, to in switches if to == "train" and {id(loop) for loop in each.loops} & common]
        if not back:
            found.append(call)
    return found


def _in_forward(call: Call, script: Script) -> bool:
    return any(name.rpartition(".")[2] in script.reading.callable_methods for name in call.stack)


def _gradients(script: Script, found: Evaluations) -> Measured:
    """Return whether evaluation computes gradients that nothing uses."""
    if not found.any:
        return there(script, _GRADIENTS, "no-evaluation")
    runs = [call for call in found.runs if call.attribute != "generate"]  # generate() switches gradients off itself
    if not runs:
        return there(script, _GRADIENTS, "framework", *(script.of(call) for call in found.frameworks[:6]))
    bare = [call for call in runs if not gradient_off(script, call)]
    launched = [call for call in bare if call.main]
    if launched or len(bare) == len(runs):
        return absent(script, _GRADIENTS, "computed", "a run on held-out data that computes gradients", bare)
    return there(script, _GRADIENTS, "without", *(script.of(call) for call in runs if gradient_off(script, call)))
