"""The Rules mode as a person uses it: keyboard only, through Textual's Pilot, on the small and the shipped rulebook."""

from dataclasses import replace

from textual.pilot import Pilot
from textual.widgets import Input

from knowledge.loader import load_knowledge
from knowledge.own import Own
from knowledge.rulebook import Knowledge
from tui.app import TonmeisterApp
from tui.contents import SECTION, contents, found, page_of, rules_of
from tui.screens.ask import Ask
from tui.screens.rules import RulesScreen
from tui.widgets.command import CommandLine
from tui.widgets.rule_lists import ContentsList, TrialList

from .fakes import KNOWLEDGE, make_app
from .looking import drive, look, until

SHIPPED = load_knowledge()


def shipped() -> TonmeisterApp:
    return make_app(knowledge=SHIPPED)


def screen(pilot: Pilot[None]) -> RulesScreen:
    assert isinstance(pilot.app.screen, RulesScreen)
    return pilot.app.screen


def command(pilot: Pilot[None]) -> str:
    return screen(pilot).query_one(CommandLine).command


async def read(pilot: Pilot[None], line: str) -> None:
    await pilot.press("f8")
    screen(pilot).go_to(line)
    await pilot.pause()


def test_every_line_of_the_shipped_book_has_a_page_and_every_rule_a_line() -> None:
    sections = [line.id for line in contents(SHIPPED, ())]
    lines = contents(SHIPPED, sections)
    assert {line.id for line in lines if line.kind == "rule"} == {rule.id for rule in SHIPPED.rules}
    assert {line.id for line in lines if line.kind == "table"} == {f"table:{r.table}" for r in SHIPPED.rules if r.table}
    assert next(line.text for line in lines if line.kind == "section").startswith("plan")
    for line in lines:
        assert rules_of(SHIPPED, line.id)
        assert len(page_of(SHIPPED, line.id)) > 1
    assert len(contents(SHIPPED, ())) < len(lines)


def test_a_search_finds_tables_before_rules() -> None:
    lines = found(SHIPPED, "adapter-rank")
    assert lines[0].id == "table:adapter-rank"
    assert "rank.4-for-small-data" in [line.id for line in lines]
    assert not found(SHIPPED, "xylophone-of-mars")


def test_a_section_opens_and_closes() -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await pilot.press("f8")
        assert "Cross-entropy for classes" not in [row.id for row in screen(pilot).query_one(ContentsList).rows]
        closed = len(screen(pilot).query_one(ContentsList).rows)
        await pilot.press("enter")
        assert len(screen(pilot).query_one(ContentsList).rows) > closed
        assert screen(pilot).line.startswith(SECTION)
        await pilot.press("enter")
        assert len(screen(pilot).query_one(ContentsList).rows) == closed
        assert command(pilot) == "tonmeister rules list"

    drive(make_app(), scenario)


def test_a_search_shows_what_it_found_and_the_same_command() -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await pilot.press("f8", "slash", *"few clips")
        assert "2 rules found" in look(pilot.app)
        assert screen(pilot).line == "pooling.few-clips"
        await pilot.press("enter", "enter")
        assert command(pilot) == "tonmeister rules show pooling.few-clips"
        await pilot.press("escape", "escape")
        assert screen(pilot).query_one(Input).value == ""
        assert screen(pilot).line == "pooling.few-clips", "the rule that was found stays in view"

    drive(make_app(), scenario)


def test_nothing_found_is_said_and_nothing_can_be_tried() -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await pilot.press("f8", "slash", *"xylophone", "enter", "e", "g")
        assert "Nothing in the rulebook holds all these words." in look(pilot.app)
        assert screen(pilot).values == {}

    drive(make_app(), scenario, (120, 40))


def test_examples_are_tried_in_turn_and_forgotten() -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await read(pilot, "pooling.few-clips")
        assert "cannot tell yet: dataset.clips < 1000" in " ".join(look(pilot.app).split())
        await pilot.press("e")
        assert screen(pilot).values == {"dataset.clips": 10}
        assert "fires: pooling.name becomes mean" in look(pilot.app)
        assert command(pilot) == "tonmeister rules try pooling.few-clips --set=dataset.clips=10"
        assert {"pooling.few-clips", "dropout.few-clips"} <= screen(pilot).fired
        await pilot.press("e")
        assert "does not fire" in look(pilot.app)
        assert "it is 1000" in look(pilot.app)
        await pilot.press("x")
        assert screen(pilot).values == {}
        assert screen(pilot).fired == frozenset()

    drive(make_app(), scenario)


def test_a_value_is_set_and_taken_back() -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await read(pilot, "pooling.classes")
        screen(pilot).query_one(TrialList).focus()
        await pilot.press("enter")
        await until(lambda: isinstance(pilot.app.screen, Ask), pilot)
        await pilot.press("enter")
        assert screen(pilot).values == {"task.type": "classification"}
        assert "fires: pooling.name becomes attention" in look(pilot.app)
        await pilot.press("enter", "end", "enter")
        assert screen(pilot).values == {}
        await pilot.press("enter", "escape")
        assert screen(pilot).values == {}

    drive(make_app(), scenario)


def test_a_rule_that_loses_says_to_which_and_leads_there_and_back() -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await read(pilot, "pooling.classes")
        screen(pilot).try_values({"task.type": "classification", "dataset.clips": 10})
        await pilot.pause()
        text = " ".join(look(pilot.app).split())
        assert "pooling.few-clips wins on strength" in text
        await pilot.press("g")
        await until(lambda: isinstance(pilot.app.screen, Ask), pilot)
        await pilot.press("enter")
        assert screen(pilot).line == "pooling.few-clips"
        screen(pilot).query_one(ContentsList).focus()
        await pilot.press("escape")
        assert screen(pilot).line == "pooling.classes"

    drive(make_app(), scenario)


def test_what_the_interview_knows_is_tried() -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        screen_of_plan = pilot.app.interview  # type: ignore[attr-defined]
        screen_of_plan.answer("dataset.clips", 12)
        await read(pilot, "pooling.few-clips")
        await pilot.press("i")
        assert screen(pilot).values["dataset.clips"] == 12
        assert "pooling.name" not in screen(pilot).values, "conclusions are drawn anew"
        assert "fires: pooling.name becomes mean" in look(pilot.app)

    drive(make_app(), scenario)


def test_a_table_is_shown_as_a_table_and_its_rows_lead_to_their_rules() -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await read(pilot, "table:adapter-rank")
        assert "tiny or small" in look(pilot.app)
        assert "cannot tell yet which row fires" in look(pilot.app)
        await pilot.press("e")
        assert "rank.4-for-small-data fires" in look(pilot.app)
        trials = screen(pilot).query_one(TrialList)
        trials.focus()
        await pilot.press("end", "enter")
        assert screen(pilot).line == "rank.16-for-large-data"

    drive(shipped(), scenario, (120, 40))


def test_every_shipped_rule_can_be_shown_and_its_first_example_fires_it() -> None:
    async def scenario(pilot: Pilot[None]) -> None:
        await pilot.press("f8")
        for rule in SHIPPED.rules[::50]:
            screen(pilot).go_to(rule.id)
            example = next(example for example in rule.examples if example.fires)
            screen(pilot).try_values(example.given)
            await pilot.pause()
            assert rule.id in screen(pilot).fired, rule.id

    drive(shipped(), scenario)


def test_names_in_a_rulebook_of_others_cannot_write_to_the_terminal() -> None:
    hostile = KNOWLEDGE.rules[0]
    rule = replace(hostile, title="\x1b[2J[bold]x[/bold]", because="\x1b[2J")
    knowledge = Knowledge(**{**KNOWLEDGE.__dict__, "rules": (rule, *KNOWLEDGE.rules[1:])})

    async def scenario(pilot: Pilot[None]) -> None:
        await read(pilot, rule.id)
        assert "\x1b" not in look(pilot.app)
        assert r"\x1b[2J[bold]x[/bold]" in look(pilot.app)

    drive(make_app(knowledge=knowledge), scenario, (120, 40))


def test_silenced_rules_are_listed_with_who_silenced_them_and_where() -> None:
    rule = KNOWLEDGE.rules[0]
    own = Own(rule.id, "silenced", "rule", "project", "Jane", "Ours differ.", "project/mine.yaml", 3)
    rest = tuple(other for other in KNOWLEDGE.rules if other != rule)
    book = replace(KNOWLEDGE, rules=rest, silenced=(replace(rule, own=own),), own=(own,))

    async def scenario(pilot: Pilot[None]) -> None:
        await pilot.press("f8", "slash", *"silenced", "enter")
        await pilot.pause()
        shown = look(pilot.app)
        assert screen(pilot).line == rule.id
        assert command(pilot) == f"tonmeister rules show {rule.id}"
        assert "1 rule found" in shown
        assert "silenced by the project, Jane" in shown
        assert "project/mine.yaml:3" in shown
        assert "Ours differ." in shown

    drive(make_app(knowledge=book), scenario)
    lines = contents(book, {SECTION + rule.file})
    assert next(line.mark for line in lines if line.id == rule.id) == "silenced by the project, Jane"
    assert next(line.note for line in lines if line.id == SECTION + rule.file).endswith("1 silenced")
