"""The case behind `plan` and `explain`: audit, machine and answers together; asks nothing and prints nothing."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .answers import Answers, read_answers
from .output import progress

if TYPE_CHECKING:
    from expert.consultation.plan import PlanDraft

    from knowledge.records import Measured
    from knowledge.rulebook import Knowledge


@dataclass(frozen=True)
class Case:
    """Everything that a plan is drafted from."""

    knowledge: Knowledge
    manifest: Path | None
    measured: Measured
    """What the audit and the machine brought."""
    answers: Answers

    def with_answer(self, name: str, value: Any) -> Case:
        """Return the case with one more answer.

        Raises:
            UsageError: unknown name, or a value that does not fit.
        """
        return replace(self, answers=self.answers.with_answer(name, value, self.knowledge.vocabulary, name))

    def draft(self, name: str = "run") -> PlanDraft:
        """Consult the rules. What the user says overrides what was measured."""
        from expert.consultation.plan import draft_plan

        said = self.answers.facts
        facts = [*said.values(), *(fact for fact in self.measured.facts if fact.subject or fact.name not in said)]
        unknown = [*self.answers.unknown.values(), *self.measured.unknown]
        return draft_plan(
            self.knowledge, facts, unknown=unknown, fixed=self.answers.fixed, manifest=self.manifest, name=name
        )

    def command_line(self) -> str:
        """Return the command that gives the same plan without a question."""
        words = ["tonmeister", "plan", *([str(self.manifest)] if self.manifest else [])]
        settings = {name: fact.value for name, fact in self.answers.facts.items()} | dict(self.answers.fixed)
        words += [f"--set={name}={value}" for name, value in settings.items()]
        words += [f"--set={name}=unknown" for name in self.answers.unknown]
        return shlex.join(words)


def read_case(
    manifest: Path | None, columns: Mapping[str, str | None], answers: Path | None, settings: Iterable[str]
) -> Case:
    """Audit the manifest, measure the machine, and read what the user said.

    Raises:
        InputError: the manifest or the answers cannot be read.  UsageError: an unknown column, fact or value.
    """
    from engine.evidence.machine import measure_machine

    from knowledge.loader import load_knowledge

    knowledge = load_knowledge()
    said = read_answers(answers, settings, knowledge.vocabulary)
    if manifest is None and "dataset.manifest" in said.facts:
        manifest = Path(str(said.facts["dataset.manifest"].value))
    measured = measure_machine()
    if manifest is not None:
        from expert.consultation.audit import audit_dataset

        audit = audit_dataset(knowledge, manifest, progress=progress("Reading clips"), **columns)
        measured = audit.measured + measured
    return Case(knowledge, manifest, measured, said)
