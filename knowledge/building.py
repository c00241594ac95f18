"""Builds rules, table rows, checks and remedies from their documents; reads no file and compares no two documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from .conditions import parse_clauses
from .errors import KnowledgeError
from .folder import Item
from .own import Own
from .parsing import parse
from .records import SEVERITIES, Value
from .rulebook import TEMPLATE, Check, Conclusion, Remedy, Rule
from .schema import CheckDocument, Example, RemedyDocument, RuleDocument, TableDocument, TableRow
from .vocabulary import Vocabulary

_D = TypeVar("_D", RuleDocument, TableDocument, CheckDocument)
_PATCH_OPERATIONS = ("multiply", "at_least", "at_most", "from")


def build_rule(item: Item, vocabulary: Vocabulary) -> Rule:
    """Return the rule that a document writes.

    Raises:
        KnowledgeError: it is misspelt, or names a fact that does not exist.
    """
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
        examples=tuple(build_example(example, vocabulary, item.at("examples")) for example in document.examples),
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


def build_table(item: Item, vocabulary: Vocabulary, changed: Mapping[str, Own]) -> Iterator[Rule]:
    """Yield a rule for each row of a table; a row that users changed stands where they wrote it.

    Raises:
        KnowledgeError: it is misspelt, or names a fact that does not exist.
    """
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
            examples=tuple(build_example(example, vocabulary, where) for example in _row_examples(table, row)),
            pack=item.pack,
            file=file,
            line=line,
            table=table.table,
        )


def _row_examples(table: TableDocument, row: TableRow) -> Iterator[Example]:
    for fires, values in ((True, row.fires), (False, row.rests)):
        for value in values:
            yield Example(given={**table.given, **row.given, table.by: value}, fires=fires)


def build_example(example: Example, vocabulary: Vocabulary, where: str) -> Example:
    """Return an example with its values in the types of their facts.

    Raises:
        KnowledgeError: it is misspelt, or names a fact that does not exist.
    """
    given = {name: vocabulary.entry(name, where).coerce(value, where) for name, value in example.given.items()}
    return Example(given=given, fires=example.fires)


def build_check(item: Item, vocabulary: Vocabulary) -> Check:
    """Return the check of single clips that a document writes.

    Raises:
        KnowledgeError: it is misspelt, or names a fact that does not exist.
    """
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
        examples=tuple(build_example(example, vocabulary, item.where) for example in document.examples),
        file=item.file,
        line=item.line,
    )
    told = [vocabulary.entry(name, f"{item.where}: says").name for name, _ in TEMPLATE.findall(check.says)]
    for name in (check.worst, *told, *(condition.fact for condition in check.conditions)):
        if not name.startswith("clip."):
            raise KnowledgeError(f"{item.where}: a check reads measures of a clip, and {name} is none")
    return check


def build_remedy(item: Item, vocabulary: Vocabulary) -> Remedy:
    """Return the remedy that a document writes.

    Raises:
        KnowledgeError: it is misspelt, or names a fact that does not exist.
    """
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
