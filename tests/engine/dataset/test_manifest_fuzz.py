"""Hostile manifests end in facts or in an error that names the mistake: no traceback; only files are opened."""

from pathlib import Path

import pytest

from engine.evidence.dataset import measure_dataset, read_dataset
from engine.evidence.dataset.clips import NOTHING_DECODED
from expert.consultation.audit import audit_dataset
from expert.report.audit import audit_document
from expert.report.markdown import render_markdown
from expert.report.text import render_text
from knowledge.errors import InputError, UsageError
from knowledge.loader import load_knowledge

from .mutations import folder, mutated, mutated_form


@pytest.mark.parametrize("block", range(6))
def test_a_mutated_manifest_ends_in_facts_or_in_an_error_that_says_why(tmp_path: Path, block: int) -> None:
    manifest = folder(tmp_path) / "manifest.csv"
    read = refused = 0
    for seed in range(block * 60, block * 60 + 60):
        manifest.write_bytes(mutated(seed))
        try:
            measure_dataset(read_dataset(manifest), NOTHING_DECODED)
            read += 1
        except (InputError, UsageError) as error:
            assert str(error)
            refused += 1
    assert read and refused  # mutations that are all refused, or all harmless, test nothing


def test_so_do_mutated_manifests_of_other_forms(tmp_path: Path) -> None:
    base = folder(tmp_path / "data")
    kinds: set[str] = set()
    refused = 0
    for seed in range(300):
        manifest = mutated_form(seed, base)
        try:
            dataset = read_dataset(manifest)
            measure_dataset(dataset, NOTHING_DECODED)
            kinds.add(dataset.kind)
        except (InputError, UsageError) as error:
            assert str(error)
            refused += 1
    assert refused > 20
    assert {"JSON Lines", "lhotse manifests", "Kaldi directory", "audformat", "folder of class folders"} <= kinds


@pytest.mark.parametrize(
    "name",
    ["/dev/zero", "/proc/kcore", "/proc/self/environ", "pipe.wav", "loop.wav", "/dev/stdin", "../../../dev/null"],
)
def test_devices_pipes_and_circles_are_no_clips(tmp_path: Path, name: str) -> None:
    manifest = folder(tmp_path) / "manifest.csv"
    manifest.write_text(f"path,label\na.wav,x\n{name},y\n", "utf-8")

    dataset = read_dataset(manifest)

    assert [region.file.name for region in dataset.regions] == ["a.wav"]
    assert measure_dataset(dataset, NOTHING_DECODED).get("dataset.missing_files") == 1


def test_a_report_shows_no_escape_code_of_a_name(tmp_path: Path) -> None:
    manifest = folder(tmp_path) / "manifest.csv"
    manifest.write_text("path,label\na.wav,x\n\x1b]0;owned\x07\x1b[2J.wav,y\n\x9b31m\u202e.wav,\x1b[31m\n", "utf-8")

    document = audit_document(audit_dataset(load_knowledge(), manifest, decode=False))

    for text in (render_text(document), render_markdown(document)):
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(text)
        assert "\\x1b" in text  # the name is there to be found
