"""The whole rulebook as pages: an index, a page a rule and a preset, sources and what serves them.

Renders and writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from knowledge.rulebook import Knowledge, Rule
from knowledge.schema import Pack

from ..coverage import coverage
from .coverage import coverage_document
from .document import Bullets, Document, Heading, Paragraph, Table
from .own import own_blocks
from .preset import preset_document, presets_document
from .rule import rule_document

_PACKS: Mapping[Pack, str] = {
    "plan": "From answers and measurements to a plan",
    "audit": "From measurements of a data set to findings",
    "diagnose": "From curves, predictions and telemetry to findings",
    "review": "From what a training script does to what it lacks",
}


def rulebook_pages(knowledge: Knowledge) -> dict[str, Document]:
    """Return every page by its name without suffix; `index` comes first."""
    pages = {"index": _index(knowledge), "sources": _sources(knowledge)}
    if knowledge.items:
        pages["coverage"] = coverage_document(coverage(knowledge), knowledge)
    if knowledge.presets:
        pages["presets"] = presets_document(knowledge)
    pages |= {preset.preset: preset_document(preset, knowledge) for preset in knowledge.presets}
    return pages | {rule.id: rule_document(rule, knowledge) for rule in knowledge.rules}


def _index(knowledge: Knowledge) -> Document:
    rules, cases = len(knowledge.rules), sum(len(rule.cases) for rule in knowledge.rules)
    blocks: Document = (
        Heading("The rulebook", 1),
        Paragraph(f"{rules} rules and table rows, pinned by {cases} cases; {len(knowledge.sources)} sources."),
    )
    blocks = (*blocks, *own_blocks(knowledge))
    for pack, title in _PACKS.items():
        blocks = (*blocks, Heading(title), *_files(knowledge.pack(pack)))
    return blocks


def _files(rules: tuple[Rule, ...]) -> Document:
    """A table a file, in file order."""
    files = dict.fromkeys(rule.file for rule in rules)
    blocks: Document = ()
    for file in files:
        own = [rule for rule in rules if rule.file == file]
        rows = tuple((rule.id, rule.title, rule.strength, f"{rule.certainty:.2f}") for rule in own)
        blocks = (*blocks, Heading(file, 3), Table(("rule", "says", "strength", "certainty"), rows))
    return blocks


def _sources(knowledge: Knowledge) -> Document:
    citing: dict[str, list[str]] = {}
    for rule in knowledge.rules:
        for source in rule.sources:
            name = source if source in knowledge.sources else source.partition("-")[0]
            citing.setdefault(name, []).append(rule.id)
    items = []
    for name, document in knowledge.sources.items():
        rules = citing.get(name, [])
        again = (f"again with: {document.command}",) if document.command else ()
        items.append((f"{name}, {document.kind}: {document.citation}", (*again, f"{len(rules)} rules cite it")))
    return (Heading("Sources", 1), Bullets(tuple(items)))
