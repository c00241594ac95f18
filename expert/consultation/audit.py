"""The audit consultation: from a manifest to facts, findings and a proposed split; writes only when asked to.

The engine measures, the audit rulebook judges, and where it asks for a new split the engine proposes one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from engine.evidence.dataset import (
    Dataset,
    NearPair,
    Scan,
    SplitProposal,
    find_near,
    measure_dataset,
    propose_split,
    read_dataset,
    scan_clips,
    write_manifest,
)
from engine.evidence.dataset.clips import NOTHING_DECODED, Progress
from engine.evidence.dataset.collection import no_collection
from engine.evidence.dataset.fewest_moves import measure_moves
from engine.evidence.dataset.probes import Minimums
from engine.evidence.dataset.records import TaskType
from engine.evidence.dataset.repair import Protocol, SplitShares
from engine.evidence.dataset.scan import processors
from knowledge.errors import UsageError
from knowledge.records import Fact, Measured, Unknown
from knowledge.rulebook import Knowledge
from knowledge.vocabulary import Vocabulary

from ..chaining import consult
from ..session import Session
from .near_limits import NearLimits


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
    knowledge: Knowledge,
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
        knowledge: the rulebooks.
        manifest: CSV or TSV file, or a folder of class folders.
        label, path, split, text: columns of the label, the file, the split, what is said; guessed when not given.
        group, session: columns of the speaker or recording, and of the session where that is another.
        raters: columns of one rater's score each.
        audio_root: folder that clip paths are relative to; default: the manifest's own.
        task: what the labels are; guessed from them when it is not given.
        scale: lowest and highest value that a score can take.
        progress: called with (done, total) as clips are decoded.
        workers: child processes that decode; 0: one for every processor.
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
    if not decode:
        return _judged(knowledge, dataset, NOTHING_DECODED, None, (), scale, protocol)
    scan = scan_clips(dataset.regions, progress, workers=workers, cache=cache, cluster=cluster)
    limits = near_limits(knowledge, dataset) if len(scan.clips) > 1 else None
    pairs = find_near(scan, workers=workers or processors(), plain=limits.plain) if limits else ()
    near, review = limits.divided(pairs) if limits else ((), ())
    return _judged(knowledge, dataset, scan, near, review, scale, protocol)


def _judged(
    knowledge: Knowledge,
    dataset: Dataset,
    scan: Scan,
    near: tuple[NearPair, ...] | None,
    review: tuple[NearPair, ...],
    scale: tuple[float, float] | None,
    protocol: Protocol | None,
) -> Audit:
    """Measure what was read and decoded, and let the rules judge it; `near` is None where nobody looked for copies."""
    facts = measure_dataset(
        dataset,
        scan,
        scale=scale,
        near=near,
        review=review,
        checks=knowledge.checks,
        least=minimums(knowledge, dataset),
        length_tolerance_seconds=length_tolerance(knowledge, dataset),
    )
    measured = admitted(facts, knowledge.vocabulary)
    concluded = consult(knowledge, measured.facts, packs=("audit",), unknown=measured.unknown)
    proposal = None
    if _concluded(concluded, "dataset.split_needs_repair"):
        measured += admitted(measure_moves(dataset, scan, near or ()), knowledge.vocabulary)
        concluded = consult(knowledge, measured.facts, packs=("audit",), unknown=measured.unknown)
        proposal = _proposed(dataset, scan, near or (), concluded, protocol)
    return Audit(dataset, measured, concluded, proposal, near or (), review, scan)


def _proposed(
    dataset: Dataset, scan: Scan, near: Sequence[NearPair], session: Session, wanted: Protocol | None
) -> SplitProposal | None:
    """Propose the kind of split that the user wants, else the one that the rules prefer."""
    protocol = wanted or cast("Protocol", session.facts["dataset.repair_protocol"].value)
    even = cast("float", session.facts["dataset.repair_evenness"].value)
    shares = SplitShares.parsed(str(session.facts["dataset.repair_shares"].value), even)
    keep_test = _concluded(session, "dataset.repair_keeps_test")
    return propose_split(dataset, scan, shares=shares, protocol=protocol, keep_test=keep_test, near=near)


def judged_pairs(
    knowledge: Knowledge, dataset: Dataset, pairs: Sequence[NearPair]
) -> tuple[tuple[NearPair, ...], tuple[NearPair, ...]]:
    """Return the pairs that count as copies, and those that a person should listen to, by the limits of the rules."""
    if not pairs:
        return (), ()
    return near_limits(knowledge, dataset).divided(pairs)


def near_limits(knowledge: Knowledge, dataset: Dataset) -> NearLimits:
    """Return what counts as a near copy by the rules."""
    return NearLimits.concluded(_limits(knowledge, dataset))


def minimums(knowledge: Knowledge, dataset: Dataset) -> Minimums | None:
    """Return how much a probe must rest on by the rules; None where these do not say."""
    limits = _limits(knowledge, dataset)
    names = ("class_clips", "class_groups", "split_clips", "split_groups")
    if any(f"dataset.least_{name}" not in limits for name in names):
        return None
    return Minimums(*(int(cast("int", limits[f"dataset.least_{name}"].value)) for name in names))


def length_tolerance(knowledge: Knowledge, dataset: Dataset) -> float | None:
    """Return how far a stated length may be from that of the file by the rules, in seconds; None where none says."""
    fact = _limits(knowledge, dataset).get("dataset.length_tolerance_seconds")
    return None if fact is None else float(cast("float", fact.value))


def _limits(knowledge: Knowledge, dataset: Dataset) -> Mapping[str, Fact]:
    """Return what the rules set before anything but the manifest is known."""
    return consult(knowledge, (Fact("dataset.rows", len(dataset), "audit"),), packs=("audit",)).facts


def admitted(measured: Measured, vocabulary: Vocabulary) -> Measured:
    """Apply the gates of the vocabulary: what rests on too few items becomes unknown, with the reason."""
    checked = [vocabulary.admit(fact) for fact in measured.facts]
    facts = tuple(item for item in checked if isinstance(item, Fact))
    return Measured(facts, measured.unknown + tuple(item for item in checked if isinstance(item, Unknown)))


def write_repaired_manifest(audit: Audit, target: Path) -> Path:
    """Write the proposed split to a new file and return it.

    Raises:
        UsageError: there is no proposal, or `target` exists.
    """
    if audit.proposal is None:
        raise UsageError(f"{audit.dataset.manifest}: no new split is proposed, so there is nothing to write")
    return write_manifest(audit.dataset, audit.proposal, target)


def _concluded(session: Session, name: str) -> bool:
    return name in session.facts and session.facts[name].value is True
