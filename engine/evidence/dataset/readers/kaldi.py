"""Reads Kaldi and ESPnet data directories (wav.scp, segments, utt2spk, text, utt2*); runs no pipe, opens no audio."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from os.path import isfile
from pathlib import Path

from knowledge.errors import InputError

from .files_within import files_within
from .split_names import split_in
from .table import Table, table_of_records
from .text import read_lines

_DEEPEST = 3
"""ESPnet keeps its directories under dump/raw/NAME."""
_NO_COLUMN = frozenset({"utt2num_frames", "utt2num_samples", "utt2uniq", "utt2max_frames"})
_ROLES = {
    "path": "wav", "group": "speaker", "split": "split", "text": "text", "session": "recording",
    "start": "start", "stop": "stop", "duration": "duration",
}  # fmt: skip


def kaldi_directories(folder: Path) -> list[Path]:
    """Return the directories that hold a wav.scp: `folder` itself, or those below it."""
    if (folder / "wav.scp").is_file():
        return [folder]
    return [path.parent for path in files_within(folder, _DEEPEST, lambda name: name == "wav.scp")]


_TO_THE_END = ("-1", "-1.0")
"""What `segments` states as the end of a part that runs to the end of its recording."""


def read_kaldi(folder: Path) -> Table:
    """Read one data directory, or several below one folder, whose names then are the splits.

    Raises:
        InputError: a file is malformed (with file and line), or there is no wav.scp.
    """
    directories = kaldi_directories(folder)
    if not directories:
        raise InputError(f"{folder}: no wav.scp found, expected a Kaldi data directory")
    notes: list[str] = []
    records = []
    for directory in directories:
        split = "" if directory == folder else split_in(directory.name)
        records += [(number, _placed(directory, record, split)) for number, record in _directory(directory, notes)]
    return table_of_records("Kaldi directory", records, folder, roles=_ROLES, notes=notes)


def _directory(directory: Path, notes: list[str]) -> Iterator[tuple[int, dict[str, str]]]:
    recordings = _pairs(directory / "wav.scp")
    pipes = sum(path.endswith("|") for _, path in recordings.values())
    if pipes:
        notes.append(
            f"{directory / 'wav.scp'}: {pipes} entries are commands, which are not run; write their sound to files"
        )
    columns = {
        _column(file.name): _pairs(file) for file in sorted(directory.glob("utt2*")) if file.name not in _NO_COLUMN
    }
    if (directory / "text").is_file():
        columns["text"] = _pairs(directory / "text")
    of_speaker = {file.name[4:]: _pairs(file) for file in sorted(directory.glob("spk2*")) if file.name != "spk2utt"}
    for number, utterance, cells in _utterances(directory, recordings):
        for name, values in columns.items():
            if utterance in values:
                cells[name] = values[utterance][1]
        for name, values in of_speaker.items():
            if cells.get("speaker") in values:
                cells[name] = values[cells["speaker"]][1]
        yield number, {"utterance": utterance, **cells}


def _column(name: str) -> str:
    return {"utt2spk": "speaker", "utt2dur": "duration"}.get(name, name[4:])


def _utterances(
    directory: Path, recordings: Mapping[str, tuple[int, str]]
) -> Iterator[tuple[int, str, dict[str, str]]]:
    """The utterances of `segments`, or without it the recordings themselves."""
    if not (directory / "segments").is_file():
        for name, (number, path) in recordings.items():
            yield number, name, {"wav": path}
        return
    for name, (number, rest) in _pairs(directory / "segments").items():
        parts = rest.split()
        if len(parts) != 3:
            raise InputError(f"{directory / 'segments'}:{number}: expected UTTERANCE RECORDING START END, got {rest!r}")
        path = recordings.get(parts[0], (0, parts[0]))[1]
        stop = "" if parts[2] in _TO_THE_END else parts[2]
        yield number, name, {"wav": path, "recording": parts[0], "start": parts[1], "stop": stop}


def _pairs(file: Path) -> dict[str, tuple[int, str]]:
    """Return the rest of each line by its first word, with its line number.

    Raises:
        InputError: a word stands twice at the beginning of a line.
    """
    found: dict[str, tuple[int, str]] = {}
    for number, line in read_lines(file):
        key, _, rest = line.strip().partition(" ")
        key, _, tabbed = key.partition("\t")
        if key in found:
            raise InputError(f"{file}:{number}: {key!r} stands here and in line {found[key][0]}")
        found[key] = number, f"{tabbed} {rest}".strip()
    return found


def _placed(directory: Path, record: dict[str, str], split: str) -> dict[str, str]:
    """Make a path absolute; Kaldi's paths are relative to the folder that it was started in, so several are tried."""
    path = record["wav"]
    if not path.startswith("/") and not path.endswith("|"):
        bases = (directory, *list(directory.resolve().parents)[:4], Path.cwd())
        base = next((base for base in bases if isfile(base / path)), directory)  # noqa: PTH113 - a name may be too long
        record["wav"] = str((base / path).resolve() if base is not directory else base.resolve() / path)
    return {**record, "split": split} if split else record
