"""Search over the rules: every word must stand somewhere, and names come before reasons, reasons before sources."""

from hypothesis import given
from hypothesis import strategies as st

from knowledge.loader import load_knowledge
from knowledge.search import search

KNOWLEDGE = load_knowledge()
IDS = st.sampled_from([rule.id for rule in KNOWLEDGE.rules])


def test_no_words_find_every_rule_in_file_order() -> None:
    assert search(KNOWLEDGE, "  ") == KNOWLEDGE.rules


@given(IDS)
def test_a_rule_is_found_by_its_id_before_rules_that_only_mention_it(rule_id: str) -> None:
    found = search(KNOWLEDGE, rule_id.upper())
    first = [rule.id for rule in found if rule_id in rule.id]
    assert rule_id in first
    assert [rule.id for rule in found][: len(first)] == first


@given(st.lists(st.sampled_from(["few", "speaker", "rate", "S000", "overfitting", "loss"]), min_size=1, max_size=3))
def test_a_further_word_never_finds_more(words: list[str]) -> None:
    more, fewer = search(KNOWLEDGE, " ".join(words[:-1])), search(KNOWLEDGE, " ".join(words))
    assert {rule.id for rule in fewer} <= {rule.id for rule in more}


def test_the_name_of_a_table_finds_its_rows_and_a_fact_finds_its_readers() -> None:
    assert {rule.id for rule in KNOWLEDGE.table("adapter-rank")} <= {r.id for r in search(KNOWLEDGE, "adapter-rank")}
    readers = {rule.id for rule in KNOWLEDGE.rules if any(c.fact == "dataset.regime" for c in rule.conditions)}
    assert readers <= {rule.id for rule in search(KNOWLEDGE, "dataset.regime")}


def test_what_stands_nowhere_finds_nothing() -> None:
    assert search(KNOWLEDGE, "xylophone-of-mars") == ()
