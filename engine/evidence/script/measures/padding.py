"""Whether clips are padded in a batch, and whether the network is told where they end; says what is there, no more."""

from __future__ import annotations

import ast

from knowledge.records import Measured

from ..calls import Call, _Names, sources
from ..script import Script
from ..values import Const, Derived, Function, Instance, Member, constant, truth

NAME = "script.padding"
_FILLERS = ("torch.nn.functional.pad", "numpy.pad", "torch.zeros", "numpy.zeros")


def measure_padding(script: Script) -> Measured:
    """Return `script.padding`: told, untold, left-to-the-extractor, or none."""
    pads = _pads(script)
    readers = script.calls("length-sensitive")
    told = _told(script)
    if told and pads:
        return _fact(script, "told", [*told, *pads])
    if not pads:
        return _fact(script, "fixed-length", script.calls("data-loader")[:2]) if not script.cut else _open(script)
    by_extractor = [call for call in pads if call.attribute in ("pad", "__call__")]
    spread = [call for call in script.trace if call.main and not call.complete and call.attribute == "__call__"]
    hands_over = script.calls("trainer") or [call for call in spread if call.loops]
    if by_extractor and len(by_extractor) == len(pads) and (hands_over or not readers):
        return _open(script)
    if readers:
        return _fact(script, "untold", [*pads, *readers])
    return _fact(script, "fixed-length", pads)


def _open(script: Script) -> Measured:
    why = "whether batches carry a mask depends on the feature extractor of the checkpoint"
    return Measured((), (script.unknown(NAME, why, "the checkpoint's preprocessor_config.json"),))


def _fact(script: Script, value: str, calls: list[Call]) -> Measured:
    return Measured((script.fact(NAME, value, *(script.of(call) for call in calls)),))


def _pads(script: Script) -> list[Call]:
    """Return what brings the clips of a batch to the length of the longest."""
    found = [*script.calls("padding"), *script.calls("brain-fit")]  # SpeechBrain pads each batch by itself
    main = None if script.calls("trainer") else True  # a Trainer calls the collator, which nothing else reaches
    for call in script.trace:
        if main and not call.main:
            continue
        collates = any(script.says("collates", name) for name in call.stack)
        fills = collates and call.name in _FILLERS
        if fills or (call.attribute in ("pad", "__call__") and _pads_longest(call)):
            found.append(call)
    return found


def _pads_longest(call: Call) -> bool:
    padding = call.keywords.get("padding")
    if padding is None:
        return False
    plain = constant(padding, ...)
    return plain in (True, "longest") or (plain is ... and truth(padding) is not False)


def _told(script: Script) -> list[Call]:
    """Return calls that hand a mask or lengths to a network or a recurrent layer."""
    found = list(script.calls("uses-lengths"))
    pooling = _Names(f"{name}.__call__" for name in script.symbols["learned-pooling"])
    for call in script.trace:
        if not call.main or call.attribute not in ("__call__", "forward", "extract_features", "generate"):
            continue
        if pooling.has(call.name):
            continue  # told where clips end after the network has mixed their frames
        given = [name for name, value in call.keywords.items() if constant(value, ...) is not None]
        told = any(script.says("end-of-a-clip", name) for name in given)
        told = told or any(_is_told(script, value) for value in call.arguments[:6]) or _named_parameters(script, call)
        if told and isinstance(call.receiver, (Instance, Member)):
            found.append(call)
    return found


def _named_parameters(script: Script, call: Call) -> bool:
    """Return whether a network of the project takes a mask or lengths, and gets something for it."""
    cls = call.receiver.cls if isinstance(call.receiver, Instance) else None
    forward = cls.member("forward") if cls is not None else None
    if not isinstance(forward, Function):
        return False
    names = [each.arg for each in forward.node.args.args][1:]
    given = list(zip(names, call.arguments, strict=False))
    read = {each.id for each in ast.walk(forward.node) if isinstance(each, ast.Name)}
    return any(script.says("end-of-a-clip", name) and name in read and constant(value, ...) is not None
               for name, value in given)  # fmt: skip


def _is_told(script: Script, value: object) -> bool:
    if isinstance(value, Derived) and value.operation == "[1]" and isinstance(value.parts[0], Member):
        return True  # `wavs, lengths = batch.sig`
    for each in sources(value, deepest=2):  # type: ignore[arg-type]
        if isinstance(each, Member) and script.says("end-of-a-clip", each.name):
            return True
        if isinstance(each, Const) and isinstance(each.value, str) and script.says("end-of-a-clip", each.value):
            return True
    return False
