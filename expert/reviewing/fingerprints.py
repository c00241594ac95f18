"""A name for a finding that survives inserted lines, moved functions and changed blanks; compares nothing."""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path

from engine.evidence.script.project import Project, dotted
from knowledge.records import Evidence

_LENGTH = 20
"""Hexadecimal digits: 80 bits, so that a baseline of thousands of findings holds no two alike by chance."""


def fingerprint(project: Project, rule: str, anchor: Evidence | None) -> str:
    """Return the digest of rule, qualified scope and anchor text without blanks.

    A finding without a place is told apart by its rule and the entry file alone.
    """
    if anchor is None or not anchor.path or not anchor.line:
        parts = (rule, dotted(project.entry), "")
    else:
        parts = (rule, scope_at(project, anchor.path, anchor.line), "".join(anchor_text(project, anchor).split()))
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:_LENGTH]


def scope_at(project: Project, path: str, line: int) -> str:
    """Return the qualified name of the function or class around a line, such as `src.train.Runner.fit`."""
    source = project.sources.get(path)
    names = [dotted(path)]
    body: list[ast.AST] = list(source.tree.body) if source else []
    while body:
        around = next((node for node in body if node.lineno <= line <= (node.end_lineno or 0)), None)  # type: ignore[attr-defined]
        if around is None:
            break
        if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.append(around.name)
        body = [node for node in ast.iter_child_nodes(around) if hasattr(node, "lineno")]
    return ".".join(names)


def anchor_text(project: Project, anchor: Evidence) -> str:
    """Return the lines that a piece of evidence names; empty when the file is not to be had."""
    source = project.sources.get(anchor.path or "")
    text = source.text if source else _read(project.root / (anchor.path or ""))
    first = (anchor.line or 1) - 1
    return "\n".join(text.splitlines()[first : max(anchor.end_line or 0, first + 1)])


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace") if path.is_file() else ""
    except OSError:
        return ""
