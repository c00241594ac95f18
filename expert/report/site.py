"""The whole rulebook as a static site: HTML files that link to each other and need no network. Writes no file."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Container, Mapping

from knowledge.rulebook import Knowledge, Rule

from .html import render_html
from .rulebook import rulebook_pages
from .table import table_document

_NAME = re.compile(r"[A-Za-z0-9]+(?:[.-][A-Za-z0-9_-]+)+")
_TAG = re.compile(r"(<[^>]*>)")
_SCRIPT = """
const words = WORDS;
const rows = [...document.querySelectorAll("tbody tr")];
const box = document.getElementById("search"), told = document.getElementById("told");
function show() {
  const wanted = box.value.toLowerCase().split(/\\s+/).filter(Boolean);
  let left = 0;
  for (const row of rows) {
    const text = row.textContent.toLowerCase() + " " + (words[row.cells[0].textContent] || "");
    row.hidden = !wanted.every(word => text.includes(word));
    left += !row.hidden;
  }
  for (const part of document.querySelectorAll(".scroll")) {
    part.hidden = !part.querySelector("tbody tr:not([hidden])");
    part.previousElementSibling.hidden = part.hidden;
  }
  told.textContent = left + " of " + rows.length + " rules";
}
box.addEventListener("input", show);
show();
"""
_SEARCH = (
    '<p><label for="search">Search</label><br><input id="search" type="search" autocomplete="off" '
    'style="width:100%;font-size:1rem;padding:.5rem" placeholder="fact, source, word of the reason">'
    '<br><small id="told" aria-live="polite"></small></p>'
)


def rulebook_site(knowledge: Knowledge) -> dict[str, str]:
    """Return every page by its file name; `index.html` comes first."""
    documents = rulebook_pages(knowledge)
    tables = dict.fromkeys(rule.table for rule in knowledge.rules if rule.table)
    documents |= {name: table_document(knowledge.table(name), knowledge) for name in tables if name not in documents}
    facts = _items(knowledge)
    pages = {}
    for name, document in documents.items():
        html = _linked(render_html(document), documents.keys() - {name}, facts)
        pages[f"{name}.html"] = html.replace('<nav aria-label="Sections">', _HOME, 1) if name != "index" else html
    pages["index.html"] = _searchable(pages["index.html"], knowledge, tuple(tables))
    return pages


_HOME = '<nav aria-label="Sections"><a href="index.html">The rulebook</a>'


def _items(knowledge: Knowledge) -> Mapping[str, str]:
    """Rows of source documents, and the page that tells of them."""
    return dict.fromkeys(knowledge.items, "coverage.html")


def _linked(html: str, names: Container[str], others: Mapping[str, str]) -> str:
    """Make a link of every name of a page that stands in a text."""

    def link(match: re.Match[str]) -> str:
        name = match[0]
        target = f"{name}.html" if name in names else others.get(name, "")
        return f'<a href="{target}">{name}</a>' if target else name

    head, mark, body = html.partition("<main>")
    parts = _TAG.split(body)
    return head + mark + "".join(part if part.startswith("<") else _NAME.sub(link, part) for part in parts)


def _searchable(html: str, knowledge: Knowledge, tables: tuple[str, ...]) -> str:
    words = json.dumps({rule.id: _words(rule) for rule in knowledge.rules}, ensure_ascii=True).replace("<", "\\u003c")
    script = _SCRIPT.replace("WORDS", words)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    more = "".join(f'<a href="{name}.html">{name}</a>' for name in ("sources", "coverage", "presets", *tables))
    html = html.replace("default-src 'none';", f"default-src 'none'; script-src 'sha256-{digest}';", 1)
    html = html.replace("</nav>", f"{more}</nav>", 1)
    html = html.replace("</h1>", f"</h1>{_SEARCH}", 1)
    return html.replace("</body>", f"<script>{script}</script>\n</body>", 1)


def _words(rule: Rule) -> str:
    """What a search finds a rule by, beside its row in the index."""
    conditions = " ".join(map(str, rule.conditions))
    return f"{conditions} {rule.then.attribute} {rule.because} {' '.join(rule.sources)}".lower()
