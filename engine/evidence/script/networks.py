"""Which family of packaged networks a call loads, by its class and by the checkpoint it names; judges nothing."""

from __future__ import annotations

from .calls import Call, _Names, texts
from .script import Script
from .values import Instance, truth


def is_of(script: Script, call: Call, *symbols: str) -> bool:
    """Return whether a network of transformers, or its checkpoint, is among one of `symbols`."""
    kind = call.result.type if isinstance(call.result, Instance) else call.name
    named = (kind, *texts(call.arguments[0] if call.arguments else None, deepest=3))
    held = [_Names(script.symbols[each]) for each in symbols]
    return kind.startswith("transformers.") and any(names.has(name) for names in held for name in named)


def configured(script: Script, name: str) -> list[Call]:
    """Return where a setting of a network's configuration is given, as a keyword or by hand."""
    by_keyword = [call for call in script.trace if call.main and name in call.keywords]
    by_hand = script.trace.named(f"=.{name}", main=True)
    return by_keyword + [call for call in by_hand if not (isinstance(call.receiver, Instance) and call.receiver.cls)]


def value_given(call: Call, name: str) -> object:
    """Return what a call of `configured` gives the setting."""
    return call.keywords[name] if name in call.keywords else next(iter(call.arguments), None)


def is_off(script: Script, name: str) -> bool:
    """Return whether a setting of a network's configuration is said, and every time to be false or zero."""
    said = [value_given(call, name) for call in configured(script, name)]
    return bool(said) and all(value is not None and truth(value) is False for value in said)  # type: ignore[arg-type]
