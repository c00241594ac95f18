"""`tonmeister explain`: how a decision came about, why it is asked for, what speaks against it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .output import audit_options, format_option

if TYPE_CHECKING:
    from expert.proof import Explanation
    from knowledge.records import Value
    from tui.interview import InterviewState

QUERIES = ("how", "why", "why-not", "what-if", "sensitivity", "change-mind", "critique", "contested", "assumptions")
_ABOUT_ALL = ("sensitivity", "critique", "contested", "assumptions")


@click.command("explain")
@click.argument("query", type=click.Choice(QUERIES))
@click.argument("subject", metavar="NAME[=VALUE]", default="all")
@click.argument("manifest", type=click.Path(path_type=Path), required=False)
@click.option("--answers", type=click.Path(path_type=Path), help="YAML file of `fact: value`.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Set a fact, or fix a decision.")
@click.option("--plan", "plan", type=click.Path(path_type=Path), help="Take the decisions of this plan as yours.")
@audit_options
@format_option
def command(
    query: str,
    subject: str,
    manifest: Path | None,
    answers: Path | None,
    settings: tuple[str, ...],
    plan: Path | None,
    label_column: str | None,
    group_column: str | None,
    split_column: str | None,
    path_column: str | None,
    form: str,
) -> None:
    """Explain the plan that the same options of `tonmeister plan` give.

    \b
    how adaptation.method           the proof, down to facts and sources
    why task.domain                 what each answer would change, and which rules wait
    why-not adaptation.method=full  each rule for it, what fails, and by how much
    what-if dataset.clips=5000      what would be concluded otherwise, and the plan's lines that change
    change-mind backbone.name       which single fact, were it otherwise, would settle it differently
    sensitivity dataset.clips       how far it may move before a conclusion changes; `all` for every number
    critique                        the decisions that you fixed, with what rules say for and against
    contested                       where rules of equal strength disagree, with both arguments
    assumptions                     what is assumed, and what would settle it
    """
    from expert.report.explanation import explanation_document
    from expert.report.own import TITLE, own_blocks, own_record

    from .output import emit
    from .planning import NO_MANIFEST_YET, read_state

    columns = {"label": label_column, "group": group_column, "split": split_column, "path": path_column}
    state = read_state(manifest, columns, answers, settings)
    if plan is not None:
        from engine.plan import read_plan

        state.adopt(read_plan(plan))
    if state.manifest is None:
        state.audited(None, NO_MANIFEST_YET)
    found = _explained(state, query, subject)
    if form == "text":
        own = [f"{TITLE}:", *(f"  {one.sentence()}" for one in state.knowledge.own)] if state.knowledge.own else []
        click.echo("\n".join([found.render(), *own]))
    else:
        document = (*explanation_document(found, state.knowledge), *own_blocks(state.knowledge))
        emit(document, found.record() | own_record(state.knowledge), form)


def _explained(state: InterviewState, query: str, subject: str) -> Explanation:
    from knowledge.errors import UsageError

    name, _, value = subject.partition("=")
    if query in _ABOUT_ALL:
        return _about_all(state, query, "" if name == "all" else name)
    if name == "all":
        raise UsageError(f"explain {query} needs a name, such as adaptation.method")
    if query in ("how", "why", "change-mind"):
        return _about_one(state, query, name)
    if not value:
        raise UsageError(f"{query} got {subject!r}, expected NAME=VALUE, such as adaptation.method=full")
    if query == "why-not":
        from expert.explanation import why_not

        wanted = state.knowledge.vocabulary.user_fact(name, value, "explain").value
        return why_not(state.draft().session, name, wanted)
    from expert.consultation.suppose import supposed

    return supposed(state.draft(), _said(subject))


def _about_all(state: InterviewState, query: str, name: str) -> Explanation:
    from expert import arguments
    from expert.assumptions import assumptions
    from expert.whatif import sensitivity

    session = state.draft().session
    if query == "sensitivity":
        return sensitivity(session, name)
    if query == "assumptions":
        return assumptions(session)
    return arguments.critique(session, name) if query == "critique" else arguments.contested(session, name)


def _about_one(state: InterviewState, query: str, name: str) -> Explanation:
    from expert.explanation import how, why
    from expert.mind import change_of_mind
    from knowledge.errors import UsageError

    session = state.draft().session
    if query == "how":
        return how(session, name)
    if query == "change-mind":
        return change_of_mind(session, name)
    for question in state.questions():
        if question.entry.name == name:
            return why(session, question)
    open_ones = ", ".join(question.entry.name for question in state.questions()) or "none"
    raise UsageError(f"{name} is not asked: it is known, or cannot change the plan. Open questions: {open_ones}")


def _said(subject: str) -> dict[str, Value]:
    """Several suppositions are divided by commas."""
    from knowledge.errors import UsageError

    pairs = [part.partition("=") for part in subject.split(",")]
    if not all(sign for _, sign, _ in pairs):
        raise UsageError(f"what-if got {subject!r}, expected NAME=VALUE, or several of them divided by commas")
    return {name.strip(): value.strip() for name, _, value in pairs}
