"""Reads a project as if it ran: follows the launch through modules, functions and loops, and notes every call.

An abstract interpreter over the syntax tree. It executes nothing of the user's, imports nothing of the user's, and
judges nothing: it fills a `Trace`. Both branches of an undecided condition are read, loops once, each function at most
a few times; what is left out for that is named in `cut`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager

from knowledge.profiles import Reading

from . import expressions, hooks, invocation, statements
from .calls import Call, Context, Guard, Loop, Trace
from .configuration import Configurations
from .frame import Frame
from .places import Place
from .project import Project
from .values import Code, Const, Function, Instance, Scope, Unknown, Value

MOST_STEPS = 150_000
"""Statements and calls read in all: 20 times what the largest project at hand needs."""
MOST_RUNS = 10
"""Times that one function is read: enough for every caller of a helper, too few for recursion to matter."""
DEEPEST = 24
"""Functions of the project within each other."""


class Interpreter:
    """One reading of one project."""

    def __init__(self, project: Project, reading: Reading) -> None:
        self.project = project
        self.reading = reading
        self.configurations = Configurations(project)
        self.trace = Trace()
        self.modules: dict[str, Scope] = {}
        self.started = project.entry
        """The file that is run: the entry file, or one that imports it where it trains only when it is called."""
        self.cut: list[str] = []
        """What was not read to the end, in words."""
        self.instances: list[Instance] = []
        """Objects of the project's own classes, in the order of their making."""
        self.runs: dict[int, int] = {}
        """How often each function was read, by its node."""
        self.active: list[int] = []
        """Nodes of the functions that are being read."""
        self.steps = 0
        self.stack: list[tuple[str, Place]] = []
        self.loops: list[Loop] = []
        self.guards: list[Guard] = []
        self.contexts: list[Context] = []
        self.hook = ""
        self.main = True

    def read(self) -> Trace:
        """Follow the launch, then what frameworks call back, then what only lies in the project."""
        self.module(self.project.entry)
        for launcher in self.project.launchers():
            if not hooks.is_library(self):
                break
            self.started = launcher
            self.modules.pop(launcher, None)
            self.module(launcher)
        if hooks.is_library(self):
            hooks.open_library(self)
        hooks.call_back(self)
        self.main = False
        for path in sorted(self.project.sources):
            self.module(path)
        hooks.visit_the_rest(self)
        return self.trace

    def module(self, path: str) -> Scope:
        """Return the names of a module, reading it at its first import."""
        if path in self.modules:
            return self.modules[path]
        scope = self.modules[path] = {}
        source = self.project.sources.get(path)
        if source is None:
            return scope
        entry = path == self.started and self.main
        scope["__name__"] = Const("__main__" if entry else path.rpartition("/")[2].removesuffix(".py"))
        scope["__file__"] = Const(path)
        frame = Frame(source, f"<{path}>", scope)
        with self._fresh(f"<{path}>", Place(path, 1)):
            statements.run_block(self, frame, source.tree.body)
        return scope

    def member_of_module(self, module: Code, name: str) -> Value | None:
        """Return what a module of the project calls `name`: a name in it, or a module below it."""
        scope = self.module(module.module) if not module.module.endswith("/") else {}
        if name in scope:
            return scope[name]
        folder = module.module.removesuffix("__init__.py").rstrip("/")
        if module.module.endswith(("/", "__init__.py")):
            below = self.project.find(name, f"{folder}/__init__.py", 1)
            if below is not None:
                return Code(below)
        return None

    def evaluate(self, frame: Frame, node: ast.expr | None) -> Value:
        """Return what an expression stands for."""
        return expressions.evaluate(self, frame, node)

    def call(self, frame: Frame, callee: Value, arguments: list[Value], keywords: dict[str, Value], node: ast.AST,
             complete: bool = True) -> Value:  # fmt: skip
        """Call something, and note it."""
        return invocation.call(self, callee, arguments, keywords, frame.source.place(node), complete)

    def step(self) -> bool:
        """Count one step; False when the reading has gone on for too long."""
        self.steps += 1
        if self.steps == MOST_STEPS:
            self.cut.append(f"reading stopped after {MOST_STEPS} steps")
        return self.steps < MOST_STEPS

    def too_deep(self, name: str) -> None:
        """Say that something is nested deeper than it can be read."""
        self.leave(f"{name} is nested deeper than can be read")

    def leave(self, text: str) -> None:
        """Say what of the launch is not read."""
        if text not in self.cut:
            self.cut.append(text)

    def note(self, name: str, place: Place, arguments: list[Value], keywords: dict[str, Value], *,
             receiver: Value | None = None, complete: bool = True) -> Call:  # fmt: skip
        """Add a call to the trace."""
        call = Call(
            name, place, tuple(arguments), dict(keywords), receiver, None, complete,
            tuple(name for name, _ in self.stack), tuple(place for _, place in self.stack), tuple(self.loops),
            tuple(self.guards), tuple(self.contexts), len(self.trace.calls), self.main, self.hook,
        )  # fmt: skip
        self.trace.calls.append(call)
        return call

    def may_enter(self, function: Function) -> bool:
        """Return whether a function is read once more."""
        known = id(function.node)
        if known in self.active or len(self.stack) >= DEEPEST or self.runs.get(known, 0) >= MOST_RUNS:
            return False
        return self.step()

    @contextmanager
    def entered(self, function: Function, place: Place) -> Iterator[None]:
        """Count and stack one activation of a function."""
        known = id(function.node)
        self.runs[known] = self.runs.get(known, 0) + 1
        self.active.append(known)
        self.stack.append((function.name, place))
        try:
            yield
        finally:
            self.stack.pop()
            self.active.pop()

    @contextmanager
    def _fresh(self, name: str, place: Place) -> Iterator[None]:
        """Read a module outside the loops and conditions of whoever imports it."""
        held = self.loops, self.guards, self.contexts
        self.loops, self.guards, self.contexts = [], [], []
        self.stack.append((name, place))
        try:
            yield
        finally:
            self.stack.pop()
            self.loops, self.guards, self.contexts = held

    @contextmanager
    def guarded(self, guard: Guard) -> Iterator[None]:
        """Read something that stands under an undecided condition."""
        self.guards.append(guard)
        try:
            yield
        finally:
            self.guards.pop()

    @contextmanager
    def inside(self, context: Context | None) -> Iterator[None]:
        """Read something inside a `with` block or a decorator."""
        if context is None:
            yield
            return
        self.contexts.append(context)
        try:
            yield
        finally:
            self.contexts.pop()

    @contextmanager
    def looping(self, loop: Loop) -> Iterator[None]:
        """Read the body of a loop."""
        self.loops.append(loop)
        try:
            yield
        finally:
            self.loops.pop()

    def unknown(self, reason: str, place: Place | None = None) -> Unknown:
        """Return a value that reading does not tell."""
        return Unknown(reason, place)
