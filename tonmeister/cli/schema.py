"""`tonmeister schema`: the JSON Schema of a plan, or the vocabulary of facts."""

from __future__ import annotations

import json

import click


@click.command("schema")
@click.argument("what", type=click.Choice(["plan", "vocabulary"]), default="plan")
def command(what: str) -> None:
    """Print the JSON Schema of plan.yaml, or every fact with type, range and question."""
    if what == "plan":
        from engine.plan import Plan

        click.echo(json.dumps(Plan.model_json_schema(), indent=2))
        return
    from knowledge.layers import knowledge_in_force

    entries = knowledge_in_force().vocabulary.entries.values()
    click.echo(json.dumps([entry.model_dump(mode="json", exclude_defaults=True) for entry in entries], indent=2))
