"""The contents of the rulebook as lines: sections that open, tables, rules, or what a search found. Draws nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePosixPath
from typing import Literal

from expert.report.document import Document, Heading, Paragraph, Table
from expert.report.rule import rule_document
from expert.report.table import table_document
from knowledge.rulebook import Knowledge, Rule
from knowledge.schema import PACKS
from knowledge.search import search

SECTION, TABLE = "section:", "table:"
"""Prefixes of the ids of lines that are no rules."""


@dataclass(frozen=True)
class Line:
    """One line of the contents."""

    id: str
    kind: Literal["section", "table", "rule"]
    text: str
    note: str = ""
    depth: int = 0
    mark: str = ""
    """What users did to it: `silenced by the project, Jane`."""


def contents(knowledge: Knowledge, opened: Collection[str]) -> tuple[Line, ...]:
    """Return a line for each section, and under the opened ones their tables and rules."""
    return tuple(_contents(knowledge, opened))


def found(knowledge: Knowledge, text: str) -> tuple[Line, ...]:
    """Return what a search finds: tables of that name first, then rules, the nearest first."""
    words = text.casefold().split()
    names = dict.fromkeys(rule.table for rule in knowledge.rules if rule.table)
    tables = [_table_line(name, knowledge) for name in names if all(word in name for word in words)]
    return (*tables, *(_rule_line(rule, depth=0) for rule in search(knowledge, text)))


def section_of(rule: Rule) -> str:
    """Return the id of the section that a rule stands in."""
    return SECTION + rule.file


def rules_of(knowledge: Knowledge, line: str) -> tuple[Rule, ...]:
    """Return the rules that a line stands for: one, the rows of a table, or a whole section."""
    if line.startswith(SECTION):
        return tuple(rule for rule in knowledge.rules if section_of(rule) == line)
    if line.startswith(TABLE):
        return knowledge.table(line.removeprefix(TABLE))
    rule = knowledge.rule(line)
    return () if rule is None else (rule,)


def page_of(knowledge: Knowledge, line: str) -> Document:
    """Return what is to be read about a line."""
    rules = rules_of(knowledge, line)
    silenced = knowledge.silenced_rule(line)
    if silenced is not None:
        return rule_document(silenced, knowledge)
    if not rules:
        return (Paragraph("Nothing in the rulebook holds all these words."),)
    if line.startswith(SECTION):
        rows = tuple((rule.title, rule.strength, f"{rule.certainty:.2f}") for rule in rules)
        return (Heading(section_title(rules[0]), 1), Table(("says", "strength", "certainty"), rows))
    if line.startswith(TABLE):
        return table_document(rules, knowledge)
    return rule_document(rules[0], knowledge)


def section_title(rule: Rule) -> str:
    """Return the name of a section without numbers and folders: `plan · data`."""
    stem = PurePosixPath(rule.file).stem.lstrip("0123456789-")
    return f"{rule.pack} · {stem.replace('-', ' ')}"


def _contents(knowledge: Knowledge, opened: Collection[str]) -> Iterator[Line]:
    sections: dict[str, tuple[list[Rule], list[Rule]]] = {}  # one walk through a thousand rules, not one a section
    for at, every in enumerate((knowledge.rules, knowledge.silenced)):
        for rule in every:
            sections.setdefault(section_of(rule), ([], []))[at].append(rule)
    for section in sorted(sections, key=lambda name: PACKS.index(next(chain(*sections[name])).pack)):
        rules, silenced = sections[section]
        note = f"{len(rules)}, {len(silenced)} silenced" if silenced else str(len(rules))
        yield Line(section, "section", section_title((*rules, *silenced)[0]), note)
        if section in opened:
            yield from _section(rules, knowledge)
            yield from map(_rule_line, silenced)


def _section(rules: Iterable[Rule], knowledge: Knowledge) -> Iterator[Line]:
    told: set[str] = set()
    for rule in rules:
        if rule.table and rule.table not in told:
            told.add(rule.table)
            yield _table_line(rule.table, knowledge, depth=1)
        yield _rule_line(rule, depth=2 if rule.table else 1)


def _rule_line(rule: Rule, *, depth: int = 1) -> Line:
    return Line(rule.id, "rule", rule.title, rule.id, depth, rule.own.mark if rule.own else "")


def _table_line(name: str, knowledge: Knowledge, *, depth: int = 0) -> Line:
    return Line(TABLE + name, "table", f"table {name}", f"{len(knowledge.table(name))} rows", depth)
