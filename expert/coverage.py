"""Which row of the source documents is served by what, derived from the citations; writes no reason itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from knowledge.items import KINDS, RULE_KINDS, ItemDocument, Kind, ServedDocument
from knowledge.rulebook import Knowledge
from knowledge.schema import Pack

_KIND_OF_PACK: Mapping[Pack, Kind] = {"plan": "R", "audit": "A", "diagnose": "D", "review": "V"}
OTHERWISE = ""
"""Stands for what a row asks besides rules."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One thing that a row asks for, with all that serves it."""

    kind: Kind | str
    """A letter of `RULE_KINDS`, or `OTHERWISE`."""
    citing: tuple[str, ...]
    """Rules, table rows, remedies, checks, presets and facts that cite the row, by id."""
    served: tuple[ServedDocument, ...]
    """What was written by hand about it."""

    @property
    def covered(self) -> bool:
        """Whether something cites the row, or somebody said why nothing does."""
        return bool(self.citing or self.served)


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """One row of a source document."""

    item: ItemDocument
    cells: tuple[Cell, ...]

    @property
    def uncovered(self) -> tuple[str, ...]:
        """The kinds that nothing serves."""
        return tuple(cell.kind for cell in self.cells if not cell.covered)


def coverage(knowledge: Knowledge) -> tuple[CoverageRow, ...]:
    """Return every row in the order of the documents, with what serves each rule kind of it.

    A row that asks for no rule has one cell, for whatever else it asks.
    """
    citing = _citing(knowledge)
    served: dict[tuple[str, str], list[ServedDocument]] = defaultdict(list)
    for document in knowledge.served:
        for item in document.items:
            for kind in document.kinds or (OTHERWISE,):
                served[item, kind].append(document)
    return tuple(_row(item, citing, served) for item in knowledge.items.values())


def mistakes(knowledge: Knowledge) -> Iterator[str]:
    """Say which rows nothing serves, and which lines written by hand are not needed or speak of nothing."""
    for row in coverage(knowledge):
        asked = {cell.kind for cell in row.cells}
        for cell in row.cells:
            if not cell.covered:
                yield f"{row.item.item}: nothing serves what it asks of {_name(cell.kind)}"
            yield from _needless(row, cell)
        for document in knowledge.served:
            strange = set(document.kinds) - asked if row.item.item in document.items else set()
            if strange:
                yield f"{row.item.item}: {document.served} speaks of kinds that it does not ask, {''.join(strange)}"


def _needless(row: CoverageRow, cell: Cell) -> Iterator[str]:
    """Lines that a citation has overtaken: what is left out or planned is there by now."""
    for document in cell.served:
        if cell.kind != OTHERWISE and cell.citing and document.state != "there":
            cited = ", ".join(cell.citing)
            yield f"{row.item.item}: {document.state} by {document.served} ({_name(cell.kind)}), and cited by {cited}"


def _name(kind: str) -> str:
    return next((name for letter, name in KINDS.items() if letter == kind), "something besides rules")


def _row(
    item: ItemDocument,
    citing: Mapping[tuple[str, str], list[str]],
    served: Mapping[tuple[str, str], list[ServedDocument]],
) -> CoverageRow:
    kinds = [kind for kind in item.kinds if kind in RULE_KINDS]
    cells = [
        Cell(kind, tuple(citing.get((item.item, kind), ())), tuple(served.get((item.item, kind), ()))) for kind in kinds
    ]
    otherwise = tuple(served.get((item.item, OTHERWISE), ()))
    facts = tuple(citing.get((item.item, OTHERWISE), ()))
    if not kinds or otherwise:
        cells.append(Cell(OTHERWISE, facts, otherwise))
    return CoverageRow(item, tuple(cells))


def _citing(knowledge: Knowledge) -> dict[tuple[str, str], list[str]]:
    """Every citation of a row itself; a citation of a group such as S000-13 serves none of its rows."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for rule in knowledge.rules:
        for source in rule.sources:
            found[source, _KIND_OF_PACK[rule.pack]].append(rule.id)
    for check in knowledge.checks:
        for source in check.sources:
            found[source, "A"].append(check.id)
    for remedy in knowledge.remedies.values():
        for source in remedy.sources:
            found[source, "D"].append(remedy.id)
    for preset in knowledge.presets:
        for source in preset.citations:
            found[source, "U"].append(preset.preset)
            found[source, "R"].append(preset.preset)
    for entry in knowledge.vocabulary.entries.values():
        if entry.source:
            found[entry.source, OTHERWISE].append(entry.name)
    return found
