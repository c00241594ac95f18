"""What the Audit mode shows in dialogs: measurements, the proposed split, column choices. Measures nothing itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.conditions import spell
from knowledge.records import Measured, Value
from knowledge.vocabulary import Vocabulary

from . import steps
from .auditing import SINGLE, AuditRequest
from .block import Block
from .exporting import free_name
from .steps import Choice, Field, Step

if TYPE_CHECKING:
    from engine.evidence.dataset import Dataset, SplitProposal

NO_COLUMN = "none:"
COLUMN = "column:"
"""Prefixes of the ids of choices: no column at all, and the column of that name."""
_PATHS_READ = 500
"""Paths whose fields are offered: enough to know a field by what it holds, and which are the same in all."""


def measured_blocks(measured: Measured, vocabulary: Vocabulary) -> list[Block]:
    """Show every fact with its unit, those of single splits after them, and what could not be told."""
    plain = [fact for fact in measured.facts if not fact.subject]
    width = max((len(_short(fact.name)) for fact in plain), default=0)
    lines = [
        f"{_short(fact.name):<{width}}  {_value(fact.value)} {vocabulary.entry(fact.name).unit}".rstrip()
        for fact in plain
    ]
    blocks = [Block("measured", tuple(lines))]
    scoped = [f"{fact.subject}  {_short(fact.name)} = {_value(fact.value)}" for fact in measured.facts if fact.subject]
    if scoped:
        blocks.append(Block("by split", tuple(scoped)))
    if measured.unknown:
        reasons = tuple(f"{_short(item.name)}: {item.reason}" for item in measured.unknown)
        blocks.append(Block("unknown, and why", reasons))
    return blocks


def split_blocks(proposal: SplitProposal) -> list[Block]:
    """Show the split facts before and after side by side, and what no split can reach."""
    names = [fact.name for fact in proposal.after.facts if not fact.subject]
    width = max((len(_short(name)) for name in names), default=0)
    rows = [(_short(name), _known(proposal.before, name), _known(proposal.after, name)) for name in names]
    first = max((len(before) for _, before, _ in rows), default=0)
    table = [f"{'':<{width}}  {'before':<{first}}  after"]
    table += [f"{name:<{width}}  {before:<{first}}  {after}" for name, before, after in rows]
    kept = sum(1 for split in proposal.splits if split)
    folds = f" One fold a group stands in {proposal.fold_column}." if proposal.folds else ""
    lead = f"{kept} rows get a split in the column {proposal.split_column}; {len(proposal.left_out)} are left out."
    blocks = [Block(proposal.protocol, (lead + folds,)), Block("", tuple(table))]
    if proposal.infeasible:
        blocks.append(Block("what no split can reach", proposal.infeasible))
    return blocks


def clip_blocks(dataset: Dataset, path: str) -> list[Block]:
    """Show the rows of the manifest that name a clip."""
    blocks = []
    for row in rows_of(dataset, path):
        fields = tuple(f"{name}: {value}" for name, value in zip(dataset.header, row.fields, strict=False))
        place = f"line {row.line}" if row.line else "found in the folder"
        blocks.append(Block(place, (*fields, f"file: {row.file or 'there is no such file'}")))
    return blocks or [Block("", ("No row of the manifest names it.",))]


def rows_of(dataset: Dataset, path: str) -> list:  # type: ignore[type-arg]  # rows of the engine, which is not loaded here
    """Return the rows that name a clip, at most five."""
    found = []
    for row in dataset.rows:
        if row.name == path:
            found.append(row)
            if len(found) == 5:
                break
    return found


def parts_step(dataset: Dataset) -> Step:
    """Ask which part of the manifest is to be read otherwise."""
    choices = []
    for part in SINGLE:
        if hasattr(dataset.columns, part):
            name = getattr(dataset.columns, part)
            guess = " (guessed)" if part in dataset.columns.guessed else ""
            choices.append(Choice(part, f"{part} = {name if name is not None else 'no column'}{guess}"))
    choices.append(Choice("task", f"task = {dataset.task or 'unknown'}"))
    return Step(
        "part", "columns", "What was read wrongly?", "The audit runs again with what you say.", None, tuple(choices)
    )


def column_step(dataset: Dataset, part: str) -> Step:
    """Ask for the column of a part, or for the field of the paths that stands for one, or for the task."""
    from engine.evidence.dataset.name_fields import columns_of_names

    if part == "task":
        tasks = tuple(Choice(COLUMN + task, task) for task in ("classification", "regression", "ctc"))
        return Step("task", "task", "What are the labels?", "Names of classes, or scores on a scale.", None, tasks)
    columns = tuple(Choice(COLUMN + name, name) for name in dataset.header)
    if part != "path":
        sample = dataset.paths[:: max(1, len(dataset.paths) // _PATHS_READ)]
        fields = {name: cells for name, cells in columns_of_names(sample).items() if len(set(cells)) > 1}
        columns += tuple(
            Choice(COLUMN + name, f"{name} of the paths: {_some(cells)}") for name, cells in fields.items()
        )
    none = () if part == "path" else (Choice(NO_COLUMN, "no column"),)
    current = getattr(dataset.columns, part)
    now = NO_COLUMN if current is None else COLUMN + current
    return Step("column", part, f"Which column is the {part}?", "", None, (*columns, *none), now)


def _some(cells: Sequence[str]) -> str:
    """Return the first different values, so that a field is known by what it holds."""
    return ", ".join([cell for cell in dict.fromkeys(cells) if cell][:3])


def file_step(title: str, ask: str, wanted: str, help_text: str) -> Step:
    """Ask for the name of a new file; the first free one like `wanted` is offered."""
    free = free_name(Path(wanted))
    return Step(
        "file", title, ask, help_text, Field("path", str(free), "the name of a new file", steps.new_file_problem)
    )


def repaired_name(request: AuditRequest) -> str:
    """Return the name that is offered for the repaired manifest: beside the old one."""
    manifest = request.manifest
    suffix = manifest.suffix if manifest.suffix.casefold() in (".csv", ".tsv") else ".csv"
    return str(manifest.parent / f"{manifest.name.split('.')[0]}-repaired{suffix}")


def _short(name: str) -> str:
    return name.removeprefix("dataset.")


def _value(value: Value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else spell(value)


def _known(measured: Measured, name: str) -> str:
    value = measured.get(name)
    return "unknown" if value is None else _value(value)
