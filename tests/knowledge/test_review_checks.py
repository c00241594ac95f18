"""What the review knows of its checks: all of them, with symbols that exist and recipes that are there."""

import json
from pathlib import Path

import pytest

from knowledge.errors import KnowledgeError
from knowledge.loader import load_knowledge
from knowledge.reviewing import DIMENSIONS, ReviewDocument
from tests.knowledge.folder import folder

from .symbols_in_source import in_source, is_installed

KNOWLEDGE = load_knowledge()
ROOT = Path(__file__).parents[2]
IMPLEMENTATIONS = [item for each in KNOWLEDGE.reviews.values() for item in each.implementation]


def test_every_labelled_check_is_known(test_data: Path) -> None:
    with (test_data / "review" / "labels.jsonl").open(encoding="utf-8") as stream:
        labelled = set(json.loads(next(stream))["checks"])
    assert {name for name, each in KNOWLEDGE.reviews.items() if each.is_check} == labelled
    assert len(labelled) == 53


def test_every_dimension_has_checks() -> None:
    assert {each.dimension for each in KNOWLEDGE.reviews.values() if each.is_check} == set(DIMENSIONS)


def test_every_finding_of_the_review_has_a_page() -> None:
    reported = {rule.then.finding for rule in KNOWLEDGE.rules if rule.pack == "review" and rule.then.kind == "finding"}
    assert reported <= set(KNOWLEDGE.reviews) | {"project.unparsable"}
    assert {name for name, each in KNOWLEDGE.reviews.items() if not each.is_check} <= reported | {"project.unparsable"}


@pytest.mark.parametrize("symbol", sorted({item.symbol for item in IMPLEMENTATIONS if item.installed}))
def test_a_symbol_stands_in_the_source_of_its_package(symbol: str) -> None:
    assert in_source(symbol)


def test_symbols_of_packages_that_are_not_installed_are_marked() -> None:
    marked = {item.symbol for item in IMPLEMENTATIONS if not item.installed}
    assert marked == {item.symbol for item in IMPLEMENTATIONS if not is_installed(item.package)}


@pytest.mark.parametrize("symbol", ["torch.nn.utils.clip_grad_normal_", "torch.optim.AdamW:weight_decays", "tarch.nn"])
def test_a_misspelt_symbol_is_noticed(symbol: str) -> None:
    assert not in_source(symbol)


@pytest.mark.parametrize("about", KNOWLEDGE.reviews.values(), ids=list(KNOWLEDGE.reviews))
def test_a_check_says_why_where_and_what_it_asks(about: ReviewDocument) -> None:
    assert about.why.strip() and about.ask.endswith("?") is about.is_check
    assert about.implementation or about.recipe or about.example or about.advisory
    assert not about.recipe or (ROOT / about.recipe).is_file()


def test_a_dimension_that_is_not_that_of_the_id_is_refused(tmp_path: Path) -> None:
    check = "- {review: train.x, dimension: data, title: X, why: Y., source: experience}\n"
    folder(tmp_path, review__all=check)
    with pytest.raises(KnowledgeError, match="starts with its dimension"):
        load_knowledge(tmp_path)


def test_a_finding_that_no_audit_makes_is_refused(tmp_path: Path) -> None:
    check = "- {review: train.x, dimension: train, title: X, why: Y., confirmed_by: nothing, source: experience}\n"
    folder(tmp_path, review__all=check)
    with pytest.raises(KnowledgeError, match=r"finding\.nothing"):
        load_knowledge(tmp_path)
