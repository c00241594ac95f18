"""Patches parse, leave every other byte alone, turn the check to present, and propose nothing twice."""

import ast
import difflib
import stat
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expert.consultation.reviewing import Reviewed, ReviewRequest, fixes_of, review_project
from expert.reviewing.fixes import apply_fixes, texts_of
from knowledge.errors import InputError
from knowledge.loader import load_knowledge

KNOWLEDGE = load_knowledge()
PLAIN = """\
import torch


def fit(model, loader, epochs):
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for epoch in range(epochs):
        for batch, label in loader:
            loss = torch.nn.functional.cross_entropy(model(batch), label)
            optimizer.zero_grad()
            loss.backward()

            # and now move   
            optimizer.step()  # by a little


fit(torch.nn.Linear(3, 2), torch.utils.data.DataLoader([1, 2]), 20)
"""  # fmt: skip  # noqa: W291
SCALED = PLAIN.replace("            loss.backward()\n", "            scaler.scale(loss).backward()\n").replace(
    "optimizer.step()", "scaler.step(optimizer)\n            scaler.update()"
).replace("    for epoch", "    scaler = torch.amp.GradScaler()\n    for epoch", 1)  # fmt: skip
ACCUMULATED = PLAIN.replace("in loader:", "in loader:\n            turn += 1").replace(
    "            optimizer.step()", "            if turn % 4 == 0:\n                optimizer.step()"
).replace("    for epoch", "    turn = 0\n    for epoch", 1)  # fmt: skip
ONE_LINE = PLAIN.replace("            optimizer.step()", "            if label is not None: optimizer.step()")
SEMICOLON = PLAIN.replace("            optimizer.step()", "            print(1); optimizer.step(); print(2)")
TABS = PLAIN.replace("    ", "\t")
HEAD = '"""A script."""\nfrom __future__ import annotations\nfrom torch import nn, optim, utils\n'
WITHOUT_TORCH = (
    PLAIN.replace("import torch\n", HEAD)
    .replace("torch.optim", "optim").replace("torch.nn", "nn").replace("torch.utils", "utils")
)  # fmt: skip
ANOTHER_OPTIMIZER = PLAIN.replace("torch.optim.AdamW(model.parameters(), lr=1e-3)", "make(model)").replace(
    "def fit", "def make(net):\n    return torch.optim.SGD(net.parameters(), lr=0.1)\n\n\ndef fit"
)
NO_LAST_NEWLINE = PLAIN.rstrip("\n")
SCRIPTS = {
    "plain": PLAIN, "scaled": SCALED, "accumulated": ACCUMULATED, "one line": ONE_LINE, "semicolon": SEMICOLON,
    "tabs": TABS, "crlf": PLAIN.replace("\n", "\r\n"), "without torch": WITHOUT_TORCH,
    "another optimizer": ANOTHER_OPTIMIZER, "no last newline": NO_LAST_NEWLINE,
}  # fmt: skip


def reviewed(path: Path, *select: str, **request: object) -> Reviewed:
    return review_project(KNOWLEDGE, ReviewRequest(path, select=select, **request))  # type: ignore[arg-type]


def state(found: Reviewed, check: str) -> str:
    return next(row.state for row in found.report.checks if row.id == check)


def write(folder: Path, text: str) -> Path:
    script = folder / "train.py"
    script.write_bytes(text.encode())
    return script


def inserted(before: str, after: str) -> list[str]:
    """Return the inserted lines; fails when a line was taken away."""
    found = list(difflib.ndiff(before.splitlines(keepends=True), after.splitlines(keepends=True)))
    return [line[2:] for line in found if line.startswith("+ ")]


def check_patched(folder: Path, text: str, check: str, *, only_insertions: bool = True) -> str:
    """Patch, and hold the result against everything that is promised of a safe patch."""
    script = write(folder, text)
    found = reviewed(script, check)
    assert state(found, check) == "missing"
    fixes = fixes_of(found)
    assert [fix.finding.id for fix in fixes] == [check]
    apply_fixes(folder, fixes)
    after = script.read_bytes().decode()
    ast.parse(after)
    if only_insertions:
        kept = [line for line in difflib.ndiff(text.splitlines(True), after.splitlines(True)) if line[:2] == "- "]
        assert kept == []
    again = reviewed(script, check)
    assert state(again, check) == "present"
    assert fixes_of(again) == ()
    return after


@pytest.mark.parametrize("text", [SCRIPTS[name] for name in SCRIPTS if name not in ("one line", "semicolon")],
                         ids=[name for name in SCRIPTS if name not in ("one line", "semicolon")])  # fmt: skip
def test_clipping_is_inserted_and_nothing_else(tmp_path: Path, text: str) -> None:
    check_patched(tmp_path, text, "train.grad_clip")


@pytest.mark.parametrize("text", [ONE_LINE, SEMICOLON], ids=["one line", "semicolon"])
def test_clipping_stands_on_the_line_of_the_step(tmp_path: Path, text: str) -> None:
    after = check_patched(tmp_path, text, "train.grad_clip", only_insertions=False)
    assert "; optimizer.step()" in after and len(inserted(text, after)) == 1


def test_gradients_are_unscaled_before_they_are_clipped(tmp_path: Path) -> None:
    lines = [line.strip() for line in check_patched(tmp_path, SCALED, "train.grad_clip").splitlines()]
    at = lines.index("scaler.unscale_(optimizer)")
    assert lines[at + 1].startswith("torch.nn.utils.clip_grad_norm_(model.parameters()")


def test_clipping_stands_inside_the_branch_that_steps(tmp_path: Path) -> None:
    after = check_patched(tmp_path, ACCUMULATED, "train.grad_clip")
    assert "== 0:\n                torch.nn.utils.clip_grad_norm_" in after


def test_the_import_goes_below_docstring_and_future(tmp_path: Path) -> None:
    after = check_patched(tmp_path, WITHOUT_TORCH, "train.grad_clip")
    assert after.startswith('"""A script."""\nfrom __future__ import annotations\nimport torch\n')


def test_a_step_with_a_closure_is_left_alone(tmp_path: Path) -> None:
    found = reviewed(write(tmp_path, PLAIN.replace("optimizer.step()", "optimizer.step(lambda: loss)")))
    assert not [fix for fix in fixes_of(found) if fix.finding.id == "train.grad_clip"]


@pytest.mark.parametrize(
    "comment", ["  # tonmeister: ignore[train.grad_clip] tiny", "  # tonmeister: ignore[train.*] x"]
)
def test_a_suppressed_line_is_never_touched(tmp_path: Path, comment: str) -> None:
    found = reviewed(write(tmp_path, PLAIN.replace("optimizer.step()  # by a little", "optimizer.step()" + comment)))
    assert not [fix for fix in fixes_of(found) if fix.finding.id == "train.grad_clip"]


def test_mode_and_neighbours_of_a_file_survive(tmp_path: Path) -> None:
    script = write(tmp_path, PLAIN)
    script.chmod(0o755)
    apply_fixes(tmp_path, fixes_of(reviewed(script, "train.grad_clip")))
    assert stat.S_IMODE(script.stat().st_mode) == 0o755
    assert [file.name for file in tmp_path.iterdir()] == ["train.py"]


def test_a_file_that_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    script = write(tmp_path, PLAIN)
    fixes = fixes_of(reviewed(script, "train.grad_clip"))
    script.write_text(PLAIN + "# mine\n")
    with pytest.raises(InputError, match="has changed"):
        apply_fixes(tmp_path, fixes)
    assert script.read_text().endswith("# mine\n")


def test_several_patches_of_one_file_stand_on_one_another(tmp_path: Path) -> None:
    script = write(tmp_path, PLAIN)
    fixes = fixes_of(reviewed(script), unsafe=True)
    texts = texts_of(fixes)
    assert set(texts) == {"train.py"} and texts["train.py"][0] == PLAIN
    apply_fixes(tmp_path, fixes)
    assert script.read_text() == texts["train.py"][1]
    assert fixes_of(reviewed(script), unsafe=True) == ()


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(PLAIN.splitlines())), st.sampled_from(["", "    ", "# x", "#!"])), max_size=6)
)
def test_blank_lines_and_comments_anywhere_survive(places: list[tuple[int, str]]) -> None:
    """In memory: the file system is not what is tested."""
    import tempfile

    lines = PLAIN.splitlines(keepends=True)
    for at, text in places:
        lines.insert(at, text + "\n")
    text = "".join(lines)
    with tempfile.TemporaryDirectory() as folder:
        check_patched(Path(folder), text, "train.grad_clip")


SEEDED = dedent("""\
    import random

    import numpy as np
    import torch


    def main():
        order = list(range(10))
        random.shuffle(order)
        noise = np.random.randn(3)
        model = torch.nn.Linear(3, 2)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
        for batch in torch.utils.data.DataLoader(order, shuffle=True):
            loss = model(batch + noise).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


    if __name__ == "__main__":
        main()
    """)


@pytest.mark.parametrize("check", ["repro.seed_framework", "repro.seed_numpy", "repro.seed_python", "repro.seed_cuda"])
def test_seeds_stand_at_the_top(tmp_path: Path, check: str) -> None:
    if f"check.{check}" not in KNOWLEDGE.vocabulary.entries:
        pytest.skip("no rule tells this check yet")
    after = check_patched(tmp_path, SEEDED, check)
    call = {"repro.seed_numpy": "numpy.random.seed(0)", "repro.seed_python": "random.seed(0)"}
    assert after.index(call.get(check, "torch.manual_seed(0)")) < after.index("def main")
