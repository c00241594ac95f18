"""Where a training reaches less than it says: groups that are not clipped, features without gradients, dropped layers.

A fact is there only when what it is about is; what it means is not said here.
"""

from __future__ import annotations

from knowledge.records import Measured

from ..calls import Call, sources
from ..networks import is_of, is_off
from ..script import Script
from ..settings import profiles_of, settings
from ..training import training_of
from ..values import Derived, Instance, Items, Member, Table, constant, truth
from .answers import of_setting, there
from .layers import _several, used_backbones

_DEEPEST = 14
"""Steps back from the loss to a run of the network, as elsewhere where features are followed."""


def measure_reach(script: Script) -> Measured:
    """Return `script.{clipped_groups, inference_features, dropped_layers, resume_within_epoch}`, where told."""
    return _clipped(script) + _inference(script) + _dropped(script) + _resumed(script)


def _clipped(script: Script) -> Measured:
    """Return whether only the first of several groups of parameters is clipped."""
    several = [call for call in training_of(script).optimizers if _groups(call) > 1]
    first = [call for call in script.calls("gradient-clipping") if _of_first_group(call)]
    first += [call for _, call in profiles_of(script, "clips-first-group")]
    if not several or not first:
        return Measured()
    return there(script, "script.clipped_groups", "first", *(script.of(call) for call in (*first, *several)))


def _groups(optimizer: Call) -> int:
    given = optimizer.argument("params", 0)
    return sum(isinstance(each, Table) for each in given.items) if isinstance(given, Items) else 0


def _of_first_group(clip: Call) -> bool:
    return any(
        isinstance(each, Derived) and each.operation in ("[]", "[0]") and _is_groups(each.parts[0])
        and (each.operation == "[0]" or (len(each.parts) > 1 and constant(each.parts[1]) == 0))
        for value in clip.arguments[:1] for each in sources(value, deepest=4)
    )  # fmt: skip


def _is_groups(value: object) -> bool:
    return isinstance(value, Member) and value.name == "param_groups"


def _inference(script: Script) -> Measured:
    """Return whether a loss is computed from features that torch refuses to train on."""
    made = {id(run.result): run for each in used_backbones(script) for run in each.runs if _in_inference(run)}
    for back in script.calls("backward") if made else ():
        behind = list(sources(back.receiver, deepest=_DEEPEST))
        copied = any(isinstance(each, Instance) and each.call and each.call.attribute == "clone" for each in behind)
        runs = [made[id(each)] for each in behind if id(each) in made]
        if runs and not copied:
            return there(script, "script.inference_features", True, *(script.of(run) for run in runs), script.of(back))
    return Measured()


def _in_inference(run: Call) -> bool:
    return run.main and any(context.name == "torch.inference_mode" for context in run.contexts)


def _dropped(script: Script) -> Measured:
    """Return whether several layers are used of a checkpoint that drops layers at random while it trains."""
    networks = [each for each in used_backbones(script) if is_of(script, each.call, "drops-layers")]
    if not networks or not training_of(script).found or is_off(script, "layerdrop"):
        return Measured()
    still = [call for each in networks for call in script.trace if call.attribute == "eval" and each.has(call.receiver)]
    aside = all(each.runs and all(run.contexts for run in each.runs) for each in networks)
    shown = _several(script, networks) if not still and not aside else []
    return (
        there(script, "script.dropped_layers", True, *shown[:2], script.of(networks[0].call)) if shown else Measured()
    )


def _resumed(script: Script) -> Measured:
    """Return whether a loop that draws its first batch before it restores its generators is resumed within an epoch."""
    loops = [call for _, call in profiles_of(script, "draws-before-restoring")]
    resumed = [each for each in settings(script, "resume") if each.given and each.call.attribute == "train"]
    resumed = [each for each in resumed if truth(each.value) is not False]
    within_epoch = [each for each in settings(script, "saving") if constant(each.value) == "steps"]
    if not loops or not resumed or not within_epoch:
        return Measured()
    shown = [of_setting(script, each) for each in (*resumed, *within_epoch)]
    return there(script, "script.resume_within_epoch", True, *shown)
