"""`tonmeister rules`: list, show and check the rulebooks, and what they make of their sources."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .answers import pairs
from .output import emit, format_option, report_option, say
from .rules_outcomes import calibrate_rules, why_rule

if TYPE_CHECKING:
    from expert.report.document import Document
    from knowledge.rulebook import Knowledge, Rule

_knowledge_option = click.option(
    "--knowledge",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A knowledge folder that stands alone; default: the built-in one, with what the team and the project change.",
)


@click.group("rules")
def command() -> None:
    """List, show and check the rulebooks."""


command.add_command(why_rule)
command.add_command(calibrate_rules)


def _chosen(folder: Path | None) -> Knowledge:
    """The knowledge of a folder, or what is in force here."""
    from knowledge.layers import knowledge_in_force
    from knowledge.loader import load_knowledge

    return load_knowledge(folder) if folder else knowledge_in_force()


@command.command("list")
@click.argument("words", metavar="[WORD]...", nargs=-1)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the list.")
@_knowledge_option
def list_rules(words: tuple[str, ...], form: str, folder: Path | None) -> None:
    """Every rule with its title, file and line; given WORDs, the rules that hold them all, the nearest first."""
    from knowledge.search import search

    knowledge = _chosen(folder)
    rules = search(knowledge, " ".join(words))
    if form == "json":
        records = [
            {"id": rule.id, "title": rule.title, "file": rule.file, "line": rule.line}
            | ({"own": rule.own.record()} if rule.own else {})
            for rule in rules
        ]
        json.dump({"schema": "tonmeister.rules/1", "rules": records}, sys.stdout, indent=2)
        click.echo()
        return
    if not rules:
        say(f"no rule holds {' and '.join(words)}")
        return
    width = max(len(rule.id) for rule in rules)
    for rule in rules:
        own = f"  [{rule.own.mark}: {rule.own.place}]" if rule.own else ""
        click.echo(f"{rule.id:<{width}}  {rule.title}  ({rule.file}:{rule.line}){own}")


@command.command("show")
@click.argument("rule_id", metavar="RULE|TABLE|PRESET|ITEM")
@_knowledge_option
def show_rule(rule_id: str, folder: Path | None) -> None:
    """A rule with its reason, sources and examples; a decision table; a search preset; or an item such as S000-13a."""
    from expert.report.rule import rule_document
    from expert.report.table import table_document
    from expert.report.text import render_text

    knowledge = _chosen(folder)
    rows = knowledge.table(rule_id)
    page = _other_page(rule_id, knowledge)
    if page is None:
        page = table_document(rows, knowledge) if rows else rule_document(known_rule(knowledge, rule_id), knowledge)
    click.echo(render_text(page), nl=False)


def _other_page(name: str, knowledge: Knowledge) -> Document | None:
    """The page of a search preset or of an item of a source document, or None."""
    from expert.coverage import coverage
    from expert.report.coverage import item_document
    from expert.report.preset import preset_document

    if name in knowledge.items:
        return next(item_document(row, knowledge) for row in coverage(knowledge) if row.item.item == name)
    preset = next((preset for preset in knowledge.presets if preset.preset == name), None)
    return preset_document(preset, knowledge) if preset else None


@command.command("try")
@click.argument("rule_id", metavar="RULE|TABLE")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A fact, or what another rule concludes.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the answer.")
@_knowledge_option
def try_rule(rule_id: str, settings: tuple[str, ...], form: str, folder: Path | None) -> None:
    """Whether a rule, or each row of a table, fires on given values; and if not, for want of what."""
    from expert.trial import try_rules

    knowledge = _chosen(folder)
    rules = knowledge.table(rule_id) or (known_rule(knowledge, rule_id),)
    trials = try_rules(rules, pairs(settings), knowledge)
    if form == "json":
        record = {"schema": "tonmeister.trial/1", "rules": [trial.record() for trial in trials]}
        click.echo(json.dumps(record, indent=2, ensure_ascii=False))
        return
    click.echo("\n".join(trial.render() for trial in trials))


def known_rule(knowledge: Knowledge, rule_id: str) -> Rule:
    """Return the rule of that id; a refusal names the nearest."""
    import difflib

    from knowledge.errors import UsageError

    rule = knowledge.rule(rule_id) or knowledge.silenced_rule(rule_id)
    if rule is None:
        close = difflib.get_close_matches(rule_id, [rule.id for rule in knowledge.rules], n=1)
        raise UsageError(f"there is no rule {rule_id!r}", hint=f"Did you mean {close[0]}?" if close else "")
    return rule


@command.command("check")
@click.option("--engine", is_flag=True, help="Run the examples through durable-rules instead of by plain recursion.")
@click.option(
    "--deep",
    is_flag=True,
    help="Tell also what is no fault: second choices, open cases, the unmeasured, what is justified.",
)
@_knowledge_option
@click.pass_context
def check_rules(ctx: click.Context, engine: bool, deep: bool, folder: Path | None) -> None:
    """Verify a rulebook: references, cycles, capacity, contradictions, gaps, dead rules, and every example."""
    from expert.examples import by_engine, by_recursion, test_examples
    from expert.verification import FATAL, justified_lines, notes, tables_told, verify

    knowledge = _chosen(folder)
    problems = verify(knowledge)
    circular = any(problem.kind in ("circle", "capacity") for problem in problems)  # then nothing can be concluded
    failures = () if circular else test_examples(knowledge, by_engine if engine else by_recursion)
    for problem in (*problems, *(notes(knowledge) if deep and not circular else ())):
        rule = knowledge.rule(problem.rule)
        place = f"{rule.file}:{rule.line} ({problem.rule})" if rule else problem.rule
        severity = "error" if problem.kind in FATAL else problem.severity
        click.echo(f"{severity.upper()} {problem.kind}: {place + ': ' if place else ''}{problem.message}")
    for failure in failures:
        click.echo(f"ERROR example: {failure}")
    for own in knowledge.own:
        click.echo(f"OWN {own.sentence()}")
    for line in justified_lines(knowledge) if deep else ():
        click.echo(f"JUSTIFIED {line}")
    fatal = [problem for problem in problems if problem.severity == "error" or problem.kind in FATAL]
    errors = len(fatal) + len(failures)
    examples = sum(len(rule.cases) for rule in knowledge.rules)
    if not circular:
        say(tables_told(knowledge, problems))
    say(f"{len(knowledge.rules)} rules, {examples} examples, {errors} errors, {len(problems)} problems in all")
    ctx.exit(2 if errors else 0)


@command.command("mutate")
@click.argument("rule_ids", metavar="[RULE]...", nargs=-1)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the list.")
@_knowledge_option
def mutate_rules(rule_ids: tuple[str, ...], form: str, folder: Path | None) -> None:
    """Change rules in small ways, and list the changes that no example notices."""
    from expert.mutation import mutants_of, score
    from knowledge.loader import BUILT_IN, load_knowledge

    knowledge = load_knowledge(folder or BUILT_IN)
    rules = [known_rule(knowledge, rule_id) for rule_id in rule_ids] or list(knowledge.rules)
    found = {rule.id: mutants_of(rule, knowledge) for rule in rules}
    everything = [mutant for mutants in found.values() for mutant in mutants]
    alive = [mutant for mutant in everything if not mutant.killed]
    if form == "json":
        record = {
            "schema": "tonmeister.mutation/1",
            "score": score(everything),
            "mutants": len(everything),
            "rules": {rule: {"score": score(mutants), "mutants": len(mutants)} for rule, mutants in found.items()},
            "survivors": [{"rule": mutant.rule, "change": mutant.change} for mutant in alive],
        }
        click.echo(json.dumps(record, indent=2, ensure_ascii=False))
        return
    for mutant in alive:
        click.echo(f"{mutant.rule}: {mutant.change}")
    say(f"{len(everything)} mutants of {len(rules)} rules, {len(alive)} survive, score {score(everything):.3f}")


@command.command("pin")
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 when the pins are not those of the rules.")
@_knowledge_option
@click.pass_context
def pin_rules(ctx: click.Context, check: bool, folder: Path | None) -> None:
    """Write the cases that pin every threshold and condition to pins.yaml in the knowledge folder."""
    from engine.plan import write_atomically
    from expert.pinning import pins_text
    from knowledge.loader import BUILT_IN, load_knowledge

    root = folder or BUILT_IN
    text, target = pins_text(load_knowledge(root)), root / "pins.yaml"
    if check:
        same = target.is_file() and target.read_text("utf-8") == text
        say(f"{target} is {'what' if same else 'not what'} the rules ask for")
        ctx.exit(0 if same else 1)
    write_atomically(target, text)
    say(f"Pins written to {target}; look at the diff")


@command.command("diff")
@click.argument("old", type=click.Path(path_type=Path, exists=True, file_okay=False), required=False)
@click.argument("new", type=click.Path(path_type=Path, exists=True, file_okay=False), required=False)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the list.")
def diff_rules(old: Path | None, new: Path | None, form: str) -> None:
    """What the knowledge folder NEW (default: the built-in one) concludes otherwise than OLD, with a case for each.

    Without folders: what is in force here otherwise than the package alone, because a team or a project says so.
    """
    from expert.difference import check_differences, differences, other_changes, rule_changes
    from knowledge.conditions import spell
    from knowledge.loader import BUILT_IN, load_knowledge

    before, after = load_knowledge(old or BUILT_IN), load_knowledge(new or BUILT_IN) if old else _chosen(None)
    changes, others = rule_changes(before, after), other_changes(before, after)
    found = (*differences(before, after), *check_differences(before, after))
    if form == "json":
        record = {
            "schema": "tonmeister.rulediff/1",
            "rules": [{"rule": change.rule, "kind": change.kind} for change in changes],
            "others": [{"what": change.what, "name": change.rule, "kind": change.kind} for change in others],
            "differences": [
                {"attribute": one.attribute, "before": one.before, "after": one.after, "case": dict(one.case)}
                for one in found
            ],
        }
        click.echo(json.dumps(record, indent=2, ensure_ascii=False))
        return
    for own in after.own:
        click.echo(f"OWN {own.sentence()}")
    for change in changes:
        click.echo(f"{change.kind} {change.rule}")
    for change in others:
        click.echo(f"{change.kind} {change.what} {change.rule}")
    for one in found:
        case = ", ".join(f"{name} = {spell(value)}" for name, value in one.case.items())
        values = ["nothing" if value is None else spell(value) for value in (one.before, one.after)]
        click.echo(f"{one.attribute}: {values[0]} becomes {values[1]} (given {case})")
    say(f"{len(changes)} rules and {len(others)} other documents differ, {len(found)} conclusions do")


@command.command("doc")
@click.option("--output", type=click.Path(path_type=Path), help="New folder for Markdown pages.")
@click.option("--site", type=click.Path(path_type=Path), help="New folder for a web site that needs no server.")
@_knowledge_option
def doc_rules(output: Path | None, site: Path | None, folder: Path | None) -> None:
    """Write the rulebook as Markdown or as a web site: an index to search, a page a rule and a table, the sources."""
    from expert.report.markdown import render_markdown
    from expert.report.rulebook import rulebook_pages
    from expert.report.site import rulebook_site
    from knowledge.errors import UsageError

    from .output import write_new

    if output is None and site is None:
        raise UsageError("nowhere to write to", hint="Name a new folder with --site, or with --output for Markdown.")
    knowledge = _chosen(folder)
    for place, begin in ((output, "index.md"), (site, "index.html")):
        if place is None:
            continue
        if place is site:
            pages = rulebook_site(knowledge)
        else:
            pages = {f"{name}.md": render_markdown(page) for name, page in rulebook_pages(knowledge).items()}
        for name, text in pages.items():
            write_new(place / name, text)
        say(f"{len(pages)} pages written to {place}; begin with {place / begin}")


@command.command("backbones")
@format_option
@report_option
@_knowledge_option
def list_backbones(form: str, output: Path | None, folder: Path | None) -> None:
    """What is known of each backbone, and what it takes in memory and arithmetic, as docs/backbones.md."""
    from expert.report.backbones import backbones_document, backbones_record
    from knowledge.loader import BUILT_IN, load_knowledge

    knowledge = load_knowledge(folder or BUILT_IN)
    emit(backbones_document(knowledge), backbones_record(knowledge), form, output)


@command.command("cover")
@format_option
@report_option
@click.option("--brief", is_flag=True, help="Name the rulebooks that serve a row, not each rule, as docs/sources.md.")
@_knowledge_option
@click.pass_context
def cover_rules(ctx: click.Context, form: str, output: Path | None, brief: bool, folder: Path | None) -> None:
    """What serves each row of the source documents: rules that cite it, features, or the reason for leaving it out."""
    from expert.coverage import coverage, mistakes
    from expert.report.coverage import coverage_document, coverage_record
    from knowledge.loader import BUILT_IN, load_knowledge

    knowledge = load_knowledge(folder or BUILT_IN)
    rows, wrong = coverage(knowledge), tuple(mistakes(knowledge))
    emit(coverage_document(rows, knowledge, brief=brief), coverage_record(rows), form, output)
    for mistake in wrong:
        say(f"ERROR coverage: {mistake}")
    covered = sum(not row.uncovered for row in rows)
    say(f"{covered} of {len(rows)} rows are served, {len(wrong)} errors")
    ctx.exit(2 if wrong else 0)
