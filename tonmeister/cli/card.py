"""`tonmeister card RUN`: write the model card of a finished run."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("card")
@click.argument("run", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--region", default="world", show_default=True, help="Whose electricity: DE, FR, ..., or world.")
@click.option("--overhead", default=1.0, show_default=True, type=click.FloatRange(min=1), help="PUE of the building.")
@click.option("--watts", type=click.FloatRange(min=0), help="Mean power of the machine, where no meter was read.")
def command(run: Path, region: str, overhead: float, watts: float | None) -> None:
    """Write model-card.md into RUN: data, results with intervals and per group, limits, energy and emissions.

    `tonmeister train` writes it too, for the world's electricity and a machine without overhead.
    """
    from engine.model_card import write_card

    click.echo(write_card(run, region=region, overhead=overhead, watts=watts))
