"""Where a data set is made and where it makes its items; no judgement."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.records import Evidence

from .calls import Call, sources
from .feeds import dataset_of, loaders_of
from .places import Place
from .script import Script
from .values import Function, Instance, Member, Value

_MAPS = ("map", "with_transform", "set_transform")


def items_made(script: Script, feed: Value) -> list[Evidence]:
    """Return where the items of a feed are made: its own method, a mapped function, the data set, the loader."""
    held = dataset_of(script, feed)
    methods = [script.evidence(place, "each clip is made here") for place in _methods(script, held)]
    made = [script.of(call, "the data set is made here") for call in datasets_made(held)]
    return [*methods, *made, *(script.of(call, "its loader is made here") for call in loaders_of(script, feed))]


def datasets_made(held: Value) -> list[Call]:
    """Return the calls that make a data set, nearest first."""
    return [each.call for each in sources(held, deepest=5) if isinstance(each, Instance) and each.call is not None
            and (each.cls is not None or each.call.attribute.startswith("load_"))]  # fmt: skip


def _methods(script: Script, held: Value) -> Iterator[Place]:
    for each in sources(held, deepest=5):
        if not isinstance(each, Instance):
            continue
        found = [each.cls.member(name) for name in ("__getitem__", "__iter__")] if each.cls is not None else []
        if (
            each.cls is None
            and each.call is not None
            and each.call.attribute in ("map", "with_transform", "set_transform")
        ):
            found = list(each.call.values())
        for item in found:
            function = item.function if isinstance(item, Member) else item
            if isinstance(function, Function) and function.module in script.project.sources:
                start = script.project.sources[function.module].place(function.node)
                yield Place(start.path, start.line, max(start.line, function.node.end_lineno or 0), start.cell)
