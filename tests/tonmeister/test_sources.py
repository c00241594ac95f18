"""docs/sources.md is true: each item that it says rules serve is cited by at least one."""

import re
from pathlib import Path

import pytest

from knowledge.loader import load_knowledge

PAGE = Path(__file__).parents[2] / "docs" / "sources.md"
ITEMS = re.findall(r"^\| (S000-\d+[a-g]?) \|.*\| rules[^|]*\|$", PAGE.read_text("utf-8"), re.M)


def test_the_page_lists_items() -> None:
    assert len(ITEMS) > 50


@pytest.mark.parametrize("item", ITEMS)
def test_a_rule_or_remedy_cites_the_item(item: str) -> None:
    knowledge = load_knowledge()
    cited = {source for rule in knowledge.rules for source in rule.sources}
    cited |= {source for remedy in knowledge.remedies.values() for source in remedy.sources}
    cited |= {entry.source for entry in knowledge.vocabulary.entries.values()}
    letterless = item.rstrip("abcdefg")

    assert cited & {item, letterless}, f"no rule, remedy or fact cites {item}"
