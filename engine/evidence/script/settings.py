"""What a script sets, or leaves to a default, in whatever package: looked up by the profiles, judged nowhere here."""

from __future__ import annotations

from dataclasses import dataclass

from knowledge.profiles import ProfileDocument, SettingHow

from .calls import Call, Trace
from .places import Place, Via
from .requirements import version_below
from .script import Script
from .values import Const, Instance, Unknown, Value, constant, constants

OFF = (None, False, 0, 0.0, "no", "none", "None", "off", "", "False", "null")
"""What counts as not set, whatever the package."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting at one call."""

    name: str
    value: Value
    given: bool
    """Whether the script says it; otherwise it is the package's default."""
    call: Call
    profile: ProfileDocument
    default: object = None
    """What the package has where nobody says otherwise."""

    @property
    def options(self) -> tuple[object, ...] | None:
        """Everything that the value may be, or None when reading does not tell."""
        return constants(self.value)

    @property
    def on(self) -> bool | None:
        """Whether it is set to something; None when reading does not tell."""
        if self.options is None:
            return self._untold
        answers = {option not in OFF for option in self.options}
        return answers.pop() if len(answers) == 1 else None

    @property
    def _untold(self) -> bool | None:
        """What holds where no file says the value: a default of the package that is on already needs no launch file."""
        if self.given:
            return None if isinstance(self.value, Unknown) else True
        return True if self.default not in OFF and self.default is not True else None

    @property
    def via(self) -> Via | None:
        """How it is provided, where the file of the call does not say it."""
        return "default" if not self.given else self.value.via if isinstance(self.value, Const) else None

    @property
    def place(self) -> Place:
        """Where the value stands, or the call that leaves it out."""
        held = self.value.place if self.given and isinstance(self.value, Const) else None
        return held or self.call.place


def settings(script: Script, name: str, *, main: bool | None = True) -> list[Setting]:
    """Return every place where the launch could set `name`, such as `gradient-clip-norm`, with what it is there."""
    found = []
    for profile in script.profiles:
        how = profile.settings.get(name)
        if how is not None:
            found += [_setting(script, name, call, profile, how) for call in made(script, profile.calls, main=main)]
    return found


def profiles_of(script: Script, doing: str, *, main: bool | None = True) -> list[tuple[ProfileDocument, Call]]:
    """Return each call by which a package does something by itself, such as `clears-gradients`."""
    held = [profile for profile in script.profiles if doing in profile.does]
    return [(profile, call) for profile in held for call in made(script, profile.calls, main=main)]


def made(script: Script, names: tuple[str, ...], *, main: bool | None = True) -> list[Call]:
    """Return calls of `names`, and constructions of the project's own classes that derive from one of them."""
    known = script.remembered.get((names, main))
    if known is None:
        own = [call for call in script.constructions if (main is None or call.main is main) and _derives(call, names)]
        prepared = Trace(script.prepared).named(*names, main=main)
        found = {id(call): call for call in (*script.trace.named(*names, main=main), *own, *prepared)}
        known = script.remembered[names, main] = sorted(found.values(), key=lambda call: call.order)
    return known


def _derives(call: Call, names: tuple[str, ...]) -> bool:
    held = call.result
    assert isinstance(held, Instance) and held.cls is not None
    return bool(Trace([Call(base, call.place) for base in held.cls.outside()]).named(*names))


def _setting(script: Script, name: str, call: Call, profile: ProfileDocument, how: SettingHow) -> Setting:
    given = _given(call, how)
    if given is not None:
        return Setting(name, given, True, call, profile)
    if not call.complete:
        why = f"{profile.package} takes {' or '.join(how.keywords)} from the command line here"
        return Setting(name, Unknown(why, call.place), False, call, profile, _default(script, profile, how))
    default = _default(script, profile, how)
    return Setting(name, Const(default, call.place, "default"), False, call, profile, default)


def _given(call: Call, how: SettingHow) -> Value | None:
    later = call.result.attributes if isinstance(call.result, Instance) else {}
    said = [later.get(keyword) or call.keywords.get(keyword) for keyword in how.keywords]
    values = [value for value in said if value is not None]
    if values:
        return next((value for value in values if constant(value, ...) not in OFF), values[0])
    own = isinstance(call.result, Instance) and call.result.cls is not None
    if how.position is not None and how.position < len(call.arguments) and not own:
        return call.arguments[how.position]
    return None


def _default(script: Script, profile: ProfileDocument, how: SettingHow) -> object:
    version = script.version(profile.package)
    for each in how.earlier:
        if version and version_below(version, each.below):
            return each.value
    return how.default
