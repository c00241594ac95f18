"""The application: its modes, its keys, and `run`. Reasons nothing, never imports torch."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, cast, get_args

from textual import on, work
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.screen import Screen

from engine.evidence.machine import measure_machine
from expert.consultation.reviewing import ReviewRequest
from knowledge.layers import knowledge_in_force
from knowledge.records import Measured
from knowledge.rulebook import Knowledge

from .auditing import AuditRequest
from .block import Block
from .interview import InterviewState
from .keys import Place, bindings, keys_of, spell_keys
from .saved import read_interview, save_interview, take_over
from .screens.audit import AuditScreen
from .screens.diagnose import DiagnoseScreen
from .screens.loop import LoopScreen
from .screens.page import Page
from .screens.plan import PlanScreen
from .screens.review import ReviewScreen
from .screens.rules import RulesScreen
from .widgets.command import CommandLine

MOVING = "Tab goes to the next pane, arrows move in it, enter opens or chooses, escape goes back."


class TonmeisterApp(App[None]):
    """One mode for each job, over one knowledge base."""

    TITLE = "Tonmeister"
    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings("everywhere")
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (76, "-normal"), (110, "-wide")]  # noqa: RUF012 - so declared by App
    VERTICAL_BREAKPOINTS = [(0, "-short"), (23, "-medium"), (34, "-tall")]  # noqa: RUF012

    def __init__(
        self,
        knowledge: Knowledge,
        machine: Measured,
        *,
        manifest: Path | None = None,
        plan: Path | None = None,
        audit: AuditRequest | None = None,
        review: ReviewRequest | None = None,
        diagnose: Path | None = None,
        mode: str = "plan",
    ) -> None:
        super().__init__()
        self.interview = InterviewState(knowledge, machine)
        self.device = device_name(machine)
        self.first_mode = mode
        self.plan_screen = PlanScreen(self.interview, manifest)
        self.audit_screen = AuditScreen(knowledge, audit)
        self.review_screen = ReviewScreen(knowledge, review)
        self.diagnose_screen = DiagnoseScreen(knowledge, diagnose)
        self.loop_screen = LoopScreen(knowledge, plan)
        self.rules_screen = RulesScreen(knowledge, self.interview)

    async def on_mount(self) -> None:
        """Open the first mode."""
        self.add_mode("plan", lambda: self.plan_screen)
        self.add_mode("audit", lambda: self.audit_screen)
        self.add_mode("review", lambda: self.review_screen)
        self.add_mode("diagnose", lambda: self.diagnose_screen)
        self.add_mode("loop", lambda: self.loop_screen)
        self.add_mode("rules", lambda: self.rules_screen)
        await self.switch_mode(self.first_mode)

    async def action_show(self, mode: str) -> None:
        """Go to a mode; what was open in it is still there."""
        await self.switch_mode(mode)

    @on(PlanScreen.PlanReady)
    async def _train(self, event: PlanScreen.PlanReady) -> None:
        await self.switch_mode("loop")
        if self.loop_screen.open_plan(event.path):
            self.loop_screen.action_train()

    @on(DiagnoseScreen.PlanReady)
    async def _try_remedy(self, event: DiagnoseScreen.PlanReady) -> None:
        await self.switch_mode("loop")
        self.loop_screen.open_plan(event.path)

    @on(AuditScreen.PlanWanted)
    async def _plan(self, event: AuditScreen.PlanWanted) -> None:
        await self.switch_mode("plan")
        self.plan_screen.take_audit(event.audit, event.request)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """List what can be done now, for the command palette."""
        for key in keys_of(self.place):
            namespace, _, name = key.action.rpartition(".")
            target = self if namespace == "app" else screen
            if target.check_action(name.partition("(")[0], ()):
                yield SystemCommand(key.label, key.help, partial(screen.run_action, key.action))
        yield SystemCommand("theme", "Choose the colours.", self.action_change_theme)

    @property
    def place(self) -> Place:
        """The mode that is open."""
        return cast("Place", self.current_mode) if self.current_mode in get_args(Place) else "plan"

    def action_help(self) -> None:
        """Show what the keys of this mode do."""
        lines = [(spell_keys(key.keys), key.help) for key in keys_of(self.place)]
        width = max(len(key) for key, _ in lines)
        keys = Block("", tuple(f"{key:<{width}}  {text}" for key, text in lines))
        self.push_screen(Page("keys", [keys, Block("", (MOVING,))]))

    def action_show_command(self) -> None:
        """Show the whole equivalent command line and copy it."""
        if lines := self.screen.query(CommandLine):
            command = lines.first().command
            self.copy_to_clipboard(command)
            self.push_screen(Page("the same without the interface", [Block("copied to the clipboard", (command,))]))

    async def action_quit(self) -> None:
        """Stop training, wait for its last checkpoint, and quit."""
        self._leave()

    @work
    async def _leave(self) -> None:
        if self.loop_screen.driver.busy:
            self.notify("Stopping training; its last checkpoint is being written.", title="Quit")
        await self.loop_screen.stopped()
        self.exit()


def device_name(machine: Measured) -> str:
    """Return where training would run, for the first line."""
    memory, cores = machine.get("machine.gpu_memory_gib"), machine.get("machine.cpu_cores")
    if machine.get("machine.gpu"):
        return "gpu" + (f" {memory:.0f} GiB" if isinstance(memory, (int, float)) else "")
    return "cpu" + (f" {cores} cores" if cores is not None else "")


def run(
    manifest: Path | None = None,
    plan: Path | None = None,
    audit: AuditRequest | None = None,
    review: ReviewRequest | None = None,
    diagnose: Path | None = None,
    mode: str = "plan",
    session: Path | None = None,
) -> int:
    """Open the interface and return the exit status; the interview is kept in `session`, and goes on from there.

    Raises:
        KnowledgeError: the rulebooks cannot be loaded.
        InputError: `session` holds something else.
    """
    saved = read_interview(session) if session is not None and session.exists() else None
    manifest = saved.manifest if saved is not None and manifest is None else manifest
    given: dict[str, Any] = {"manifest": manifest, "plan": plan, "audit": audit, "review": review,
                             "diagnose": diagnose}  # fmt: skip
    app = TonmeisterApp(knowledge_in_force(), measure_machine(), **given, mode=mode)
    if saved is not None:
        take_over(saved, app.interview)
    if session is not None:
        app.interview.keep = partial(save_interview, app.interview, session)
    app.run()
    if app.loop_screen.driver.phase == "stopped":
        print(f"The loop can go on where it was stopped:\n  {app.loop_screen.driver.command()}", file=sys.stderr)
    return app.return_code or 0
