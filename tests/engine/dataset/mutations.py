"""Hostile manifests, drawn from a seed: what a mistake, a broken export or an attacker writes; reads nothing."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import random
import shutil
from pathlib import Path

_HEADER = ["path", "label", "speaker", "split", "text", "duration"]
_NASTY = (
    "../../etc/passwd",
    "/etc/passwd",
    "/dev/zero",
    "/dev/stdin",
    "/proc/self/mem",
    "/proc/kcore",
    "pipe.wav",
    "loop.wav",
    "loop/loop/a.wav",
    "a.wav/",
    "//a.wav",
    "./././a.wav",
    "a\x00b.wav",
    "\x1b]0;owned\x07.wav",
    "\x1b[2J\x1b[31m.wav",
    "[bold]x[/bold].wav",
    "[/]",
    "<script>alert(1)</script>.wav",
    "`id`.wav",
    "$(id).wav",
    "x" * 5000 + ".wav",
    " a.wav ",
    "A.WAV",
    "a.wav\u202ewav.exe",
    "\ud7ff.wav",
    "\uffff.wav",
    "",
    " ",
    "nan",
    "NaN",
    "inf",
    "-inf",
    "1e309",
    "1e-400",
    "0" * 400,
    "9" * 400,
    "-1",
    "1_000",
    "١٢",
    "１２",
    "train",
    "TEST ",
    "eval",
    '"',
    '""',
    "'",
    "=cmd|' /C calc'!A0",
    "\t",
    "\r",
    "\u2028",
    "é",
    "e\u0301",
    "音声.wav",
    "🎧",
    "%s%n",
    "{0.__class__}",
    "{dataset.rows}",
    "clips\\a.wav",
    "~/a.wav",
    "..",
    ".",
    "/",
    "C:\\a.wav",
    "file:///etc/passwd",
    "http://localhost/a.wav",
    "a.wav|cat",
    "1e6",
    "0.0",
    "-0",
)


def folder(base: Path) -> Path:
    """Write the files that rows can name, a pipe and circles of links."""
    base.mkdir(parents=True, exist_ok=True)
    (base / "a.wav").write_bytes(b"RIFF\x24\x00\x00\x00WAVEfmt ")
    for name, target in (("loop", "."), ("loop.wav", "loop.wav")):
        (base / name).symlink_to(target)
    os.mkfifo(base / "pipe.wav")
    return base


def mutated(seed: int) -> bytes:
    """Return a manifest that something is wrong with."""
    draw = random.Random(seed)
    header = list(_HEADER)
    if draw.random() < 0.2:
        draw.shuffle(header)
    if draw.random() < 0.2:
        header[draw.randrange(len(header))] = draw.choice(_NASTY)
    rows = [_row(draw, number) for number in range(draw.choice((0, 1, 2, 5, 40)))]
    for row in rows:
        for _ in range(draw.choice((0, 0, 1, 3))):
            row[draw.randrange(len(row))] = draw.choice(_NASTY)
    delimiter = draw.choice((",", ",", "\t", ";", "|"))
    if draw.random() < 0.2:
        return _bytes(draw, "\n".join(delimiter.join(fields) for fields in [header, *rows]))
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter).writerows([header, *rows])
    whole = written.getvalue().encode("utf-8", "replace")
    return whole if draw.random() < 0.8 else _bytes(draw, written.getvalue())


def _row(draw: random.Random, number: int) -> list[str]:
    label = draw.choice((draw.choice("xyz"), f"{draw.random() * 10:.3f}"))
    split = draw.choice(("train", "val", "test"))
    return [draw.choice(("a.wav", f"{number}.wav")), label, f"s{draw.randrange(4)}", split, "one two", "1.5"]


def _bytes(draw: random.Random, text: str) -> bytes:
    content = bytearray(text.encode(draw.choice(("utf-8", "utf-8", "utf-8", "utf-16", "latin-1")), "replace"))
    for _ in range(draw.choice((0, 0, 1, 4))):
        if content:
            place = draw.randrange(len(content))
            content[place : place + draw.randrange(3)] = bytes(draw.randrange(256) for _ in range(draw.randrange(4)))
    if draw.random() < 0.1:
        del content[draw.randrange(len(content) + 1) :]
    if draw.random() < 0.05:
        content += b'"' + b"x" * 200_000
    return bytes(content)


def mutated_form(seed: int, base: Path) -> Path:
    """Write a manifest of another form than CSV, with something wrong in it, and return it.

    `base` is emptied first, but for the files of `folder`.
    """
    draw = random.Random(seed)
    for path in base.iterdir():
        if path.name not in ("a.wav", "loop", "loop.wav", "pipe.wav"):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    make = draw.choice((_jsonl, _jsonl, _lhotse, _kaldi, _audformat, _folders, _spoken, _parquet))
    return make(draw, base)


def _nasty(draw: random.Random, good: object) -> object:
    return (
        good if draw.random() < 0.85 else draw.choice((*_NASTY, None, True, -1, 1e400, [], {"a": {"b": [1]}}, [[]] * 9))
    )


def _json_line(draw: random.Random, record: dict[str, object]) -> str:
    spoilt = {key: _nasty(draw, value) for key, value in record.items() if draw.random() < 0.95}
    return json.dumps(spoilt if draw.random() < 0.97 else [spoilt])


def _lines(draw: random.Random, base: Path, name: str, records: list[dict[str, object]]) -> Path:
    content = _bytes(draw, "\n".join(_json_line(draw, record) for record in records))
    if draw.random() < 0.3:
        name, content = name + ".gz", gzip.compress(content)
        content = content if draw.random() < 0.7 else content[: draw.randrange(len(content) + 1)]
    (base / name).write_bytes(content)
    return base / name


def _jsonl(draw: random.Random, base: Path) -> Path:
    record = {"audio_filepath": "a.wav", "duration": 1.0, "offset": 0.0, "label": "x", "speaker": "s", "split": "train"}
    return _lines(draw, base, "m.jsonl", [dict(record) for _ in range(draw.randrange(6))])


def _lhotse(draw: random.Random, base: Path) -> Path:
    source: dict[str, object] = {"type": "file", "channels": [0], "source": "a.wav"}
    recording = {"id": "r", "sources": [_nasty(draw, source)], "sampling_rate": 8000, "duration": 1.0}
    said = {"id": "s", "recording_id": "r", "start": 0.0, "duration": 0.5, "speaker": "x"}
    cut = {"id": "c", "start": 0.1, "duration": 0.5, "recording": _nasty(draw, recording), "supervisions": [said]}
    _lines(draw, base, "x_recordings_train.jsonl", [recording])
    _lines(draw, base, "x_supervisions_train.jsonl", [said] * draw.randrange(3))
    return _lines(draw, base, "x_cuts_train.jsonl", [cut] * draw.randrange(4)) if draw.random() < 0.5 else base


def _kaldi(draw: random.Random, base: Path) -> Path:
    tables = {
        "wav.scp": "r1 a.wav\nr2 cat b.sph |\n",
        "segments": "u1 r1 0 0.5\nu2 r1 0.5 1\nu3 r9 0 1\n",
        "utt2spk": "u1 s1\nu2 s2\n",
        "text": "u1 one two\nu2\n",
        "utt2lang": "u1 de\n",
    }
    for name, text in tables.items():
        words = [str(_nasty(draw, word)) for word in text.split(" ")]
        if draw.random() < 0.9 or name == "wav.scp":
            (base / name).write_bytes(_bytes(draw, " ".join(words)))
    return base


def _audformat(draw: random.Random, base: Path) -> Path:
    header = "name: x\nsplits: {train: {type: train}}\ntables: {t: {type: filewise, split_id: train}}\n"
    (base / "db.yaml").write_bytes(_bytes(draw, header if draw.random() < 0.8 else header.replace("filewise", "{[")))
    cells = [str(_nasty(draw, cell)) for cell in ("a.wav", "0 days 00:00:00.5", "NaT", "joy")]
    (base / "db.t.csv").write_bytes(_bytes(draw, "file,start,end,emotion\n" + ",".join(cells) + "\n"))
    return base


def _folders(draw: random.Random, base: Path) -> Path:
    for split in ("train", "dev"):
        (base / split / "yes").mkdir(parents=True)
        shutil.copy(base / "a.wav", base / split / "yes" / "1.wav")
    (base / "train" / "yes" / "again").symlink_to(base / "train")
    if draw.random() < 0.5:
        (base / "train" / "metadata.csv").write_bytes(_bytes(draw, "file_name,label\nyes/1.wav,x\n"))
    return base


def _spoken(draw: random.Random, base: Path) -> Path:
    for speaker in ("19", "84"):
        place = base / "train-clean" / speaker / "198"
        place.mkdir(parents=True)
        names = [f"{speaker}-198-{number}" for number in range(draw.randrange(1, 4))]
        for name in names:
            shutil.copy(base / "a.wav", place / f"{name}.wav")
            if draw.random() < 0.3:
                (place / f"{name}.txt").write_bytes(_bytes(draw, str(_nasty(draw, "0 4679 one two"))))
        listed = "\n".join(f"{_nasty(draw, name)} {_nasty(draw, 'ONE TWO')}" for name in names)
        (place / draw.choice((f"{speaker}-198.trans.txt", "prompts"))).write_bytes(_bytes(draw, listed))
    if draw.random() < 0.3:
        (base / "text").symlink_to(draw.choice(("pipe.wav", "/dev/zero", "/proc/self/mem", "text", "a.wav")))
    return base


def _parquet(draw: random.Random, base: Path) -> Path:
    """Bytes that begin and end like parquet or Arrow: valid files of many readers are out of reach of a mutation."""
    magic, name = draw.choice(((b"PAR1", "m.parquet"), (b"ARROW1\0\0", "m.arrow"), (b"\xff\xff\xff\xff", "m.feather")))
    body = bytes(draw.randrange(256) for _ in range(draw.choice((0, 8, 200))))
    (base / name).write_bytes(magic + body + draw.choice((b"", b"\xff\xff\xff\x7f", b"\x10\0\0\0")) + magic)
    return base / name
