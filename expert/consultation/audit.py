"""The audit consultation: from a manifest to facts, findings and a proposed split; writes only when asked to.

The engine measures, the audit rulebook judges, and where it asks for a new split the engine proposes one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.evidence.dataset.clips import NOTHING_DECODED, Progress, Scan
from engine.evidence.dataset.collection import no_collection
from engine.evidence.dataset.forked import forkable
from engine.evidence.dataset.manifest import read_dataset
from engine.evidence.dataset.scan import processors, scan_clips
from engine.evidence.dataset.workers import end_workers
from knowledge.errors import UsageError
from knowledge.records import Fact, Measured

if TYPE_CHECKING:
    from engine.evidence.dataset import Dataset, NearPair, SplitProposal
    from engine.evidence.dataset.records import TaskType
    from engine.evidence.dataset.repair import Protocol
    from knowledge.rulebook import Knowledge

    from ..session import Session
    from .standards import Standards


@dataclass(frozen=True)
class Audit:
    """What an audit brought."""

    dataset: Dataset
    measured: Measured
    session: Session
    proposal: SplitProposal | None
    """A new split, where the rules ask for one and the groups allow one."""
    near: tuple[NearPair, ...] = ()
    """Pairs of clips that count as copies of one another though they are not exact ones."""
    review: tuple[NearPair, ...] = ()
    """Pairs that are alike and that a person should listen to."""
    scan: Scan = NOTHING_DECODED
    """What decoding brought, for pictures."""

    def repair_facts(self, manifest: Path) -> tuple[Fact, ...]:
        """Return the facts that a remedy copies into the plan, once the proposal was written to `manifest`."""
        if self.proposal is None:
            return ()
        facts = [
            Fact("dataset.repaired_manifest", str(manifest.resolve()), "audit"),
            Fact("dataset.repaired_split_column", self.proposal.split_column, "audit"),
        ]
        if self.proposal.folds:
            facts.append(Fact("dataset.repaired_fold_column", self.proposal.fold_column, "audit"))
        return tuple(facts)


@no_collection()
def audit_dataset(
    knowledge: Knowledge | Callable[[], Knowledge],
    manifest: Path,
    *,
    label: str | None = None,
    group: str | None = None,
    split: str | None = None,
    path: str | None = None,
    text: str | None = None,
    session: str | None = None,
    raters: tuple[str, ...] = (),
    audio_root: Path | None = None,
    task: TaskType | None = None,
    scale: tuple[float, float] | None = None,
    progress: Progress | None = None,
    workers: int = 0,
    cache: Path | None = None,
    cluster: str = "",
    protocol: Protocol | None = None,
    decode: bool = True,
) -> Audit:
    """Read, decode, measure and judge a data set.

    Args:
        knowledge: the rulebooks, or what loads them: with more than one worker, while clips are decoded.
        manifest: CSV or TSV file, or a folder of class folders.
        label, path, split, text: columns of the label, the file, the split, what is said; guessed when not given.
        group, session: columns of the speaker or recording, and of the session where that is another.
        raters: columns of one rater's score each.
        audio_root: folder that clip paths are relative to; default: the manifest's own.
        task: what the labels are; guessed from them when it is not given.
        scale: lowest and highest value that a score can take.
        progress: called with (done, total) as clips are decoded.
        workers: processes that decode, compare and measure; 0: one for every processor.
        cache: folder that keeps what was measured of the clips; None: nothing is kept.
        cluster: address of a Ray cluster that decodes instead; empty: none.
        protocol: kind of split to propose where one is needed; default: what the rules prefer.
        decode: whether to open the audio; without, whatever needs it is unknown, and a million rows take seconds.

    Raises:
        InputError: the manifest is missing, empty or malformed.
        UsageError: a named column does not exist.
    """
    dataset = read_dataset(
        manifest, path=path, label=label, group=group, split=split, text=text, session=session, raters=raters,
        audio_root=audio_root, task=task, with_sound=decode,
    )  # fmt: skip
    standards = functools.cache(lambda: _standards(knowledge, dataset))  # at the latest where they are needed
    if not decode:
        from .judging import judged

        return judged(standards(), dataset, NOTHING_DECODED, None, (), scale, protocol)
    scan = scan_clips(dataset.regions, progress, workers=workers, cache=cache, cluster=cluster, meanwhile=standards)
    if forkable():  # those who compare need the memory more; for another scan new ones are forked
        end_workers()
    from .judging import compared, judged

    count = workers or processors()
    near, review = compared(standards(), scan, count)
    return judged(standards(), dataset, scan, near, review, scale, protocol, count)


def _standards(knowledge: Knowledge | Callable[[], Knowledge], dataset: Dataset) -> Standards:
    """Load the rulebooks and what judges by them, and let them set their limits.

    It is a third of what an audit of a thousand clips takes, and clips are decoded meanwhile.
    """
    from . import judging  # noqa: F401  # needed soon, and loaded while nothing else can be done
    from .standards import Standards

    return Standards.of(knowledge() if callable(knowledge) else knowledge, dataset)


def write_repaired_manifest(audit: Audit, target: Path) -> Path:
    """Write the proposed split to a new file and return it.

    Raises:
        UsageError: there is no proposal, or `target` exists.
    """
    if audit.proposal is None:
        raise UsageError(f"{audit.dataset.manifest}: no new split is proposed, so there is nothing to write")
    from engine.evidence.dataset import write_manifest

    return write_manifest(audit.dataset, audit.proposal, target)
