"""What a finding is told beside: the checkpoint that a script starts from, and switches that nothing reads."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator

from knowledge.records import Evidence, Measured

from ..calls import texts
from ..functions import reached_lines
from ..script import Script
from ..sources import Source
from .answers import there
from .layers import used_backbones

_CHECKPOINT = re.compile(r"^[\w.-]+/[\w.-]+$")
"""The form of a name on a model hub."""
_FOR_OTHERS = {"local_rank", "local-rank", "h", "help", "f", "config", "version"}
"""Flags that launchers and notebooks pass, whether or not a script reads them."""
_ALL_AT_ONCE = re.compile(
    r"\*\*\s*vars\(|\*\*\s*\w+\.__dict__|from_argparse_args|args\s*=\s*args\b|exec\(|eval\(\s*f?[\"']"
)
"""Ways of handing all flags on at once, or of reading them by a name that is computed."""


def measure_context(script: Script) -> Measured:
    """Return `script.checkpoint` and `script.dead_flags`, each only where reading tells it."""
    return _checkpoint(script) + _flags(script)


def _checkpoint(script: Script) -> Measured:
    found = {}
    for each in used_backbones(script):
        first = each.call.arguments[0] if each.call.arguments else None
        for name in texts(first, deepest=3):
            if _CHECKPOINT.match(name) and not name.endswith((".py", ".json", ".pt", ".ckpt", ".yaml")):
                found[name] = each.call
    if len(found) != 1:
        return Measured()
    name, call = next(iter(found.items()))
    return there(script, "script.checkpoint", name, script.of(call))


def _flags(script: Script) -> Measured:
    """Return how many switches of the command line nothing in the project reads."""
    shown = list(dict.fromkeys(_unread(script)))
    return there(script, "script.dead_flags", len(shown), *shown) if shown else Measured()


def _unread(script: Script) -> Iterator[Evidence]:
    flags = [(source, node, name) for source, node, name in _defined(script) if name not in _FOR_OTHERS]
    everything = [source.text for source in script.project.sources.values()] if flags else []
    if any(_ALL_AT_ONCE.search(text) for text in everything):
        return
    said = Counter(word for text in everything for word in re.findall(r"\w+", text))
    for source, node, name in flags:
        if said[name] <= re.findall(r"\w+", ast.unparse(node)).count(name):
            yield script.evidence(source.place(node), f"--{name} is parsed, and nothing reads it")


def _defined(script: Script) -> Iterator[tuple[Source, ast.Call, str]]:
    """Yield the switches that files of the launch define, with the name under which each is read."""
    for path in reached_lines(script):
        source = script.project.sources.get(path)
        for node in ast.walk(source.tree) if source else ():
            name = _flag(node)
            if name and source is not None and isinstance(node, ast.Call):
                yield source, node, name


def _flag(node: ast.AST) -> str:
    """Return the name under which a switch is read, or nothing when this defines none."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr != "add_argument":
        return ""
    said = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    dest = next((k.value.value for k in node.keywords if k.arg == "dest" and isinstance(k.value, ast.Constant)), None)
    long = [name for name in said if name.startswith("--")]
    return str(dest or (long[0][2:].replace("-", "_") if long else ""))
