"""Makes calls: enters functions of the project, constructs its classes, and notes calls of everything else."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from . import builtin
from .calls import Call, Context
from .frame import Frame
from .iteration import element
from .places import Place
from .values import (
    Choice,
    Class,
    Const,
    Derived,
    External,
    Function,
    Instance,
    Items,
    Member,
    Scope,
    Table,
    Unknown,
    Value,
    either,
)  # fmt: skip

if TYPE_CHECKING:
    from .interpreter import Interpreter


def call(it: Interpreter, callee: Value, arguments: list[Value], keywords: dict[str, Value], place: Place,
         complete: bool = True) -> Value:  # fmt: skip
    """Call `callee` and return what comes back."""
    if not it.step():
        return Unknown("reading has gone on for too long", place)
    if isinstance(callee, Choice):
        results = [call(it, option, arguments, keywords, place, complete) for option in callee.options[:4]]
        found = results[0]
        for result in results[1:]:
            found = either(found, result)
        return found
    if isinstance(callee, Function):
        return enter(it, callee, arguments, keywords, place, complete)
    if isinstance(callee, Class):
        return construct(it, callee, arguments, keywords, place, complete)
    if isinstance(callee, Member):
        return _method(it, callee, arguments, keywords, place, complete)
    if isinstance(callee, Instance):
        return _call_object(it, callee, arguments, keywords, place, complete)
    if isinstance(callee, External):
        return _external(it, callee.name, arguments, keywords, place, complete)
    made = it.note("?", place, arguments, keywords, receiver=callee, complete=complete)
    return _result("?", made)


def _result(kind: str, made: Call) -> Instance:
    """Return the unknown object that an outside call gives."""
    found = Instance(kind, call=made)
    made.result = found
    return found


def _external(it: Interpreter, name: str, arguments: list[Value], keywords: dict[str, Value], place: Place,
              complete: bool) -> Value:  # fmt: skip
    """Call something that is not the project's."""
    made = it.note(name, place, arguments, keywords, complete=complete)
    known = builtin.result(it, made)
    if known is None:
        known = it.configurations.result(it, made)
    if known is None and name in it.reading.returns_argument and arguments:
        known = arguments[0] if len(arguments) == 1 or name not in it.reading.returns_arguments else Items(arguments)
    if known is None:
        known = _result(it.reading.made_by(name), made)
    made.result = known
    _call_back(it, name, arguments, keywords, place)
    return known


def _call_back(it: Interpreter, name: str, arguments: list[Value], keywords: dict[str, Value], place: Place) -> None:
    """Read functions that were handed to something external: it calls them, with what it has."""
    if name in it.reading.keeps_functions:
        return  # a loader's collate function is read when the loader is iterated
    handed = [*arguments, *keywords.values()]
    if name.endswith(it.reading.fits):
        _iterate(it, handed)
    for value in keywords.values():  # a collator that is an object
        if isinstance(value, Instance) and value.cls and _is_plain_callable(value.cls):
            _call_object(it, value, [], {}, place, False)
    handed += [part for value in handed if isinstance(value, Items) for part in value.items]
    for value in handed:
        if name.startswith("?") and isinstance(value, Instance) and value.cls and value.cls.member("__call__"):
            _call_object(it, value, [], {}, place, False)  # whoever takes an object that can be called may call it
        elif isinstance(value, Function) or (isinstance(value, Member) and value.function is not None):
            given = _for_worker(name, arguments, keywords, place)
            call(it, value, given or [], {}, place, given is not None)


def _for_worker(name: str, arguments: list[Value], keywords: dict[str, Value], place: Place) -> list[Value] | None:
    """Return what another process or thread calls a function with: `args=(...)`, and its number where it is spawned."""
    spawns = name.endswith(".spawn")
    given = keywords.get("args") or (arguments[1] if spawns and len(arguments) > 1 else None)
    if not isinstance(given, Items) or given.open:
        return None
    return [Unknown("the number of the process", place), *given.items] if spawns else list(given.items)


def _iterate(it: Interpreter, handed: list[Value]) -> None:
    """Read what a framework's loop does with the loaders that it is given."""
    for value in handed:
        for option in value.items if isinstance(value, Items) else [value]:
            if not isinstance(option, Instance):
                continue
            if option.type in it.reading.loaders or (option.cls is not None and option.cls.member("__getitem__")):
                element(it, option)


def _is_plain_callable(cls: Class) -> bool:
    return cls.member("__call__") is not None and cls.member("forward") is None


def _method(it: Interpreter, callee: Member, arguments: list[Value], keywords: dict[str, Value], place: Place,
            complete: bool) -> Value:  # fmt: skip
    """Call a method of an object."""
    owner, name = callee.owner, callee.name
    if isinstance(callee.function, Function):
        return enter(it, callee.function, [owner, *arguments], keywords, place, complete, this=owner)
    held = builtin.method(it, owner, name, arguments, keywords)
    if held is not None:
        return held
    kind = _kind(it, owner)
    full = it.reading.canonical(f"{kind}.{name}")
    made = it.note(full, place, arguments, keywords, receiver=owner, complete=complete)
    known = it.configurations.result(it, made)
    if known is None and name in it.reading.fluent:
        known = owner
    if known is None and name in it.reading.alternative_constructors and isinstance(owner, Class):
        known = construct(it, owner, [], keywords, place, False)
    if known is None:
        known = _result(it.reading.made_by(full), made)
    if made.result is None:
        made.result = known
    _call_back(it, full, arguments, keywords, place)
    if isinstance(owner, Instance) and owner.cls is not None and name == "__call__":
        return _call_object(it, owner, arguments, keywords, place, complete)
    return known


def _kind(it: Interpreter, owner: Value) -> str:
    """Return the name of the class of an object, as far as it is known; of one's own class, of its outer base."""
    if isinstance(owner, Instance):
        if owner.cls is not None:
            return next(iter(owner.cls.outside()), owner.cls.name)
        return owner.type
    if isinstance(owner, Class):
        return next(iter(owner.outside()), owner.name)
    if isinstance(owner, External):
        return owner.name
    if isinstance(owner, Member):
        return f"{_kind(it, owner.owner)}.{owner.name}"
    if isinstance(owner, Const):
        return type(owner.value).__name__
    return {Items: "list", Table: "dict"}.get(type(owner), "?")


def _call_object(it: Interpreter, owner: Instance, arguments: list[Value], keywords: dict[str, Value], place: Place,
                 complete: bool) -> Value:  # fmt: skip
    """Call an object: a network runs `forward`, another object `__call__`."""
    if owner.cls is not None:
        for name in it.reading.callable_methods:
            member = owner.cls.member(name)
            if isinstance(member, Function):
                made = it.note(f"{owner.type}.__call__", place, arguments, keywords, receiver=owner, complete=complete)
                made.result = enter(it, member, [owner, *arguments], keywords, place, complete, this=owner)
                return made.result
    if owner.type == "functools.partial" and owner.call is not None and owner.call.arguments:
        function, *first = owner.call.arguments
        return call(it, function, [*first, *arguments], {**owner.call.keywords, **keywords}, place, complete)
    kind = _kind(it, owner)
    made = it.note(f"{kind}.__call__", place, arguments, keywords, receiver=owner, complete=complete)
    _call_parts(it, owner, arguments, place)
    if f"{kind}.__call__" in it.reading.runs_functions:  # such as a command that a program registers
        _call_back(it, f"{kind}.__call__", arguments, keywords, place)
    return _result(f"{kind}.__call__", made)


def _call_parts(it: Interpreter, owner: Instance, arguments: list[Value], place: Place) -> None:
    """Read the parts of a container such as `torch.nn.Sequential`, each on what the last returned."""
    if owner.type not in it.reading.chains or owner.call is None:
        return
    parts = [item for value in owner.call.arguments for item in (value.items if isinstance(value, Items) else [value])]
    value: Value = arguments[0] if arguments else Unknown("no input")
    for part in parts:
        if isinstance(part, Instance):
            value = call(it, part, [value], {}, place)


def construct(it: Interpreter, cls: Class, arguments: list[Value], keywords: dict[str, Value], place: Place,
              complete: bool) -> Value:  # fmt: skip
    """Make an object of a class of the project."""
    made = it.note(f"{cls.name}", place, arguments, keywords, complete=complete)
    found = Instance(cls.name, cls, call=made)
    made.result = found
    it.instances.append(found)
    _fields(it, found, arguments, keywords, place)
    start = cls.member("__init__")
    if isinstance(start, Function):
        enter(it, start, [found, *arguments], keywords, place, complete, this=found)
    elif cls.outside():
        found.attributes.update(keywords)  # a framework keeps what it is handed under its name, as Brain(hparams=) does
        _call_back(it, next(iter(cls.outside())), arguments, keywords, place)
    return found


def _fields(it: Interpreter, made: Instance, arguments: list[Value], keywords: dict[str, Value], place: Place) -> None:
    """Fill the fields of a dataclass, an attrs class, a pydantic model or a named tuple."""
    assert made.cls is not None
    declared = any(it.reading.declares_fields(name) for name in (*made.cls.decorators, *made.cls.outside()))
    if not declared:
        return
    names = [
        statement.target.id
        for each in reversed(list(made.cls.lineage()))
        for statement in each.node.body
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
    ]
    for name, value in zip(names, arguments, strict=False):
        made.attributes[name] = value
    for name in names:
        if name in keywords:
            made.attributes[name] = keywords[name]
        elif name not in made.attributes:
            made.attributes[name] = _default(it, made.cls.member(name), name, place)


def _default(it: Interpreter, value: Value | None, name: str, place: Place) -> Value:
    """Return the default of a field; `field(default=..)` and `field(default_factory=..)` are looked into."""
    if value is None:
        return Unknown(f"field {name}, which has no default", place)
    if isinstance(value, Instance) and value.call is not None and value.call.attribute in ("field", "Field", "ib"):
        inner = value.call.argument("default", 0)
        if inner is not None:
            return inner
        factory = value.call.argument("default_factory")
        return call(it, factory, [], {}, place) if factory is not None else Unknown(f"field {name}", place)
    return value


def call_above(it: Interpreter, frame: Frame, this: Value, name: str, arguments: list[Value],
               keywords: dict[str, Value], place: Place) -> Value:  # fmt: skip
    """Call `super().name(...)`."""
    owner = frame.owner
    lineage = list(this.cls.lineage()) if isinstance(this, Instance) and this.cls is not None else []
    above = lineage[lineage.index(owner) + 1 :] if owner in lineage else list(owner.lineage())[1:] if owner else []
    for each in above:
        member = each.scope.get(name)
        if isinstance(member, Function):
            return enter(it, member, [this, *arguments], keywords, place, True, this=this)
    outside = [base.name for each in (owner, *above) if each for base in each.bases if isinstance(base, External)]
    full = f"{outside[0] if outside else '?'}.{name}"
    made = it.note(full, place, arguments, keywords, receiver=this)
    if isinstance(this, Instance) and name == "__init__" and isinstance(keywords, dict):
        for key, value in keywords.items():
            this.attributes.setdefault(key, value)
    return _result(full, made)


def enter(it: Interpreter, function: Function, arguments: list[Value], keywords: dict[str, Value], place: Place,
          complete: bool, this: Value | None = None) -> Value:  # fmt: skip
    """Read a function of the project with these arguments, and return what it returns."""
    name = f"{function.module}:{function.name}"
    made = it.note(name, place, arguments, keywords, complete=complete, receiver=this)
    if not it.may_enter(function):
        return _result(name, made)
    source = it.project.sources[function.module]
    local = parameters(it, function, arguments, keywords, complete)
    if this is None and function.owner is not None and arguments and "staticmethod" not in function.decorators:
        this = arguments[0]
    frame = Frame(source, function.name, local, function.closure, function.owner, this)
    with it.entered(function, place), it.inside(_context(it, function)):
        if isinstance(function.node, ast.Lambda):
            frame.give(it.evaluate(frame, function.node.body))
        else:
            from .statements import run_block

            run_block(it, frame, function.node.body)
    made.result = frame.returned if frame.returned is not None else Const(None)
    return made.result


def _context(it: Interpreter, function: Function) -> Context | None:
    """Return the context that a decorator such as `@torch.no_grad()` makes."""
    for name, value in zip(function.decorators, function.decorated, strict=True):
        if name in it.reading.context_decorators:
            return Context(name, value, it.project.sources[function.module].place(function.node))
    return None


def _annotated(it: Interpreter, outer: Frame, annotation: ast.expr, value: Value, place: Place) -> Value:
    """Return the settings that an unknown argument holds by its class, when each of its fields has a default."""
    cls = it.evaluate(outer, annotation) if isinstance(annotation, (ast.Name, ast.Attribute)) else None
    if not isinstance(cls, Class):
        return value
    if not any(it.reading.declares_fields(name) for name in (*cls.decorators, *cls.outside())):
        return value
    made = Instance(cls.name, cls)
    _fields(it, made, [], {}, place)
    return made if made.attributes else value


def parameters(it: Interpreter, function: Function, arguments: list[Value], keywords: dict[str, Value],
               complete: bool) -> Scope:  # fmt: skip
    """Bind arguments to the parameters of a function."""
    spec = function.node.args
    names = [each.arg for each in (*spec.posonlyargs, *spec.args)]
    if function.owner is not None and "staticmethod" in function.decorators and len(arguments) > len(names):
        arguments = arguments[1:]
    place = it.project.sources[function.module].place(function.node)
    local: Scope = dict(zip(names, arguments, strict=False))
    if spec.vararg is not None:
        local[spec.vararg.arg] = Items(list(arguments[len(names) :]), open=not complete)
    allowed = {*names, *(each.arg for each in spec.kwonlyargs)}
    local.update({name: value for name, value in keywords.items() if name in allowed})
    if spec.kwarg is not None:
        rest = {name: value for name, value in keywords.items() if name not in allowed}
        local[spec.kwarg.arg] = Table(dict(rest), open=not complete)
    outer = Frame(it.project.sources[function.module], function.name, {}, function.closure)
    defaults = dict(zip(reversed(names), reversed(spec.defaults), strict=False))
    defaults |= {each.arg: node for each, node in zip(spec.kwonlyargs, spec.kw_defaults, strict=True) if node}
    configured = it.configurations.parameters(it, function)
    for each in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs):
        if isinstance(local.get(each.arg), (Derived, Unknown)) and each.annotation is not None:
            local[each.arg] = _annotated(it, outer, each.annotation, local[each.arg], place)
    for name in (*names, *(each.arg for each in spec.kwonlyargs)):
        if name in local:
            continue
        if name in configured:
            local[name] = configured[name]
        elif name in defaults and complete:
            local[name] = it.evaluate(outer, defaults[name])
        elif name in defaults:
            local[name] = either(it.evaluate(outer, defaults[name]), Unknown(f"argument {name}", place))
        else:
            local[name] = Unknown(f"argument {name} of {function.name}", place)
    return local
