"""Makes projects that a reviewer may meet and must survive: mutated, random and hostile Python; one for each seed."""

import ast
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

from .hostile_files import FILES
from .hostile_growth import GROWING

SCRIPT = '''"""A training script."""
import argparse
import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from transformers import AutoModel, Trainer, TrainingArguments


class Clips(Dataset):
    def __init__(self, paths, train=True):
        self.paths = paths
        self.train = train

    def __getitem__(self, index):
        wave, rate = torch.load(self.paths[index])
        return (wave + np.random.randn() if self.train else wave), index % 3

    def __len__(self):
        return len(self.paths)


class Net(nn.Module):
    def __init__(self, name="facebook/wav2vec2-base"):
        super().__init__()
        self.backbone = AutoModel.from_pretrained(name)
        for parameter in self.backbone.parameters():
            parameter.requires_grad = False
        self.head = nn.Sequential(nn.Linear(768, 3), nn.Softmax(dim=-1))

    def forward(self, wave):
        return self.head(self.backbone(wave).last_hidden_state.mean(1))


def evaluate(model, loader):
    right = 0
    for wave, label in loader:
        right += (model(wave).argmax(1) == label).sum().item()
    return right / len(loader)


def main(args):
    paths = [f"clip_{number}.pt" for number in range(100)]
    random.shuffle(paths)
    train, test = Clips(paths[:80]), Clips(paths[80:], train=False)
    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    criterion = nn.CrossEntropyLoss()
    best = 0
    for epoch in range(args.epochs):
        model.train()
        for step, (wave, label) in enumerate(DataLoader(train, batch_size=8, shuffle=True)):
            loss = criterion(model(wave), label) / 4
            loss.backward()
            if step % 4 == 3:
                optimizer.step()
                optimizer.zero_grad()
        score = evaluate(model, DataLoader(test))
        if score > best:
            best = score
            torch.save(model.state_dict(), "best.pt")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=1e-4)
    parser.add_argument("--epochs", type=int, default=5)
    main(parser.parse_args())
'''
_WORDS = """
def class for while if else elif try except finally with as import from return yield lambda async await global nonlocal
del pass raise assert in is not and or None True False x y model optimizer loss .step() .backward() torch nn ( ) [ ] { }
: , . = == + - * ** @ ; 1 1e9 'text' f'{x}' # \\ -> := ...
"""
_TOKENS = (*_WORDS.split(), *("\n", "\n", "\n", "\n    ", "\n\t", '"""'))


def write_project(seed: int, root: Path) -> None:
    """Write the project of a seed."""
    draw = random.Random(seed)
    hostile = list(HOSTILE.values())
    if seed % 10 == 0:
        hostile[seed // 10 % len(hostile)](root, draw)
    elif seed % 10 == 1:
        (root / "train.py").write_bytes(draw.randbytes(draw.randrange(3000)))
    elif seed % 10 == 2:
        (root / "train.py").write_text(" ".join(draw.choices(_TOKENS, k=draw.randrange(400))))
    elif seed % 10 == 3:
        (root / "train.ipynb").write_text(_notebook(_mutated(SCRIPT, draw)))
    elif seed % 10 == 4:
        (root / "train.py").write_text(_lines_mixed(SCRIPT, draw))
    elif seed % 10 in (5, 6, 7):
        (root / "train.py").write_text(_trees_mixed(SCRIPT, draw), "utf-8", "surrogatepass")
    else:
        (root / "train.py").write_text(_mutated(SCRIPT, draw), "utf-8", "surrogatepass")
    if seed % 7 == 0:
        (root / "config.yaml").write_text(_mutated("lr: 1e-3\nmodel:\n  name: x\n  layers: [1, 2]\n", draw))


def _mutated(text: str, draw: random.Random) -> str:
    """Remove, double, swap or replace a few pieces."""
    for _ in range(draw.randrange(1, 12)):
        at = draw.randrange(len(text) + 1)
        end = min(len(text), at + draw.choice((1, 1, 2, 5, 40)))
        kind = draw.randrange(5)
        piece = text[at:end]
        if kind == 0:
            piece = ""
        elif kind == 1:
            piece *= 2
        elif kind == 2:
            piece = draw.choice(_TOKENS)
        elif kind == 3:
            piece = chr(draw.choice((0, 9, 12, 13, 34, 39, 40, 92, 233, 0x202E, 0xFEFF, 0x1F600)))
        text = text[:at] + piece + text[end:]
    return text


def _lines_mixed(text: str, draw: random.Random) -> str:
    """Swap, drop and indent whole lines: often still Python, seldom still sense."""
    lines = text.splitlines()
    for _ in range(draw.randrange(1, 6)):
        first, second = draw.randrange(len(lines)), draw.randrange(len(lines))
        kind = draw.randrange(3)
        if kind == 0:
            lines[first], lines[second] = lines[second], lines[first]
        elif kind == 1:
            del lines[first]
        else:
            lines.insert(second, lines[first])
    return "\n".join(lines)


def _trees_mixed(text: str, draw: random.Random) -> str:
    """Put expressions and statements in the place of others, so that it is still Python and seldom still sense."""
    tree = ast.parse(text)
    expressions = [node for node in ast.walk(tree) if isinstance(node, ast.expr) and hasattr(node, "lineno")]
    for _ in range(draw.randrange(1, 10)):
        node, other = draw.choice(list(ast.walk(tree))), draw.choice(expressions)
        for name, value in ast.iter_fields(node):
            if isinstance(value, ast.expr) and not isinstance(node, ast.Assign | ast.For | ast.arg):
                setattr(node, name, other)
            elif isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                draw.shuffle(value)
                value.append(draw.choice(value))
    try:
        mixed = ast.unparse(tree)
    except (RecursionError, ValueError, TypeError):  # an expression that came to stand within itself
        return text
    return mixed if len(mixed) < 100_000 else text


def _notebook(text: str) -> str:
    import json

    cells = [{"cell_type": "code", "source": part} for part in text.split("\n\n\n")]
    return json.dumps({"cells": cells, "nbformat": 4})


def _deep(root: Path, draw: random.Random) -> None:
    (root / "train.py").write_text(f"x = {'(' * 1000}1{')' * 1000}\n{SCRIPT}")


def _deep_calls(root: Path, draw: random.Random) -> None:
    (root / "train.py").write_text(SCRIPT + "y = " + "len(" * 150 + "x" + ")" * 150 + "\n")


def _deep_blocks(root: Path, draw: random.Random) -> None:
    nested = "".join(f"{' ' * depth}if x{depth}:\n" for depth in range(90)) + " " * 90 + "pass\n"
    (root / "train.py").write_text(SCRIPT + nested)


def _long_chain(root: Path, draw: random.Random) -> None:
    (root / "train.py").write_text(SCRIPT + "z = a" + ".b()" * 900 + "\n" + "w = " + " + ".join(["1"] * 3000) + "\n")


def _huge(root: Path, draw: random.Random) -> None:
    (root / "train.py").write_text(SCRIPT)
    (root / "table.py").write_text("DATA = [\n" + "    1234567,\n" * 900_000 + "]\n")


def _huge_entry(root: Path, draw: random.Random) -> None:
    (root / "train.py").write_text(SCRIPT + "x = 1\n" * 300_000)


def _star_loop(root: Path, draw: random.Random) -> None:
    for number in range(6):
        (root / f"m{number}.py").write_text(f"from m{(number + 1) % 6} import *\nv{number} = {number}\n")
    (root / "train.py").write_text("from m0 import *\n" + SCRIPT)


def _null_bytes(root: Path, draw: random.Random) -> None:
    (root / "train.py").write_bytes(SCRIPT.encode() + b"\0\0x = 1\0\n")


def _recursive(root: Path, draw: random.Random) -> None:
    text = "def f(g, n):\n    return f(lambda: g(f, n), n + 1)\n\nclass A:\n    def __call__(self): return A()()\n\n"
    (root / "train.py").write_text(text + "f(f, 0)\nA()()\nx = [x for x in x]\nx.append(x)\n" + SCRIPT)


def _doubling(root: Path, draw: random.Random) -> None:
    doubled = "".join(f"def f{n}(x):\n    f{n - 1}(x); f{n - 1}(x)\n    return f{n - 1}(x)\n" for n in range(1, 40))
    (root / "train.py").write_text("def f0(x): return x\n" + doubled + "f39(1)\n" + SCRIPT)


def _not_a_notebook(root: Path, draw: random.Random) -> None:
    (root / "train.ipynb").write_text("[" * 5000)


def _odd_names(root: Path, draw: random.Random) -> None:
    (root / "a b").mkdir()
    (root / "a b" / "träin\u202e.py").write_text(SCRIPT)
    (root / "link.py").symlink_to(root / "nothing.py")


def _grown(root: Path, draw: random.Random, text: str) -> None:
    (root / "train.py").write_text(f"import torch\n{text}{SCRIPT}")


def _with_files(root: Path, draw: random.Random, write: Callable[[Path, str, random.Random], None]) -> None:
    write(root, SCRIPT, draw)


def _empty(root: Path, draw: random.Random) -> None:
    (root / "train.py").write_text("")


def _growing(root: Path, draw: random.Random) -> None:
    (root / "train.py").write_text("x = 2\n" + "x = x ** x ** 9\n" * 5 + "s = 'a' * 10**9 * 10**9\n" + SCRIPT)


HOSTILE: dict[str, Callable[[Path, random.Random], None]] = {
    "deep brackets": _deep, "deep calls": _deep_calls, "deep blocks": _deep_blocks, "long chain": _long_chain,
    "ten megabytes": _huge, "long entry": _huge_entry, "star imports in a circle": _star_loop,
    "null bytes": _null_bytes, "recursion": _recursive, "doubling calls": _doubling,
    "not a notebook": _not_a_notebook, "odd names": _odd_names, "empty": _empty, "growing numbers": _growing,
    **{name: partial(_grown, text=text) for name, text in GROWING.items()},
    **{name: partial(_with_files, write=write) for name, write in FILES.items()},
}  # fmt: skip
