"""Which weights of a pretrained network are kept as they are, and in which mode; says what is there, no more."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from knowledge.records import Evidence, Measured

from ..backbones import Backbone, holders
from ..calls import Call, _Names, sources
from ..evaluations import gradient_off
from ..functions import reached_lines
from ..script import Script
from ..training import training_of
from ..values import Instance, Member, Value, constant, truth
from .answers import absent, there, unknown
from .layers import network_seen, used_backbones

_POLICY, _FROZEN = "script.freezing", "script.frozen_mode"


@dataclass(frozen=True)
class Freezing:
    """How a network is kept from learning."""

    whole: tuple[Evidence, ...] = ()
    part: tuple[Evidence, ...] = ()
    adapted: tuple[Evidence, ...] = ()
    stored: tuple[Evidence, ...] = ()


def measure_freezing(script: Script) -> Measured:
    """Return `script.freezing` and `script.frozen_mode`."""
    found = used_backbones(script)
    if not found and not network_seen(script):
        why = "no layer of a network was found"
        return unknown(script, _POLICY, why, "the file that defines the network") + unknown(
            script, _FROZEN, why, "the file that defines the network"
        )
    if not found:
        return there(script, _POLICY, "no-backbone") + there(script, _FROZEN, "nothing-frozen")
    first = found[0]
    policy = _policy(script, found)
    name, shown = _kind(policy)
    if not name:
        said = [script.of(call) for call in _switched_on(script, found)]
        if said:
            return there(script, _POLICY, "all-named", *said[:6]) + there(script, _FROZEN, "nothing-frozen")
        options = _options(script)
        if options:
            return there(script, _POLICY, "option", *options) + there(script, _FROZEN, "nothing-frozen")
        anchors = [*(each.call for each in found), *training_of(script).optimizers, *training_of(script).arguments]
        return absent(script, _POLICY, "nothing", "a pretrained network that all learns", anchors) + there(
            script, _FROZEN, "nothing-frozen", script.of(first.call)
        )
    measured = there(script, _POLICY, name, *shown[:6])
    return measured + _mode(script, first, policy, name)


def _kind(policy: Freezing) -> tuple[str, tuple[Evidence, ...]]:
    pairs = (
        ("adapters", policy.adapted),
        ("stored-features", policy.stored),
        ("whole", policy.whole),
        ("part", policy.part),
    )
    return next(((name, shown) for name, shown in pairs if shown), ("", ()))


def _policy(script: Script, found: list[Backbone]) -> Freezing:
    if not found[0].call.main:
        stored = tuple(script.of(call) for call in (found[0].call, *found[0].runs))
        return Freezing(stored=stored)
    adapted = [call for call in script.calls("model-adapters") if _counts(script, call)]
    whole, part = _switched_off(script, found)
    front = _Names(script.symbols["freezes-front-end"])
    for call in _freezing_calls(script):
        partly = front.has(call.name) or "feature" in call.attribute or call.attribute.startswith(("un", "_un"))
        (part if partly else whole).append(call)
    quiet, quiet_part = _without_gradients(script, found)
    left_out = _left_out(script, found)
    return Freezing(
        tuple(script.of(call) for call in (*whole, *quiet, *left_out)),
        tuple(script.of(call) for call in (*part, *quiet_part)),
        tuple(script.of(call) for call in adapted),
    )


def _counts(script: Script, call: Call) -> bool:
    """Return whether the launch or a framework reaches a call, not only the reader that looks at every method."""
    return call.main and (not call.hook or call.hook in script.reading.hooks)


def _freezing_calls(script: Script) -> list[Call]:
    """Return calls of methods that freeze, of a package or of the project."""
    freezes = _Names(script.symbols["freezes"])
    named = [call for call in script.trace if freezes.has(call.name) or script.says("freezing-call", call.attribute)]
    keywords = [
        call
        for call in script.trace
        if any(_freezes(script, name) and truth(value) is True for name, value in call.keywords.items())
        and not call.name.startswith("argparse.")
    ]
    return [call for call in (*named, *keywords) if _counts(script, call) and not call.name.startswith("=")]


def _freezes(script: Script, name: str) -> bool:
    """Return whether an argument freezes more than the convolutions at the entrance."""
    return "freez" in name.lower() and not script.says("entrance-of-a-network", name)


def _switched_off(script: Script, found: list[Backbone]) -> tuple[list[Call], list[Call]]:
    """Return where gradients of weights are switched off, for a whole network and for part of one."""
    whole: list[Call] = []
    part: list[Call] = []
    for call in script.trace:
        switch = call.name in ("=.requires_grad", "=.trainable") or call.attribute == "requires_grad_"
        if not switch or not _counts(script, call) or (call.arguments and constant(call.arguments[0]) is True):
            continue
        if call.attribute == "requires_grad_" and not call.arguments and not call.keywords:
            continue
        named = any("[" in guard.text or " in " in guard.text or "==" in guard.text for guard in call.guards)
        direct = any(_of_whole(call.receiver, each) for each in found)
        (whole if direct and not named else part).append(call)
    return whole, part


def _switched_on(script: Script, found: list[Backbone]) -> list[Call]:
    """Return where a line says of a whole network that it learns."""
    return [
        call
        for call in script.trace
        if (call.name in ("=.requires_grad", "=.trainable") or call.attribute == "requires_grad_")
        and _counts(script, call)
        and call.arguments
        and constant(call.arguments[0]) is True
        and any(_of_whole(call.receiver, each) for each in found)
    ]


def _of_whole(value: Value | None, backbone: Backbone) -> bool:
    """Return whether a value is a network, or runs over all of its weights."""
    for each in sources(value, deepest=5):
        if backbone.has(each):
            return True
        if isinstance(each, Member) and backbone.part(each):
            return False
    return False


def _without_gradients(script: Script, found: list[Backbone]) -> tuple[list[Call], list[Call]]:
    """Return runs without gradients of a whole network that is never run with them, and those of parts of one."""
    training = training_of(script)
    if training.frameworks and not any(each.runs for each in found):
        return [], []
    whole: list[Call] = []
    part: list[Call] = []
    for each in found:
        runs = [call for call in each.runs if call.main and ":" not in call.name]
        own = [call for call in runs if each.has(call.receiver)]
        bare = [call for call in runs if not gradient_off(script, call) and not _detached(script, call)]
        lines = {call.place for call in bare}
        quiet = [call for call in runs if call.place not in lines]
        if own and not bare and training.found and not each.headed:
            whole += quiet
        elif bare and [call for call in quiet if call not in own]:
            part += [call for call in quiet if call not in own]
    return whole, part


def _detached(script: Script, run: Call) -> bool:
    """Return whether what a run gives is cut off from gradients at once."""
    for call in script.trace.named("*.detach"):
        if run.result is not None and any(each is run.result for each in sources(call.receiver, deepest=3)):
            return True
    return False


def _left_out(script: Script, found: list[Backbone]) -> list[Call]:
    """Return optimizers that are given weights of other objects only."""
    optimizers = [call for call in training_of(script).optimizers if call.arguments or "params" in call.keywords]
    if not optimizers or training_of(script).frameworks:
        return []
    owners = [value for call in optimizers for value in _owners(call)]
    if not owners or any(not isinstance(value, Instance) for value in owners):
        return []
    held = [each for one in found for each in (*one.objects, *holders(script, one))]
    return [] if any(value is each for value in owners for each in held) else optimizers


def _owners(optimizer: Call) -> list[Value]:
    """Return the objects whose weights an optimizer is given."""
    made = [each.call for each in sources(optimizer.argument("params", 0), deepest=8) if isinstance(each, Instance)]
    given = [call for call in made if call is not None and call.attribute in ("parameters", "named_parameters")]
    return [call.receiver for call in given if call.receiver is not None]


def _options(script: Script) -> list[Evidence]:
    """Return conditions on a setting whose name speaks of freezing, in functions that the launch reaches."""
    reached = {name for call in script.trace if call.main for name in call.stack}
    reached |= {call.name.rpartition(":")[2] for call in script.trace if call.main and ":" in call.name}
    found = []
    files = reached_lines(script)
    for path, source in script.project.sources.items():
        for owner, node in _conditions(source.tree) if path in files else ():
            if (owner in reached or (f"<{path}>" in reached and not owner)) and _speaks(script, node):
                found.append(script.evidence(source.place(node), ast.unparse(node.test)[:60]))
    return found


def _conditions(tree: ast.AST, owner: str = "") -> list[tuple[str, ast.If]]:
    """Return every `if` of a module with the function it stands in."""
    found: list[tuple[str, ast.If]] = []
    for node in ast.iter_child_nodes(tree):
        inner = f"{owner}.{node.name}".strip(".") if isinstance(node, (ast.FunctionDef, ast.ClassDef)) else owner
        if isinstance(node, ast.If):
            found.append((owner, node))
        found += _conditions(node, inner)
    return found


def _speaks(script: Script, node: ast.If) -> bool:
    """Return whether a condition is about freezing, and what it guards does something about it."""
    names = [each.id if isinstance(each, ast.Name) else each.attr for each in ast.walk(node.test)
             if isinstance(each, (ast.Name, ast.Attribute))]  # fmt: skip
    body = " ".join(ast.unparse(each) for each in (*node.body, *node.orelse))
    acts = script.says("freezing-code", body)
    return acts and any(script.says("freezing-option", name) for name in names)


def _mode(script: Script, backbone: Backbone, policy: Freezing, name: str) -> Measured:
    """Return in which mode a network runs that is frozen as a whole."""
    if name == "stored-features":
        evals = [call for call in script.calls("mode-eval", main=None) if backbone.has(call.receiver)]
        loaded = backbone.call.attribute == "from_pretrained"
        shown = evals or [backbone.call]
        return there(
            script, _FROZEN, "evaluation" if evals or loaded else "training", *(script.of(call) for call in shown)
        )
    if name != "whole":
        return there(script, _FROZEN, "nothing-frozen", *policy.part[:2])
    trained = training_of(script)
    if trained.frameworks and not _own_mode(script, backbone):
        return absent(script, _FROZEN, "training", "a frozen network whose mode the framework sets", [backbone.call])
    around = [*backbone.objects, *holders(script, backbone)]
    mode, last, seen = _loaded_mode(backbone), backbone.call, []
    runs = {id(call) for call in backbone.runs if call.main and call.loops and ":" not in call.name}
    for call in script.trace:
        if not call.main:
            break
        if call.attribute in ("train", "eval") and any(call.receiver is each for each in around):
            off = call.attribute == "eval" or (bool(call.arguments) and constant(call.arguments[0]) is False)
            mode, last = ("evaluation" if off else "training"), call
        elif id(call) in runs:
            seen.append((mode, last))
    wrong = [call for each, call in seen if each == "training"]
    if wrong:
        return absent(script, _FROZEN, "training", "a frozen network in training mode", [*wrong, *backbone.runs[:2]])
    if not seen:
        return unknown(script, _FROZEN, "no run of the frozen network was found", "the file that trains")
    shown = list(dict.fromkeys(call for _, call in seen))
    return there(script, _FROZEN, "evaluation", *(script.of(call) for call in (*shown, *backbone.runs)[:6]))


def _loaded_mode(backbone: Backbone) -> str:
    """Return the mode in which a network comes: from_pretrained of transformers gives it in evaluation mode."""
    ready = backbone.call.name.startswith(("transformers.", "torchaudio.pipelines", "whisper."))
    return "evaluation" if ready else "training"


def _own_mode(script: Script, backbone: Backbone) -> bool:
    """Return whether the script itself puts a frozen network into evaluation mode where a framework trains."""
    return any(backbone.has(call.receiver) and (call.hook or call.stack) for call in script.calls("mode-eval"))
