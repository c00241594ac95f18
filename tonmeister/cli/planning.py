"""The interview state behind `plan`, `explain` and `demo`, filled from the command line; asks and prints nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from .answers import pairs, read_answers
from .output import progress, say

if TYPE_CHECKING:
    from tui.interview import InterviewState
    from tui.saved import SavedInterview

NO_MANIFEST_YET = Path("manifest.csv")
"""What a plan names when it is made before the data: the user's file goes there, and `tonmeister audit` reads it."""


def read_state(
    manifest: Path | None,
    columns: Mapping[str, str | None],
    answers: Path | None,
    settings: Iterable[str],
    saved: SavedInterview | None = None,
) -> InterviewState:
    """Audit the manifest, measure the machine, and take over what the user said; later answers override earlier ones.

    Raises:
        InputError: the manifest or the answers cannot be read.  UsageError: an unknown column, fact or value.
    """
    from engine.evidence.machine import measure_machine
    from knowledge.layers import knowledge_in_force
    from tui.interview import InterviewState

    knowledge = knowledge_in_force()
    state = InterviewState(knowledge, measure_machine())
    said = dict(read_answers(answers)) if answers else {}
    said |= pairs(settings)
    if manifest is None and "dataset.manifest" in said:
        manifest = Path(str(said.pop("dataset.manifest")))
    if manifest is not None:
        from engine.evidence.dataset import default_cache
        from expert.consultation.audit import audit_dataset

        audit = audit_dataset(
            knowledge,
            manifest,
            label=columns.get("label"),
            group=columns.get("group"),
            split=columns.get("split"),
            path=columns.get("path"),
            progress=progress("Reading clips"),
            cache=default_cache(),
        )
        state.audited(audit, manifest)
        named = ((part, name) for part, name in columns.items() if name is not None)
        state.manifest_options = tuple(word for part, name in named for word in (f"--{part}", name))
    if saved is not None:
        _take_over(saved, state)
    for name, value in said.items():
        state.set(name, "unknown" if value is None else str(value))
    return state


def _take_over(saved: SavedInterview, state: InterviewState) -> None:
    from tui.saved import take_over

    refused = take_over(saved, state)
    kept = len(state.replies) + len(state.fixed)
    say(f"Going on with {saved.path}: {kept} answer{'s' * (kept != 1)}.")
    if saved.rulebook != state.knowledge.digest:
        say("The rulebook has changed since; what follows from the answers is reasoned anew.")
    for line in refused:
        say(line)
