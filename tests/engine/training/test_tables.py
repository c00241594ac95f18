"""Every test that docs/training.md names for a fault or an equality is there."""

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
