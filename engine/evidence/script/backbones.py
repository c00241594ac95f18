"""Which pretrained networks a script uses, where they run, and what holds them; says nothing about their training."""

from __future__ import annotations

from dataclasses import dataclass

from .calls import Call, _Names, comes_from
from .script import Script
from .values import Choice, Derived, Instance, Items, Member, Value, constant, options_of


@dataclass(frozen=True)
class Backbone:
    """A pretrained network."""

    call: Call
    """The call that loads it."""
    objects: tuple[Value, ...]
    """The network itself, and the parts that its class makes of other networks of the package."""
    runs: tuple[Call, ...]
    """Where it, or a part of it, is run."""
    headed: bool
    """Whether head and loss are the package's own."""
    image: bool = False

    def has(self, value: Value | None) -> bool:
        """Return whether `value` is the network itself."""
        if value is None or isinstance(value, Member):
            return False
        return any(_leads_to(each, self.objects, members=False) for each in options_of(value))

    def part(self, value: Value | None) -> bool:
        """Return whether `value` is a part of the network that is reached by its attributes."""
        while isinstance(value, Member):
            value = value.owner
            if self.has(value):
                return True
        return False


def backbones(script: Script, *, main: bool | None = True) -> list[Backbone]:
    """Return the pretrained networks of what the launch reaches, or of the rest."""
    upkeep, headed = _Names(script.symbols["module-upkeep"]), _Names(script.symbols["network-with-head"])
    nothing = _Names(script.symbols["no-network"])
    loads = [call for call in script.calls("pretrained-model", main=main) if not nothing.has(call.name)]
    loads += _filled(script, main)
    images = [call for call in script.calls("image-model", main=main) if _with_weights(call)]
    found: list[Backbone] = []
    for call in sorted([*loads, *images], key=lambda each: each.order):
        filled = call.attribute == "load_state_dict" and call.receiver is not None
        if call.result is None or (not filled and isinstance(call.receiver, (Instance, Derived, Choice))):
            continue  # a method of a network or of its result, not one that loads
        objects = _objects(script, call) if not filled else options_of(call.receiver or call.result)
        runs = tuple(
            each
            for each in script.trace
            if _runs(each, objects) and not upkeep.has(each.name) and not _constructs(each)
        )
        kind = call.result.type if isinstance(call.result, Instance) else ""
        own = isinstance(call.result, Instance) and call.result.cls is not None
        found.append(Backbone(call, objects, runs, headed.has(kind) and not own, filled or call in images))
    return found


def _constructs(call: Call) -> bool:
    return bool(call.stack) and call.stack[-1].endswith(".__init__")


def _filled(script: Script, main: bool | None) -> list[Call]:
    """Return calls that fill a network of the project with weights from the net."""
    names = script.symbols["weights-fetched"]
    fills = [call for call in script.trace.named("*.load_state_dict", main=main) if isinstance(call.receiver, Instance)]
    return [call for call in fills if any(comes_from(value, *names) for value in call.arguments)]


def _with_weights(call: Call) -> bool:
    given = [call.argument(name) for name in ("weights", "pretrained")]
    known = [constant(value, "given") for value in given if value is not None]
    if call.name.startswith("keras."):
        return call.attribute[:1].isupper() and known != [None]
    return any(value not in (None, False, "none") for value in known)


def _objects(script: Script, call: Call) -> tuple[Value, ...]:
    """Return the network, its wrappers' first items, and the networks that its own class makes."""
    assert call.result is not None
    made = list(options_of(call.result))
    halves = script.trace.named("*.get_encoder", main=None)
    made += [each.result for each in halves if each.result and any(each.receiver is whole for whole in made)]
    for each in script.trace:
        if call.place in each.callers and each.name.startswith("transformers.") and isinstance(each.result, Instance):
            network = each.attribute.endswith(("Model", "Encoder")) and each.attribute[:1].isupper()
            if network and each.order > call.order:
                made.append(each.result)
    if not isinstance(call.result, Instance) or call.result.cls is None:
        made += _wrapped(script, made)
    return tuple(made)


def _wrapped(script: Script, made: list[Value]) -> list[Value]:
    """Return what a call that adds adapters gives for a network, and the first of the models that a call loads."""
    calls = [call for call in script.calls("model-adapters", main=None) if call.result is not None and call.arguments]
    return [call.result for call in calls if call.result and any(call.arguments[0] is each for each in made)]


def _runs(call: Call, objects: tuple[Value, ...]) -> bool:
    """Return whether a call runs one of the networks, or a part of it."""
    receiver: Value | None = call.receiver
    if receiver is None:
        return False
    return any(_leads_to(option, objects) for option in options_of(receiver))


def _leads_to(value: Value, objects: tuple[Value, ...], *, members: bool = True) -> bool:
    for _ in range(6):
        if any(value is each for each in objects):
            return True
        if isinstance(value, Member) and members:
            value = value.owner
        elif isinstance(value, Derived) and value.parts and value.operation in ("[]", "[0]", "for"):
            value = value.parts[0]
        elif isinstance(value, Items) and value.items:
            value = value.items[0]
        else:
            return False
    return False


def holders(script: Script, backbone: Backbone) -> list[Instance]:
    """Return objects of the project that have the network among their attributes, directly or in an attribute."""
    held: list[Value] = list(backbone.objects)
    found: list[Instance] = []
    seen: set[int] = set()
    for _ in range(4):
        before = len(found)
        for call in script.trace:
            if not call.name.startswith("=.") or not isinstance(call.receiver, Instance) or not call.arguments:
                continue
            if id(call.receiver) not in seen and any(
                _leads_to(each, tuple(held), members=False) for each in _inner(call.arguments[0])
            ):
                seen.add(id(call.receiver))
                found.append(call.receiver)
        held += found[before:]
        if len(found) == before:
            break
    return found


def _inner(value: Value) -> list[Value]:
    """Return a value, its options, and the parts of a container of layers."""
    known = list(options_of(value))
    for each in list(known):
        if isinstance(each, Instance) and each.call is not None and each.cls is None:
            for part in each.call.arguments:
                known += part.items if isinstance(part, Items) else [part]
        if isinstance(each, Derived):
            known += list(each.parts[:1])
    return [option for each in known for option in (each.options if isinstance(each, Choice) else (each,))]
