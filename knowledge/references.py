"""Checks that every name in a loaded knowledge refers to something that exists; changes nothing."""

from __future__ import annotations

import difflib

from .errors import KnowledgeError
from .rulebook import TEMPLATE, Knowledge


def check_references(knowledge: Knowledge) -> None:
    """Refuse what refers to nothing: a remedy, a fact, a source that is not there, or an id used twice.

    Raises:
        KnowledgeError: with the place of the one that refers.
    """
    ids: dict[str, str] = {}
    for rule in knowledge.rules:
        where = f"{rule.file}:{rule.line} ({rule.id})"
        if rule.id in ids:
            raise KnowledgeError(f"{where}: the id was used before in {ids[rule.id]}")
        ids[rule.id] = where
        for remedy in rule.remedies:
            if remedy not in knowledge.remedies:
                raise KnowledgeError(f"{where}: there is no remedy {remedy!r}")
        for name, _ in TEMPLATE.findall(rule.because):
            knowledge.vocabulary.entry(name, f"{where}: because")
        _check_sources(rule.sources, knowledge, where)
    for check in knowledge.checks:
        _check_sources(check.sources, knowledge, f"{check.file}:{check.line} ({check.id})")
    for remedy_document in knowledge.remedies.values():
        _check_sources(remedy_document.sources, knowledge, f"{remedy_document.file}:{remedy_document.line}")
    for setting in knowledge.settings.values():
        _check_sources(setting.source, knowledge, f"setting {setting.setting}")
    for ending in knowledge.at_end:
        _check_sources(ending.source, knowledge, f"at_end {ending.at_end}")
    for scope in knowledge.scopes:
        _check_sources(scope.sources, knowledge, f"scope {scope.id}")
    for preset in knowledge.presets:
        _check_sources(preset.citations, knowledge, f"preset {preset.preset}")
    for card in knowledge.backbones:
        _check_sources((*card.source, *card.checked.values()), knowledge, f"backbone {card.backbone}")
    for profile in knowledge.profiles:
        _check_sources(profile.source, knowledge, f"profile {profile.profile}")
    for review in knowledge.reviews.values():
        for name in (*review.tells, *(f"finding.{each}" for each in review.confirmed_by)):
            knowledge.vocabulary.entry(name, f"review {review.review}")
        _check_sources(review.source, knowledge, f"review {review.review}")
    for served in knowledge.served:
        _check_sources(tuple(served.items), knowledge, f"served {served.served}")


def _check_sources(sources: tuple[str, ...], knowledge: Knowledge, where: str) -> None:
    if not sources:
        raise KnowledgeError(f"{where}: cites no source; write one, or `experience`")
    for source in sources:
        if source not in knowledge.sources and source.partition("-")[0] not in knowledge.sources:
            raise KnowledgeError(
                f"{where}: the source {source!r} is not in sources.yaml", hint=_source_hint(source, knowledge)
            )
        if source not in knowledge.sources and knowledge.items and not knowledge.items_named(source):
            close = difflib.get_close_matches(source, knowledge.items, n=1)
            raise KnowledgeError(
                f"{where}: the document {source.partition('-')[0]} has no item {source}",
                hint=f"Did you mean {close[0]}?" if close else "`tonmeister rules cover` lists them.",
            )


def _source_hint(source: str, knowledge: Knowledge) -> str:
    """Name the nearest source, and how one is added."""
    close = difflib.get_close_matches(source, knowledge.sources, n=1, cutoff=0.75)
    add = f"Add `- source: {source}` with `kind` and `citation` to your files, or cite `experience`."
    return f"Did you mean {close[0]}? {add}" if close else add
