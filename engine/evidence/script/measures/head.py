"""How the head makes one answer of many frames; says what is there, no more."""

from __future__ import annotations

from dataclasses import dataclass

from knowledge.records import Measured

from ..backbones import Backbone
from ..calls import Call, _Names, sources, texts
from ..script import Script
from ..target import target_of
from ..values import Const, Derived, Instance, Items, Member, Unknown, Value, constant, constants
from ..values_used import uses_in
from .answers import absent, there, unknown
from .kept_moments import keeps_moments
from .last_frame import last_frames
from .layers import is_vector, network_seen, used_backbones

_POOLING, _MASK = "script.pooling", "script.pooling_mask"
_NETWORK = "the file that defines the network"


@dataclass(frozen=True)
class Pool:
    """One place where frames become one vector."""

    kind: str
    """`mean`, `max`, `last`, `token`, `moments` or `attention`."""
    call: Call
    value: Value


def measure_pooling(script: Script) -> Measured:
    """Return `script.pooling` and `script.pooling_mask`: how frames become one answer, and whether padding is in it."""
    kind, _ = target_of(script)
    if kind == "text":
        return there(script, _POOLING, "no-pooling") + there(script, _MASK, "no-pooling")
    found = used_backbones(script)
    headed = [each for each in found if each.headed]
    if headed:
        return _package(script, headed[0])
    pools = _pools(script, found)
    names = {each.kind for each in pools}
    if not pools:
        return _without(script, found)
    learned = "attention" in names or "moments" in names or "token" in names or {"mean", "max"} <= names
    shown = [each.call for each in pools if each.kind not in ("mean", "max", "last")] if learned else []
    calls = shown or [each.call for each in pools]
    if not _over_frames(script, found) and not learned:
        return there(script, _POOLING, "fixed-size") + there(script, _MASK, "no-pooling")
    pooling = "learned" if learned else "last" if names == {"last"} else "plain"
    if pooling != "learned" and script.cut:
        return unknown(script, _POOLING, script.cut[0], _NETWORK) + _masked(script, pools, found)
    measured = there(script, _POOLING, pooling, *(script.of(call) for call in calls[:6]))
    return measured + _masked(script, pools, found)


def _package(script: Script, backbone: Backbone) -> Measured:
    """Return how a network with a head of its package pools."""
    kind = backbone.call.result.type if isinstance(backbone.call.result, Instance) else ""
    shown = script.of(backbone.call)
    named = " ".join(texts(backbone.call.arguments[0] if backbone.call.arguments else None)).lower()
    if _Names(script.symbols["classifies-clips-by-token"]).has(kind) or "ast-" in named or "ast_" in named:
        return there(script, _POOLING, "learned", shown) + there(script, _MASK, "no-pooling", shown)
    if not _Names(script.symbols["classifies-clips-by-mean"]).has(kind):
        return there(script, _POOLING, "no-pooling", shown) + there(script, _MASK, "no-pooling", shown)
    measured = there(script, _POOLING, "plain", shown)
    masks = [call for call in script.trace if call.main and call.argument("return_attention_mask") is not None]
    if any(constant(call.argument("return_attention_mask")) is True for call in masks):
        return measured + there(script, _MASK, "masked", *(script.of(call) for call in masks))
    return measured + unknown(
        script,
        _MASK,
        f"{kind} leaves padding out when it is given a mask, which its checkpoint decides",
        "the checkpoint",
    )


def _over_frames(script: Script, found: list[Backbone]) -> bool:
    """Return whether anything gives one vector for each frame: a speech network, or a layer that goes over time."""
    return any(not each.image for each in found) or bool(script.calls("sequence-layer"))


def _pools(script: Script, found: list[Backbone]) -> list[Pool]:
    """Return where frames become one vector, in the order of the launch."""
    results = {id(run.result) for each in found for run in each.runs if run.result is not None}
    layers = _Names(script.symbols["sequence-layer"])
    convolutions = _Names(("torch.nn.Conv*.__call__", "torchlibrosa.*"))
    stored = bool(found) and not found[0].call.main

    def from_frames(value: Value | None) -> bool:
        for each in sources(value, deepest=10):
            if id(each) in results:
                return True
            if isinstance(each, Instance) and each.call is not None:
                name = each.call.name
                if layers.has(name) or convolutions.has(name) or (stored and name.startswith("torch.load")):
                    return True
        return False

    pools: list[Pool] = []
    for call in script.trace:
        if call.main and (_inside_network(script, call) or _of_functional_network(call)):
            kind, value = _pool(script, call)
            if kind in ("mean", "max") and keeps_moments(call, value):
                continue
            if kind and (from_frames(value) or stored):
                pools.append(Pool(kind, call, value or Unknown("frames")))
    return pools + _indexed(script, results, layers)


def _inside_network(script: Script, call: Call) -> bool:
    """Return whether a call stands in a network's own code, or in a function that a network calls."""
    return any("." in name and name.rpartition(".")[2] in script.reading.callable_methods for name in call.stack)


def _of_functional_network(call: Call) -> bool:
    """Return whether a layer of Keras is at work outside a class: such a network is built as a chain of calls."""
    return call.name.startswith("keras.layers.") and call.attribute == "__call__"


def _pool(script: Script, call: Call) -> tuple[str, Value | None]:
    """Return what kind of pooling a call is, and of what; an empty kind when it is none."""
    symbols = script.symbols
    value = call.receiver if call.name.rpartition(".")[0] not in ("torch", "tensorflow") else None
    if value is None or call.attribute == "__call__" or "functional" in call.name:
        value = call.arguments[0] if call.arguments else None
    if _Names(f"{name}.__call__" for name in symbols["learned-pooling"]).has(call.name):
        return ("mean" if _of_one_moment(call) else "attention"), value
    if _Names(symbols["learned-pooling"]).has(call.name):
        return "", None
    layer = call.attribute in ("__call__",) or "adaptive" in call.name
    if not layer and not _has_axis(call):
        return "", None
    for kind, symbol in (("moments", "spread-over-time"), ("max", "max-over-time"), ("mean", "mean-over-time")):
        if _Names(symbols[symbol]).has(call.name):
            return kind, value
    if _Names((*symbols["sum-over-time"],)).has(call.name):
        kind = "attention" if _weighted(script, value) else "mean" if _multiplied(script, value) else ""
        return kind, value
    if _Names(symbols["weighted-product"]).has(call.name):
        value = call.arguments[-1] if call.attribute == "einsum" and call.arguments else value  # behind its equation
        return ("attention" if any(_learned_weights(script, each) for each in call.values()) else ""), value
    return "", None


def _of_one_moment(call: Call) -> bool:
    """Return whether a layer that could pool several moments is told to give the mean alone."""
    layer = call.receiver.call if isinstance(call.receiver, Instance) else None
    return layer is not None and constant(layer.argument("return_std", 1)) is False


def _has_axis(call: Call) -> bool:
    """Return whether a call works along one axis, not over everything."""
    given = call.argument("dim") or call.argument("axis")
    function = call.name.startswith(("torch.", "tensorflow.")) and call.name.count(".") == 1
    position = call.arguments[1:2] if function else call.arguments[:1]
    known = given or (position[0] if position else None)
    if known is None:
        return bool(
            set(call.name.split(".")) & {"bmm", "matmul", "einsum", "mul", "dot", "Dot", "multiply", "Multiply"}
        )
    axes = constants(known)
    return axes is None or not any(isinstance(axis, (str, type(None))) for axis in axes)


def _multiplied(script: Script, value: Value | None) -> bool:
    """Return whether what is added up was multiplied with something other than weights of layers."""
    soft = _Names(script.symbols["attention-weights"])
    near = list(sources(value, deepest=4))
    if any(isinstance(each, Instance) and each.call is not None and soft.has(each.call.name) for each in near):
        return False
    masks = _Names(script.symbols["masks-frames"])
    if any(isinstance(each, Instance) and each.call is not None and masks.has(each.call.name) for each in near):
        return True
    return any(isinstance(each, Derived) and each.operation == "Mult" for each in sources(value, deepest=2))


def _weighted(script: Script, value: Value | None) -> bool:
    """Return whether what is added up was multiplied with learned weights."""
    products = _Names(script.symbols["weighted-product"])
    for each in sources(value, deepest=4):
        if isinstance(each, Derived) and each.operation in ("Mult", "*=", "MatMult"):
            parts = each.parts
        elif isinstance(each, Instance) and each.call is not None and products.has(each.call.name):
            parts = each.call.values()
        else:
            continue
        if any(_learned_weights(script, part) for part in parts):
            return True
    return False


def _learned_weights(script: Script, value: Value) -> bool:
    """Return whether a value is a softmax of scores that a layer gives, not of numbers that weigh layers."""
    soft = _Names(script.symbols["attention-weights"])
    scorers = _Names(
        (
            "torch.nn.Linear.__call__",
            "torch.nn.Conv1d.__call__",
            "torch.nn.Sequential.__call__",
            "torch.nn.functional.linear",
            "keras.layers.Dense.__call__",
            "keras.layers.TimeDistributed.__call__",
        )
    )
    parameter = _Names(("torch.nn.Parameter", "torch.nn.parameter.Parameter"))
    products = _Names(script.symbols["weighted-product"])
    for each in sources(value, deepest=5):
        if not isinstance(each, Instance) or each.call is None:
            continue
        if not soft.has(each.call.name) and not _ends_in_softmax(each.call):
            continue
        if _ends_in_softmax(each.call) and scorers.has(each.call.name):
            return True
        scores = each.call.arguments[0] if each.call.arguments else each.call.receiver
        if each.call.attribute == "softmax" and each.call.receiver is not None:
            scores = each.call.receiver
        for made in sources(scores, deepest=6):
            if isinstance(made, Instance) and made.call is not None:
                if scorers.has(made.call.name):
                    return True
                if parameter.has(made.call.name) and is_vector(made.call):
                    break
                if products.has(made.call.name):
                    return any(parameter.has(name) for name in _made_by(made.call))
    return False


def _ends_in_softmax(call: Call) -> bool:
    """Return whether a layer of Keras turns what it gives into weights that sum to one."""
    layer = call.receiver.call if isinstance(call.receiver, Instance) else None
    given = layer.values() if layer is not None and layer.name.startswith("keras.layers.") else ()
    return call.attribute == "__call__" and any(constant(value) == "softmax" for value in given)


def _made_by(call: Call) -> list[str]:
    return [each.call.name for value in call.values() for each in sources(value, deepest=4)
            if isinstance(each, Instance) and each.call is not None]  # fmt: skip


def _indexed(script: Script, results: set[int], layers: _Names) -> list[Pool]:
    """Return where one frame stands for all: the first of a network with a token for it, or the last."""
    calls = [call for call in script.trace if call.main and _inside_network(script, call)]
    uses = uses_in(calls)
    found: list[Pool] = []
    for value in uses:
        if isinstance(value, Member) and value.name == "pooler_output" and _leads(value.owner, results, layers):
            place = uses.calls(value)
            found += [Pool("token", call, value) for call in place[:1]]
        frame = _frame(value)
        if frame is not None and isinstance(value, Derived) and _leads(value.parts[0], results, layers):
            kind = "last" if frame == -1 else "token" if _leads(value.parts[0], results, None) else "last"
            found += [Pool(kind, call, value) for call in uses.calls(value)[:1]]
    return found + [Pool("last", call, value) for call, value in last_frames(script, uses)]


def _frame(value: Value) -> int | None:
    """Return which frame `x[:, 0]` or `x[:, -1]` takes, or None."""
    if not isinstance(value, Derived) or value.operation not in ("[]", "[:]") or len(value.parts) < 2:
        return None
    key = value.parts[1]
    if not isinstance(key, Items) or len(key.items) < 2 or isinstance(key.items[0], Const):
        return None
    at = constant(key.items[1])
    return at if at in (0, -1) and not isinstance(at, bool) else None


def _leads(value: Value, results: set[int], layers: _Names | None) -> bool:
    for each in sources(value, deepest=5):
        if id(each) in results:
            return True
        if layers is not None and isinstance(each, Instance) and each.call is not None and layers.has(each.call.name):
            return True
    return False


def _without(script: Script, found: list[Backbone]) -> Measured:
    """Return what it means that nothing pools: clips of one size, or code that reading does not follow."""
    speech = [each for each in found if not each.image]
    if speech or script.calls("sequence-layer") or not network_seen(script):
        why = "no pooling over time was found in the network's code"
        return unknown(script, _POOLING, why, _NETWORK) + unknown(script, _MASK, why, _NETWORK)
    return there(script, _POOLING, "no-pooling") + there(script, _MASK, "no-pooling")


def _masked(script: Script, pools: list[Pool], found: list[Backbone]) -> Measured:
    """Return whether padded frames are left out where frames become one vector."""
    frames = any(not each.image for each in found) or bool(script.calls("sequence-layer"))
    pads = script.calls("pads-batch")
    pads += [call for call in script.trace if call.main and _is_true(call.argument("padding"))]
    hidden = [each.call for each in pools if _leaves_out(script, each)]
    if hidden and frames:
        return there(script, _MASK, "masked", *(script.of(call) for call in hidden[:6]))
    if not frames or not pads:
        return there(script, _MASK, "nothing-padded")
    measured = absent(script, _MASK, "padding-pooled", "padded frames are pooled too", [each.call for each in pools])
    callers = [each.call.callers[-1] for each in pools if each.call.callers]
    shown = [script.evidence(place, "the pooling is called here") for place in dict.fromkeys(callers)]
    return Measured(
        tuple(script.fact(fact.name, fact.value, *fact.evidence, *shown) for fact in measured.facts), measured.unknown
    )


def _is_true(value: Value | None) -> bool:
    return value is not None and (constant(value) is True or constant(value) in ("longest", "max_length"))


def _leaves_out(script: Script, pool: Pool) -> bool:
    """Return whether a pooling multiplies with a mask, cuts off by length, or hides scores of padding."""
    masks = _Names(script.symbols["masks-frames"])
    for value in (pool.value, *pool.call.values()):
        for each in sources(value, deepest=7):
            if isinstance(each, Instance) and each.call is not None and masks.has(each.call.name):
                return True
            if isinstance(each, Derived) and each.operation == "Mult" and any(_is_mask(part) for part in each.parts):
                return True
            if isinstance(each, Derived) and each.operation == "[:]" and any(_is_length(p) for p in each.parts[1:]):
                return True
    lengths = [value for name, value in pool.call.keywords.items() if name in ("lengths", "mask", "attention_mask")]
    handed = pool.kind != "last" and pool.call.attribute == "__call__" and len(pool.call.arguments) > 1
    return bool(lengths) or handed


def _is_mask(value: Value) -> bool:
    """Return whether a value is made of a comparison, or carries the name of a mask."""
    for each in sources(value, deepest=6):
        if isinstance(each, Derived) and each.operation.startswith("compare"):
            return True
        if "mask" in _called(each).lower():
            return True
        if isinstance(each, Unknown) and "mask" in each.reason.lower():
            return True
    return False


def _called(value: Value) -> str:
    """Return the attribute or key by which a value was reached."""
    if isinstance(value, Member):
        return value.name
    keyed = isinstance(value, Derived) and value.operation == "[]" and bool(value.parts)
    return str(constant(value.parts[-1], "")) if keyed and isinstance(value, Derived) else ""


def _is_length(value: Value) -> bool:
    return constant(value) is None and not (isinstance(value, Const))
