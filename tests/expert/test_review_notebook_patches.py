"""Patches of notebooks go into their cells, and leave every other byte of the JSON alone."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.evidence.script.sources import Source, parse_notebook
from engine.patches.notebooks import into_cells
from expert.consultation.reviewing import ReviewRequest, fixes_of, review_project
from expert.reviewing.fixes import apply_fixes
from knowledge.loader import load_knowledge

LINES = st.sampled_from(["x = 1", "", "# ü", "!ls", "%time y = 2", "z = '\\u00e9\\n'"])
CELLS = [
    "%pip install torch\nimport torch\nfrom torch import nn",
    "model = nn.Linear(3, 2)  # ä\noptimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)\n"
    "loader = torch.utils.data.DataLoader([1, 2], shuffle=True)\n!nvidia-smi",
    "for epoch in range(20):\n    for x, y in loader:\n        loss = nn.functional.cross_entropy(model(x), y)\n"
    "        optimizer.zero_grad()\n        loss.backward()\n        optimizer.step()",
]


def _notebook(cells: list[str], *, lines: bool = True, indent: int | None = 1) -> str:
    def source(text: str) -> Any:
        return text.splitlines(keepends=True) if lines else text

    held: list[dict[str, Any]] = [{"cell_type": "markdown", "metadata": {}, "source": ["# Title\n", "text"]}]
    held += [{"cell_type": "code", "execution_count": 3, "metadata": {"id": "x"}, "outputs": [{"png": "A" * 50}],
              "source": source(text)} for text in cells]  # fmt: skip
    return json.dumps({"cells": held, "metadata": {"a": 1.0}, "nbformat": 4}, indent=indent, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("lines", [True, False])
@pytest.mark.parametrize("indent", [1, 2, None])
@pytest.mark.parametrize("end", ["", "\n"])
def test_a_patch_goes_into_its_cell_and_nowhere_else(tmp_path: Path, lines: bool, indent: int | None, end: str) -> None:
    cells = [cell + end for cell in CELLS]
    file = tmp_path / "train.ipynb"
    file.write_text(_notebook(cells, lines=lines, indent=indent), "utf-8")
    request = ReviewRequest(tmp_path, entry="train.ipynb")
    reviewed = review_project(load_knowledge(), request)
    fixes = fixes_of(reviewed)
    offered = {fix.finding.id for fix in fixes}
    assert {"train.grad_clip", "repro.seed_framework"} <= offered
    assert "repro.seed_cuda" not in offered  # the seed of the framework seeds every card as well: one patch, not two
    assert "# %% [cell" in fixes[0].diff or "\n+" in fixes[0].diff
    apply_fixes(tmp_path, fixes)
    new = json.loads(file.read_text("utf-8"))
    texts = ["".join(cell["source"]) for cell in new["cells"]]
    assert texts[1].startswith("%pip install torch\nimport torch\n")
    assert "torch.manual_seed" in texts[1]
    assert texts[2] == cells[1]
    assert "clip_grad_norm_(model.parameters(), max_norm=1.0)\n        optimizer.step()" in texts[3]
    assert texts[3].endswith("optimizer.step()" + end)
    old = json.loads(_notebook(cells, lines=lines, indent=indent))
    for cell in (*old["cells"], *new["cells"]):
        cell.pop("source")
    assert new == old
    assert fixes_of(review_project(load_knowledge(), request)) == ()


@settings(max_examples=40, deadline=None)
@given(
    cells=st.lists(st.lists(LINES, max_size=4), min_size=1, max_size=4), ended=st.booleans(),
    at=st.integers(0, 3), text=st.sampled_from(["new = 1", "s = 'ß\"'"]), lines=st.booleans(),
)  # fmt: skip
def test_a_line_put_into_a_cell_is_read_back_and_the_rest_stays(
    cells: list[list[str]], ended: bool, at: int, text: str, lines: bool
) -> None:
    raw = _notebook(["\n".join(each) + "\n" * ended for each in cells], lines=lines)
    source = parse_notebook(raw.encode(), "n.ipynb")
    assert isinstance(source, Source)
    marker = source.cells[at % len(source.cells)][0]
    held = source.text.split("\n")
    after = "\n".join([*held[:marker], text, *held[marker:]])
    written = into_cells(raw, source.text, after, source.cells)
    if written is None:  # a list without a line has no layout to follow
        return
    again = parse_notebook(written.encode(), "n.ipynb")
    assert isinstance(again, Source)
    assert again.text == after
    assert [_end(cell) for cell in json.loads(written)["cells"]] == [_end(cell) for cell in json.loads(raw)["cells"]]
    outside = [line for line in raw.splitlines() if '"source"' not in line and line.startswith('   "')]
    assert all(line in written for line in outside)


def _end(cell: dict[str, Any]) -> bool:
    return "".join(cell["source"]).endswith("\n")


@pytest.mark.parametrize("ends", ["", "\n"])
def test_a_cell_that_ends_its_last_line_moves_none_of_those_that_follow(ends: str) -> None:
    source = parse_notebook(_notebook([f"a = 1{ends}", "", f"b = 2\nc = 3{ends}"]), "n.ipynb")
    assert isinstance(source, Source)
    assert source.cells == ((1, 1), (3, 2), (4, 3))
    assert source.lines[4:6] == ["b = 2", "c = 3"]


def test_what_is_no_notebook_is_not_patched() -> None:
    assert into_cells("[]", "# %% [cell 0]\nx\n", "# %% [cell 0]\ny\n", ((1, 0),)) is None
    assert into_cells('{"cells": []}', "# %% [cell 0]\nx\n", "# %% [cell 0]\ny\n", ((1, 0),)) is None
