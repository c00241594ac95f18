"""Projects whose files are hostile: names, links, encodings, settings; each function writes one into a folder."""

import json
import os
import random
from collections.abc import Callable
from pathlib import Path

LOADS = "import yaml, json, hydra\nconfig = yaml.safe_load(open('config.yaml'))\nmore = json.load(open('more.json'))\n"
ESCAPES = "\x1b]0;owned\x07\x1b[2J<script>alert(1)</script>[bold red]&amp;%0A::error::"


def _links(root: Path, script: str, draw: random.Random) -> None:
    (root / "train.py").write_text(script)
    (root / "self.py").symlink_to(root / "self.py")
    (root / "again").symlink_to(root, target_is_directory=True)
    os.mkfifo(root / "pipe.py")


def _odd_bytes_in_names(root: Path, script: str, draw: random.Random) -> None:
    (root / "train.py").write_text("import model\n" + script)
    Path(os.fsdecode(os.fsencode(root) + b"/m\xff\xfe.py")).write_text(script)
    (root / f"net {ESCAPES.replace('/', '')}.py").write_text(script)


def _markup(root: Path, script: str, draw: random.Random) -> None:
    (root / "train.py").write_text(script.replace("loss.backward()", f"loss.backward()  # {ESCAPES}").replace(
        '"facebook/wav2vec2-base"', repr(ESCAPES)))  # fmt: skip


def _encodings(root: Path, script: str, draw: random.Random) -> None:
    name = draw.choice(("utf-16", "utf-8-sig", "latin-1", "cp1252", "utf-7", "rot13", "idna", "hex", "undefined"))
    head = f"# -*- coding: {name} -*-\n" if draw.random() < 0.7 else ""
    kept = name if name in ("utf-16", "utf-8-sig", "latin-1", "cp1252") else "utf-8"
    (root / "train.py").write_bytes((head + "name = 'Äußerung'\n" + script).encode(kept))


def _binary(root: Path, script: str, draw: random.Random) -> None:
    (root / "train.py").write_text(LOADS + script)
    for name in ("net.py", "config.yaml", "more.json", "run.sh", "requirements.txt", "poetry.lock", "Makefile"):
        (root / name).write_bytes(draw.randbytes(2000))
    (root / "notes.ipynb").write_bytes(draw.randbytes(2000))


def _settings(root: Path, script: str, draw: random.Random) -> None:
    aliases = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    (root / "train.py").write_text(LOADS + "print(config, more)\n" + script)
    (root / "config.yaml").write_text(draw.choice((aliases, "a: " + "[" * 3000, "a: &a [*a]\n", "!new:os.system {}")))
    (root / "more.json").write_text(draw.choice(("[" * 50_000, '{"a": 1e999999, "a": NaN}', '"' + "x" * 200_000)))


def _launches(root: Path, script: str, draw: random.Random) -> None:
    (root / "train.py").write_text(script)
    doubled = "A=1\n" + "A=$A$A$A\n" * 60
    (root / "run.sh").write_text(
        f"{doubled}python train.py --lr $A --epochs '{'x' * 9}\npython train.py {'a ' * 30_000}\n"
    )


def _notebook(root: Path, script: str, draw: random.Random) -> None:
    sources = (
        [1, None],
        {"a": 1},
        None,
        script,
        script.splitlines(keepends=True),
        "%%bash\nrm -rf /",
        "!ls\n\x0c\u2028x = 1",
    )
    cells = [{"cell_type": draw.choice(("code", "code", "raw", 3)), "source": draw.choice(sources)} for _ in range(8)]
    (root / "train.ipynb").write_text(json.dumps({"cells": cells, "nbformat": draw.choice((3, 4, "x"))}))


def _line_ends(root: Path, script: str, draw: random.Random) -> None:
    ends = draw.choice(("\r", "\r\n", "\n\x0c\n", "\n# \u2028 \x85 \x1c\n"))
    (root / "train.py").write_bytes(script.replace("\n", ends).encode())


FILES: dict[str, Callable[[Path, str, random.Random], None]] = {
    "links in a circle": _links, "odd bytes in names": _odd_bytes_in_names, "markup and escapes": _markup,
    "weird encodings": _encodings, "binary files": _binary, "hostile settings": _settings,
    "hostile launches": _launches, "hostile notebooks": _notebook, "line ends": _line_ends,
}  # fmt: skip
