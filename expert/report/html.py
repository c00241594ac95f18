"""Renders a document as one HTML file that needs nothing else: no script, no font, no address; reads in print and dark.

Every text is escaped here; only the markup of pictures, which this package draws itself, is taken as it is.
"""

from __future__ import annotations

import re
from html import escape

from .document import Block, Bullets, Document, Gallery, Heading, Paragraph, Picture, Table, Verbatim, neutral
from .text import is_number

_STYLE = """
:root { color-scheme: light dark; --back: #ffffff; --text: #1c1f23; --dim: #5b6470; --line: #d9dde3; --fill: #f4f6f8;
  --error: #b3261e; --warning: #8a5a00; --note: #2f5d8a; --mark: #2f6fab; }
@media (prefers-color-scheme: dark) { :root { --back: #16181b; --text: #e6e8eb; --dim: #a0a8b3; --line: #33383f;
  --fill: #1f2226; --error: #ff8a80; --warning: #f0b429; --note: #8ab4f8; --mark: #6ea8dc; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 64rem; background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; overflow-wrap: anywhere; } h2 { font-size: 1.15rem; margin-top: 2.2rem;
  border-bottom: 1px solid var(--line); padding-bottom: .2rem; } h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
nav { font-size: .9rem; } nav a { margin-right: 1rem; color: var(--mark); }
ul.findings { list-style: none; padding: 0; } ul.findings > li { border-left: 4px solid var(--line);
  background: var(--fill); margin: .6rem 0; padding: .5rem .9rem; overflow-wrap: anywhere; }
li.error { border-color: var(--error) !important; } li.warning { border-color: var(--warning) !important; }
li.note { border-color: var(--note) !important; } li > strong { display: block; }
li.error > strong { color: var(--error); } li.warning > strong { color: var(--warning); }
li.note > strong { color: var(--note); } li p { margin: .25rem 0; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; }
th, td { padding: .2rem .7rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top;
  overflow-wrap: anywhere; } th { color: var(--dim); font-weight: 600; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
pre { background: var(--fill); padding: .7rem; overflow-x: auto; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: 1rem; }
figure { margin: 0; border: 1px solid var(--line); padding: .6rem; } figcaption { font-size: .85rem; color: var(--dim);
  overflow-wrap: anywhere; } figure svg, figure img { width: 100%; height: auto; display: block; }
svg text { fill: var(--text); font: 11px system-ui, sans-serif; } svg .dim { fill: var(--dim); }
svg .bar, svg .wave { fill: var(--mark); } svg .axis, svg .link { stroke: var(--line); fill: none; }
svg .link { stroke: var(--mark); stroke-opacity: .55; } svg .leak { stroke: var(--error); stroke-opacity: .6; }
@media print { body { max-width: none; padding: 0; } nav { display: none; } ul.findings > li, figure, tr {
  break-inside: avoid; } }
"""


def render_html(document: Document) -> str:
    """Return the document as one self-contained HTML page; its title is the first heading of level 1."""
    document = neutral(document)
    title = next((block.text for block in document if isinstance(block, Heading) and block.level == 1), "Tonmeister")
    sections = [block.text for block in document if isinstance(block, Heading) and block.level == 2]
    links = "".join(f'<a href="#{_anchor(text)}">{_text(text)}</a>' for text in sections)
    body = "\n".join(map(_block, document))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n"
        f"<title>{_text(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<nav aria-label="Sections">{links}</nav>\n<main>\n{body}\n</main>\n</body>\n</html>\n'
    )


def _text(text: str) -> str:
    return escape(text)


def _anchor(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-") or "section"


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        level = min(block.level, 6)
        return f'<h{level} id="{_anchor(block.text)}">{_text(block.text)}</h{level}>'
    if isinstance(block, Paragraph):
        return f"<p>{_text(block.text)}</p>"
    if isinstance(block, Bullets):
        return _bullets(block)
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Gallery):
        return f'<div class="gallery">{"".join(map(_figure, block.pictures))}</div>'
    assert isinstance(block, Verbatim)
    if block.pictured:
        return ""
    return f"<pre>{_text(chr(10).join(block.lines))}</pre>"


def _bullets(bullets: Bullets) -> str:
    tones = bullets.tones or ("",) * len(bullets.items)
    items = []
    for (text, details), tone in zip(bullets.items, tones, strict=True):
        lines = "".join(f"<p>{_text(line)}</p>" for line in details)
        head = f"<strong>{_text(text)}</strong>" if tone else _text(text)
        items.append(f'<li class="{tone}">{head}{lines}</li>' if tone else f"<li>{head}{lines}</li>")
    kind = ' class="findings"' if bullets.tones else ""
    return f"<ul{kind}>{''.join(items)}</ul>"


def _table(table: Table) -> str:
    flush = [all(is_number(row[column]) for row in table.rows) for column in range(len(table.columns))]

    def row(cells: tuple[str, ...], tag: str) -> str:
        kinds = [' class="number"' if right else "" for right in flush]
        scope = ' scope="col"' if tag == "th" else ""
        return "".join(f"<{tag}{scope}{kind}>{_text(cell)}</{tag}>" for cell, kind in zip(cells, kinds, strict=True))

    body = "".join(f"<tr>{row(cells, 'td')}</tr>" for cells in table.rows)
    head = f"<thead><tr>{row(table.columns, 'th')}</tr></thead>"
    return f'<div class="scroll"><table>{head}<tbody>{body}</tbody></table></div>'


def _figure(picture: Picture) -> str:
    caption = f"<strong>{_text(picture.title)}</strong> {_text(picture.description)}"
    return f"<figure>{picture.markup}<figcaption>{caption}</figcaption></figure>"
