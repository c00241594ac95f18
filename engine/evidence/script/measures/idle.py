"""What a script holds and its launch does not reach, or puts where it has no effect; what that means is not said here.

Reads the text of files that the launch reaches beside the trace: a call whose line the trace does not hold lies in a
function that nothing calls, or in a branch that the launch does not take.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from knowledge.records import Evidence, Measured

from ..best import bests
from ..calls import Call
from ..functions import reached_lines
from ..script import Script
from ..settings import made, profiles_of, settings
from ..training import training_of
from ..values import constant
from .answers import of_setting, there
from .clipping import _without_effect

_PRACTICES = {
    "clipping": ("gradient-clipping",), "seeding": ("seeds-framework", "seeds-everything"), "schedule": ("schedule",),
    "augmentation": ("augmentation",),
}  # fmt: skip
"""What is looked for in unreached lines, with the symbols that do it."""
_SHORTEST = 8
"""Letters of a name that says by itself what it does; shorter ones, such as `seed`, mean many things."""


def measure_idle(script: Script) -> Measured:
    """Return what is written without effect: `script.{unreached_*, clipping_order, warm_up_off, ...}`."""
    return (
        _unreached(script) + _order(script) + _warm_up(script) + _resume(script) + _memory(script) + _stopping(script)
    )


def _unreached(script: Script) -> Measured:
    wanted: dict[str, str] = {}
    for practice, symbols in _PRACTICES.items():
        exact = [name for each in symbols for name in script.symbols[each] if not set(name) & set("*!")]
        wanted |= {last: practice for name in exact if len(last := name.rpartition(".")[2]) >= _SHORTEST}
    shown: dict[str, list[Evidence]] = {practice: [] for practice in _PRACTICES}
    for name, evidence in _aside(script, set(wanted)):
        shown[wanted[name]].append(evidence)
    found = Measured()
    for practice, places in shown.items():
        found += there(script, f"script.unreached_{practice}", bool(places), *places)
    return found


def _aside(script: Script, names: set[str]) -> Iterator[tuple[str, Evidence]]:
    """Yield calls of `names` on lines that the launch does not reach: where it trains, or in what is imported there."""
    reached, homes = reached_lines(script), _homes(script)
    imported = {name for path in homes for name in _imported(script, path)}
    for path, source in script.project.sources.items():
        lines = reached.get(path, set())
        for around, node in _calls_within(source.tree) if any(name in source.text for name in names) else ():
            name = _called(node)
            if name in names and node.lineno not in lines and (path in homes or set(around) & imported):
                yield name, script.evidence(source.place(node), f"{name}, which the launch does not reach")


def _homes(script: Script) -> set[str]:
    """Return the entry file, and those that hold the steps of the training or start it."""
    training = training_of(script)
    return {script.project.entry, *(call.place.path for call in (*training.steps, *training.starts))}


def _imported(script: Script, path: str) -> Iterator[str]:
    source = script.project.sources.get(path)
    for node in ast.walk(source.tree) if source else ():
        if isinstance(node, ast.ImportFrom):
            yield from (each.name for each in node.names)


def _calls_within(node: ast.AST, around: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], ast.Call]]:
    """Yield each call with the names of the functions and classes around it."""
    waiting = [(node, around)]
    while waiting:
        held, names = waiting.pop()
        if isinstance(held, ast.Call):
            yield names, held
        inner = (*names, held.name) if isinstance(held, (ast.FunctionDef, ast.ClassDef)) else names
        waiting += [(each, inner) for each in ast.iter_child_nodes(held)]


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _order(script: Script) -> Measured:
    """Return whether all clipping happens after the step, or before there are gradients."""
    clips = [call for call in script.calls("gradient-clipping") if not _without_effect(call)]
    steps = [call for call in training_of(script).steps if not call.hook]
    orders = {_place_in_loop(script, clip, steps) for clip in clips}
    value = orders.pop() if len(orders) == 1 else ""
    shown = (*clips, *steps[:1]) if value else ()
    return there(script, "script.clipping_order", value or "usual", *(script.of(call) for call in shown))


def _place_in_loop(script: Script, clip: Call, steps: list[Call]) -> str:
    """Return where a clipping stands beside the one backward pass and the one step of its loop; empty when in doubt."""
    if not clip.loops:
        return ""
    loop = clip.loops[-1]
    inside = [call for call in steps if call.loops and call.loops[-1] is loop]
    backs = [call for call in script.calls("backward") if call.loops and call.loops[-1] is loop]
    if len(inside) != 1 or len(backs) != 1 or clip.guards != inside[0].guards or not backs[0].order < inside[0].order:
        return ""
    clears = [call for call in script.calls("gradient-clearing") if call.loops and call.loops[-1] is loop]
    if clip.order > inside[0].order and clears:
        return "after-step"
    return "before-backward" if clip.order < backs[0].order and clears else ""


def _warm_up(script: Script) -> Measured:
    """Return whether a warm-up is named, and given no length."""
    off = [each for each in settings(script, "warm-up") if each.given and each.on is False]
    on = [each for each in settings(script, "warm-up") if each.on is not False]
    return there(script, "script.warm_up_off", bool(off) and not on, *(of_setting(script, each) for each in off))


def _resume(script: Script) -> Measured:
    """Return whether a checkpoint to go on from is put into arguments that the loop does not read."""
    kept = [call for call in training_of(script).arguments if _names_checkpoint(call)]
    taken = [each for each in settings(script, "resume") if each.given]
    started = made(script, ("transformers.Trainer.train", "transformers.Seq2SeqTrainer.train"))
    untaken = bool(kept and started) and not taken
    return there(script, "script.resume_untaken", untaken, *(script.of(call) for call in kept))


def _names_checkpoint(call: Call) -> bool:
    value = call.keywords.get("resume_from_checkpoint")
    return value is not None and constant(value, ...) not in (None, False)


def _memory(script: Script) -> Measured:
    """Return whether the best so far is kept, and never written to disk."""
    chosen = bests(script)
    unwritten = bool(chosen) and not any(each.saved for each in chosen) and not settings(script, "load-best")
    shown = [script.evidence(each.place, "the best so far is kept here") for each in chosen]
    return there(script, "script.best_in_memory", unwritten, *shown)


def _stopping(script: Script) -> Measured:
    """Return whether what ends the training early watches the training data."""
    stoppers = {id(call) for _, call in profiles_of(script, "stops-early")}
    watched = [each for each in settings(script, "selection-monitor") if id(each.call) in stoppers]
    training = [each for each in watched if _of_training(script, each.profile.package, constant(each.value))]
    by_training = bool(watched) and len(training) == len(watched)
    return there(script, "script.stops_by_training", by_training, *(of_setting(script, each) for each in watched))


def _of_training(script: Script, package: str, name: object) -> bool:
    """Return whether a metric is one of the training data; Keras calls those of held-out data `val_...`."""
    if not isinstance(name, str) or script.says("held-out", name):
        return False
    return package == "keras" or script.says("of-training-clips", name)
