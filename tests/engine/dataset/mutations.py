"""Hostile manifests, drawn from a seed: what a mistake, a broken export or an attacker writes; reads nothing."""

from __future__ import annotations

import csv
import io
import os
import random
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
