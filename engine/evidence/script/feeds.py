"""What a training reads and what it is evaluated on: loops over loaders and what frameworks are handed; no roles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from .calls import Call, Loop, sources
from .naming import assigned, functions, words
from .places import Place
from .script import Script
from .values import Const, Instance, Items, Value, constant, options_of

Use = Literal["train", "held-out"]


@dataclass(frozen=True)
class Feed:
    """Clips that go into the network, for one use."""

    use: Use
    value: Value
    place: Place
    """Where they are handed over: the loop, or the call of the framework."""
    by: str
    """How: `loop`, `trainer`, `lightning`, `keras`, `brain`."""
    slot: str = ""
    """What the taker calls it: `eval_dataset`, `val_dataloader`; empty for a loop."""


def feeds(script: Script) -> list[Feed]:
    """Return every feed that the launch reaches."""
    if "feeds" not in script.shelf:
        script.shelf["feeds"] = _feeds(script)
    return list(script.shelf["feeds"])


def _feeds(script: Script) -> list[Feed]:
    found = [*_of_frameworks(script), *_of_keywords(script), *_of_hooks(script), *_of_loops(script)]
    found += _unfollowed(script, found)
    return [feed for feed in found if constant(feed.value, ...) is not None]


def outer(call: Call) -> str:
    """Return the name of what a call makes or asks, of a class of the project its base of a package."""
    made = call.result
    if isinstance(made, Instance) and made.cls is not None and made.call is call:
        return next((name for name in made.cls.outside() if name != "?"), call.name)
    return call.name


_SLOTS: dict[str, tuple[tuple[Use, str, int | None], ...]] = {
    "trainer": (("train", "train_dataset", None), ("held-out", "eval_dataset", None)),
    "trainer-evaluates": (("held-out", "eval_dataset", 0), ("held-out", "test_dataset", 0)),
    "keras-fit": (("train", "x", 0), ("held-out", "validation_data", None)),
    "keras-evaluates": (("held-out", "x", 0),),
    "brain-fit": (("train", "train_set", 1), ("held-out", "valid_set", 2)),
    "brain-evaluates": (("held-out", "test_set", 0),),
    "lightning-fit": (("train", "train_dataloaders", 1), ("train", "train_dataloader", 1),
                      ("held-out", "val_dataloaders", 2)),
    "lightning-tests": (("held-out", "test_dataloaders", 1), ("held-out", "dataloaders", 1)),
}  # fmt: skip
"""Where the calls of each symbol set take clips: use, name of the argument, position."""


_KEYWORDS: tuple[tuple[Use, str], ...] = (
    ("train", "train_dataloaders"), ("train", "train_dataloader"), ("held-out", "val_dataloaders"),
    ("held-out", "val_dataloader"), ("held-out", "validation_data"),
)  # fmt: skip


def _of_frameworks(script: Script) -> Iterator[Feed]:
    for symbol, slots in _SLOTS.items():
        names = script.symbols[symbol]
        for call in script.trace:
            if not call.main or not _is(call, names):
                continue
            given: set[int] = set()
            for use, name, position in slots:
                value = call.argument(name, position)
                if value is None or id(value) in given:
                    continue
                given.add(id(value))
                yield from _split(Feed(use, value, call.place, symbol.partition("-")[0], name))


def _of_keywords(script: Script) -> Iterator[Feed]:
    """Yield what an object of unknown kind is handed under a name that says what for, such as `val_dataloaders=`."""
    known = {name for symbol in ("trainer", "lightning-fit", "keras-fit") for name in script.symbols[symbol]}
    for call in script.trace:
        if not call.main or call.attribute not in ("fit", "fit_generator") or _is(call, tuple(known)):
            continue
        for use, name in _KEYWORDS:
            if name in call.keywords:
                yield from _split(Feed(use, call.keywords[name], call.place, "fit", name))


def _unfollowed(script: Script, found: list[Feed]) -> Iterator[Feed]:
    """Yield loaders that no loop or framework was seen to read, by what they are called."""
    followed = {id(call) for feed in found for call in loaders_of(script, feed.value)}
    for call in script.trace:
        if not call.main or call.result is None or id(call) in followed or not is_loader(script, call):
            continue
        names = [*assigned(script, call.place), *functions(call), *(
            name for place in reversed(call.callers) for name in assigned(script, place))]  # fmt: skip
        roles = [role for name in names for role in words(script, name)[:1]]
        if roles:
            yield Feed("train" if roles[0] == "train" else "held-out", call.result, call.place, "loader")


def _split(feed: Feed) -> Iterator[Feed]:
    """Yield a feed for each of several that are handed over as one dictionary or choice."""
    for option in options_of(feed.value):
        yield Feed(feed.use, option, feed.place, feed.by, feed.slot)


def _is(call: Call, names: tuple[str, ...]) -> bool:
    """Return whether a call is of one of `names`, also by the base of a class of the project."""
    full = outer(call)
    return any(_matches(name, full) for name in names)


def _matches(pattern: str, name: str) -> bool:
    start, star, end = pattern.partition("*")
    return name == pattern if not star else name.startswith(start) and name.endswith(end) and name != end


def _of_hooks(script: Script) -> Iterator[Feed]:
    uses: tuple[tuple[str, Use], ...] = (
        (".train_dataloader", "train"), (".val_dataloader", "held-out"), (".test_dataloader", "held-out"),
        (".get_train_dataloader", "train"),
    )  # fmt: skip
    for call in script.trace:
        if not call.main or ":" not in call.name or call.hook == "":
            continue
        for ending, use in uses:
            if call.name.endswith(ending) and call.result is not None:
                for option in options_of(call.result):
                    yield Feed(use, option, call.place, "lightning", ending[1:])


_PASSES = ("__call__", "generate", "predict", "predict_on_batch")


def _of_loops(script: Script) -> Iterator[Feed]:
    """Yield what is iterated around a step of the training, and around a forward pass without one."""
    trained: set[Place] = set()
    seen: set[tuple[Place, int]] = set()
    for call in script.calls("backward"):
        loop = _over_clips(call)
        if loop is None:
            yield from _of_arrays(script, call)
        elif loop.over is not None:
            trained.add(loop.place)
            if (loop.place, id(loop.over)) not in seen:
                seen.add((loop.place, id(loop.over)))
                yield Feed("train", loop.over, loop.place, "loop")
    for call in script.trace:
        loop = _over_clips(call) if call.main and call.attribute in _PASSES else None
        if loop is None or loop.over is None or loop.place in trained or (loop.place, id(loop.over)) in seen:
            continue
        if _loads(script, loop.over) or call.attribute.startswith("predict") or _measures(script, call, loop):
            seen.add((loop.place, id(loop.over)))
            yield Feed("held-out", loop.over, loop.place, "loop")


def _of_arrays(script: Script, backward: Call) -> Iterator[Feed]:
    """Yield what a network is called on before a backward pass, where batches are cut out of arrays by number."""
    for call in script.trace:
        if call.order >= backward.order or not backward.loops:
            return
        inside = any(loop is backward.loops[-1] for loop in call.loops)
        own = isinstance(call.receiver, Instance) and call.receiver.cls is not None
        if inside and own and call.attribute == "__call__" and call.arguments:
            yield Feed("train", call.arguments[0], backward.loops[-1].place, "arrays")
            return


def _over_clips(call: Call) -> Loop | None:
    """Return the innermost loop around a call that runs over clips, not over numbers."""
    for loop in reversed(call.loops):
        if loop.over is not None and not _counts(loop.over):
            return loop
    return None


def _counts(over: Value) -> bool:
    for each in sources(over, deepest=3):
        if isinstance(each, Instance) and each.type.rpartition(".")[2] in ("range", "trange", "arange", "count"):
            return True
    return isinstance(over, Items) and all(isinstance(item, Const) for item in over.items)


def _measures(script: Script, call: Call, loop: Loop) -> bool:
    """Return whether a network that is trained runs over clips one by one, without learning from them."""
    quiet = any(script.says("without-gradients", each.name) for each in call.contexts)
    networks = _trained(script)
    return quiet and loop.over is not None and id(call.receiver) in networks and not _training_around(script, call)


def _trained(script: Script) -> frozenset[int]:
    """Return the networks that run before a backward pass in the same loop."""
    if "trained_networks" not in script.shelf:
        loops = {id(loop) for back in script.calls("backward") for loop in back.loops}
        runs = [call for call in script.trace if call.main and call.attribute in _PASSES]
        inside = [call for call in runs if any(id(loop) in loops for loop in call.loops)]
        script.shelf["trained_networks"] = frozenset(id(call.receiver) for call in inside)
    return frozenset(script.shelf["trained_networks"])


def _training_around(script: Script, call: Call) -> bool:
    """Return whether the innermost loop around a call holds a backward pass too."""
    return any(call.loops[-1] in back.loops for back in script.calls("backward"))


def _loads(script: Script, over: Value) -> bool:
    return any(True for _ in loaders_of(script, over))


def is_loader(script: Script, call: Call) -> bool:
    """Return whether a call makes a loader."""
    return _is(call, script.symbols["data-loader"])


def loaders_of(script: Script, value: Value) -> Iterator[Call]:
    """Yield the calls that make the loaders behind a feed; of one's own class, where it hands on to the package's."""
    for each in sources(value, deepest=6):
        if not isinstance(each, Instance) or each.call is None or not is_loader(script, each.call):
            continue
        above = [call for call in _handed_on(script) if call.receiver is each]
        yield above[-1] if above else each.call


def dataset_of(script: Script, value: Value) -> Value:
    """Return the data set behind a feed: what its loader reads, else the feed itself."""
    for call in loaders_of(script, value):
        held = call.argument("dataset", 0)
        if held is not None:
            return held
    return value


def _handed_on(script: Script) -> list[Call]:
    """Return where one's own loaders hand on to the package's."""
    names = tuple(f"{name}.__init__" for name in script.symbols["data-loader"])
    return script.trace.named(*names, main=None)
