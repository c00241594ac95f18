"""Class names in the metadata of Hugging Face data sets: labels are read by name, damage tells nothing."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.evidence.dataset import read_dataset
from engine.evidence.dataset.readers.class_names import class_names, named

LABEL = {"names": ["cat", "dog"], "_type": "ClassLabel"}
FEATURES = {"path": {"dtype": "string", "_type": "Value"}, "label": LABEL}


def metadata(features: object) -> dict[bytes, bytes]:
    return {b"huggingface": json.dumps({"info": {"features": features}}).encode()}


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_integer_labels_are_audited_by_name(tmp_path: Path, suffix: str) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    table = pa.table({"path": ["a.wav", "b.wav", "c.wav", "d.wav"], "label": [1, 0, -1, None]})
    table = table.replace_schema_metadata(metadata(FEATURES))
    file = tmp_path / f"train.{suffix}"
    if suffix == "parquet":
        pyarrow.parquet.write_table(table, file)
    else:
        with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)

    dataset = read_dataset(file)

    assert [row.label for row in dataset.rows] == ["dog", "cat", "", ""]
    assert dataset.columns.label == "label"


def test_nested_columns_have_the_names_of_their_feature() -> None:
    assert class_names(metadata({"meta": {"kind": LABEL}})) == {"meta.kind": ["cat", "dog"]}


@pytest.mark.parametrize("damaged", [None, {}, {b"huggingface": b"{"}, {b"huggingface": b"[1]"}, metadata([LABEL])])
def test_damaged_metadata_tells_nothing(damaged: dict[bytes, bytes] | None) -> None:
    assert class_names(damaged) == {}


@given(st.text(max_size=12))
def test_what_is_no_number_of_a_class_stays(cell: str) -> None:
    told = named({"label": cell, "other": cell}, {"label": ["cat", "dog"]})
    assert told["other"] == cell
    assert told["label"] == (cell if cell not in ("0", "1", "-1", "00", "01") else told["label"])
