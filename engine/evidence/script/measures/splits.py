"""How the script divides its clips: at random, in order, by group or not at all, and whether by class."""

from __future__ import annotations

from knowledge.records import Measured

from ..calls import Call
from ..roles import Part, parts, watches
from ..script import Script
from ..values import constant

SPLIT, BY_CLASS = "script.split", "script.split_by_class"
KEPT, CHANCE, NO_DIVISION = "kept", "left-to-chance", "no-division"


def measure_splits(script: Script) -> Measured:
    """Return `script.split` and `script.split_by_class`."""
    found = parts(script)
    held = [part for part in found if part.feed.use == "held-out"]
    here = _splits(script, found)
    corpora = script.calls("speaker-disjoint-corpora", main=None)
    if script.says("speakers-told-apart", _entry(script)):
        return _said(script, "speakers-are-classes", here) + _by_position(script, found, here)
    calls = script.calls("group-split") or _prepared(script, "group-split")
    if calls:
        return _said(script, "by-group", calls) + _by_class(script, [*calls, *here])
    if here and all(any(script.says("group-of-clips", guard.text) for guard in call.guards) for call in here):
        why = f"the division at {here[0].place} is one of two ways, and the other follows a group"
        return Measured((), (script.unknown(SPLIT, why, "the audit of the data set's manifest"),)) + _by_class(
            script, here
        )
    if here:
        grouped = [call for call in here if script.says("group-of-clips", _statement(script, call))]
        if len(grouped) == len(here):
            return _said(script, "by-group", grouped) + _by_class(script, here)
        return _said(script, "random", [call for call in here if call not in grouped]) + _by_class(script, here)
    slices = [each for part in found for each in part.origin.divisions if each.call is None and each.place]
    if slices and held:
        return _of_slices(script, found)
    if corpora:
        return _said(script, "speaker-disjoint", corpora) + Measured((script.fact(BY_CLASS, NO_DIVISION),))
    if found and not held and not script.cut and not watches(script):
        places = tuple(script.evidence(part.feed.place, "trained on") for part in found)
        return Measured((script.fact(SPLIT, "none", *places), script.fact(BY_CLASS, NO_DIVISION)))
    why = "the parts come from files or a published split"
    by_class = Measured((script.fact(BY_CLASS, NO_DIVISION),)) if found and not script.cut else Measured()
    return Measured((), (script.unknown(SPLIT, why, "the audit of the data set's manifest"),)) + by_class


def _entry(script: Script) -> str:
    """Return the name and the text of the file that starts the training."""
    source = script.project.sources.get(script.project.entry)
    return f"{script.project.entry} {source.text if source else ''}"


def _splits(script: Script, found: list[Part]) -> list[Call]:
    """Return the random divisions that the clips of a feed went through; else those that other files prepare."""
    used = [each.call for part in found for each in part.origin.divisions if each.call is not None]
    reached = list(dict.fromkeys([*used, *script.calls("clip-split", main=True)]))
    if reached:
        return reached
    written = any("train" in part.origin.named or "test" in part.origin.named for part in found)
    unread = not any(part.origin.divisions for part in found)
    if not (written and unread):
        return []
    return _prepared(script, "clip-split")


def _prepared(script: Script, symbol: str) -> list[Call]:
    """Return divisions in files that write lists of clips, reached by the launch or not."""
    writers = {call.place.path for call in script.calls("writes-lists", main=None)}
    return [call for call in script.calls(symbol, main=None) if call.place.path in writers]


def _statement(script: Script, call: Call) -> str:
    """Return the code of a call, as written."""
    source = script.project.sources.get(call.place.path)
    if source is None:
        return ""
    return "\n".join(source.lines[call.place.line - 1 : call.place.last]).lower()


def _of_slices(script: Script, found: list[Part]) -> Measured:
    """Return how clips are divided that are cut out of a list."""
    held = [part for part in found if part.feed.use == "held-out"]
    told = {name for part in held for name in part.origin.told}
    places = tuple(script.evidence(each.place, "divided here") for part in found
                   for each in part.origin.divisions if each.place is not None)  # fmt: skip
    if any(script.says("group-of-clips", name) for name in told if len(name) < 40):
        why = f"a division at {places[0].path}:{places[0].line} may follow speakers"
        return Measured((), (script.unknown(SPLIT, why, "the audit of the manifest"),)) + _by_class(script, [])
    shuffled = script.calls("shuffling", main=None)
    kind = "random" if shuffled else "in-order"
    fact = script.fact(SPLIT, kind, *places)
    return Measured((fact, script.fact(BY_CLASS, CHANCE, *places)))


def _said(script: Script, value: str, calls: list[Call]) -> Measured:
    return Measured((script.fact(SPLIT, value, *(script.of(call) for call in calls)),))


def _by_class(script: Script, splits: list[Call]) -> Measured:
    """Return whether each random division keeps the share of every class."""
    if not splits:
        return Measured()
    named = set(script.symbols["stratified-split"])
    without = [call for call in splits if not _keeps_classes(script, call, named)]
    if 0 < len(without) < len(splits) and all(call.guards for call in splits):
        why = f"the division at {without[0].place} is one of several ways, and others keep the share of each class"
        return Measured((), (script.unknown(BY_CLASS, why, "the command that launches the training"),))
    calls = without or splits
    return Measured((script.fact(BY_CLASS, CHANCE if without else KEPT, *(script.of(call) for call in calls)),))


def _keeps_classes(script: Script, call: Call, named: set[str]) -> bool:
    stratify = call.argument("stratify") or call.argument("stratify_by_column")
    if stratify is not None:
        return constant(stratify, ...) is not None
    looped = any(script.says("class-of-clips", _head(script, loop.place.path, loop.place.line)) for loop in call.loops)
    return call.name in named or "Stratified" in call.name or looped


def _head(script: Script, path: str, line: int) -> str:
    source = script.project.sources.get(path)
    return source.lines[line - 1].lower() if source else ""


def _by_position(script: Script, found: list[Part], splits: list[Call]) -> Measured:
    """Return whether divisions keep the share of every class, of slices too."""
    cut = [each.place for part in found for each in part.origin.divisions if each.call is None and each.place]
    if splits or not cut:
        return _by_class(script, splits)
    return Measured((script.fact(BY_CLASS, CHANCE, *(script.evidence(place, "divided here") for place in cut)),))
