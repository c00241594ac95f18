"""`tonmeister rules`: list, show and check the rulebooks."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from .output import say

_knowledge_option = click.option(
    "--knowledge",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A knowledge folder of your own; default: the built-in one.",
)


@click.group("rules")
def command() -> None:
    """List, show and check the rulebooks."""


@command.command("list")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the list.")
@_knowledge_option
def list_rules(form: str, folder: Path | None) -> None:
    """Every rule with its title, file and line."""
    from knowledge.loader import BUILT_IN, load_knowledge

    rules = load_knowledge(folder or BUILT_IN).rules
    if form == "json":
        records = [{"id": rule.id, "title": rule.title, "file": rule.file, "line": rule.line} for rule in rules]
        json.dump({"schema": "tonmeister.rules/1", "rules": records}, sys.stdout, indent=2)
        click.echo()
        return
    width = max(len(rule.id) for rule in rules)
    for rule in rules:
        click.echo(f"{rule.id:<{width}}  {rule.title}  ({rule.file}:{rule.line})")


@command.command("show")
@click.argument("rule_id", metavar="RULE")
@_knowledge_option
def show_rule(rule_id: str, folder: Path | None) -> None:
    """One rule: conditions, conclusion, reason, certainty, sources, examples."""
    import difflib

    from expert.report.rule import rule_document
    from expert.report.text import render_text
    from knowledge.errors import UsageError
    from knowledge.loader import BUILT_IN, load_knowledge

    knowledge = load_knowledge(folder or BUILT_IN)
    rule = knowledge.rule(rule_id)
    if rule is None:
        close = difflib.get_close_matches(rule_id, [rule.id for rule in knowledge.rules], n=1)
        raise UsageError(f"there is no rule {rule_id!r}", hint=f"Did you mean {close[0]}?" if close else "")
    click.echo(render_text(rule_document(rule, knowledge)), nl=False)


@command.command("check")
@_knowledge_option
@click.pass_context
def check_rules(ctx: click.Context, folder: Path | None) -> None:
    """Verify a rulebook: references, cycles, capacity, contradictions, dead rules, and every example."""
    from expert.verification import test_examples, verify
    from knowledge.loader import BUILT_IN, load_knowledge

    knowledge = load_knowledge(folder or BUILT_IN)
    problems = verify(knowledge)
    failures = test_examples(knowledge)
    for problem in problems:
        rule = knowledge.rule(problem.rule)
        place = f"{rule.file}:{rule.line} ({problem.rule})" if rule else problem.rule
        click.echo(f"{problem.severity.upper()} {problem.kind}: {place}: {problem.message}")
    for failure in failures:
        click.echo(f"ERROR example: {failure}")
    # Where two rules of equal strength disagree, a plan follows the name of a value; nobody meant that.
    fatal = [problem for problem in problems if problem.severity == "error" or problem.kind == "contradiction"]
    errors = len(fatal) + len(failures)
    examples = sum(len(rule.examples) for rule in knowledge.rules)
    say(f"{len(knowledge.rules)} rules, {examples} examples, {errors} errors, {len(problems)} problems in all")
    ctx.exit(2 if errors else 0)
