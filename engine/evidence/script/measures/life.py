"""What happens to a model after a step: its optimizer's state, the way back into a run, where it is registered."""

from __future__ import annotations

import ast

from knowledge.records import Evidence, Measured

from ..calls import Call, comes_from
from ..functions import functions_of, reached_lines, text_around
from ..places import Place
from ..script import Script
from ..settings import OFF, Setting, profiles_of, settings
from ..sources import Source
from ..training import training_of
from ..values import Const, constant
from .answers import NO_TRAINING, TRAINING_FILE, absent, of_setting, there, unknown, untold


def measure_optimizer_state(script: Script) -> Measured:
    """Return `script.optimizer_saved`: whether a checkpoint holds the optimizer beside the weights."""
    name = "script.optimizer_saved"
    training = training_of(script)
    if not training.found:
        return unknown(script, name, NO_TRAINING, TRAINING_FILE)
    own = script.calls("optimizer-state") + [
        call for call in script.trace.named("*.state_dict", main=True) if _of_optimizer(script, call)
    ]
    if own:
        return there(script, name, True, *(script.of(call) for call in own))
    whole = _whole_models(script)
    if whole:
        return there(script, name, True, *(script.of(call, via="default") for call in whole))
    only = [each for each in settings(script, "weights-only") if each.on]
    never = [each for each in settings(script, "saving") if each.on is False]
    never += [each for each in settings(script, "checkpoints") if each.on is False]
    by_loop = [call for _, call in profiles_of(script, "saves-optimizer")]
    if by_loop and not only and not never:
        saving = [of_setting(script, each) for each in settings(script, "saving")]
        return there(script, name, True, *saving, *(script.of(call, via="default") for call in by_loop))
    anchors = [
        *(each.call for each in (*only, *never)),
        *script.calls("weights-saved"),
        *training.starts,
        *training.step_anchor,
    ]
    return absent(script, name, False, "saved without the optimizer", anchors)


def _of_optimizer(script: Script, call: Call) -> bool:
    return call.name.startswith("?") and script.says("state-of-an-optimizer", text_around(script, call.place))


def _whole_models(script: Script) -> list[Call]:
    """Return where Keras writes a whole model, which holds its optimizer."""
    only = [each for each in settings(script, "weights-only") if "keras" in each.call.name]
    saves = script.trace.named(
        "keras.Model.save",
        "keras.models.Model.save",
        "keras.Sequential.save",
        "keras.models.Sequential.save",
        main=True,
    )
    return [each.call for each in only if each.on is False] + saves


def measure_resume(script: Script) -> Measured:
    """Return `script.resume`: whether a run that broke off can go on."""
    name = "script.resume"
    training = training_of(script)
    if not training.found:
        return unknown(script, name, NO_TRAINING, TRAINING_FILE)
    given = [each for each in settings(script, "resume") if each.given]
    wired = [each for each in given if constant(each.value, ...) not in OFF or _offered(script, each)]
    restored = list(script.calls("state-restored"))
    restored += [
        call for call in script.trace.named("*.load_state_dict", main=True) if _of_optimizer_load(script, call)
    ]
    recovers = [call for _, call in profiles_of(script, "resumes")] if _has_checkpointer(script) else []
    if wired or restored or recovers:
        found = [of_setting(script, each) for each in wired] + [script.of(call) for call in (*restored, *recovers)]
        return there(script, name, "full", *found)
    first = min((call.order for call in training.steps or training.starts), default=0)
    weights = [call for call in script.calls("weights-restored") if call.order < first and _says_resume(script, call)]
    ways = [*(script.of(call) for call in weights), *_ways_back(script)]
    if ways:
        return there(script, name, "weights-only", *ways)
    open_ones = [each for each in settings(script, "resume") if each.on is None and each.given]
    if open_ones:
        return untold(script, name, open_ones[0])
    loads = [call for call in script.calls("weights-restored") if call.order < first]
    anchors = [*loads, *training.starts, *script.calls("weights-saved"), *training.step_anchor]
    return absent(script, name, "none", "nothing takes a run up again", anchors)


def _offered(script: Script, setting: Setting) -> bool:
    """Return whether a setting that is off is an option of the command line: the next launch may turn it on."""
    value = setting.value
    if not isinstance(value, Const) or value.via != "default" or value.place is None:
        return False
    return any(call.place == value.place for call in script.trace.named("*.add_argument", main=True))


def _ways_back(script: Script) -> list[Evidence]:
    """Return conditions on going on with a run that lead to a load, in functions that the launch reaches.

    A launch that starts anew does not take them, so the trace does not hold them.
    """
    found = []
    for path, lines in reached_lines(script).items():
        source = script.project.sources.get(path)
        for function in functions_of(source) if source is not None else ():
            started = not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)) and path == script.project.entry
            if started or lines & set(range(function.lineno, (function.end_lineno or function.lineno) + 1)):
                listed = _listed(script, source) if source is not None else frozenset()
                conditions = [node for node in ast.walk(function) if isinstance(node, ast.If)]
                back = [node for node in conditions if _leads_back(script, node, listed)]
                places = [Place(path, node.lineno, node.body[-1].end_lineno or node.lineno) for node in back]
                found += [script.evidence(place, "goes on with a run") for place in places]
    return found


def _listed(script: Script, source: Source) -> frozenset[str]:
    """Return the names that hold what lies in a folder, such as the checkpoints that `glob` finds."""
    assigned = [node for node in source.nodes(ast.Assign) if script.says("lists-a-folder", ast.unparse(node.value))]
    return frozenset(each.id for node in assigned for each in node.targets if isinstance(each, ast.Name))


def _leads_back(script: Script, node: ast.If, listed: frozenset[str]) -> bool:
    """Return whether a condition on going on, or on checkpoints that lie there, leads to a load of what it asks for."""
    asked = {each.id for each in ast.walk(node.test) if isinstance(each, ast.Name)} & listed
    loaded = [each for part in node.body for each in ast.walk(part) if isinstance(each, ast.Call)]
    if asked and any(
        "load" in ast.unparse(each.func).lower()
        and asked & {inner.id for inner in ast.walk(each) if isinstance(inner, ast.Name)}
        for each in loaded
    ):
        return True
    body = "\n".join(ast.unparse(each) for each in node.body)
    loads = script.says("loads-a-state", body)
    return loads and script.says("goes-on", ast.unparse(node.test))


def _of_optimizer_load(script: Script, call: Call) -> bool:
    return call.name.startswith("?") and script.says("state-into-an-optimizer", text_around(script, call.place))


def _has_checkpointer(script: Script) -> bool:
    made = [call for _, call in profiles_of(script, "trains") if "checkpointer" in call.keywords]
    return bool(made) or bool(script.trace.named("speechbrain.utils.checkpoints.Checkpointer", main=True))


def _says_resume(script: Script, call: Call) -> bool:
    """Return whether weights are loaded to go on with a run, not to start from another model."""
    loaded = comes_from(call.argument("state_dict", 0), "torch.load")
    words = [*(guard.text for guard in call.guards), text_around(script, call.place, 2), *call.stack]
    words += [text_around(script, loaded.place)] if loaded else []
    return any(script.says("goes-on", word) for word in words)


def measure_registry(script: Script) -> Measured:
    """Return `script.registered` and `script.champion`: where the model goes, and whether it must win first."""
    training = training_of(script)
    pushes = script.calls("registered")
    on = [each for each in settings(script, "push") if each.on]
    anchors = [*script.calls("weights-saved"), *training.arguments, *training.starts, *training.step_anchor]
    if pushes or on:
        found = there(
            script,
            "script.registered",
            True,
            *(script.of(call) for call in pushes),
            *(of_setting(script, each) for each in on),
        )
    else:
        found = absent(script, "script.registered", False, "saved to a file alone", anchors)
    compared = script.calls("compared-with-deployed", main=None)
    if compared:
        return found + there(script, "script.champion", True, *(script.of(call) for call in compared))
    return found + absent(
        script, "script.champion", False, "takes the place of the model before it, better or not", anchors
    )
