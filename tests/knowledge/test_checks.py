"""Loading checks of single clips: what is refused, and why."""

from pathlib import Path

import pytest

from expert.examples import failures_of_check
from knowledge.errors import KnowledgeError
from knowledge.loader import load_knowledge

from .folder import folder

FACTS = """
- fact: clip.peak
  type: number
  means: Peak.
  supplied_by: [audit]
- fact: dataset.loud_clips
  type: integer
  means: Loud clips.
  supplied_by: [audit]
"""
CHECK = """
- check: clip.loud
  title: Loud
  feeds: dataset.loud_clips
  scope: absolute
  when: [{clip.peak: "> 1"}]
  says: "peak {clip.peak:.1f}"
  worst: clip.peak
  certainty: 0.9
  source: experience
  since: "0.2"
  examples:
    - {given: {clip.peak: 1.1}, fires: true}
    - {given: {clip.peak: 1.0}, fires: false}
"""


def load(root: Path, check: str) -> None:
    folder(root, vocabulary__clip=FACTS, checks__levels=check)
    load_knowledge(root)


def test_a_check_is_loaded(tmp_path: Path) -> None:
    folder(tmp_path, vocabulary__clip=FACTS, checks__levels=CHECK)

    (check,) = load_knowledge(tmp_path).checks

    assert (check.id, check.feeds, check.highest_first) == ("clip.loud", "dataset.loud_clips", True)
    assert list(failures_of_check(check)) == []


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("feeds: dataset.loud_clips", "feeds: dataset.clips", "a count that the audit supplies"),
        ('{clip.peak: "> 1"}', '{dataset.clips: "> 1"}', "dataset.clips is none"),
        ("{clip.peak:.1f}", "{clip.peek:.1f}", "unknown fact 'clip.peek'"),
        ("{given: {clip.peak: 1.0}, fires: false}", "{given: {clip.peak: 2.0}, fires: true}", "one non-firing example"),
        ("source: experience", "source: hearsay", "not in sources.yaml"),
        ("worst: clip.peak", "worst: dataset.hours", "dataset.hours is none"),
    ],
)
def test_a_wrong_check_is_refused(tmp_path: Path, before: str, after: str, message: str) -> None:
    assert before in CHECK

    with pytest.raises(KnowledgeError, match=message):
        load(tmp_path, CHECK.replace(before, after))


def test_a_wrong_example_is_told(tmp_path: Path) -> None:
    folder(tmp_path, vocabulary__clip=FACTS, checks__levels=CHECK.replace("clip.peak: 1.0}", "clip.peak: 1.5}"))

    (failure,) = failures_of_check(load_knowledge(tmp_path).checks[0])

    assert "clip.peak = 1.5 it fires" in str(failure)
