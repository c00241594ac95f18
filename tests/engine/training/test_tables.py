"""Every test that docs/training.md names for a fault, an equality or a promise is there."""

import re
from pathlib import Path

_HERE = Path(__file__).parent
_TEXT = (_HERE.parents[2] / "docs/training.md").read_text("utf-8")


def rows(heading: str) -> list[str]:
    section = _TEXT.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return [line for line in section.splitlines() if line.startswith("|")][2:]


def named(row: str) -> list[tuple[str, str]]:
    """Return file and function of every test that a row names; a bare name belongs to the file before it."""
    found, file = [], ""
    for one in re.findall(r"(?:test_\w+\.py::)?test_\w+", row.rsplit("|", 2)[1]):
        head, colons, name = one.rpartition("::")
        file = head if colons else file
        found.append((file, name))
    return found


def test_every_fault_and_every_equality_has_a_test_that_is_there() -> None:
    faults, equalities = rows("What may go wrong"), rows("What is equal")
    assert len(faults) >= 20 and len(equalities) >= 6
    for row in [*faults, *equalities]:
        assert named(row), row
        for file, name in named(row):
            assert f"def {name}(" in (_HERE / file).read_text("utf-8"), f"{file} has no {name}"


def test_every_promise_has_a_test_that_is_there_or_a_command() -> None:
    files = {path.name: path.read_text("utf-8") for path in _HERE.parents[1].rglob("test_*.py")}
    promises = rows("What shows each promise")
    assert len(promises) >= 30
    for row in promises:
        shown = row.rsplit("|", 2)[1]
        whole = re.findall(r"(test_\w+\.py)(?!::)", shown)
        pairs = [(file, name) for file, name in named(row) if f"{name}.py" not in whole]
        assert whole or pairs or "`" in shown, row
        assert all(file in files for file in whole), row
        for file, name in pairs:
            assert f"def {name}(" in files.get(file, ""), f"{file} has no {name}"
