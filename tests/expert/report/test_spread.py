"""Classes and groups by split in the report of an audit."""

from __future__ import annotations

from pathlib import Path

from expert.consultation.audit import audit_dataset
from expert.report.document import Document, Heading, Table
from expert.report.spread import spread_blocks
from knowledge.loader import load_knowledge

MANIFEST = "path,label,speaker,split\na.wav,yes,ann,train\nb.wav,yes,ann,test\nc.wav,no,bob,train\n"


def _tables(folder: Path, text: str) -> dict[str, Table]:
    manifest = folder / "m.csv"
    manifest.write_text(text)
    blocks: Document = spread_blocks(audit_dataset(load_knowledge(), manifest, decode=False))
    titles = [block.text for block in blocks if isinstance(block, Heading)]
    return dict(zip(titles, [block for block in blocks if isinstance(block, Table)], strict=True))


def test_classes_and_groups_are_counted_by_split(tmp_path: Path) -> None:
    tables = _tables(tmp_path, MANIFEST)
    assert tables["Classes by split"].rows == (
        ("no", "1", "0", "0", "0", "1", "1"),
        ("yes", "1", "0", "1", "0", "2", "2"),
    )
    assert tables["Groups by split"].rows[0] == ("ann", "1", "0", "1", "0", "2", "2"), "a shared group comes first"


def test_without_groups_there_is_no_table_of_them(tmp_path: Path) -> None:
    tables = _tables(tmp_path, MANIFEST.replace("speaker", "remark"))
    assert list(tables) == ["Classes by split"]
