"""Values as a script shows them; knows no plan."""

from __future__ import annotations

from typing import Any

LINE = 120
"""Characters of a line at most."""
_NAME = 20
"""Characters that stand before a call: its name and the equals sign."""


def literal(value: Any) -> str:
    """Return a value as Python, in the quotes of formatters."""
    if isinstance(value, tuple):
        inner = ", ".join(literal(one) for one in value)
        return f"({inner}{',' if len(value) == 1 else ''})"
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' if isinstance(value, str) else repr(value)


def namespace(section: Any, *names: str, indent: int = 0) -> str:
    """Return a call that makes a namespace; over several lines where one would be too long behind `indent`."""
    values = [f"{name}={literal(getattr(section, name))}" for name in names]
    line = f"SimpleNamespace({', '.join(values)})"
    if len(line) + indent < LINE - _NAME:
        return line
    return "SimpleNamespace(\n" + "".join(f"{' ' * (indent + 4)}{value},\n" for value in values) + " " * indent + ")"
