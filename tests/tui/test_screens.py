"""How each screen looks: golden text at two sizes, nothing off screen at three, nothing told by colour alone."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tui.screens.audit import AuditScreen
from tui.screens.loop import LoopScreen
from tui.screens.plan import PlanScreen
from tui.widgets.plan_table import PlanTable

from .fakes import make_app, write_plan
from .looking import assert_everything_is_on_screen, assert_golden, drive, look, until

Reach = Callable[[Pilot[None]], Awaitable[None]]


async def plan_start(pilot: Pilot[None]) -> None:
    await pilot.pause()


async def plan_audit(pilot: Pilot[None]) -> None:
    pilot.app.screen.query_one(Input).value = "clips.csv"
    await pilot.press("enter")
    await until(lambda: isinstance(pilot.app.screen, PlanScreen) and pilot.app.screen.data_settled, pilot)


async def plan_question(pilot: Pilot[None]) -> None:
    await plan_audit(pilot)
    await pilot.press("enter")


async def plan_number(pilot: Pilot[None]) -> None:
    await pilot.press("down", "enter", "enter", "0")


async def plan_done(pilot: Pilot[None]) -> None:
    await plan_question(pilot)
    await pilot.press("enter")


async def plan_explanation(pilot: Pilot[None]) -> None:
    await plan_done(pilot)
    table = pilot.app.screen.query_one(PlanTable)
    table.focus()
    table.highlighted = table.get_option_index("pooling.name")
    await pilot.press("enter")


async def plan_fix(pilot: Pilot[None]) -> None:
    await plan_explanation(pilot)
    await pilot.press("f")


async def plan_fixed(pilot: Pilot[None]) -> None:
    await plan_fix(pilot)
    await pilot.press("down", "enter")


async def plan_help(pilot: Pilot[None]) -> None:
    await pilot.press("f1")


async def plan_save(pilot: Pilot[None]) -> None:
    await plan_done(pilot)
    await pilot.press("ctrl+s")


async def audit_start(pilot: Pilot[None]) -> None:
    await pilot.press("f3")


async def audit_done(pilot: Pilot[None]) -> None:
    await pilot.press("f3")
    pilot.app.screen.query_one(Input).value = "clips.csv"
    await pilot.press("enter")
    await until(lambda: isinstance(pilot.app.screen, AuditScreen) and pilot.app.screen.audit is not None, pilot)
    await pilot.pause()


async def audit_clip(pilot: Pilot[None]) -> None:
    await audit_done(pilot)
    await pilot.press("tab", "down")


async def audit_columns(pilot: Pilot[None]) -> None:
    await audit_done(pilot)
    await pilot.press("c")


async def audit_split(pilot: Pilot[None]) -> None:
    await audit_done(pilot)
    await pilot.press("s")


async def audit_apply(pilot: Pilot[None]) -> None:
    await audit_split(pilot)
    await pilot.press("a")


async def audit_measured(pilot: Pilot[None]) -> None:
    await audit_done(pilot)
    await pilot.press("m")


async def loop_empty(pilot: Pilot[None]) -> None:
    await pilot.press("f7")


async def loop_ready(pilot: Pilot[None]) -> None:
    write_plan(Path())
    await pilot.press("f7", "o")
    pilot.app.screen.query_one(Input).value = "plan.yaml"
    await pilot.press("enter")
    await pilot.pause()
    pilot.app.screen.query_one("#remedies").focus()


async def loop_ended(pilot: Pilot[None]) -> None:
    await loop_ready(pilot)
    await pilot.press("ctrl+r")
    await until(lambda: isinstance(pilot.app.screen, LoopScreen) and pilot.app.screen.driver.phase == "ended", pilot)
    await pilot.pause(0.3)


async def loop_remedy(pilot: Pilot[None]) -> None:
    await loop_ended(pilot)
    await pilot.press("enter")


async def loop_second_round(pilot: Pilot[None]) -> None:
    await loop_ended(pilot)
    await pilot.press("a")
    await until(lambda: len(pilot.app.screen.driver.loop.reports) == 2, pilot)  # type: ignore[attr-defined]
    await until(lambda: pilot.app.screen.driver.phase == "ended", pilot)  # type: ignore[attr-defined]
    await pilot.pause(0.3)


async def rules_start(pilot: Pilot[None]) -> None:
    await pilot.press("f8", "enter", "down")


async def rules_found(pilot: Pilot[None]) -> None:
    await pilot.press("f8", "slash", *"pooling")


async def rules_tried(pilot: Pilot[None]) -> None:
    await rules_found(pilot)
    await pilot.press("enter", "e")


async def rules_refuted(pilot: Pilot[None]) -> None:
    await rules_tried(pilot)
    await pilot.press("e")


async def rules_value(pilot: Pilot[None]) -> None:
    await rules_tried(pilot)
    await pilot.press("tab", "tab", "enter")


async def rules_related(pilot: Pilot[None]) -> None:
    await rules_tried(pilot)
    await pilot.press("g")


SCREENS = [
    plan_start, plan_audit, plan_question, plan_number, plan_done, plan_explanation, plan_fix, plan_fixed, plan_help,
    plan_save, audit_start, audit_done, audit_clip, audit_columns, audit_split, audit_apply, audit_measured, loop_empty,
    loop_ready, loop_ended, loop_remedy, loop_second_round,
    rules_start, rules_found, rules_tried, rules_refuted, rules_value, rules_related,
]  # fmt: skip


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("reach", SCREENS, ids=lambda reach: reach.__name__)
def test_screen_is_complete_and_looks_as_before(reach: Reach, size: tuple[int, int]) -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await reach(pilot)
        assert_everything_is_on_screen(pilot.app)
        assert_golden(pilot.app, reach.__name__)

    drive(make_app(), scenario, size)


@pytest.mark.parametrize(
    "reach",
    [
        plan_number,
        plan_explanation,
        plan_fix,
        plan_save,
        audit_done,
        audit_split,
        audit_apply,
        loop_remedy,
        rules_tried,
        rules_value,
    ],
)
def test_a_small_terminal_cuts_nothing_off(reach: Reach) -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await reach(pilot)
        assert_everything_is_on_screen(pilot.app)
        await pilot.press("escape")
        assert_everything_is_on_screen(pilot.app)

    drive(make_app(), scenario, (60, 20))


@pytest.mark.parametrize("reach", [plan_done, audit_done, loop_ended, rules_tried], ids=lambda reach: reach.__name__)
def test_without_colour_the_same_is_told(reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = []

    async def scenario(pilot: Pilot[None]) -> None:
        await reach(pilot)
        texts.append(look(pilot.app))

    drive(make_app(), scenario)
    for file in Path().glob("plan*.yaml"):
        file.unlink()
    monkeypatch.setenv("NO_COLOR", "1")
    app = make_app()
    drive(app, scenario)

    assert app.no_color
    assert texts[0].replace("runs/demo-2", "runs/demo") == texts[1].replace("runs/demo-2", "runs/demo")


def test_the_footer_shows_only_keys_that_are_valid_now() -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        footer = look(pilot.app).splitlines()[-1]
        assert "^s" not in footer
        assert "^r" not in footer
        assert "f1 help" in footer
        await pilot.press("f7")
        footer = look(pilot.app).splitlines()[-1]
        assert "o open" in footer
        for key in ("^r", "x stop", "a apply", "space"):
            assert key not in footer

    drive(make_app(), scenario)


def test_a_mode_keeps_what_was_open_in_it() -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await pilot.press(*"cli", "f7", "f2")
        assert "cli" in look(pilot.app)

    drive(make_app(), scenario)


def test_the_palette_offers_what_the_keys_offer() -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        offered = {command.title for command in pilot.app.get_system_commands(pilot.app.screen)}
        assert {"help", "Audit", "Loop", "command", "quit", "theme"} <= offered
        assert "save" not in offered
        await plan_done(pilot)
        assert "save" in {command.title for command in pilot.app.get_system_commands(pilot.app.screen)}
        await pilot.press("ctrl+p", *"loop", "enter")
        await until(lambda: pilot.app.current_mode == "loop", pilot)

    drive(make_app(), scenario)


def test_an_idle_loop_screen_is_not_repainted(monkeypatch: pytest.MonkeyPatch) -> None:
    painted: list[bool] = []

    async def scenario(pilot: Pilot[None]) -> None:
        await pilot.press("f7")
        await pilot.pause(0.5)
        monkeypatch.setattr(LoopScreen, "show_state", lambda self: painted.append(True))
        await pilot.pause(1.0)

    drive(make_app(), scenario)

    assert painted == []


def test_only_modes_that_are_built_are_named() -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await pilot.press("f1")
        text = look(pilot.app)
        assert not [word for word in ("Train ", "F5") if word in text]

    drive(make_app(), scenario)
