"""Reads what frameworks call by themselves: methods of objects whose base class is a framework's; then all the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .invocation import enter
from .iteration import element
from .values import Class, Function, Instance, Value

if TYPE_CHECKING:
    from .interpreter import Interpreter

_MOST_CLASSES = 60


def is_library(it: Interpreter) -> bool:
    """Return whether nothing that was read so far trains: then whoever launches the entry file stands elsewhere."""
    return not it.trace.named(*it.reading.trains)


def open_library(it: Interpreter) -> None:
    """Read the functions of an entry file that calls none of them and that no file of the project launches."""
    for value in list(it.module(it.project.entry).values()):
        if isinstance(value, Function) and value.module == it.project.entry:
            _visit(it, value, None)
        elif isinstance(value, Class) and value.module == it.project.entry:
            _visit_class(it, value)


def call_back(it: Interpreter) -> None:
    """Read the methods that a framework calls of the objects that the launch made, each once and in source order."""
    done: set[tuple[int, int]] = set()
    firsts = {id(each.cls): each for each in reversed(it.instances)}  # a network has a hundred blocks of one class
    for instance in sorted(firsts.values(), key=it.instances.index)[:_MOST_CLASSES]:
        if instance.cls is None or not instance.cls.outside():
            continue
        for method in _methods(it, instance):
            key = (id(instance.cls), id(method.node))
            if key not in done and it.runs.get(id(method.node), 0) == 0:
                done.add(key)
                it.hook = method.name.rpartition(".")[2]
                place = it.project.sources[method.module].place(method.node)
                given = enter(it, method, [instance], {}, place, False, instance)
                if it.hook.endswith("dataloader"):
                    element(it, given)  # the framework goes over what this hook returns
                it.hook = ""


def _methods(it: Interpreter, instance: Instance) -> list[Function]:
    """Return the methods of an object's class in the order in which its frameworks call them, then in source order."""
    assert instance.cls is not None
    found: dict[str, Function] = {}
    for each in instance.cls.lineage():
        for name, member in each.scope.items():
            if isinstance(member, Function) and name not in found:
                found[name] = member
    order = {name: number for number, name in enumerate(it.reading.hooks)}
    called = [name for name in found if not name.startswith("_") or name in order]
    return [found[name] for name in sorted(called, key=lambda name: order.get(name, len(order)))]


def visit_the_rest(it: Interpreter) -> None:
    """Read the functions and methods that nothing reached, with unknown arguments, as code that only lies there."""
    for path in sorted(it.modules):
        for value in list(it.modules[path].values()):
            if isinstance(value, Function) and value.module == path:
                _visit(it, value, None)
            elif isinstance(value, Class) and value.module == path:
                _visit_class(it, value)


def _visit_class(it: Interpreter, cls: Class) -> None:
    made = next((each for each in it.instances if each.cls is cls), None) or Instance(cls.name, cls)
    if made.call is None:
        it.instances.append(made)
    members = [member for member in cls.scope.values() if isinstance(member, Function)]
    for member in sorted(members, key=lambda each: not each.name.endswith(".__init__")):
        _visit(it, member, made)


def _visit(it: Interpreter, function: Function, this: Value | None) -> None:
    if it.runs.get(id(function.node), 0):
        return
    place = it.project.sources[function.module].place(function.node)
    arguments = [this] if this is not None and "staticmethod" not in function.decorators else []
    enter(it, function, arguments, {}, place, False, this)
