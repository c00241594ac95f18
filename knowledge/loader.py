"""Loads a knowledge folder and refuses what is wrong in it, with file and line; draws no conclusion from it."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from .auditing import JustifiedDocument, SettingDocument
from .cards import BackboneCard
from .conditions import parse_clauses
from .differential import Cause, CauseDocument
from .errors import KnowledgeError
from .folder import Item, knowledge_files, read_folder
from .items import ItemDocument, ServedDocument
from .overrides import Layered
from .own import Layer, Own
from .parsing import parse
from .presets import PresetDocument
from .profiles import CalledDocument, ProfileDocument, Reading, SymbolsDocument
from .reading import file_bytes
from .records import SEVERITIES, Value
from .reviewing import ReviewDocument
from .rulebook import TEMPLATE, Check, Conclusion, Knowledge, Remedy, Rule
from .schema import (
    CheckDocument,
    Example,
    PinsDocument,
    RemedyDocument,
    RuleDocument,
    SourceDocument,
    TableDocument,
    TableRow,
)
from .translations import LoggedDocument, TranslationDocument
from .vocabulary import Entry, Vocabulary
from .watching import AtEndDocument

_FINDING_ID = re.compile(r"^[a-z][a-z0-9-]*(\.[a-z0-9_-]+)*$")
_D = TypeVar("_D", RuleDocument, TableDocument, CheckDocument)
BUILT_IN = Path(__file__).parent
_PATCH_OPERATIONS = ("multiply", "at_least", "at_most", "from")


def load_knowledge(root: Path = BUILT_IN, layers: tuple[Layer, ...] = ()) -> Knowledge:
    """Load every YAML file under `root`, and lay the folders of users over it, the last with the last word.

    `knowledge.layers.knowledge_in_force` finds the folders that apply here.

    Raises:
        InputError: a file is not YAML.
        KnowledgeError: a document is misspelt, or refers to something that does not exist.
    """
    return _loaded(root, layers, _digest((Layer("package", root), *layers)))


@lru_cache(maxsize=4)
def _loaded(root: Path, layers: tuple[Layer, ...], digest: str) -> Knowledge:
    """Load once, and anew when a file has changed."""
    package = Layer("package", root)
    layered = Layered(read_folder(package))
    for layer in layers:
        layered.lay(read_folder(layer), layer)
    return assemble(layered, digest)


def _digest(layers: Iterable[Layer]) -> str:
    found = hashlib.sha256()
    for layer in layers:
        if layer.name != "package":
            found.update(f"{layer.name} {layer.owner}".encode())
        for file in knowledge_files(layer):
            found.update(file_bytes(file, layer.shown + file.relative_to(layer.root).as_posix()))
    return found.hexdigest()


def assemble(layered: Layered, digest: str) -> Knowledge:
    """Parse the documents that count and check what they refer to.

    Raises:
        KnowledgeError: a document is misspelt, or refers to something that does not exist.
    """
    items, changed, silenced = layered.items, layered.changed, layered.silenced
    vocabulary = _vocabulary(items)
    sources = {item.name: parse(SourceDocument, item) for item in _of(items, "source")}
    remedies = {item.name: _remedy(item, vocabulary) for item in _of(items, "remedy") if item.name not in silenced}
    rules = [_rule(item, vocabulary) for item in _of(items, "rule")]
    rules += [rule for item in _of(items, "table") for rule in _table(item, vocabulary, changed)]
    rules = _pinned(rules, list(_of(items, "pins")), vocabulary)
    rules = [_as_owned(rule, changed, silenced) for rule in rules]
    checks = (_check(item, vocabulary) for item in _of(items, "check"))
    knowledge = Knowledge(
        vocabulary=vocabulary,
        rules=tuple(rule for rule in rules if rule.id not in silenced),
        remedies=remedies,
        sources=sources,
        digest=digest,
        checks=tuple(check for check in checks if check.id not in silenced),
        items={item.name: parse(ItemDocument, item) for item in _of(items, "item")},
        served=tuple(parse(ServedDocument, item) for item in _of(items, "served")),
        presets=tuple(_preset(item, vocabulary) for item in _of(items, "preset")),
        settings={item.body["setting"]: parse(SettingDocument, item) for item in _of(items, "setting")},
        justified=tuple(parse(JustifiedDocument, item) for item in _of(items, "justified")),
        at_end=tuple(parse(AtEndDocument, item) for item in _of(items, "at_end")),
        backbones=tuple(vocabulary.cards.values()),
        symbols={item.name: parse(SymbolsDocument, item).names for item in _of(items, "symbols")},
        called={item.name: _called(item) for item in _of(items, "called")},
        profiles=tuple(parse(ProfileDocument, item) for item in _of(items, "profile")),
        reviews={item.name: parse(ReviewDocument, item) for item in _of(items, "review")},
        causes=tuple(_cause(item, vocabulary, sources, rules) for item in _of(items, "cause")),
        translations={item.name: _translation(item, vocabulary, remedies) for item in _of(items, "translation")},
        logged={item.name: parse(LoggedDocument, item).by for item in _of(items, "logged")},
        reading=next((parse(Reading, item) for item in _of(items, "reading")), None),
        own=tuple(layered.own),
        silenced=tuple(rule for rule in rules if rule.id in silenced),
    )
    _check_references(knowledge)
    return knowledge


def _as_owned(rule: Rule, changed: Mapping[str, Own], silenced: Mapping[str, Own]) -> Rule:
    """Mark a rule that users added, changed or silenced; the package's pins say nothing about a changed one."""
    own = silenced.get(rule.id) or changed.get(rule.id)
    remedies = tuple(name for name in rule.remedies if name not in silenced)
    if own is None and remedies == rule.remedies:
        return rule
    return replace(rule, own=own, remedies=remedies, pins=() if rule.id in changed else rule.pins)


def _of(items: list[Item], kind: str) -> Iterator[Item]:
    seen: dict[str, Item] = {}
    for item in items:
        if item.kind == kind:
            name = item.body[kind]
            if name in seen:
                raise KnowledgeError(f"{item.where}: defined before in {seen[name].where}")
            seen[name] = item
            yield item


def _called(item: Item) -> re.Pattern[str]:
    one = parse(CalledDocument, item)
    if wrong := one.wrong():
        raise KnowledgeError(f"{item.where}: called {one.called!r}: {wrong}")
    return one.pattern


def _cause(item: Item, vocabulary: Vocabulary, sources: Mapping[str, SourceDocument], rules: Iterable[Rule]) -> Cause:
    one = parse(CauseDocument, item)
    missing = [name for name in one.source if name not in (*sources, "experience") and not re.match(r"S\d{3}", name)]
    if missing:
        raise KnowledgeError(f"{item.where}: no source {missing[0]!r}")
    findings = {rule.then.attribute.removeprefix("finding.") for rule in rules}
    strange = [name for name in one.explains if name not in findings]
    if strange:
        raise KnowledgeError(f"{item.where}: explains {strange[0]!r}, which no rule reports")
    asserted, excluded, pro, contra = (
        parse_clauses(clauses, vocabulary, item.where)
        for clauses in (one.asserted_when, one.excluded_when, one.speaks_for, one.speaks_against)
    )
    return Cause(
        one.cause, one.says, one.explains, asserted, excluded, pro, contra,
        one.test, one.settled_by, one.source, one.examples,
    )  # fmt: skip


def _translation(item: Item, vocabulary: Vocabulary, remedies: Mapping[str, Remedy]) -> TranslationDocument:
    document = parse(TranslationDocument, item)
    paths = {entry.plan for entry in vocabulary.entries.values()} | {
        path for one in remedies.values() for path in one.patch
    }
    unknown = [path for path in document.settings if path not in paths]
    unknown += [name for name in document.remedies if name not in remedies]
    if unknown:
        raise KnowledgeError(f"{item.where}: no line of plan.yaml and no remedy is called {unknown[0]!r}")
    return document


def _vocabulary(items: list[Item]) -> Vocabulary:
    entries: dict[str, Entry] = {}
    places: dict[str, str] = {}
    for kind in ("fact", "derived", "decision"):
        for item in _of(items, kind):
            body = {key: value for key, value in item.body.items() if key != kind}
            entry = parse(Entry, replace(item, body={"kind": kind, "name": item.body[kind], **body}))
            if (entry.type == "choice") != bool(entry.values):
                raise KnowledgeError(f"{item.where}: `values` belong to a choice, and a choice has some")
            if entry.name in entries:
                raise KnowledgeError(f"{item.where}: {entry.name} is defined twice")
            entries[entry.name] = entry
            places[entry.name] = item.where
    for item in items:
        if item.kind == "rule" and isinstance(item.body.get("then"), dict) and "finding" in item.body["then"]:
            finding = item.body["then"]["finding"]
            if not isinstance(finding, str) or not _FINDING_ID.match(finding):
                raise KnowledgeError(f"{item.where}: a finding id is lower-case words with - or ., got {finding!r}")
            name = f"finding.{finding}"
            entries[name] = Entry(kind="derived", name=name, type="boolean", means=str(item.body.get("title", "")))
    cards = {item.body["backbone"]: parse(BackboneCard, item) for item in _of(items, "backbone")}
    vocabulary = Vocabulary(entries, cards)
    for entry in entries.values():
        if entry.fits and (entry.fits.card not in cards or not {entry.fits.memory, entry.fits.longest} <= set(entries)):
            raise KnowledgeError(f"{places[entry.name]}: `fits` names a backbone or a fact that does not exist")
        for part in entry.parts if entry.estimated or entry.ratio_of else ():
            vocabulary.entry(part, places[entry.name])
        for name, value in entry.estimated.assumes.items() if entry.estimated else ():
            vocabulary.entry(name, places[entry.name]).coerce(value, places[entry.name])
    return vocabulary


def _rule(item: Item, vocabulary: Vocabulary) -> Rule:
    document = _parsed(RuleDocument, item, vocabulary)
    return Rule(
        id=document.rule,
        title=document.title,
        when=parse_clauses(document.when, vocabulary, item.at("when")),
        needs=parse_clauses(document.needs, vocabulary, item.at("needs")),
        then=_conclusion(document.then, vocabulary, item.at("then")),
        because=" ".join(document.because.split()),
        remedies=document.remedies,
        strength=document.strength,
        certainty=document.certainty,
        sources=document.source,
        since=document.since,
        corrects=document.corrects,
        examples=tuple(_example(example, vocabulary, item.at("examples")) for example in document.examples),
        pack=item.pack,
        file=item.file,
        line=item.line,
    )


def _parsed(model: type[_D], item: Item, vocabulary: Vocabulary) -> _D:
    """Return the document; where it is misspelt and names a fact that does not exist, that is told first.

    A misspelt fact is what its writer looks for; that an example or a date is missing too can wait.
    """
    try:
        return parse(model, item)
    except KnowledgeError:
        for key in ("when", "needs", "also"):
            for name in _named(item.body.get(key)):
                vocabulary.entry(name, item.at(key))
        for key in ("by", "decides", "feeds"):
            if isinstance(item.body.get(key), str):
                vocabulary.entry(item.body[key], item.at(key))
        for key in ("recommend", "set"):
            then = item.body.get("then")
            for name in then.get(key, ()) if isinstance(then, dict) and isinstance(then.get(key), dict) else ():
                vocabulary.entry(name, item.at("then"))
        raise


def _named(clauses: Any) -> Iterator[str]:
    """The facts that raw clauses name, as far as they have the form of clauses."""
    for clause in clauses if isinstance(clauses, list) else ():
        for name, value in clause.items() if isinstance(clause, dict) else ():
            if name == "any":
                yield from _named(value)
            elif name in ("known", "unknown", "none"):
                yield from [value] if isinstance(value, str) and not value.startswith("finding.") else []
            elif isinstance(name, str) and not name.startswith("finding."):
                yield name


def _conclusion(then: dict[str, Any], vocabulary: Vocabulary, where: str) -> Conclusion:
    if "finding" in then:
        if set(then) != {"finding", "severity"} or then["severity"] not in SEVERITIES:
            raise KnowledgeError(f"{where}: a finding is `finding: ID` with `severity: {'|'.join(SEVERITIES)}`")
        return Conclusion("finding", f"finding.{then['finding']}", True, then["severity"])
    if len(then) != 1 or not (set(then) <= {"recommend", "set"}):
        raise KnowledgeError(f"{where}: `then` holds exactly one of recommend, set, finding")
    ((kind, assignment),) = then.items()
    if not isinstance(assignment, dict) or len(assignment) != 1:
        raise KnowledgeError(f"{where}: `{kind}` assigns exactly one attribute")
    ((name, value),) = assignment.items()
    return _assignment(kind, name, value, vocabulary, where)


def _assignment(kind: str, name: str, value: Value, vocabulary: Vocabulary, where: str) -> Conclusion:
    entry = vocabulary.entry(name, where)
    wanted = "decision" if kind == "recommend" else "derived"
    if entry.kind != wanted:
        raise KnowledgeError(f"{where}: `{kind}` concludes a {wanted}, and {name} is a {entry.kind}")
    return Conclusion("recommend" if kind == "recommend" else "set", name, entry.coerce(value, where))


def _table(item: Item, vocabulary: Vocabulary, changed: Mapping[str, Own]) -> Iterator[Rule]:
    table = _parsed(TableDocument, item, vocabulary)
    kind = "recommend" if vocabulary.entry(table.decides, item.where).kind == "decision" else "set"
    for row in table.rows:
        own = changed.get(row.id)
        file, line = (own.file, own.line) if own else (item.file, item.line)
        where = f"{file}:{line} ({table.table}), row {row.id}"
        yield Rule(
            id=row.id,
            title=row.title or f"{table.title}: {row.then}",
            when=parse_clauses([{table.by: row.when}, *table.also, *row.also], vocabulary, where),
            needs=(),
            then=_assignment(kind, table.decides, row.then, vocabulary, where),
            because=" ".join(row.because.split()),
            remedies=(),
            strength=table.strength,
            certainty=row.certainty or table.certainty,
            sources=row.source or table.source,
            since=table.since,
            corrects="",
            examples=tuple(_example(example, vocabulary, where) for example in _row_examples(table, row)),
            pack=item.pack,
            file=file,
            line=line,
            table=table.table,
        )


def _row_examples(table: TableDocument, row: TableRow) -> Iterator[Example]:
    for fires, values in ((True, row.fires), (False, row.rests)):
        for value in values:
            yield Example(given={**table.given, **row.given, table.by: value}, fires=fires)


def _example(example: Example, vocabulary: Vocabulary, where: str) -> Example:
    given = {name: vocabulary.entry(name, where).coerce(value, where) for name, value in example.given.items()}
    return Example(given=given, fires=example.fires)


def _check(item: Item, vocabulary: Vocabulary) -> Check:
    document = _parsed(CheckDocument, item, vocabulary)
    counted = vocabulary.entry(document.feeds, item.where)
    if counted.type != "integer" or "audit" not in counted.supplied_by:
        raise KnowledgeError(f"{item.where}: a check feeds a count that the audit supplies, and {counted.name} is none")
    check = Check(
        id=document.check,
        title=document.title,
        feeds=document.feeds,
        scope=document.scope,
        when=parse_clauses(document.when, vocabulary, item.where),
        says=" ".join(document.says.split()),
        worst=vocabulary.entry(document.worst, item.where).name,
        highest_first=document.first == "highest",
        certainty=document.certainty,
        sources=document.source,
        examples=tuple(_example(example, vocabulary, item.where) for example in document.examples),
        file=item.file,
        line=item.line,
    )
    told = [vocabulary.entry(name, f"{item.where}: says").name for name, _ in TEMPLATE.findall(check.says)]
    for name in (check.worst, *told, *(condition.fact for condition in check.conditions)):
        if not name.startswith("clip."):
            raise KnowledgeError(f"{item.where}: a check reads measures of a clip, and {name} is none")
    return check


def _preset(item: Item, vocabulary: Vocabulary) -> PresetDocument:
    document = parse(PresetDocument, item)
    parse_clauses(document.when, vocabulary, item.where)
    return document


def _pinned(rules: list[Rule], items: list[Item], vocabulary: Vocabulary) -> list[Rule]:
    """Return the rules with their pins."""
    documents = {item.body["pins"]: (parse(PinsDocument, item), item.where) for item in items}
    strange = sorted(set(documents) - {rule.id for rule in rules})
    if strange:
        raise KnowledgeError(
            f"{documents[strange[0]][1]}: there is no such rule", hint="`tonmeister rules pin` writes all pins anew."
        )
    pins = {
        rule: tuple(
            _example(Example(given=given, fires=fires), vocabulary, where)
            for fires, cases in ((True, document.fires), (False, document.rests))
            for given in cases
        )
        for rule, (document, where) in documents.items()
    }
    return [replace(rule, pins=pins.get(rule.id, ())) for rule in rules]


def _remedy(item: Item, vocabulary: Vocabulary) -> Remedy:
    document = parse(RemedyDocument, item)
    for path, value in document.patch.items():
        if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in _PATCH_OPERATIONS and "from" in value:
            vocabulary.entry(value["from"], f"{item.where}: {path}")
    return Remedy(
        id=document.remedy,
        title=document.title,
        patch=document.patch,
        action=document.action,
        when=parse_clauses(document.when, vocabulary, item.where),
        unless=parse_clauses(document.unless, vocabulary, item.where),
        expect=document.expect,
        costs=document.costs,
        sources=document.source,
        file=item.file,
        line=item.line,
    )


def _check_references(knowledge: Knowledge) -> None:
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
