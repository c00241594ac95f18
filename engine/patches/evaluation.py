"""Puts evaluation loops into evaluation mode and keeps no gradients in them; changes no metric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from knowledge.records import Evidence

from .syntax import Syntax, callee

if TYPE_CHECKING:
    import libcst as cst

_OF_MODELS = ("parameters", "train", "eval", "to", "cuda", "state_dict", "load_state_dict")
"""Methods that only a network has all of; a name on which one is called is taken for a model."""


def evaluate_in_eval_mode(syntax: Syntax, places: Sequence[Evidence]) -> bool:
    """Ask for `model.eval()` before each loop at `places`, and for the mode that was, after it."""
    asked = [_eval(syntax, loop) for loop in _loops(syntax, places)]
    return any(asked)


def evaluate_without_gradients(syntax: Syntax, places: Sequence[Evidence]) -> bool:
    """Ask for `torch.no_grad()`: on the function of an evaluation, or around its loop."""
    asked = [_no_grad(syntax, loop) for loop in _loops(syntax, places)]
    return any(asked)


def _loops(syntax: Syntax, places: Sequence[Evidence]) -> list[cst.For]:
    """Return the loops that the places name or lie in; each once."""
    import libcst as cst

    found: dict[cst.For, None] = {}
    for item in places:
        line = item.line or 0
        loops = [node for node in syntax.nodes(cst.For) if isinstance(node, cst.For)
                 and syntax.lines[node][0] <= line <= syntax.lines[node][1] and not _trains(syntax, node)]  # fmt: skip
        function = next((node for node in syntax.nodes(cst.FunctionDef) if syntax.lines[node][0] == line), None)
        if not loops and function is not None and not _trains(syntax, function):
            loops = [node for node in syntax.within(function, cst.For) if isinstance(node, cst.For)]
        with_model = [loop for loop in loops if _model(syntax, loop)]
        if with_model:
            found[with_model[0]] = None
    return list(found)


def _trains(syntax: Syntax, node: cst.CSTNode) -> bool:
    import libcst as cst

    return any(callee(call).endswith(".backward") for call in syntax.within(node, cst.Call))


def _model(syntax: Syntax, loop: cst.CSTNode) -> str:
    """Return the network that a loop calls."""
    import libcst as cst

    called = [callee(call) for call in syntax.within(loop, cst.Call)]
    everywhere = {callee(call) for call in syntax.nodes(cst.Call)}
    parameters = {
        node.name.value for node in syntax.within(syntax.scope(loop), cst.Param) if isinstance(node, cst.Param)
    }
    for name in called:
        if any(f"{name}.{method}" in everywhere for method in _OF_MODELS):
            return name
    return next((name for name in called if name in parameters and "model" in name), "")


def _eval(syntax: Syntax, loop: cst.For) -> bool:
    model = _model(syntax, loop)
    if not model:
        return False
    syntax.before.setdefault(loop, []).extend([f"was_training = {model}.training", f"{model}.eval()"])
    syntax.after.setdefault(loop, []).append(f"{model}.train(was_training)")
    return True


def _no_grad(syntax: Syntax, loop: cst.For) -> bool:
    import libcst as cst

    syntax.wanted.append("import torch")
    function = syntax.around(loop, cst.FunctionDef)
    if isinstance(function, cst.FunctionDef) and not _trains(syntax, function):
        decorator = cst.Decorator(cst.parse_expression("torch.no_grad()"))
        syntax.replaced[function] = function.with_changes(decorators=[decorator, *function.decorators])
        return True
    block = cst.parse_statement("with torch.no_grad():\n    pass\n", config=syntax.module.config_for_parsing)
    assert isinstance(block, cst.With)
    inner = loop.with_changes(leading_lines=())
    body = cst.IndentedBlock([inner])
    syntax.replaced[loop] = block.with_changes(body=body, leading_lines=loop.leading_lines)
    return True
