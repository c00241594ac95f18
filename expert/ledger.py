"""The outcome ledger: what a remedy promised against what the next run showed, a line each; never rewrites a line.

It lies beside the rounds of a loop, in the user's own project, and nothing leaves it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from knowledge.errors import InputError
from knowledge.records import Value
from knowledge.rulebook import Knowledge

from .consultation.rounds import Proposal, RoundReport

LEDGER = "outcomes.jsonl"
SCHEMA = "tonmeister.outcome/1"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One remedy that was applied, and the run after it."""

    run: str
    remedy: str
    promised: str
    """What the remedy says that the next run shows."""
    finding: str
    rule: str
    certainty: float
    """What the rulebook stated of the rule at the time."""
    kept: bool | None
    """Whether the finding is gone and nothing was lost; None where the next run cannot say."""
    showed: str
    """What the next run showed, in words."""
    alone: bool
    """Whether nothing else was changed in the same round."""
    gain: float | None = None
    before: Mapping[str, Value] = field(default_factory=dict)
    """What the rule read."""
    after: Mapping[str, Value] = field(default_factory=dict)
    digest: str = ""
    """The rulebook."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same outcome, told again after a loop was resumed."""
        return self.run, self.remedy, self.finding


def outcomes_of(
    report: RoundReport, knowledge: Knowledge, before: Mapping[str, Value], after: Mapping[str, Value]
) -> tuple[Outcome, ...]:
    """Return an outcome for each remedy that a round tried; `before` and `after` are the facts of the two runs."""
    changes = report.round.changes
    return tuple(_outcome(one, report, knowledge, before, after, len(changes) == 1) for one in changes)


def _outcome(
    change: Proposal,
    report: RoundReport,
    knowledge: Knowledge,
    before: Mapping[str, Value],
    after: Mapping[str, Value],
    alone: bool,
) -> Outcome:
    rule = knowledge.rule(change.finding.rule)
    read = tuple(dict.fromkeys(condition.fact for condition in rule.conditions)) if rule else ()
    written = bool(rule) and all(knowledge.vocabulary.entries[name].plan for name in read)
    kept, showed = _judged(change.finding.id, report, written)
    return Outcome(
        run=str(report.round.run),
        remedy=change.remedy.id,
        promised=change.remedy.expect,
        finding=change.finding.id,
        rule=change.finding.rule,
        certainty=rule.certainty if rule else change.finding.confidence,
        kept=kept,
        showed=showed,
        alone=alone,
        gain=report.gain.value if report.gain else None,
        before={name: before[name] for name in read if name in before},
        after={name: after[name] for name in read if name in after},
        digest=knowledge.digest,
    )


def _judged(finding: str, report: RoundReport, written: bool) -> tuple[bool | None, str]:
    """Whether the promise was kept; of what reads lines of the plan alone, and goes as they go, the score decides."""
    if report.verdict == "failed":
        return None, f"the run ended as {report.status}"
    if any(item.id == finding for item in report.findings):
        return False, "the finding is still there"
    if any(item.id == finding for item in report.not_assessable):
        return None, "the next run is too short to say"
    if report.gain is not None and report.gain.high < 0:
        return False, f"the finding is gone, and the score fell by {-report.gain.value:.3f}"
    if written and report.gain is not None and report.gain.low <= 0:
        return None, f"the line is changed, and the score moved by {report.gain.value:+.3f}, no more than chance"
    return True, "the finding is gone"


def append_outcomes(path: Path, outcomes: Iterable[Outcome]) -> int:
    """Add the outcomes that the ledger does not hold yet, and return how many."""
    known = {one.key for one in read_outcomes(path)} if path.is_file() else set()
    new = [one for one in outcomes if one.key not in known]
    if new:
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = (json.dumps({"schema": SCHEMA, **asdict(one)}, ensure_ascii=False) for one in new)
        text = "".join(f"{line}\n" for line in lines)
        torn = path.is_file() and path.read_bytes()[-1:] not in (b"", b"\n")
        with path.open("a", encoding="utf-8") as stream:
            stream.write("\n" + text if torn else text)
    return len(new)


def read_outcomes(path: Path) -> tuple[Outcome, ...]:
    """Return the outcomes of one ledger; a last line that was torn off is left out.

    Raises:
        InputError: another line is no outcome.
    """
    return tuple(_read(path))


def _read(path: Path) -> Iterator[Outcome]:
    lines = path.read_text("utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        try:
            record: dict[str, Any] = json.loads(line)
            if record.pop("schema") != SCHEMA:
                raise ValueError(f"its schema is not {SCHEMA}")
            yield Outcome(**record)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if line.strip() and number < len(lines) and not _torn(line):
                raise InputError(
                    f"{path}:{number} is no outcome: {error}", hint="Remove the line, or the whole file."
                ) from None


def _torn(line: str) -> bool:
    """Whether a machine that stopped may have cut the line."""
    return line.startswith("{") and not line.rstrip().endswith("}")


def ledgers_below(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return every ledger in the given files and folders."""
    found = (path.rglob(LEDGER) if path.is_dir() else (path,) for path in paths)
    return tuple(sorted({one for some in found for one in some}))
