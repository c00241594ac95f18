"""Whether the training reads its clips in a new order each time; says what is there, not what it is worth."""

from __future__ import annotations

from knowledge.records import Evidence, Measured

from ..calls import Call, comes_from, sources
from ..feeds import Feed, feeds, loaders_of
from ..script import Script
from ..values import Instance, Items, Table, constants, truth

NAME, OPEN = "script.training_order", "open"
_OWN_ORDER = ("sampler", "batch_sampler")


def measure_order(script: Script) -> Measured:
    """Return `script.training_order`: shuffled, as-listed, or by-framework."""
    train = [feed for feed in feeds(script) if feed.use == "train"]
    answers = [answer for feed in train for answer in _of_feed(script, feed)]
    for state in ("as-listed", "shuffled", "by-framework"):
        found = [evidence for answer, evidence in answers if answer == state]
        if found and (state != "as-listed" or len(found) == len(answers)):
            return Measured((script.fact(NAME, state, *found),))
    why = next((each.text for answer, each in answers if answer == OPEN), "what the training reads was not found")
    return Measured((), (script.unknown(NAME, why, "the command that launches the training"),))


def _of_feed(script: Script, feed: Feed) -> list[tuple[str, Evidence]]:
    loaders = list(loaders_of(script, feed.value))
    if loaders:
        return [_of_loader(script, call) for call in loaders]
    shuffled = _shuffled(script, feed)
    if shuffled is not None:
        return [("shuffled", script.of(shuffled))]
    mixed = [call for call in script.calls("shuffling") if call.loops] if feed.by == "arrays" else []
    if mixed:
        return [("shuffled", script.of(mixed[0]))]
    if feed.by == "brain":
        return [_of_brain(script, feed)]
    if feed.by in ("trainer", "keras"):
        return [("by-framework", script.evidence(feed.place, "the framework shuffles", "default"))]
    if feed.by == "loop" and (isinstance(feed.value, Items) or getattr(feed.value, "cls", None) is not None):
        return [("as-listed", script.evidence(feed.place, "read in the order of the list"))]
    return [(OPEN, script.evidence(feed.place, f"how the clips of {feed.place} are ordered is not told"))]


def _of_brain(script: Script, feed: Feed) -> tuple[str, Evidence]:
    """Return what SpeechBrain is told of the order; told nothing, it reads a data set as it is listed."""
    call = next(call for call in script.trace if call.place == feed.place and call.argument("train_set", 1) is not None)
    told = call.keywords.get("train_loader_kwargs")
    if told is None and call.complete:
        return ("as-listed", script.of(call, "SpeechBrain reads clips as they are listed"))
    given = (
        [told.items[name] for name in ("shuffle", "sampler") if name in told.items] if isinstance(told, Table) else []
    )
    if any(truth(value) is not False for value in given):
        return ("shuffled", script.of(call, "its loader is told to shuffle"))
    if isinstance(told, Table) and not told.open:
        return ("as-listed", script.of(call, "its loader is not told to shuffle"))
    return (OPEN, script.of(call, f"how the clips of {feed.place} are ordered is not told"))


def _of_loader(script: Script, call: Call) -> tuple[str, Evidence]:
    for name in _OWN_ORDER:
        given = call.argument(name, 3 if name == "sampler" else 4)
        if given is not None and constants(given) != (None,):
            plain = isinstance(given, Instance) and given.type.endswith("SequentialSampler")
            if not plain:
                return ("shuffled", script.of(call, "a sampler gives the order"))
    shuffle = call.argument("shuffle", 2)
    decided = truth(shuffle) if shuffle is not None else None if not call.complete else False
    dataset = call.argument("dataset", 0)
    if decided is None:
        return (OPEN, script.of(call, f"whether the loader at {call.place} shuffles is not told by a file"))
    if decided:
        return ("shuffled", script.of(call, "shuffled by the loader"))
    if isinstance(dataset, Instance) and dataset.cls and any("Iterable" in name for name in dataset.cls.outside()):
        return (OPEN, script.of(call, f"the data set at {call.place} gives its own order"))
    if any(each.loops for each in script.calls("shuffling")):
        return ("shuffled", script.of(call, "the list is shuffled in the loop"))
    return ("as-listed", script.of(call, "a loader that does not shuffle"))


def _shuffled(script: Script, feed: Feed) -> Call | None:
    """Return the call that shuffles a stream of clips on its way, such as `.shuffle(1000)` of tf.data."""
    for each in sources(feed.value, deepest=10):
        if isinstance(each, Instance) and each.call is not None and each.call.attribute == "shuffle":
            return each.call
    for call in script.trace:
        shuffles = call.main and call.attribute == "shuffle" and call.result is not None
        if shuffles and any(each is call.result for each in sources(feed.value)):
            return call
    return comes_from(feed.value, "*.shuffle")
