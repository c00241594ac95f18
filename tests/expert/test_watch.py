"""Following a log: findings are told once, when they come and when they go; silence ends it, and is told."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from expert.consultation.watch import Look, watch
from knowledge.errors import InputError
from knowledge.loader import load_knowledge
from tonmeister.cli.main import main

KNOWLEDGE = load_knowledge()


class Clock:
    """A clock that runs only while somebody sleeps; what happens meanwhile is given by the test."""

    def __init__(self, happen: Callable[[int], None]) -> None:
        self.seconds, self.naps, self.happen = 1e9, 0, happen

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.happen(self.naps)
        self.naps += 1
        self.seconds += seconds


def looks(path: Path, happen: Callable[[int], None], quiet: float = 7200) -> list[Look]:
    clock = Clock(happen)
    return list(watch(KNOWLEDGE, path, every_seconds=60, quiet_seconds=quiet, now=clock.now, sleep=clock.sleep))


def growing(path: Path, losses: list[tuple[float, float]]) -> Callable[[int], None]:
    def happen(nap: int) -> None:
        if nap < len(losses):
            with path.open("a") as stream:
                stream.write(f"{nap + 1},{losses[nap][0]},{losses[nap][1]}\n")

    return happen


def test_overfitting_is_told_once_when_it_can_be_seen_and_silence_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("epoch,loss,val_loss\n")
    curve = [(1.4 * 0.7**n, max(0.7, 1.4 - 0.2 * n) if n < 5 else 0.7 + 0.05 * (n - 4)) for n in range(20)]
    seen = looks(path, growing(path, curve))

    told = [(number, change.kind, change.finding.id) for number, look in enumerate(seen) for change in look.changes]
    overfitting = [item for item in told if item[2] == "overfitting"]
    assert [item[1] for item in overfitting if item[1] in ("new", "gone")] == ["new"]
    assert 5 < overfitting[0][0] < 19
    assert told[-1][1:] == ("new", "stalled")
    assert not any(look.ended for look in seen)


def test_a_log_that_is_not_there_yet_is_awaited(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"

    def happen(nap: int) -> None:
        if nap == 3:
            path.write_text("epoch,loss,val_loss\n1,2,3\n2,1,2\n")

    assert [look.diagnosis.series.evaluations for look in looks(path, happen, 600)] == [2, 2]


def test_a_log_that_never_comes_is_told_with_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing was written there"):
        looks(tmp_path / "none", lambda _: None, 600)
    (tmp_path / "prose.txt").write_text("nothing of interest")
    with pytest.raises(InputError, match="expected a run directory"):
        looks(tmp_path / "prose.txt", lambda _: None, 600)


def test_a_run_that_says_that_it_ended_ends_the_watch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "train.log"
    path.write_text("".join(f"Epoch {n}/8: loss={2.0 / n:.3f} val_loss={1.0 + n / 4:.3f}\n" for n in range(1, 9)))

    status = main(["watch", str(path), "--format", "jsonl", "--fail-on", "never"])
    captured = capsys.readouterr()

    records = [json.loads(line) for line in captured.out.splitlines()]
    assert status == 0
    assert "The run has ended" in captured.err
    assert records
    assert {record["change"] for record in records} == {"new"}
    assert all(record["schema"] == "tonmeister.watch/1" for record in records)


def test_of_a_growing_log_nothing_is_said_of_its_end_until_it_has_come(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    lines = [
        f"Epoch {n}/12: train loss: {2 * 0.8**n:.4f}, valid loss: {2 * 0.85**n:.4f}, lr: 0.001\n" for n in range(1, 9)
    ]

    def happen(nap: int) -> None:
        if nap < len(lines):
            with path.open("a") as stream:
                stream.write(lines[nap])

    seen = looks(path, happen)
    at_end = {name for document in KNOWLEDGE.at_end for name in document.findings}
    before = {change.finding.id for look in seen[:-1] for change in look.changes}

    assert not before & at_end
    assert "truncated-run" in {change.finding.id for change in seen[-1].changes}


def test_what_awaits_the_end_is_reported_by_some_rule() -> None:
    reported = {rule.then.finding for rule in KNOWLEDGE.rules if rule.then.kind == "finding"}
    assert {name for document in KNOWLEDGE.at_end for name in document.findings} <= reported
