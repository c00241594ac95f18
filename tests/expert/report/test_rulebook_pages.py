"""The pages of the rulebook say what each rule says, meets and rests on."""

from pathlib import Path

from expert.report.markdown import render_markdown
from expert.report.rulebook import rulebook_pages
from expert.rivals import meetings, readers
from knowledge.loader import load_knowledge
from tests.knowledge.folder import RULE, folder

MORE = """
- rule: adaptation.lora
  title: Adapters
  when: [{dataset.clips: "50 .. < 80"}]
  then: {recommend: {adaptation.method: lora}}
  because: Enough.
  strength: strong
  certainty: 0.7
  source: experience
  since: "0.1"
  examples:
    - {given: {dataset.clips: 50}, fires: true}
    - {given: {dataset.clips: 80}, fires: false}

- rule: size.reader
  title: Reads the method
  when: [{adaptation.method: lora}]
  then: {set: {dataset.regime: small}}
  because: So it is.
  certainty: 0.7
  source: experience
  since: "0.1"
  examples:
    - {given: {adaptation.method: lora}, fires: true}
    - {given: {adaptation.method: frozen}, fires: false}
"""


def test_rivals_are_rules_that_can_hold_together_and_disagree(tmp_path: Path) -> None:
    folder(tmp_path, RULE + MORE)
    knowledge = load_knowledge(tmp_path)
    frozen, lora, reader = knowledge.rules

    assert [(meeting.other, meeting.wins, meeting.on) for meeting in meetings(frozen, knowledge)] == [
        ("adaptation.lora", False, "strength")
    ]
    assert [(meeting.other, meeting.wins, meeting.on) for meeting in meetings(lora, knowledge)] == [
        ("adaptation.frozen", True, "strength")
    ]
    assert meetings(reader, knowledge) == ()
    assert readers(lora, knowledge) == ("size.reader",)


def test_a_page_for_every_rule_with_its_meetings_and_sources(tmp_path: Path) -> None:
    folder(tmp_path, RULE + MORE)
    pages = rulebook_pages(load_knowledge(tmp_path))
    page = render_markdown(pages["adaptation.lora"])

    assert list(pages) == ["index", "sources", "adaptation.frozen", "adaptation.lora", "size.reader"]
    assert "- beats adaptation.frozen on strength" in page
    assert "## Read by\n\n- size.reader" in page
    assert "3 rules and table rows, pinned by 6 cases; 2 sources." in render_markdown(pages["index"])
    assert "S000, source document: The article\n  - 1 rules cite it" in render_markdown(pages["sources"])


def test_the_shipped_rulebook_has_its_pages() -> None:
    knowledge = load_knowledge()
    assert len(rulebook_pages(knowledge)) == len(knowledge.rules) + len(knowledge.presets) + 4
