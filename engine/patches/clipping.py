"""Clips gradients before each step: in loops of one's own, with a scaler, and where a framework takes a setting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from knowledge.records import Evidence

from .syntax import Syntax, callee, with_keywords

if TYPE_CHECKING:
    import libcst as cst

    from engine.evidence.script.script import Script

NORM = "1.0"
"""What transformers clips to by default, and S000-25 asks for."""


def clip_gradients(syntax: Syntax, script: Script, places: Sequence[Evidence]) -> bool:
    """Ask for a limit before each step at `places`; False where nothing can be said safely."""
    asked = [_at(syntax, script, item) for item in places]
    return any(asked)


def _at(syntax: Syntax, script: Script, item: Evidence) -> bool:
    calls = syntax.calls(item.line or 0, item.end_line or 0)
    if _by_setting(syntax, script, item, calls):
        return True
    step = next((call for call in calls if callee(call).endswith(".step")), None)
    statement = syntax.statement(step) if step is not None else None
    if step is None or statement is None or statement in syntax.before:
        return False
    lines = _before_step(syntax, step)
    syntax.before[statement] = lines
    return bool(lines)


def _by_setting(syntax: Syntax, script: Script, item: Evidence, calls: Sequence[cst.Call]) -> bool:
    """Give the keyword that a framework's own loop takes, as its profile says."""
    for profile in script.profiles:
        how = profile.settings.get("gradient-clip-norm")
        made = script.trace.named(*profile.calls)
        if how is None or not how.keywords or not any(call.place.line == item.line for call in made):
            continue
        last = {name.rpartition(".")[2] for name in profile.calls}
        call = next((each for each in calls if callee(each).rpartition(".")[2] in last), None)
        if call is not None and not any(argument.star for argument in call.args):
            syntax.replaced[call] = with_keywords(call, {how.keywords[0]: NORM})
            return True
    return False


def _before_step(syntax: Syntax, step: cst.Call) -> list[str]:
    """Return the statements that limit what a step moves by."""
    owner = callee(step).rpartition(".")[0]
    scope = syntax.scope(step)
    names = [callee(call) for call in syntax.within(scope, _call())]
    scaled = owner if f"{owner}.scale" in names else ""
    accelerator = next((name.removesuffix(".backward") for name in names if name.endswith(".backward")), "")
    if scaled:
        if not step.args:
            return []
        optimizer = syntax.code(step.args[0].value)
        unscaled = f"{scaled}.unscale_" in names
        return [*([] if unscaled else [f"{scaled}.unscale_({optimizer})"]), _limit(syntax, optimizer, scope)]
    if step.args:  # a closure: the gradients are made inside the step
        return []
    if accelerator and "accel" in accelerator.lower():
        return [f"{accelerator}.clip_grad_norm_({_parameters(syntax, owner, scope)}, {NORM})"]
    return [_limit(syntax, owner, scope)]


def _limit(syntax: Syntax, optimizer: str, scope: cst.CSTNode) -> str:
    syntax.wanted.append("import torch")
    return f"torch.nn.utils.clip_grad_norm_({_parameters(syntax, optimizer, scope)}, max_norm={NORM})"


def _parameters(syntax: Syntax, optimizer: str, scope: cst.CSTNode) -> str:
    """`model.parameters()` where the optimizer was made of it in sight, else what the optimizer itself holds."""
    import libcst as cst

    for node in syntax.within(scope, cst.Assign):
        assert isinstance(node, cst.Assign)
        made = node.value
        if isinstance(made, cst.Call) and made.args and syntax.code(node.targets[0].target) == optimizer:
            first = made.args[0].value
            if callee(first).endswith(".parameters") and isinstance(first, cst.Call) and not first.args:
                return syntax.code(first)
    return f"[p for group in {optimizer}.param_groups for p in group['params']]"


def _call() -> type[cst.Call]:
    import libcst as cst

    return cst.Call
