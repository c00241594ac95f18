"""Which names and arguments of a script newer versions of a package no longer have; says what is there, no more."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.profiles import ProfileDocument
from knowledge.records import Evidence, Measured

from ..requirements import version_below
from ..script import Script
from ..settings import made, settings
from .answers import of_setting, there


def measure_gone(script: Script) -> Measured:
    """Return `script.gone_names`: what newer versions refuse, counted, unless an older one is pinned."""
    found = list(dict.fromkeys((*_arguments(script), *_names(script))))
    return there(script, "script.gone_names", len(found), *found)


def _arguments(script: Script) -> Iterator[Evidence]:
    for profile in script.profiles:
        for name, how in profile.settings.items():
            if how.gone_in and _newer(script, profile, how.gone_in):
                given = [each for each in settings(script, name) if each.given and each.profile is profile]
                text = f"{how.keywords[0]} is gone in {profile.package} {how.gone_in}; {how.instead} takes its place"
                yield from (of_setting(script, each, text) for each in given if how.keywords[0] in each.call.keywords)


def _names(script: Script) -> Iterator[Evidence]:
    for profile in script.profiles:
        if profile.gone_in and _newer(script, profile, profile.gone_in):
            text = f"gone in {profile.package} {profile.gone_in}; {profile.instead} takes its place"
            yield from (script.of(call, f"{call.attribute} is {text}") for call in made(script, profile.calls))


def _newer(script: Script, profile: ProfileDocument, gone_in: str) -> bool:
    """Return whether the project may run with a version that no longer has it: it pins none below."""
    version = script.version(profile.package)
    return not version or not version_below(version, gone_in)
