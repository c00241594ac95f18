"""`tonmeister explain`: how a decision came about, why a question is asked, why not another value."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .output import audit_options

if TYPE_CHECKING:
    from expert.interview import Question
    from tui.interview import InterviewState


@click.command("explain")
@click.argument("query", type=click.Choice(["how", "why", "why-not", "what-if", "sensitivity"]))
@click.argument("subject", metavar="NAME[=VALUE]")
@click.argument("manifest", type=click.Path(path_type=Path), required=False)
@click.option("--answers", type=click.Path(path_type=Path), help="YAML file of `fact: value`.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Set a fact, or fix a decision.")
@audit_options
def command(
    query: str,
    subject: str,
    manifest: Path | None,
    answers: Path | None,
    settings: tuple[str, ...],
    label_column: str | None,
    group_column: str | None,
    split_column: str | None,
    path_column: str | None,
) -> None:
    """Explain the plan that the same options of `tonmeister plan` give.

    \b
    how adaptation.method           the proof, down to facts and sources
    why task.domain                 what the answer would decide
    why-not adaptation.method=full  each rule for it, what fails, and by how much
    what-if dataset.clips=5000      what would be concluded otherwise
    sensitivity dataset.clips       how far it may move before a conclusion changes; `all` for every number
    """
    from expert import explanation, whatif
    from knowledge.errors import UsageError

    from .planning import read_state

    columns = {"label": label_column, "group": group_column, "split": split_column, "path": path_column}
    state = read_state(manifest, columns, answers, settings)
    session = state.draft().session
    name, _, value = subject.partition("=")
    if query == "how":
        click.echo(explanation.how(session, name).render())
    elif query == "why":
        click.echo(explanation.why(session, _question(state, name)).render())
    elif query == "sensitivity":
        click.echo(whatif.sensitivity(session, "" if name == "all" else name).render())
    elif query == "what-if" and value:
        click.echo(whatif.what_if(session, {name: value}).render())
    elif value:
        wanted = state.knowledge.vocabulary.user_fact(name, value, "explain").value
        click.echo(explanation.why_not(session, name, wanted).render())
    else:
        raise UsageError(f"{query} got {subject!r}, expected NAME=VALUE, such as adaptation.method=full")


def _question(state: InterviewState, name: str) -> Question:
    from knowledge.errors import UsageError

    for question in state.questions():
        if question.entry.name == name:
            return question
    open_ones = ", ".join(question.entry.name for question in state.questions()) or "none"
    raise UsageError(f"{name} is not asked: it is known, or cannot change the plan. Open questions: {open_ones}")
