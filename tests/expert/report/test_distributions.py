"""Measures by split, class and group in the report of an audit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import soundfile

from expert.consultation.audit import Audit, audit_dataset
from expert.report.audit import audit_record
from expert.report.distributions import distribution_blocks, distributions_record
from expert.report.document import Heading, Table
from knowledge.loader import load_knowledge


def _audited(folder: Path, *, decode: bool = True) -> Audit:
    """Six loud clips of a second and six soft ones of half a second, of three speakers."""
    chance = np.random.default_rng(0)
    rows = []
    for number in range(12):
        loud = number % 2 == 0
        samples = chance.standard_normal(8000 if loud else 4000) * (0.2 if loud else 0.002)
        soundfile.write(folder / f"{number}.wav", samples, 8000)
        rows.append(f"{number}.wav,{'loud' if loud else 'soft'},s{number % 3},{'train' if number < 8 else 'test'}")
    (folder / "m.csv").write_text("path,label,speaker,split\n" + "\n".join(rows) + "\n")
    return audit_dataset(load_knowledge(), folder / "m.csv", decode=decode, workers=1)


def test_each_split_class_and_group_has_a_row(tmp_path: Path) -> None:
    blocks = distribution_blocks(_audited(tmp_path))
    titles = [block.text for block in blocks if isinstance(block, Heading)]
    tables = dict(zip(titles, (block for block in blocks if isinstance(block, Table)), strict=True))

    assert titles == ["Measures of all clips", "Measures by split", "Measures by class", "Measures by group"]
    by_class = {row[0]: row for row in tables["Measures by class"].rows}
    assert by_class["loud"][1:4] == ("6", "0.002", "1.00 / 1.00 / 1.00")
    assert by_class["soft"][3] == "0.50 / 0.50 / 0.50"
    assert [row[:2] for row in tables["Measures by split"].rows] == [("train", "8"), ("test", "4")]


def test_the_json_has_every_one(tmp_path: Path) -> None:
    audit = _audited(tmp_path)
    record = distributions_record(audit)

    assert set(record) == {"all", "split", "class", "group"}
    level = {name: record["class"][name]["level_dbfs"]["p50"] for name in ("loud", "soft")}
    assert level["loud"] - level["soft"] > 35
    assert record["group"]["s1"]["clips"] == 4
    assert json.loads(json.dumps(audit_record(audit)["distributions"])) == record


def test_without_sound_there_is_no_table(tmp_path: Path) -> None:
    audit = _audited(tmp_path, decode=False)

    assert distribution_blocks(audit) == ()
    assert distributions_record(audit) == {}
