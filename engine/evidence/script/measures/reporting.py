"""What is reported of an evaluation: groups, spread, intervals, plots; says what is there, not what it is worth."""

from __future__ import annotations

import ast

from knowledge.records import Evidence, Measured

from ..calls import Call, _Names, sources
from ..evaluations import evaluations_of
from ..script import Script
from ..target import target_of
from ..training import training_of
from ..values import Instance, constant
from .answers import absent, there, unknown
from .evaluation import metrics_of


def measure_target(script: Script) -> Measured:
    """Return `script.target`: a class, labels, a number, text, or several of them."""
    kind, calls = target_of(script)
    if not kind:
        return unknown(
            script, "script.target", "no loss and no metric that reading knows was found", "the file of the loss"
        )
    return there(script, "script.target", kind, *(script.of(call) for call in calls[:4]))


def measure_reports(script: Script) -> Measured:
    """Return which reports the project makes of its results; `other-target` where one has nothing to show."""
    places = _anchors(script)
    kind, shown = target_of(script)
    measured = Measured()
    for name, target, calls in (
        ("script.report_groups", "", _groups(script)),
        ("script.report_interval", "", _intervals(script)),
        ("script.report_spread", "number", _spread(script)),
        ("script.report_scatter", "number", _evidence(script, "scatter-plot")),
        ("script.report_confusion", "class", _confusion(script)),
        ("script.report_bins", "number", _evidence(script, "label-bins")),
        ("script.report_embeddings", "", _evidence(script, "embedding-plot")),
    ):
        if not places:
            measured += unknown(script, name, "neither training nor evaluation was found", "the file that evaluates")
        elif target and kind in ("", "several"):
            measured += unknown(
                script, name, "the losses do not say whether a class or a number is trained", "the labels"
            )
        elif target and kind != target:
            measured += there(script, name, "other-target", *(script.of(call) for call in shown[:2]))
        elif calls:
            measured += there(script, name, "there", *calls[:6])
        else:
            measured += absent(script, name, "nothing", "results are reported here", places)
    return measured


def _evidence(script: Script, symbol: str) -> list[Evidence]:
    return [script.of(call) for call in script.calls(symbol, main=None)]


def _confusion(script: Script) -> list[Evidence]:
    """Return where it is counted which class is taken for which, by a package or by the project's own code."""
    calls = [call for call in script.trace if not call.name.startswith("=")]
    own = [script.of(call) for call in calls if script.says("confusion-matrix", call.attribute)]
    return _evidence(script, "confusion-matrix") + own or _named(script, "confusion-matrix")


def _anchors(script: Script) -> list[Call]:
    """Return where results are computed: metrics, the evaluation, else the training."""
    metrics = metrics_of(script)
    found = evaluations_of(script)
    training = training_of(script)
    told = _told(script, [*metrics, *found.runs, *found.frameworks])
    every = [*metrics[:6], *told[:6], *found.frameworks[:3], *found.runs[:4]]
    backward = script.calls("backward")
    return every or [*training.starts, *training.arguments, *backward[:2], *_told(script, backward), *training.steps]


def _told(script: Script, results: list[Call]) -> list[Call]:
    """Return where the functions that compute results print, log or write them, one call of each."""
    functions = {call.stack[-1] for call in results if call.stack}
    found: dict[str, Call] = {}
    for call in script.calls("results-told", main=None):
        inside = call.stack[-1] if call.stack else ""
        if inside in functions:
            found.setdefault(inside, call)
    return list(found.values())


def _groups(script: Script) -> list[Evidence]:
    """Return where results are reported for each class, speaker, system or other group."""
    found = [script.of(call) for call in script.calls("per-group-report", main=None) if _of_results(script, call)]
    for call in script.calls("averaged-metric", main=None):
        average = call.argument("average")
        if (average is not None and constant(average, "given") in (None, "none")) or (
            average is None and call.attribute == "precision_recall_fscore_support"
        ):
            found.append(script.of(call))
    return found or _named(script, "per-group-result")


def _of_results(script: Script, call: Call) -> bool:
    """Return whether a call groups results rather than the data before training: results are grouped in evaluation."""
    return call.attribute != "groupby" or any(
        script.says("result-code", part) for part in (*call.stack, call.place.path)
    )


def _intervals(script: Script) -> list[Evidence]:
    found = [script.of(call) for call in script.calls("interval", main=None)]
    spreads = script.calls("spread", main=None)
    folds = script.calls("folds", main=None)
    if folds or _repeats(script):
        found += [script.of(call) for call in spreads if not call.hook and _summarises(call)]
    return found or _named(script, "interval")


def _repeats(script: Script) -> bool:
    """Return whether training is repeated, over folds or seeds: a training inside a loop outside its rounds."""
    starts = [*training_of(script).starts, *script.calls("backward")]
    return any(len(call.loops) >= 3 or (call in training_of(script).starts and call.loops) for call in starts)


def _summarises(call: Call) -> bool:
    """Return whether a spread is taken over what was collected, not over samples or frames."""
    keeps = not any(part.rpartition(".")[2] in ("forward", "__getitem__", "__init__") for part in call.stack)
    return keeps and call.argument("dim") is None


def _spread(script: Script) -> list[Evidence]:
    """Return where the spread of predictions is held against that of labels."""
    spreads = [call for call in script.calls("spread", main=None) if _summarises(call) and _is_result(call)]
    return [script.of(call) for call in (*script.calls("line-fit", main=None), *spreads)]


def _is_result(call: Call) -> bool:
    value = call.receiver if call.receiver is not None else call.arguments[0] if call.arguments else None
    names = _Names(("*.__call__", "*.predict"))
    return any(isinstance(each, Instance) and each.call is not None and names.has(each.call.name)
               for each in sources(value))  # fmt: skip


def _named(script: Script, called: str) -> list[Evidence]:
    """Return where a result gets a name that says what it is grouped by, in files that compute metrics."""
    evaluations = evaluations_of(script)
    files = {call.place.path for call in (*metrics_of(script), *evaluations.runs, *evaluations.frameworks)}
    found: list[Evidence] = []
    for path in sorted(files):
        source = script.project.sources.get(path)
        if source is None:
            continue
        for node in source.nodes(ast.FunctionDef, ast.AsyncFunctionDef, ast.Assign, ast.AugAssign):
            names = _stored(node)
            if any(script.says(called, name) for name in names):
                found.append(script.evidence(source.place(node), names[0]))
    return found


def _stored(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Assign | ast.AugAssign) -> list[str]:
    """Return the names that a statement stores, or under which a function stands."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [each.id if isinstance(each, ast.Name) else each.attr for target in targets for each in ast.walk(target)
            if isinstance(each, (ast.Name, ast.Attribute))]  # fmt: skip
