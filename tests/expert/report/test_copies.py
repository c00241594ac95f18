"""Pairs of copies in the report of an audit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.evidence.dataset import NearPair
from engine.evidence.dataset.records import Region
from expert.consultation.audit import audit_dataset
from expert.report.document import Table
from expert.report.spread import copies_blocks
from knowledge.loader import load_knowledge


def test_pairs_are_named_most_alike_first(tmp_path: Path) -> None:
    manifest = tmp_path / "m.csv"
    manifest.write_text("path,label\na.wav,yes\nb.wav,no\n")
    audit = audit_dataset(load_knowledge(), manifest, decode=False)
    first, second = Region(Path("a.wav")), Region(Path("b.wav"), 1.5, 3.0)
    pairs = (NearPair(first, first, 0.94, "gain"), NearPair(first, second, 0.99, "trim"))
    tables = [block for block in copies_blocks(replace(audit, near=pairs)) if isinstance(block, Table)]
    assert tables[0].rows[0] == ("a.wav", "b.wav from 1.5 to 3 s", "0.990", "trim")
    assert len(tables) == 1, "nothing to listen to"
