"""docs/sources.md is what `tonmeister rules cover --brief` writes, and the command says what is missing."""

import json
from pathlib import Path

from click.testing import CliRunner

from expert.coverage import coverage
from expert.report.coverage import coverage_document
from expert.report.markdown import render_markdown
from knowledge.loader import load_knowledge
from tests.knowledge.folder import folder
from tonmeister.cli.rules import command

PAGE = Path(__file__).parents[2] / "docs" / "sources.md"


def test_the_page_is_generated() -> None:
    knowledge = load_knowledge()
    page = render_markdown(coverage_document(coverage(knowledge), knowledge, brief=True))

    assert PAGE.read_text("utf-8") == page, "run: tonmeister rules cover --brief --format md > docs/sources.md"


def test_the_record_holds_every_row() -> None:
    result = CliRunner().invoke(command, ["cover", "--format", "json"])
    record = json.loads(result.stdout)

    assert record["schema"] == "tonmeister.coverage/1"
    assert [row["item"] for row in record["items"]] == list(load_knowledge().items)


def test_what_nothing_serves_is_named_and_fails(tmp_path: Path) -> None:
    root = folder(tmp_path, items__S000="- {item: S000-13a, kinds: RD, says: Few clips.}\n")

    result = CliRunner().invoke(command, ["cover", "--knowledge", str(root)])

    assert result.exit_code == 2
    assert "S000-13a: nothing serves what it asks of diagnosis" in result.stderr
    assert "NOTHING serves D" in result.stdout
    assert "adaptation.frozen" in result.stdout
