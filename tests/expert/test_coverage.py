"""What serves the rows of the source documents, and what is noticed when nothing does."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from expert.coverage import coverage, mistakes
from knowledge.errors import KnowledgeError
from knowledge.loader import load_knowledge
from knowledge.rulebook import Knowledge
from tests.knowledge.folder import RULE, folder

ITEM = """
- {item: S000-13a, kinds: RC, says: Few clips.}
- {item: S000-13b, kinds: D, says: More clips.}
- {item: S000-14, kinds: T, says: A feature.}
"""
SERVED = """
- served: features
  by: trainer
  state: planned
  items: {S000-14: it comes with the trainer}
- served: diagnosis
  by: left out
  kinds: D
  state: left out
  items: {S000-13b: nothing can be said about it}
"""


def small(root: Path, rules: str = RULE, served: str = SERVED, items: str = ITEM) -> Knowledge:
    return load_knowledge(folder(root, rules, items__S000=items, items__served=served))


def test_a_citation_serves_the_kind_of_its_pack(tmp_path: Path) -> None:
    rows = {row.item.item: row for row in coverage(small(tmp_path))}

    assert rows["S000-13a"].cells[0].citing == ("adaptation.frozen",)
    assert rows["S000-13b"].cells[0].citing == ()


def test_all_rows_served_by_citation_or_by_hand_is_no_mistake(tmp_path: Path) -> None:
    assert list(mistakes(small(tmp_path))) == []


def test_a_row_without_citation_is_a_mistake(tmp_path: Path) -> None:
    found = list(mistakes(small(tmp_path, RULE.replace("source: S000-13a", "source: experience"))))

    assert found == ["S000-13a: nothing serves what it asks of plan"]


def test_a_citation_of_a_group_serves_none_of_its_rows(tmp_path: Path) -> None:
    assert list(mistakes(small(tmp_path, RULE.replace("S000-13a", "S000-13")))) != []


def test_left_out_and_cited_is_a_mistake(tmp_path: Path) -> None:
    served = SERVED.replace("kinds: D", "kinds: RD").replace(
        "items: {S000-13b", "items: {S000-13a: not wanted, S000-13b"
    )

    assert any(
        "left out by diagnosis (plan), and cited by adaptation.frozen" in mistake
        for mistake in mistakes(small(tmp_path, served=served))
    )


def test_a_line_about_kinds_that_a_row_does_not_ask_is_a_mistake(tmp_path: Path) -> None:
    served = SERVED.replace("kinds: D", "kinds: DA")

    assert any("kinds that it does not ask, A" in mistake for mistake in mistakes(small(tmp_path, served=served)))


def test_a_citation_of_a_row_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="S000 has no item S000-99"):
        small(tmp_path, RULE.replace("S000-13a", "S000-99"))


def test_without_items_any_row_of_a_known_document_may_be_cited(tmp_path: Path) -> None:
    assert load_knowledge(folder(tmp_path)).rules


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("kinds: D", "kinds: T", "not served by rules"),
        ("it comes with the trainer", "later", "a few words"),
        ("state: planned", "state: there", "names in `see`"),
        ("S000-14: it", "S000-1: it", "items"),
    ],
)
def test_a_line_written_by_hand_is_checked(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(KnowledgeError, match=says):
        small(tmp_path, served=SERVED.replace(old, new))


def test_removing_any_citation_of_the_only_rule_uncovers_its_row() -> None:
    knowledge = load_knowledge()
    only = next(cell for row in coverage(knowledge) for cell in row.cells if len(cell.citing) == 1 and not cell.served)
    rules = tuple(rule for rule in knowledge.rules if rule.id != only.citing[0])
    presets = tuple(preset for preset in knowledge.presets if preset.preset != only.citing[0])
    remedies = {name: remedy for name, remedy in knowledge.remedies.items() if name != only.citing[0]}

    assert list(mistakes(replace(knowledge, rules=rules, presets=presets, remedies=remedies)))


def test_files_that_show_a_feature_exist() -> None:
    root = Path(__file__).parents[2]
    named = {file for served in load_knowledge().served for file in served.see}

    assert named
    assert [file for file in sorted(named) if not (root / file).is_file()] == []


def test_what_is_named_by_hand_exists() -> None:
    """A reason that names a rule by its id points at one that is there."""
    knowledge = load_knowledge()
    known = {rule.id for rule in knowledge.rules} | {preset.preset for preset in knowledge.presets}
    known |= set(knowledge.remedies) | set(knowledge.vocabulary.entries)
    named = {
        name
        for served in knowledge.served
        for reason in served.items.values()
        for name in re.findall(r"\b[a-z]+(?:-[a-z]+)*\.[a-z0-9]+(?:-[a-z0-9]+)+", reason)
    }

    assert named
    assert named - known == set()


def test_every_row_of_the_source_documents_is_served() -> None:
    """Cite the row in a rule, or say in knowledge/items/served.yaml what serves it or why it is left out."""
    assert list(mistakes(load_knowledge())) == []
