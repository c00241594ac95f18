"""One activation of a module, class body or function while a script is read; holds names, and decides nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

from .sources import Source
from .values import Class, External, Scope, Value, either

STARS = "*"
"""Under this name a module holds the package of which it imported everything."""


@dataclass(slots=True)
class Frame:
    """The names in sight and what the activation has returned so far."""

    source: Source
    name: str
    """`<module>` or the qualified name of the function."""
    local: Scope
    outer: tuple[Scope, ...] = ()
    """Scopes of the enclosing functions and the module, nearest first."""
    owner: Class | None = None
    """The class whose method this is."""
    this: Value | None = None
    """What `self` stands for."""
    shared: set[str] = field(default_factory=set)
    """Names declared `global` or `nonlocal`."""
    returned: Value | None = None

    @property
    def module(self) -> Scope:
        """The module's scope."""
        return self.outer[-1] if self.outer else self.local

    def lookup(self, name: str) -> Value | None:
        """Return what a name stands for, or None."""
        for scope in (self.local, *self.outer):
            if name in scope:
                return scope[name]
        stars = self.module.get(STARS)
        package = stars.name if isinstance(stars, External) else ""
        return External(f"{package}.{name}") if package and (name[:1].isupper() or "_" in name) else None

    def bind(self, name: str, value: Value) -> None:
        """Let a name stand for a value."""
        if name in self.shared:
            scope = next((each for each in self.outer if name in each), self.module)
            scope[name] = value
        else:
            self.local[name] = value

    def give(self, value: Value) -> None:
        """Note one value that the activation may return."""
        self.returned = value if self.returned is None else either(self.returned, value)
