"""`tonmeister rules why` and `rules calibrate`: what speaks for a rule, and what outcomes say about it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from .output import emit, format_option, say, write_new


@click.command("why")
@click.argument("rule_id", metavar="RULE")
@format_option
def why_rule(rule_id: str, form: str) -> None:
    """Why a rule exists: sources, what it beats and loses to, what pins it, and what changes without it."""
    from expert.report.why import why_document
    from knowledge.layers import knowledge_in_force

    from .rules import known_rule

    knowledge = knowledge_in_force()
    rule = known_rule(knowledge, rule_id)
    document = why_document(rule, knowledge)
    emit(document, {"schema": "tonmeister.why/1", "rule": rule.id, "because": rule.because}, form)


@click.command("calibrate")
@click.argument("places", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path, exists=True))
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the list.")
@click.option("--output", type=click.Path(path_type=Path), help="New YAML file for the certainties that are proposed.")
def calibrate_rules(places: tuple[Path, ...], form: str, output: Path | None) -> None:
    """Hold stated certainties against the outcomes of remedies in ledgers below PATH (default: runs).

    Changes nothing: with --output it writes a layer that you may lay into your own knowledge folder.
    """
    import json

    from expert.calibration import calibrate, overlay
    from expert.ledger import ledgers_below, read_outcomes
    from knowledge.layers import knowledge_in_force

    files = ledgers_below(places or tuple(path for path in (Path("runs"),) if path.is_dir()))
    found = calibrate(knowledge_in_force(), (one for file in files for one in read_outcomes(file)))
    proposed = overlay(found)
    if form == "json":
        record = {"schema": "tonmeister.calibration/1", "ledgers": [*map(str, files)], "rules": [*map(asdict, found)]}
        click.echo(json.dumps(record, indent=2, ensure_ascii=False))
    else:
        for one in found:
            change = "" if one.proposed is None else f", proposed {one.proposed:.2f}"
            click.echo(
                f"{one.rule}: stated {one.stated:.2f}; {one.kept} kept, {one.broken} broken: {one.mean:.2f} "
                f"[{one.low:.2f}, {one.high:.2f}]{change}"
            )
    if output and proposed:
        write_new(output, proposed)
    number = sum(one.proposed is not None for one in found)
    say(f"{len(files)} ledgers, {len(found)} rules with outcomes, {number} certainties would change")
