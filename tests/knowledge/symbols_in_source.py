"""Finds a symbol in the source of installed packages by their syntax trees; imports nothing."""

import ast
import re
import sysconfig
from functools import cache
from pathlib import Path

_ROOTS = (Path(sysconfig.get_paths()["purelib"]), Path(sysconfig.get_paths()["stdlib"]))


def is_installed(package: str) -> bool:
    """Return whether a package lies in site-packages or the standard library."""
    return any((root / package).is_dir() or (root / f"{package}.py").is_file() for root in _ROOTS)


def in_source(symbol: str) -> bool:
    """Return whether `package.module.name`, `...Class.method` or `...callable:argument` stands in the source."""
    dotted, _, argument = symbol.partition(":")
    parts = dotted.split(".")
    for split in range(len(parts) - 1, 0, -1):
        module = _file(parts[:split])
        if module is not None:
            node = _found(module, parts[split])
            node = node if len(parts) == split + 1 else _member(node, parts[split + 1])
            return node is not None and (not argument or _takes(node, argument))
    return False


def _file(parts: list[str]) -> Path | None:
    for root in _ROOTS:
        base = root.joinpath(*parts)
        for candidate in (base.with_suffix(".py"), base / "__init__.py", base / "__init__.pyi"):
            if candidate.is_file():
                return candidate
    return None


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


def _found(file: Path, name: str, seen: frozenset[Path] = frozenset()) -> ast.AST | None:
    """Return where `name` is defined: here, or where this module imports it from."""
    if file in seen:
        return None
    seen |= {file}
    imports = []
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            return node
        if isinstance(node, ast.Assign) and any(
            isinstance(each, ast.Name) and each.id == name for each in node.targets
        ):
            return node
        if isinstance(node, ast.ImportFrom) and any(alias.name in (name, "*") for alias in node.names):
            imports.append(node)
    lazy = file.name == "__init__.py" and "_LazyModule" in file.read_text("utf-8")
    for node in sorted(imports, key=lambda each: each.names[0].name == "*"):
        if lazy and node.names[0].name == "*":
            continue
        target = _imported(file, node)
        found = _found(target, name, seen) if target else None
        if found is not None:
            return found
    stub = file.with_suffix(".pyi")
    if stub.is_file():
        return _found(stub, name, seen)
    return _below(file.parent, name) if lazy else None


def _imported(file: Path, node: ast.ImportFrom) -> Path | None:
    parts = (node.module or "").split(".") if node.module else []
    if not node.level:
        return _file(parts)
    base = file.parents[node.level - 1].joinpath(*parts)
    candidates = (base.with_suffix(".py"), base.with_suffix(".pyi"), base / "__init__.py")
    return next((each for each in candidates if each.is_file()), None)


def _below(package: Path, name: str) -> ast.AST | None:
    """Look in all modules of a package that loads its parts when they are asked for."""
    module = _defined_below(package).get(name)
    body = _tree(module).body if module else []
    return next((node for node in body if getattr(node, "name", "") == name), None)


@cache
def _defined_below(package: Path) -> dict[str, Path]:
    return {
        name: module
        for module in sorted(package.rglob("*.py"))
        for name in re.findall(r"^(?:class|def) (\w+)", module.read_text("utf-8"), re.MULTILINE)
    }


def _member(node: ast.AST | None, name: str) -> ast.AST | None:
    return next((each for each in getattr(node, "body", []) if getattr(each, "name", "") == name), None)


def _takes(node: ast.AST, argument: str) -> bool:
    """Return whether a function takes an argument, or a class one: by `__init__`, or as a field."""
    if isinstance(node, ast.FunctionDef):
        return argument in {each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)}
    made = [each for each in getattr(node, "body", []) if getattr(each, "name", "") in ("__init__", "__new__")]
    fields = {each.target.id for each in getattr(node, "body", [])
              if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)}  # fmt: skip
    return argument in fields or any(_takes(each, argument) for each in made)
