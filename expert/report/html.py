"""Renders a document as one self-contained HTML page; loads nothing from elsewhere, runs no script."""

from __future__ import annotations

from html import escape

from .document import Block, Bullets, Document, Heading, Paragraph, Table, neutral
from .text import is_number

_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}
body{background:Canvas;color:CanvasText}
table{border-collapse:collapse;font-size:.9rem}
.wide{overflow-x:auto}
th,td{padding:.2rem .7rem;text-align:left;vertical-align:top;border-bottom:1px solid GrayText;overflow-wrap:anywhere}
.number{text-align:right;font-variant-numeric:tabular-nums}
pre{overflow-x:auto;padding:.6rem;border:1px solid GrayText}
li{margin:.5rem 0;overflow-wrap:anywhere}
li li{margin:0}
@media print{
body{max-width:none;margin:0}
.wide,pre{overflow:visible}
pre{white-space:pre-wrap}
tr,li li{break-inside:avoid}
}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""Even if a text slipped through unescaped, a browser would neither load nor run anything."""


def render_html(document: Document) -> str:
    """Return the document as an HTML page."""
    document = neutral(document)
    title = next((block.text for block in document if isinstance(block, Heading) and block.level == 1), "Report")
    return "\n".join(
        (
            "<!DOCTYPE html>",
            '<html lang="en">',
            '<head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>",
            f"<style>{_STYLE}</style></head>",
            "<body><main>",
            *map(_block, document),
            "</main></body></html>\n",
        )
    )


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"<h{block.level}>{escape(block.text)}</h{block.level}>"
    if isinstance(block, Paragraph):
        return f"<p>{escape(block.text)}</p>"
    if isinstance(block, Bullets):
        return f"<ul>{''.join(_item(text, details) for text, details in block.items)}</ul>"
    if isinstance(block, Table):
        return _table(block)
    lines = "\n".join(block.lines)
    return f"<pre>{escape(lines)}</pre>"


def _item(text: str, details: tuple[str, ...]) -> str:
    inner = "".join(f"<li>{escape(line)}</li>" for line in details)
    return f"<li>{escape(text)}{f'<ul>{inner}</ul>' if inner else ''}</li>"


def _table(table: Table) -> str:
    numeric = [all(is_number(row[column]) for row in table.rows) for column in range(len(table.columns))]
    marks = [' class="number"' if number else "" for number in numeric]
    head = "".join(
        f'<th scope="col"{mark}>{escape(text)}</th>' for text, mark in zip(table.columns, marks, strict=True)
    )
    rows = "".join(
        "<tr>" + "".join(f"<td{mark}>{escape(cell)}</td>" for cell, mark in zip(row, marks, strict=True)) + "</tr>"
        for row in table.rows
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
