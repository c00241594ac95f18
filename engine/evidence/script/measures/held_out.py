"""What the training is watched on, and what becomes of the test part; says what is there, not what it is worth."""

from __future__ import annotations

from knowledge.records import Evidence, Measured

from ..feeds import dataset_of
from ..items import datasets_made
from ..naming import assigned, words
from ..roles import Part, parts, watches
from ..script import Script

HELD_OUT, TEST = "script.held_out", "script.test_part"


def measure_held_out(script: Script) -> Measured:
    """Return `script.held_out` and `script.test_part`."""
    found = parts(script)
    train = [part for part in found if part.feed.use == "train"]
    held = [part for part in found if part.feed.use == "held-out"]
    if not train:
        why = "what the training reads was not found in what the launch reaches"
        return Measured((), tuple(script.unknown(name, why, "the file that runs the training loop")
                                  for name in (HELD_OUT, TEST)))  # fmt: skip
    return _held_out(script, train, held) + _test_part(script, train, held)


def _here(script: Script, part: Part, text: str) -> list[Evidence]:
    """Return where a part is handed over, and where it gets its name."""
    named = [script.evidence(place, text) for place in part.origin.places[:2]]
    divided = [script.evidence(each.place, "divided here") for each in part.origin.divisions[:2] if each.place]
    made = [script.of(call, "read here") for call in datasets_made(dataset_of(script, part.feed.value))]
    return [script.evidence(part.feed.place, text), *named, *divided, *made[:4]]


def _held_out(script: Script, train: list[Part], held: list[Part]) -> Measured:
    again = [part for part in held if _same(part, train)]
    own = [part for part in held if part not in again]
    development = [part for part in own if part.role == "dev"]
    if development:
        return _fact(script, HELD_OUT, "development", development, "development part")
    unnamed = [part for part in own if part.role is None]
    if unnamed or (not held and script.cut):
        why = f"nothing names what is evaluated at {unnamed[0].feed.place}" if unnamed else script.cut[0]
        return Measured((), (script.unknown(HELD_OUT, why, "the name of the part that is evaluated"),))
    if own:
        return _fact(script, HELD_OUT, "only-test", own, "the part called test is the only one held out")
    looked = watches(script)
    if looked is not None and not again:
        why = f"something is evaluated at {looked.place} ({looked.name}), on what reading does not tell"
        return Measured((), (script.unknown(HELD_OUT, why, "the file that evaluates"),))
    if again:
        return _fact(script, HELD_OUT, "same-as-training", again, "evaluated on what is trained on")
    return _fact(script, HELD_OUT, "none", train, "trained on, with nothing held out")


def _same(part: Part, train: list[Part]) -> bool:
    """Return whether a part is the very object that is trained on."""
    return any(part.feed.value is each.feed.value for each in train)


def _fact(script: Script, name: str, value: str, found: list[Part], text: str) -> Measured:
    places = [item for part in found for item in _here(script, part, text)]
    return Measured((script.fact(name, value, *places),))


def _test_part(script: Script, train: list[Part], held: list[Part]) -> Measured:
    mixed = [part for part in train if "test" in part.origin.named and not part.origin.divisions
             and (part.origin.merged or part.origin.named == {"test"})]  # fmt: skip
    if mixed:
        return _fact(script, TEST, "trained-on", mixed, "the part called test is trained on")
    tests = [part for part in held if part.role == "test"]
    watched = [part for part in held if part.role == "dev"]
    again = [part for part in tests if any(_equal(part, other) for other in watched)]
    again += [part for part in watched if _used_as_test(script, part)
              and any(_equal(part, other) for other in watched if other is not part)]  # fmt: skip
    if again:
        return _fact(script, TEST, "same-as-development", again, "called test, and the part that the training watched")
    if tests:
        inside = [part for part in tests if part.feed.slot in ("eval_dataset", "validation_data", "valid_set")]
        state = "watched" if not watched else "kept-apart"
        return _fact(script, TEST, state, inside or tests, "the part called test")
    if any(part.role is None for part in held) or script.cut or (not held and watches(script)):
        why = "nothing names a part that is evaluated"
        return Measured((), (script.unknown(TEST, why, "the name of the part that is evaluated"),))
    return _fact(script, TEST, "none", train, "no part is called test")


def _used_as_test(script: Script, part: Part) -> bool:
    """Return whether a part is called test where it is used, whatever it was called where it was divided off."""
    return any(words(script, name)[:1] == ["test"] for name in assigned(script, part.feed.place))


def _equal(part: Part, other: Part) -> bool:
    """Return whether two parts were divided off at the same place, as the same part."""
    firsts = {(each.place, each.part) for each in part.origin.divisions}
    seconds = {(each.place, each.part) for each in other.origin.divisions}
    return part.feed.value is other.feed.value or (bool(firsts) and firsts == seconds)
