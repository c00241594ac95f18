"""A search preset as a page: what is varied, what follows, in which stages, and why; searches nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from knowledge.presets import DerivedSetting, Dimension, Objective, Phase, PresetDocument, Pruning
from knowledge.rulebook import Knowledge

from .document import Bullets, Document, Heading, Paragraph, Table


def preset_document(preset: PresetDocument, knowledge: Knowledge) -> Document:
    """Return the page of one preset."""
    return (
        Heading(f"{preset.preset}: {preset.title}", 1),
        Paragraph(f"Search preset, certainty {preset.certainty:.2f}, since {preset.since}."),
        Paragraph(" ".join(preset.because.split())),
        *([Paragraph(f"Corrects its source: {' '.join(preset.corrects.split())}")] if preset.corrects else []),
        *_bullets("Offered when", map(_clause, preset.when)),
        *_dimensions(preset.dimensions),
        *_bullets("Follows from others", map(_derived, preset.derived)),
        *_phases(preset.phases),
        *_bullets("How it is run", _manner(preset)),
        *_bullets("Objectives", map(_objective, preset.objectives)),
        *_bullets("Sources", (f"{source}: {knowledge.citation(source)}" for source in preset.citations)),
    )


def presets_document(knowledge: Knowledge) -> Document:
    """Return the list of all presets."""
    rows = tuple((one.preset, one.title, ", ".join(item.tunes for item in one.dimensions)) for one in knowledge.presets)
    return (
        Heading("Search presets", 1),
        Paragraph("What the sources say about searching settings, ready for the tuner."),
        Table(("preset", "says", "varies"), rows),
    )


def _bullets(title: str, lines: Iterable[str]) -> Document:
    items = tuple((line, ()) for line in lines)
    return (Heading(title), Bullets(items)) if items else ()


def _clause(clause: Mapping[str, Any]) -> str:
    spelled = {
        fact: " or ".join(map(str, value)) if isinstance(value, list) else value for fact, value in clause.items()
    }
    return ", ".join(f"{fact} is {value}" for fact, value in spelled.items())


def _dimensions(dimensions: tuple[Dimension, ...]) -> Document:
    rows = tuple((one.tunes, _range(one), _condition(one), " ".join(one.source)) for one in dimensions)
    return (Heading("Varies"), Table(("setting", "range", "where", "source"), rows)) if rows else ()


def _range(dimension: Dimension) -> str:
    if dimension.choice:
        return ", ".join(map(str, dimension.choice))
    if dimension.integer:
        low, high = dimension.integer
        return f"{low} to {high}" + (f" in steps of {dimension.step}" if dimension.step else "")
    assert dimension.real is not None
    return f"{dimension.real[0]:g} to {dimension.real[1]:g}, {dimension.scale}"


def _condition(dimension: Dimension) -> str:
    asked = [f"{name} is {' or '.join(map(str, values))}" for name, values in dimension.only_if.items()]
    return ", ".join([*asked, *([f"once the {dimension.awaits} has it"] if dimension.awaits else [])])


def _derived(setting: DerivedSetting) -> str:
    factors = " * ".join(setting.by)
    power = "" if setting.exponent == 1 else f" ** {setting.exponent:g}"
    limit = "" if setting.at_most is None else f", {setting.at_most:g} at most"
    return f"{setting.sets} = {setting.base:g} * ({factors} / {setting.at:g}){power}{limit}"


def _phases(phases: tuple[Phase, ...]) -> Document:
    rows = tuple((one.name, one.sampler, str(one.trials), _size(one), str(len(one.seeds))) for one in phases)
    return (Heading("Stages"), Table(("stage", "chooses by", "trials", "each on", "seeds"), rows)) if rows else ()


def _size(phase: Phase) -> str:
    parts = [
        f"{phase.hours:g} h" if phase.hours else "",
        f"{phase.data_share:.0%} of the data" if phase.data_share else "",
        f"{phase.layers} layers" if phase.layers else "",
        f"{phase.epochs} epochs" if phase.epochs else "",
        "ranges narrowed to the best before" if phase.narrowed else "",
    ]
    return ", ".join(part for part in parts if part) or "everything"


def _manner(preset: PresetDocument) -> Iterable[str]:
    yield from map(_pruning, preset.pruning)
    if preset.population:
        group = preset.population
        low, high = group.perturbs
        yield (
            f"{group.size} models train together; every {group.interval_epochs} epochs the worst "
            f"{group.exploited_share:.0%} take over the best, and settings move by a factor of {low:g} or {high:g}"
        )
    if preset.gpus_per_trial is not None:
        cores = f" and {preset.cpus_per_trial:g} cores" if preset.cpus_per_trial else ""
        yield f"{preset.gpus_per_trial:g} GPU{cores} a trial"
    if preset.trusted_from_correlation is not None:
        yield f"small trials are believed from a rank correlation of {preset.trusted_from_correlation:g} with full ones"


def _pruning(pruning: Pruning) -> str:
    parts = [
        f"{pruning.startup_trials} trials run to their end first" if pruning.startup_trials else "",
        f"none is judged before epoch {pruning.warmup_epochs}" if pruning.warmup_epochs else "",
        f"{pruning.keeps_share:.0%} go on at each rung" if pruning.keeps_share else "",
        f"{pruning.patience_epochs} evaluations without a better score end a trial" if pruning.patience_epochs else "",
    ]
    return f"{pruning.name}: {'; '.join(part for part in parts if part)}"


def _objective(objective: Objective) -> str:
    over = " of the worst group" if objective.over == "worst-group" else ""
    weight = f", weight {objective.weight:g}" if objective.weight is not None else ""
    return f"{objective.direction} {objective.metric}{over}{weight}"
