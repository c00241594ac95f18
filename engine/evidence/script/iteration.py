"""What a loop variable stands for, and what iterating sets off: a loader calls its data set and collate function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .values import Choice, Class, Const, Derived, Function, Instance, Items, Member, Table, Unknown, Value, either

if TYPE_CHECKING:
    from .interpreter import Interpreter


def element(it: Interpreter, over: Value) -> Value:
    """Return one element of what is iterated."""
    if isinstance(over, Choice):
        found = element(it, over.options[0])
        for option in over.options[1:]:
            found = either(found, element(it, option))
        return found
    if isinstance(over, Items) and over.items:
        found = over.items[0]
        for item in over.items[1:8]:
            found = either(found, item)
        return found
    if isinstance(over, Table):
        return Derived("for", tuple(Const(key) for key in list(over.items)[:8]))
    if isinstance(over, Instance) and over.type in it.reading.wrapping_iterators and over.call is not None:
        return _wrapped(it, over)
    if isinstance(over, Instance) and over.type in it.reading.loaders and over.call is not None:
        return _batch(it, over)
    if isinstance(over, Instance) and over.cls is not None:
        for name in ("__iter__", "__getitem__"):
            method = over.cls.member(name)
            if isinstance(method, Function):
                return Derived("for", (run_method(it, over, method), over))
    return Derived("for", (over,))


def _wrapped(it: Interpreter, over: Instance) -> Value:
    """Return an element of `enumerate`, `zip` or a progress bar."""
    assert over.call is not None
    inner = [element(it, value) for value in over.call.arguments] or [Unknown("an empty iteration")]
    if over.type == "enumerate":
        return Items([Derived("count", ()), inner[0]])
    if over.type == "zip":
        return Items(list(inner))
    return inner[0]


def _batch(it: Interpreter, loader: Instance) -> Value:
    """Return a batch of a loader, after reading how an item is made and how items are collated."""
    assert loader.call is not None
    dataset = loader.call.argument("dataset", 0)
    items = [item_of(it, option) for option in _all(dataset)]
    collate = loader.call.argument("collate_fn")
    if collate is not None:
        batch = it_call(it, collate, [Items(list(items), open=True)], loader)
        return Derived("for", (batch, loader))
    return Derived("for", (*items, loader)) if len(items) != 1 else items[0]


def _all(value: Value | None) -> tuple[Value, ...]:
    return () if value is None else value.options if isinstance(value, Choice) else (value,)


def item_of(it: Interpreter, dataset: Value) -> Value:
    """Return one item of a data set, after reading its `__getitem__`; subsets lead to what they are part of."""
    for _ in range(8):
        if isinstance(dataset, Instance) and dataset.cls is not None:
            method = dataset.cls.member("__getitem__")
            if isinstance(method, Function):
                return run_method(it, dataset, method, [Derived("index", ())])
        inner = _inner(dataset)
        if inner is None:
            break
        dataset = inner
    return Derived("for", (dataset,))


def _inner(value: Value) -> Value | None:
    if isinstance(value, Derived) and value.parts:
        return value.parts[0]
    if isinstance(value, Member):
        return value.owner
    if isinstance(value, Instance) and value.call is not None and value.cls is None and value.call.arguments:
        return value.call.arguments[0]
    return None


def run_method(it: Interpreter, instance: Instance, method: Function, arguments: list[Value] | None = None) -> Value:
    """Read one method of an object with unknown or given arguments."""
    place = instance.call.place if instance.call is not None else it.project.sources[method.module].place(method.node)
    return it_call(it, Member(instance, method.name.rpartition(".")[2], method), arguments, instance, place)


def it_call(
    it: Interpreter, callee: Value, arguments: list[Value] | None, owner: Instance, place: object = None
) -> Value:
    """Call a function that a loader or a framework calls, with unknown arguments when None is given."""
    from .invocation import call
    from .places import Place

    where = place if isinstance(place, Place) else owner.call.place if owner.call is not None else Place("", 1)
    if isinstance(callee, (Function, Member, Class, Instance, Choice)):
        return call(it, callee, arguments or [], {}, where, arguments is not None)
    return Unknown("a function that reading does not reach")
