"""What all rewrites share: statements by line, insertions that leave every other byte alone, imports; no audio."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import libcst as cst


@dataclass
class Syntax:
    """One file as a syntax tree that keeps comments and blanks."""

    module: cst.Module
    lines: dict[cst.CSTNode, tuple[int, int]]
    """First and last line of each node."""
    parents: dict[cst.CSTNode, cst.CSTNode]
    before: dict[cst.CSTNode, list[str]] = field(default_factory=dict)
    """Statements to put before a statement."""
    after: dict[cst.CSTNode, list[str]] = field(default_factory=dict)
    replaced: dict[cst.CSTNode, cst.CSTNode] = field(default_factory=dict)
    wanted: list[str] = field(default_factory=list)
    """Imports to add at the top, unless they are there."""
    top: list[str] = field(default_factory=list)
    """Statements to put below the imports at the top."""

    def nodes(self, *kinds: type[cst.CSTNode]) -> Iterator[cst.CSTNode]:
        """Yield every node of some kinds, in the order of the file."""
        return (node for node in self.lines if isinstance(node, kinds))

    def calls(self, first: int, last: int) -> list[cst.Call]:
        """Return the calls that begin within lines, outermost first."""
        import libcst as cst

        found = [node for node in self.nodes(cst.Call) if first <= self.lines[node][0] <= max(first, last)]
        return [node for node in found if isinstance(node, cst.Call)]

    def around(self, node: cst.CSTNode, *kinds: type[cst.CSTNode]) -> cst.CSTNode | None:
        """Return the nearest node of some kinds that holds `node`."""
        held = self.parents.get(node)
        while held is not None and not isinstance(held, kinds):
            held = self.parents.get(held)
        return held

    def statement(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """Return the line of code that holds `node`."""
        import libcst as cst

        return self.around(node, cst.SimpleStatementLine, cst.SimpleStatementSuite)

    def scope(self, node: cst.CSTNode) -> cst.CSTNode:
        """Return the function around `node`, or the module."""
        import libcst as cst

        return self.around(node, cst.FunctionDef) or self.module

    def within(self, holder: cst.CSTNode, *kinds: type[cst.CSTNode]) -> Iterator[cst.CSTNode]:
        """Yield the nodes of some kinds below `holder`."""
        for node in self.nodes(*kinds):
            above: cst.CSTNode | None = node
            while above is not None and above is not holder:
                above = self.parents.get(above)
            if above is holder:
                yield node

    def code(self, node: cst.CSTNode) -> str:
        """Return the text of a node."""
        return self.module.code_for_node(node).strip()

    def changed(self) -> str:
        """Return the text of the file with everything that was asked for."""
        module = self.module.visit(_transformer(self))
        return _with_top(module, self.wanted, self.top)


MOST_LINES = 2_500
"""Lines of a file that is patched: LibCST takes a second for each thousand, and each patch reads the file again."""

MOST_CHARACTERS = 150_000
DEEPEST = 60
"""Blocks and expressions within each other: LibCST calls itself several times for each, and Python stops at 1,000."""


def _is_deep(text: str) -> bool:
    """Return whether a text nests too deep, or does not parse."""
    try:
        level: list[ast.AST] = [ast.parse(text)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    for _ in range(DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    return bool(level)


def read_syntax(text: str) -> Syntax | None:
    """Return the tree of a file; None when it is too long, or LibCST would not write it back byte for byte."""
    if text.count("\n") > MOST_LINES or len(text) > MOST_CHARACTERS or _is_deep(text):
        return None
    import libcst as cst
    from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider

    try:
        wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
        positions = wrapper.resolve(PositionProvider)
        parents = wrapper.resolve(ParentNodeProvider)
    except (cst.ParserSyntaxError, RecursionError, ValueError, KeyError):  # the last out of too deep a tree
        return None
    if wrapper.module.code != text:
        return None
    lines = {node: (place.start.line, place.end.line) for node, place in positions.items()}
    ordered = dict(sorted(lines.items(), key=lambda item: (item[1][0], -item[1][1])))
    return Syntax(wrapper.module, ordered, dict(parents))


def callee(node: cst.CSTNode) -> str:
    """Return the dotted name that a call calls, as written; empty when it is no name."""
    import libcst as cst

    called = node.func if isinstance(node, cst.Call) else node
    if isinstance(called, cst.Name):
        return called.value
    if isinstance(called, cst.Attribute):
        owner = callee(called.value)
        return f"{owner}.{called.attr.value}" if owner else ""
    return ""


def with_keywords(call: cst.Call, keywords: dict[str, str]) -> cst.Call:
    """Return a call with keywords added, or given another value where they stand already; laid out like its own."""
    import libcst as cst

    arguments = list(call.args)
    for number, argument in enumerate(arguments):
        if argument.keyword is not None and argument.keyword.value in keywords:
            value = cst.parse_expression(keywords.pop(argument.keyword.value))
            arguments[number] = argument.with_changes(value=value)
    if not keywords:
        return call.with_changes(args=arguments)
    trailing = arguments[-1].comma if arguments else cst.MaybeSentinel.DEFAULT
    between = arguments[-2].comma if len(arguments) > 1 else cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    if arguments:
        arguments[-1] = arguments[-1].with_changes(comma=between)
    added = [_keyword(name, value, between) for name, value in keywords.items()]
    added[-1] = added[-1].with_changes(comma=trailing)
    return call.with_changes(args=[*arguments, *added])


def _keyword(name: str, value: str, comma: cst.Comma | cst.MaybeSentinel) -> cst.Arg:
    import libcst as cst

    tight = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
    return cst.Arg(cst.parse_expression(value), keyword=cst.Name(name), equal=tight, comma=comma)


def _transformer(syntax: Syntax) -> cst.CSTTransformer:
    import libcst as cst

    class Rewrite(cst.CSTTransformer):
        def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> cst.CSTNode:  # type: ignore[override]
            updated: cst.CSTNode = syntax.replaced.get(original_node, updated_node)
            before, after = syntax.before.get(original_node, []), syntax.after.get(original_node, [])
            if not before and not after:
                return updated
            if isinstance(updated, cst.SimpleStatementSuite):
                return updated.with_changes(body=[*_small(before), *updated.body, *_small(after)])
            return cst.FlattenSentinel([*_lines(before), updated, *_lines(after)])  # type: ignore[return-value]

    def _small(texts: Sequence[str]) -> list[cst.BaseSmallStatement]:
        return [part for line in _lines(texts) if isinstance(line, cst.SimpleStatementLine) for part in line.body]

    def _lines(texts: Sequence[str]) -> list[cst.BaseStatement]:
        config = syntax.module.config_for_parsing
        return [_parsed(text, config) for text in texts]

    def _parsed(text: str, config: cst.PartialParserConfig) -> cst.BaseStatement:
        statement = cst.parse_statement(text, config=config)
        assert isinstance(statement, cst.BaseStatement)
        return statement

    return Rewrite()


def _with_top(module: cst.Module, wanted: Sequence[str], top: Sequence[str]) -> str:
    """Add imports and statements below the first block of imports; below docstring and `__future__` at least."""
    import libcst as cst

    missing = [each for each in dict.fromkeys(wanted) if not imports(module, each)]
    if not missing and not top:
        return module.code
    config = module.config_for_parsing
    added = [cst.parse_statement(text, config=config) for text in (*missing, *top)]
    body = list(module.body)
    at = _below_imports(body) if top else _below_future(body)
    return module.with_changes(body=[*body[:at], *added, *body[at:]]).code


def imports(module: cst.Module, text: str) -> bool:
    """Return whether an import stands at module level already, whatever else its line imports."""
    import libcst as cst

    wanted = cst.parse_statement(text)
    assert isinstance(wanted, cst.SimpleStatementLine)
    lines = [line for line in module.body if isinstance(line, cst.SimpleStatementLine)]
    return any(_provides(small, wanted.body[0]) for line in lines for small in line.body)


def _provides(has: cst.BaseSmallStatement, wanted: cst.BaseSmallStatement) -> bool:
    import libcst as cst

    if isinstance(wanted, cst.Import) and isinstance(has, cst.Import):
        return any(alias.asname is None and alias.name.deep_equals(wanted.names[0].name) for alias in has.names)
    if (
        isinstance(wanted, cst.ImportFrom)
        and isinstance(has, cst.ImportFrom)
        and not isinstance(has.names, cst.ImportStar)
    ):
        same = has.module is not None and wanted.module is not None and has.module.deep_equals(wanted.module)
        names = wanted.names
        assert not isinstance(names, cst.ImportStar)
        return same and any(alias.asname is None and alias.name.deep_equals(names[0].name) for alias in has.names)
    return False


def _below(body: Sequence[cst.CSTNode], counts: Callable[[cst.CSTNode], bool]) -> int:
    return max((number + 1 for number, line in enumerate(body) if counts(line)), default=0)


def _below_future(body: Sequence[cst.CSTNode]) -> int:
    import libcst as cst

    def first(line: cst.CSTNode) -> bool:
        if not isinstance(line, cst.SimpleStatementLine):
            return False
        small = line.body[0]
        future = isinstance(small, cst.ImportFrom) and getattr(small.module, "value", "") == "__future__"
        docstring = line is body[0] and isinstance(small, cst.Expr) and isinstance(small.value, cst.SimpleString)
        return future or docstring

    return _below(body, first)


def _below_imports(body: Sequence[cst.CSTNode]) -> int:
    """Below the last import of the first run of imports; later ones often follow settings that they need."""
    import libcst as cst

    def is_import(line: cst.CSTNode) -> bool:
        return isinstance(line, cst.SimpleStatementLine) and isinstance(line.body[0], cst.Import | cst.ImportFrom)

    start = _below_future(body)
    end = start
    for number, line in enumerate(body[start:], start):
        if is_import(line):
            end = number + 1
        elif isinstance(line, cst.FunctionDef | cst.ClassDef | cst.For | cst.While | cst.If):
            break
    return end
