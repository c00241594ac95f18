"""The words of logs are knowledge: every example of `knowledge/logs/words.yaml` is read as its entry says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.evidence.run.formats.languages import normalised
from engine.evidence.run.formats.names import meaning
from engine.evidence.run.series import direction_of, is_share
from engine.evidence.run.words import splits, terms, words
from knowledge.errors import KnowledgeError
from knowledge.loader import load_knowledge
from tests.knowledge.folder import folder

WORDS = load_knowledge().words


@pytest.mark.parametrize(("entry", "direction"), [("falls", "lower"), ("rises", "higher")])
def test_metrics_rise_or_fall_as_their_words_say(entry, direction):
    for name in WORDS[entry].like:
        assert direction_of(meaning(name).metric or name) == direction, name
    for name in WORDS[entry].unlike:
        assert direction_of(name) != direction, name


def test_shares_and_splits():
    assert all(is_share(meaning(name).metric) for name in WORDS["shares"].like)
    assert not any(is_share(name) for name in WORDS["shares"].unlike)
    for split in ("train", "val", "test"):
        assert {meaning(name).split for name in WORDS[split].like} == {split}
        assert {meaning(name).split for name in WORDS[split].unlike} == {""}
    assert set(splits().values()) == {"train", "val", "test"}


def test_names_that_are_no_curve_and_losses_by_other_names():
    assert {meaning(name).role for name in WORDS["no-curve"].like} == {"other"}
    assert {meaning(name).role for name in WORDS["steps"].like} == {"step"}
    for entry in ("loss-by-another-name", "loss-behind-an-l"):
        assert {meaning(name).metric.rpartition("_")[2] for name in WORDS[entry].like} == {"loss"}, entry


@pytest.mark.parametrize("entry", [one.words for one in WORDS.values() if one.terms])
def test_words_of_other_languages_become_english(entry):
    one = WORDS[entry]
    for line in one.like:
        assert normalised(f"{line}\n") != f"{line}\n"
    for line in one.unlike:
        assert normalised(line) == line


@given(st.sampled_from(sorted(words("falls") & words("rises") or words("falls"))))
def test_no_metric_both_rises_and_falls(word):
    assert word not in words("rises")
    assert word.isascii()
    assert word == word.lower()


def test_no_term_stands_twice():
    assert not set(terms(parted=True)) & set(terms(parted=False))


@pytest.mark.parametrize(
    "body",
    [
        "any_of: [wer]\n  like: [cer]\n  unlike: [acc]",
        "any_of: [wer]\n  like: [wer]\n  unlike: [eval_wer]",
        "like: [wer]\n  unlike: [acc]",
    ],
)
def test_words_whose_examples_do_not_hold_are_refused(tmp_path, body):
    root = folder(tmp_path, **{"words.yaml": f"- words: mine\n  means: x\n  because: y\n  {body}\n"})

    with pytest.raises(KnowledgeError, match="mine"):
        load_knowledge(root)
