"""The rulebook as a static site: every link leads somewhere, nothing is fetched, every rule is found; and why pages."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from expert.report.site import rulebook_site
from expert.report.text import render_text
from expert.report.why import why_document
from knowledge.loader import load_knowledge

from ..builders import entry, knowledge, rule, vocabulary

KNOWLEDGE = load_knowledge()
SITE = rulebook_site(KNOWLEDGE)


class Page(HTMLParser):
    """Collects what a page asks a browser to load or open."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if tag == "a" and name == "href":
                self.links.append(value or "")
            elif name in ("src", "href", "srcset", "action", "data"):
                self.loads.append(value or "")


def test_every_rule_and_table_has_a_page() -> None:
    names = {rule.id for rule in KNOWLEDGE.rules} | {rule.table for rule in KNOWLEDGE.rules if rule.table}

    assert next(iter(SITE)) == "index.html"
    assert {f"{name}.html" for name in names} <= SITE.keys()


def test_every_link_leads_to_a_page_and_nothing_is_fetched() -> None:
    for name, html in SITE.items():
        page = Page(html)
        assert page.loads == [], name
        for link in page.links:
            target = link.partition("#")[0]
            assert not target or target in SITE, (name, link)
        assert "default-src 'none'" in html and 'name="viewport"' in html


def test_every_rule_is_reached_from_the_index() -> None:
    links = set(Page(SITE["index.html"]).links)

    assert {f"{rule.id}.html" for rule in KNOWLEDGE.rules} <= links


def test_only_the_search_may_run_and_it_knows_the_reasons() -> None:
    index = SITE["index.html"]
    script = re.search(r"<script>(.*?)</script>", index, re.DOTALL)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()

    assert f"script-src 'sha256-{digest}'" in index
    assert all(f'"{rule.id}"' in script[1] for rule in KNOWLEDGE.rules)
    assert not any("<script" in html for name, html in SITE.items() if name != "index.html")


def test_a_text_cannot_break_out_of_the_search() -> None:
    words = vocabulary(entry("data.clips", "integer"), findings=("f",))
    evil = rule(words, "r.evil", [{"data.clips": 1}], {"finding": "f"}, because="</script><script>alert(1)</script>")

    pages = rulebook_site(knowledge(words, evil))

    assert pages["index.html"].count("<script") == 1
    assert "<script" not in pages["r.evil.html"]


WORDS = vocabulary(
    entry("data.clips", "integer", supplied_by=("audit",)),
    entry("out.method", "choice", "decision", values=("frozen", "lora")),
    findings=("f",),
)


def why(which: int) -> str:
    rules = (
        rule(WORDS, "m.first", [{"data.clips": "< 10"}], {"recommend": {"out.method": "frozen"}}, strength="strong"),
        rule(WORDS, "m.second", [{"data.clips": "< 5"}], {"recommend": {"out.method": "lora"}}),
        rule(WORDS, "m.blind", [{"unknown": "data.clips"}], {"finding": "f"}),
    )
    return render_text(why_document(rules[which], knowledge(WORDS, *rules)))


@pytest.mark.parametrize(
    ("which", "says", "unsaid"),
    [
        (0, "What it beats\n-------------\n\n* m.second, on strength", "What it loses to"),
        (1, "What it loses to\n----------------\n\n* m.first, on strength", "What it beats"),
        (2, "may fire because data.clips is unknown", "What it beats"),
        (0, "0 cases in which it fires", "may fire because"),
    ],
)
def test_why_a_rule_exists(which: int, says: str, unsaid: str) -> None:
    assert says in why(which)
    assert unsaid not in why(which)


def test_what_would_be_otherwise_without_a_rule_of_the_shipped_book() -> None:
    needed = KNOWLEDGE.rule("lr.frozen")
    assert needed is not None

    assert "training.learning_rate: 0.0005 would be " in " ".join(render_text(why_document(needed, KNOWLEDGE)).split())
