"""Pages of search presets and of items of source documents."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from expert.coverage import coverage
from expert.report.coverage import item_document
from expert.report.markdown import render_markdown
from expert.report.preset import preset_document, presets_document
from knowledge.loader import load_knowledge
from tests.knowledge.folder import folder
from tonmeister.cli.rules import command

KNOWLEDGE = load_knowledge()
PRESETS = {preset.preset: preset for preset in KNOWLEDGE.presets}


def page(name: str) -> str:
    return render_markdown(preset_document(PRESETS[name], KNOWLEDGE))


def test_what_follows_from_another_setting_is_a_formula() -> None:
    text = page("search.batch-with-the-root-of-it")

    assert "training.learning\\_rate = 0.0001 \\* (training.batch\\_size / 32) \\*\\* 0.5, 0.001 at most" in text


def test_a_conditional_setting_says_where_it_exists() -> None:
    assert "| training.optimizer is adam or adamw |" in page("search.optimizer")


def test_the_facts_under_which_it_is_offered_read_as_words() -> None:
    assert "- adaptation.method is lora or dora" in page("search.adapters")


def test_stages_say_how_small_their_trials_are() -> None:
    text = page("method.fidelity-ladder")

    assert "| low | random | 64 | 1 h, 3 layers, 1 epochs | 1 |" in text
    assert "| coarse | random | 20 | everything | 1 |" in page("method.production-workflow")


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_has_a_page_with_its_sources(name: str) -> None:
    text = page(name)

    assert all(f"{source}: " in text for source in PRESETS[name].citations)
    assert name in render_markdown(presets_document(KNOWLEDGE))


def test_an_item_shows_what_serves_each_thing_that_it_asks() -> None:
    (row,) = (row for row in coverage(KNOWLEDGE) if row.item.item == "S003-29d")
    text = render_markdown(item_document(row, KNOWLEDGE))

    assert "- plan: served by\n  - placed.on-query-and-value" in text
    assert "- script review: served by\n  - review.adapters-everywhere-on-little-data" in text


@pytest.mark.parametrize(("name", "title"), [("search.adapters", "Rank, place"), ("S000-13a", "S000-13a: Size < 100")])
def test_show_knows_presets_and_items(name: str, title: str) -> None:
    result = CliRunner().invoke(command, ["show", name])

    assert result.exit_code == 0
    assert title in result.stdout


def test_an_item_that_nothing_serves_says_so(tmp_path: Path) -> None:
    root = folder(tmp_path, items__S000="- {item: S000-13a, kinds: RD, says: Few clips.}\n")

    assert (
        "diagnosis: NOTHING serves it"
        in CliRunner().invoke(command, ["show", "S000-13a", "--knowledge", str(root)]).stdout
    )
