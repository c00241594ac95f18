"""Tells by a log which framework wrote it, as far as the knowledge knows its marks; reads the beginning alone."""

from __future__ import annotations

import re
from pathlib import Path

from engine.evidence.run.series import RunSeries
from knowledge.errors import UsageError
from knowledge.rulebook import Knowledge

UNRECOGNISED = "pytorch"
"""What is assumed of a log without marks: a loop of one's own."""
_HEAD_BYTES = 256 << 10
_LONGEST_LINE = 2000


def framework_of(knowledge: Knowledge, run: RunSeries, wanted: str = "") -> tuple[str, bool]:
    """Return the framework in whose words remedies are to be told, and whether the log shows it.

    Raises:
        UsageError: `wanted` is none that the knowledge holds.
    """
    if wanted and wanted not in knowledge.translations:
        raise UsageError(f"framework {wanted!r}: expected one of {', '.join(sorted(knowledge.translations))}")
    if wanted:
        return wanted, True
    head = _head(run.source)
    for name, document in knowledge.translations.items():
        if any(run.reader.startswith(reader) for reader in document.readers):
            return name, True
        if head and any(re.search(pattern, head) for pattern in document.texts):
            return name, True
    return UNRECOGNISED, False


def _head(path: Path) -> str:
    """The beginning of a log, long lines cut; of a folder, that of its first event file; words in binary files stay."""
    file = next(iter(sorted(path.glob("*tfevents*"))), path) if path.is_dir() else path
    try:
        with file.open("rb") as stream:
            raw = stream.read(_HEAD_BYTES)
    except OSError:
        return ""
    return "\n".join(line[:_LONGEST_LINE] for line in raw.decode("utf-8", errors="replace").splitlines())
