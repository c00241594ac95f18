"""The interview behind the Plan mode and `plan --plain`: what is known, what was said, what follows. No Textual here.

The state is the user's side only: facts of the audit and the machine, answers, questions answered with "I don't know",
and decisions that the user fixed. The draft is reasoned from it anew after every change.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from engine.plan import Plan, write_atomically
from expert.chaining import consult
from expert.consultation.plan import PlanDraft, draft_plan, facts_of_plan, plan_text
from expert.interview import DOES_NOT_KNOW, Question, candidates, questions
from knowledge.conditions import spell
from knowledge.errors import TonmeisterError, UsageError
from knowledge.records import Fact, Measured, Unknown, Value
from knowledge.rulebook import Knowledge

if TYPE_CHECKING:  # an audit decodes sound; a plan without a data set needs neither numpy nor soundfile
    from expert.consultation.audit import Audit

DONT_KNOW = "unknown"
"""How an answer that the user does not know is spelled on the command line."""


class InterviewState:
    """Where an interview stands. Every change is checked first; a refused one changes nothing."""

    def __init__(self, knowledge: Knowledge, machine: Measured) -> None:
        self.knowledge = knowledge
        self.machine = machine
        self.manifest: Path | None = None
        self.audit: Audit | None = None
        self.replies: dict[str, Value | None] = {}
        """Answers in the order given; None is "I don't know"."""
        self.fixed: dict[str, Value] = {}
        """Decisions that the user made himself."""
        self.reopened = ""
        """The answered question that is being revised."""
        self.manifest_options: tuple[str, ...] = ()
        """What the user said of the manifest, as words of the command line."""
        self.keep: Callable[[], None] = lambda: None
        """Called after every change, to keep the interview."""
        self.changed: frozenset[str] = frozenset()
        """Decisions whose value the last change changed."""
        self.dropped: tuple[str, ...] = ()
        """Answers that the last revision made pointless, and took back."""
        self._draft: PlanDraft | None = None
        self._questions: tuple[Question, ...] | None = None

    @property
    def answers(self) -> Mapping[str, Value]:
        """What the user said, by name of the fact."""
        return {name: value for name, value in self.replies.items() if value is not None}

    @property
    def unknown(self) -> tuple[str, ...]:
        """What the user said that he does not know."""
        return tuple(name for name, value in self.replies.items() if value is None)

    @property
    def measured(self) -> Mapping[str, Value]:
        """What need not be asked because it was measured; the user may say otherwise."""
        entries = self.knowledge.vocabulary.entries
        facts = (*(self.audit.measured.facts if self.audit else ()), *self.machine.facts)
        named = {fact.name: fact.value for fact in facts if not fact.subject and entries[fact.name].ask}
        return {name: value for name, value in named.items() if name not in self.replies}

    def known(self, name: str) -> Value | None:
        """Return what was said or else measured."""
        return self.replies[name] if name in self.replies else self.measured.get(name)

    def audited(self, audit: Audit | None, manifest: Path | None) -> None:
        """Take over what an audit measured; None forgets it."""
        with self._change():
            self.audit, self.manifest = audit, manifest

    def answer(self, name: str, value: Value) -> None:
        """Answer a question, for the first time or anew.

        Raises:
            UsageError: unknown name or a value that does not fit.
        """
        self._reply(name, self.knowledge.vocabulary.user_fact(name, value, "answer").value)

    def dont_know(self, name: str) -> None:
        """Leave a question open for good; it is not asked again unless it is revised."""
        self._reply(self.knowledge.vocabulary.entry(name).name, None)

    def _reply(self, name: str, value: Value | None) -> None:
        """Take an answer; a new one to an old question takes back the later ones that hung on the old one."""
        revised = name in self.replies and self.replies[name] != value
        hanging = self._asked_after(name) if revised else {}
        with self._change():
            self.replies[name] = value
            self.reopened, self.dropped = "", ()
            for later in hanging:
                del self.replies[later]
            for later, said in hanging.items():
                if later in self._askable():
                    self.replies[later] = said
            self.dropped = tuple(later for later in hanging if later not in self.replies)

    def _asked_after(self, name: str) -> dict[str, Value | None]:
        """The later answers to questions that would be asked as things stand."""
        names = list(self.replies)
        found: dict[str, Value | None] = {}
        for later in names[names.index(name) + 1 :]:
            said = self.replies.pop(later)
            if later in self._askable():
                found[later] = said
            self.replies[later] = said
        return found

    def _askable(self) -> frozenset[str]:
        """The questions that something waits for, whether or not their answers would change anything by themselves."""
        facts, unknown = self.facts(), self.unknowns()
        session = consult(self.knowledge, facts, packs=("plan",), unknown=unknown, fixed=self.fixed)
        return frozenset(question.entry.name for question in candidates(session))

    def adopt(self, plan: Plan) -> None:
        """Take the decisions of a plan as the user's own, and what else it says where nothing is known."""
        entries = self.knowledge.vocabulary.entries
        for fact in facts_of_plan(plan, self.knowledge):
            if entries[fact.name].kind == "decision":
                self.fixed.setdefault(fact.name, fact.value)
            elif self.known(fact.name) is None and fact.name != "dataset.manifest":
                self.replies[fact.name] = fact.value
        with self._change():
            self.manifest = self.manifest or Path(plan.data.manifest)

    def revise(self, name: str) -> None:
        """Put a question again that was answered or measured; what is known holds until another answer is given.

        Raises:
            UsageError: it was neither answered nor measured.
        """
        if name not in self.replies and name not in self.measured:
            raise UsageError(f"{name} was not answered, expected one of {', '.join(self.replies) or 'none yet'}")
        self.reopened = name

    def fix(self, attribute: str, value: Value) -> None:
        """Make a decision against or without the rules; it is kept, and criticised where a rule disagrees.

        Raises:
            UsageError: no such decision or a value that does not fit.
            PlanError: the trainer cannot run it together with the other choices.
        """
        if attribute not in self.knowledge.vocabulary or self.knowledge.vocabulary.entry(attribute).kind != "decision":
            raise UsageError(f"{attribute} is not a decision", hint="`tonmeister schema vocabulary` lists them.")
        checked = self.knowledge.vocabulary.user_fact(attribute, value, "fixed value").value
        with self._change():
            self.fixed[attribute] = checked

    def release(self, attribute: str) -> None:
        """Leave a fixed decision to the rules again."""
        with self._change():
            self.fixed.pop(attribute, None)

    def set(self, name: str, text: str) -> None:
        """Do what `--set name=text` does: answer a question, answer it with "I don't know", or fix a decision.

        Raises:
            UsageError: unknown name or a value that does not fit.
        """
        if name in self.knowledge.vocabulary and self.knowledge.vocabulary.entry(name).kind == "decision":
            self.fix(name, text)
        elif text == DONT_KNOW:
            self.dont_know(name)
        else:
            self.answer(name, text)

    def draft(self) -> PlanDraft:
        """Return what follows from everything known so far."""
        if self._draft is None:
            self._draft = draft_plan(
                self.knowledge,
                self.facts(),
                unknown=self.unknowns(),
                fixed=self.fixed,
                manifest=self.manifest,
                name=self.manifest.stem if self.manifest else "run",
            )
        return self._draft

    def facts(self) -> tuple[Fact, ...]:
        """Return what was measured, with the user's word where he gave it."""
        measured = (*self.machine.facts, *(self.audit.measured.facts if self.audit else ()))
        said = (Fact(name, value, "user") for name, value in self.answers.items())
        return (*(fact for fact in measured if fact.subject or fact.name not in self.answers), *said)

    def unknowns(self) -> tuple[Unknown, ...]:
        """Return what was looked for in vain, by the audit, the machine or the user."""
        measured = (*self.machine.unknown, *(self.audit.measured.unknown if self.audit else ()))
        said = (Unknown(name, DOES_NOT_KNOW) for name in self.unknown)
        return (*(unknown for unknown in measured if unknown.name not in self.replies), *said)

    def questions(self) -> tuple[Question, ...]:
        """Return the questions that can still change the plan, the most decisive first."""
        if self._questions is None:
            open_ones = questions(self.draft().session)
            self._questions = tuple(question for question in open_ones if question.entry.name not in self.replies)
        return self._questions

    def command(self, output: Path | None = None) -> str:
        """Return the command line that brings the same plan without the interface."""
        words = ["tonmeister", "plan"]
        for name, value in (*self.replies.items(), *self.fixed.items()):
            words += ["--set", f"{name}={_word(value)}"]
        words += ["--output", str(output)] if output else []
        words += [*self.manifest_options, str(self.manifest)] if self.manifest else []
        return shlex.join(words)

    def save(self, path: Path) -> None:
        """Write the plan to a new file.

        Raises:
            UsageError: the file exists, or too little is known for a plan.
        """
        draft = self.draft()
        if draft.plan is None:
            raise UsageError(f"the plan needs {', '.join(draft.missing)}")
        if path.exists():
            raise UsageError(f"{path} exists, expected the name of a new file")
        write_atomically(path, plan_text(draft, self.command(path)))

    @contextmanager
    def _change(self) -> Iterator[None]:
        """Reason anew after a change; one that cannot be reasoned with is taken back."""
        old = _values(self.draft())
        before = {**vars(self), "replies": dict(self.replies), "fixed": dict(self.fixed)}
        yield
        self._draft = self._questions = None
        try:
            now = _values(self.draft())
        except TonmeisterError:
            vars(self).update(before)
            raise
        self.changed = frozenset(name for name in {*old, *now} if old.get(name) != now.get(name))
        self.keep()


def _values(draft: PlanDraft) -> dict[str, Value]:
    return {name: decision.value for name, decision in draft.session.decisions.items()}


def _word(value: Value | None) -> str:
    return DONT_KNOW if value is None else spell(value) if isinstance(value, bool) else str(value)
