"""Rewrites that change what is learnt, so that somebody is asked: softmax before a loss, warm-up, frozen parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.evidence.script.settings import settings
from knowledge.records import Evidence

from .syntax import Syntax, callee, with_keywords

if TYPE_CHECKING:
    import libcst as cst

    from engine.evidence.script.script import Script

_SQUASHES = ("softmax", "Softmax", "sigmoid", "Sigmoid", "log_softmax", "LogSoftmax")
_WARM_STEPS = 500
"""Between 5 and 10 % of the steps of a run of 20 epochs over 3,000 clips in batches of 8; the person is asked."""


def drop_softmax(syntax: Syntax, places: Sequence[Evidence]) -> bool:
    """Ask for the logits themselves where a softmax or sigmoid stands at one of `places`."""
    import libcst as cst

    changed = False
    for item in places:
        for call in syntax.calls(item.line or 0, item.end_line or 0):
            last = callee(call).rpartition(".")[2]
            if last not in _SQUASHES or not call.args:
                continue
            owner = call.func.value if isinstance(call.func, cst.Attribute) else None
            is_method = isinstance(owner, cst.Call) or (call.args[0].keyword is not None and owner is not None)
            first = call.args[0]
            if is_method and owner is not None:
                syntax.replaced[call] = owner
            elif first.keyword is None and not isinstance(first.value, cst.Integer | cst.UnaryOperation):
                syntax.replaced[call] = first.value
            else:
                continue
            changed = True
    return changed


def warm_up(syntax: Syntax, script: Script, path: str) -> bool:
    """Ask for a warm-up: in the arguments of a trainer, or by a schedule beside the optimizer."""
    import libcst as cst

    for setting in settings(script, "warm-up"):
        place = setting.call.place
        name = setting.call.name.rpartition(".")[2]
        calls = syntax.calls(place.line, place.line) if place.path == path else []
        call = next((each for each in calls if callee(each).rpartition(".")[2] == name), None)
        if call is not None and not any(argument.star for argument in call.args):
            syntax.replaced[call] = with_keywords(call, {"warmup_steps": str(_WARM_STEPS)})
            return True
    for node in syntax.nodes(cst.Assign):
        assert isinstance(node, cst.Assign)
        if isinstance(node.value, cst.Call) and _is_optimizer(script, path, syntax.lines[node][0]):
            return _own_loop(syntax, node)
    return False


def _is_optimizer(script: Script, path: str, line: int) -> bool:
    made = script.calls("optimizer") if "optimizer" in script.symbols else script.trace.named("torch.optim.*")
    return any(call.place.path == path and call.place.line == line for call in made)


def _own_loop(syntax: Syntax, assign: object) -> bool:
    """Step a rising rate after each step of the optimizer, in the function that makes it."""
    import libcst as cst

    assert isinstance(assign, cst.Assign)
    optimizer = syntax.code(assign.targets[0].target)
    statement = syntax.statement(assign)
    calls = [node for node in syntax.within(syntax.scope(assign), cst.Call) if isinstance(node, cst.Call)]
    steps = [node for node in calls if callee(node).endswith(".step") and optimizer in _stepped(syntax, node)]
    if statement is None or not steps:
        return False
    syntax.wanted.append("import torch")
    made = f"torch.optim.lr_scheduler.LinearLR({optimizer}, start_factor=0.01, total_iters={_WARM_STEPS})"
    syntax.after[statement] = [f"warmup = {made}"]
    for step in steps:
        held = syntax.statement(step)
        if held is not None:
            syntax.after[held] = ["warmup.step()"]
    return True


def _stepped(syntax: Syntax, call: cst.Call) -> list[str]:
    """Return what a call of `step` may step: its owner, or of a scaler its argument."""
    return [callee(call).removesuffix(".step"), *(syntax.code(argument.value) for argument in call.args[:1])]


def freeze_eval(syntax: Syntax) -> bool:
    """Ask for evaluation mode of what is frozen after every call of `train()` in the file that freezes it."""
    import libcst as cst

    frozen = ""
    for node in syntax.nodes(cst.For):
        assert isinstance(node, cst.For)
        body = syntax.code(node)
        if "requires_grad = False" in body or "requires_grad_(False)" in body:
            over = callee(node.iter)
            frozen = over.removesuffix(".parameters") if over.endswith(".parameters") else frozen
    if not frozen or frozen.startswith("self."):
        return False
    root = frozen.partition(".")[0]
    trained = [node for node in syntax.nodes(cst.Call) if callee(node) == f"{root}.train"]
    for call in trained:
        held = syntax.statement(call)
        if held is not None:
            syntax.after[held] = [f"{frozen}.eval()"]
    return bool(trained)
