"""`tonmeister prepare MANIFEST --output DIR`: a clean copy of a data set, and a record of what was done."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .output import audit_options, progress, say

if TYPE_CHECKING:
    from engine.evidence.dataset.prepare import Dropped


@click.command("prepare")
@click.argument("manifest", type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(path_type=Path), required=True, help="New folder for the copy.")
@click.option("--rate", type=click.IntRange(min=1000), help="Sample rate of the copy in Hz; default: the most common.")
@click.option("--repair-split", is_flag=True, help="Write the proposed split as a column.")
@click.option(
    "--keep", multiple=True, metavar="FINDING", help="Leave the clips of this finding as they are; repeatable."
)
@click.option("--audio-root", type=click.Path(path_type=Path), help="Folder that clip paths are relative to.")
@click.option("--text", metavar="COLUMN", help="Column with what is said.")
@click.option("--session", metavar="COLUMN", help="Column with the session or recording, where that is not the group.")
@audit_options
def command(
    manifest: Path,
    output: Path,
    rate: int | None,
    repair_split: bool,
    keep: tuple[str, ...],
    audio_root: Path | None,
    text: str | None,
    session: str | None,
    label_column: str | None,
    group_column: str | None,
    split_column: str | None,
    path_column: str | None,
) -> None:
    """Audit MANIFEST and write a clean copy of it; the original stays as it is.

    The copy is mono, 16 bit, at one rate, without clips that cannot be used and with one of each set of copies.
    provenance.json in it says what was done to each clip and why a row was left out. An interrupted run goes on.
    """
    from engine.evidence.dataset import default_cache
    from engine.evidence.dataset.prepare_target import refuse_target
    from expert.consultation.audit import audit_dataset
    from expert.consultation.prepare import plan_preparation, prepare_dataset
    from knowledge.layers import knowledge_in_force

    refuse_target(output)
    audit = audit_dataset(
        knowledge_in_force(),
        manifest,
        label=label_column,
        group=group_column,
        split=split_column,
        path=path_column,
        text=text,
        session=session,
        audio_root=audio_root,
        cache=default_cache(),
        progress=progress("Reading clips"),
    )
    preparation = plan_preparation(audit, sample_rate_hz=rate or 0, keep=keep, split=repair_split)
    try:
        done = prepare_dataset(audit, preparation, output, progress("Writing clips"))
    except KeyboardInterrupt:
        say(f"\nWhat is written stays in {output}; the same command goes on where it stopped.")
        raise
    resumed = f", {done.resumed} of them by an earlier run" if done.resumed else ""
    click.echo(f"{done.clips} clips at {preparation.sample_rate_hz} Hz written to {output}{resumed}")
    for reason, count in Counter(map(_short, done.dropped)).most_common():
        click.echo(f"{count} row{'s' * (count != 1)} left out: {reason}")
    say(f"What was done to each clip stands in {output / 'provenance.json'}; audit {output / 'manifest.csv'} next.")


def _short(dropped: Dropped) -> str:
    """The reason without the names and numbers that are others for every row."""
    import re

    from knowledge.shown import shown

    first = "a copy" if dropped.reason.startswith("a copy of ") else dropped.reason.partition("; ")[0]
    return shown(re.sub(r",? of \d+ bytes,?", "", first))
