"""Documents render the same way in every form, and nothing in them can break the form."""

from hypothesis import given
from hypothesis import strategies as st

from expert.report.document import Bullets, Document, Heading, Paragraph, Table, Verbatim
from expert.report.markdown import render_markdown
from expert.report.text import render_text

DOCUMENT: Document = (
    Heading("Audit", 1),
    Paragraph("300 of 300 test clips have their speaker in the training split, so a score on them says nothing."),
    Heading("Findings"),
    Bullets((("ERROR group-overlap", ("evidence: george, jackson", "remedy: data.repair-split")), ("note dc", ()))),
    Table(("split", "clips"), (("train", "2700"), ("test", "300"))),
    Verbatim(("- training.epochs: 5", "+ training.epochs: 20")),
)
TEXT = """\
Audit
=====

300 of 300 test clips have their speaker in
the training split, so a score on them says
nothing.

Findings
--------

* ERROR group-overlap
    evidence: george, jackson
    remedy: data.repair-split
* note dc

split  clips
-----  -----
train   2700
test     300

    - training.epochs: 5
    + training.epochs: 20
"""
MARKDOWN = """\
# Audit

300 of 300 test clips have their speaker in the training split, so a score on them says nothing.

## Findings

- ERROR group-overlap
  - evidence: george, jackson
  - remedy: data.repair-split
- note dc

| split | clips |
| --- | ---: |
| train | 2700 |
| test | 300 |

```
- training.epochs: 5
+ training.epochs: 20
```
"""


def test_text() -> None:
    assert render_text(DOCUMENT, width=44) == TEXT


def test_markdown() -> None:
    assert render_markdown(DOCUMENT) == MARKDOWN


def test_markdown_escapes_what_would_be_markup() -> None:
    assert render_markdown((Paragraph("a_b * <c>"),)) == "a\\_b \\* &lt;c>\n"
    assert render_markdown((Paragraph("![x](http://a) `rm` c\\d"),)) == "!\\[x\\](http://a) \\`rm\\` c\\\\d\n"
    assert render_markdown((Paragraph("# no title"),)) == "\\# no title\n"


@given(st.lists(st.lists(st.text(st.characters(categories=["L", "N"]), max_size=30), min_size=2, max_size=2)))
def test_every_table_row_has_as_many_cells_as_columns(rows: list[list[str]]) -> None:
    table = Table(("one", "two"), tuple((a, b) for a, b in rows))

    assert all(line.count("|") == 3 for line in render_markdown((table,)).splitlines())
    assert len(render_text((table,)).splitlines()) == len(rows) + 2
