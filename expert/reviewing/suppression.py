"""Reads `# tonmeister: ignore[train.grad_clip] reason` on a line, a function or a file; writes no comment.

On the head of a function it speaks for the whole function; alone on a line before the first statement, for the file;
alone on a line elsewhere, for the statement below it. Without a reason it does nothing but earn a remark.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from engine.evidence.script.project import Project
from engine.evidence.script.sources import Source
from knowledge.shown import shown

from .records import Remark, ReviewFinding, Suppressed

_MARK = "tonmeister:"
_COMMENT = re.compile(r"#\s*tonmeister:\s*ignore\s*\[([^\]]*)\]\s*[:-]*\s*(.*)")


@dataclass(frozen=True, slots=True)
class Suppression:
    """One comment that asks for silence."""

    path: str
    line: int
    """Where the comment stands."""
    ids: tuple[str, ...]
    reason: str
    first: int
    last: int
    """The lines that it speaks for."""

    @property
    def place(self) -> str:
        """Where the comment stands, as text."""
        return f"{self.path}:{self.line}"

    def covers(self, path: str, line: int) -> bool:
        """Return whether a line is among those that it speaks for."""
        return self.path == path and self.first <= line <= self.last

    def names(self, finding: ReviewFinding) -> bool:
        """Return whether it asks for silence about this check or rule; `train.*` stands for a dimension."""
        return any(fnmatchcase(name, each) for each in self.ids for name in (finding.id, finding.rule))


def suppressions(project: Project) -> tuple[Suppression, ...]:
    """Return every such comment of a project."""
    marked = (source for source in project.sources.values() if _MARK in source.text)
    return tuple(found for source in marked for found in _of(source))


def suppress(
    findings: Iterable[ReviewFinding], comments: tuple[Suppression, ...]
) -> tuple[tuple[ReviewFinding, ...], tuple[Suppressed, ...], tuple[Remark, ...]]:
    """Divide findings into those that stay and those that a comment silences, with remarks on idle comments."""
    kept, silenced, used = [], [], set()
    for finding in findings:
        comment = next((each for each in comments if _silences(each, finding)), None)
        if comment is None:
            kept.append(finding)
        else:
            used.add(comment)
            silenced.append(Suppressed(finding, comment.reason, comment.place))
    remarks = tuple(_remark(each) for each in comments if each not in used)
    return tuple(kept), tuple(silenced), remarks


def _silences(comment: Suppression, finding: ReviewFinding) -> bool:
    anchor = finding.anchor
    if not comment.reason or not comment.names(finding) or anchor is None:
        return False
    return comment.covers(anchor.path or "", anchor.line or 0)


def _remark(comment: Suppression) -> Remark:
    ids = shown(", ".join(comment.ids))
    if not comment.reason:
        text = f"ignore[{ids}] gives no reason, so it is not followed; write why behind the bracket"
        return Remark("suppression.without-reason", text, comment.path, comment.line)
    text = f"ignore[{ids}] silences nothing that is found here; remove it"
    return Remark("suppression.unused", text, comment.path, comment.line)


def _of(source: Source) -> Iterator[Suppression]:
    for line, column, text in _comments(source.text):
        match = _COMMENT.search(text)
        if match is None:
            continue
        ids = tuple(part.strip() for part in match[1].split(",") if part.strip())
        alone = not source.lines[line - 1][:column].strip()
        first, last = _span(source, line, alone)
        yield Suppression(source.path, line, ids, match[2].strip(), first, last)


def _comments(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield (line, column, text) of each comment that names us; strings are none."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and _MARK in token.string:
                yield token.start[0], token.start[1], token.string
    except (tokenize.TokenError, SyntaxError):  # the parser is more lenient than the tokenizer
        return


def _span(source: Source, line: int, alone: bool) -> tuple[int, int]:
    """Return the lines that a comment on `line` speaks for."""
    first_statement = next((node for node in source.tree.body if not _is_docstring(node)), None)
    if alone and (first_statement is None or line < _start(first_statement)):
        return 1, len(source.lines) + 1
    for node in source.nodes(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef):
        head = _start(node) - alone, node.body[0].lineno - 1
        if head[0] <= line <= max(head[1], node.lineno):
            return _start(node), node.end_lineno or line
    if alone:
        return line, _statement_below(source, line)
    around = [node for node in _simple_statements(source) if node.lineno <= line <= (node.end_lineno or node.lineno)]
    inner = min(around, key=lambda node: (node.end_lineno or node.lineno) - node.lineno, default=None)
    return (inner.lineno, inner.end_lineno or line) if inner is not None else (line, line)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _start(node: ast.stmt) -> int:
    """The first line of a statement, decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(each.lineno for each in decorators)])


def _simple_statements(source: Source) -> Iterator[ast.stmt]:
    return (node for node in ast.walk(source.tree) if isinstance(node, ast.stmt) and not hasattr(node, "body"))


def _statement_below(source: Source, line: int) -> int:
    """Return the last line of the statement that follows `line`; of a compound one, of its head."""
    below = [node for node in ast.walk(source.tree) if isinstance(node, ast.stmt) and node.lineno > line]
    following = min(below, key=lambda node: node.lineno, default=None)
    if following is None:
        return line
    body = getattr(following, "body", None)
    return max(following.lineno, body[0].lineno - 1) if body else following.end_lineno or following.lineno
