"""What low-rank adapters are put on, methods that a network lacks, and the one learning rate; no judgement."""

from __future__ import annotations

from knowledge.records import Measured

from ..calls import texts
from ..networks import is_of
from ..requirements import version_below
from ..script import Script
from ..settings import settings
from ..values import Const, Items, constant
from .answers import of_setting, there
from .layers import used_backbones

_FAMILIES = ("ast", "w2v-bert")
"""Networks whose layers have names of their own; for each the symbols `family-X` and `layers-of-X`."""
_ALL = "all-linear"


def measure_adapters(script: Script) -> Measured:
    """Return what adapters are put on, methods that are absent or idle, and the learning rate, where told."""
    return _targets(script) + _breadth(script) + _front_end(script) + _methods(script) + _rate(script)


def _front_end(script: Script) -> Measured:
    """Return whether gradients run down to a front end that no adapter trains."""
    adapted = [call for call in script.calls("adds-adapters") if not call.hook]
    networks = [each for each in used_backbones(script) if is_of(script, each.call, "masks-own-input")]
    if not adapted or not networks or script.calls("freezes-front-end"):
        return Measured()
    return there(script, "script.gradient_through_adapted", True, *map(script.of, adapted))


def _named(script: Script) -> dict[object, tuple[str, ...]]:
    """Return the layers that each configuration of adapters names, as far as it names them one by one."""
    found: dict[object, tuple[str, ...]] = {}
    for call in script.calls("low-rank-adapters"):
        value = call.argument("target_modules")
        listed = isinstance(value, Items) and not value.open and all(isinstance(each, Const) for each in value.items)
        if listed or isinstance(constant(value), str):
            found[call] = texts(value, deepest=3)
    return found


def _targets(script: Script) -> Measured:
    """Return whether a network has the layers that adapters are to be put on; else peft refuses."""
    version = script.version("transformers")
    for family in _FAMILIES:
        networks = [each.call for each in used_backbones(script) if is_of(script, each.call, f"family-{family}")]
        if not networks or (family == "ast" and version and version_below(version, "5")):
            continue
        layers = set(script.symbols[f"layers-of-{family}"])
        for call, names in _named(script).items():
            if names and _ALL not in names and all(name.isidentifier() for name in names):
                found = any(name in layers for name in names)
                shown = [script.of(each) for each in script.calls("low-rank-adapters") if each is call]
                return there(script, "script.adapter_targets", "found" if found else "not-there", *shown)
    return Measured()


def _breadth(script: Script) -> Measured:
    """Return whether adapters are put on every linear layer, or on chosen ones."""
    named = [names for names in _named(script).values() if names]
    if not named:
        return Measured()
    value = _ALL if any(_ALL in names for names in named) else "chosen"
    return there(script, "script.adapter_breadth", value, *map(script.of, script.calls("low-rank-adapters")))


def _methods(script: Script) -> Measured:
    """Return calls of methods that the network does not have, or that do nothing on it."""
    found = Measured()
    for name, symbol in (("absent", "method-not-there"), ("idle", "method-without-effect")):
        calls = script.calls(symbol)
        if calls:
            found += there(script, f"script.{name}_methods", len(calls), *map(script.of, calls))
    return found


def _rate(script: Script) -> Measured:
    """Return the one learning rate of an adaptive optimizer; nothing where parts learn at rates of their own."""
    found = [each for each in settings(script, "learning-rate") if "SGD" not in each.profile.profile]
    given = [each for each in found if each.given] or found
    values = {option for each in given for option in each.options or (None,)}
    value = next(iter(values), None)
    grouped = any(isinstance(each.call.argument("params", 0), Items) for each in found)
    others = len(found) != len(settings(script, "learning-rate"))
    if len(values) != 1 or grouped or others or not isinstance(value, float) or value <= 0:
        return Measured()
    return there(script, "script.learning_rate", value, *(of_setting(script, each) for each in given))
