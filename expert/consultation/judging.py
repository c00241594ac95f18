"""What an audit concludes: measures what was decoded, lets the rules judge it, proposes a split; writes nothing.

Apart from `audit.py`, so that clips are decoded while this and the rules are loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from engine.evidence.dataset import Dataset, NearPair, Scan, SplitProposal, find_near, measure_dataset, propose_split
from engine.evidence.dataset.fewest_moves import measure_moves
from engine.evidence.dataset.repair import Protocol, SplitShares
from knowledge.records import Fact, Measured, Unknown
from knowledge.vocabulary import Vocabulary

from ..chaining import consult
from ..session import Session
from .audit import Audit
from .standards import Standards


def compared(standards: Standards, scan: Scan, workers: int) -> tuple[tuple[NearPair, ...], ...]:
    """Look for near copies; return the pairs that count as copies, and those that a person should listen to."""
    if len(scan.clips) < 2:
        return (), ()
    limits = standards.near
    return limits.divided(find_near(scan, workers=workers, plain=limits.plain))


def judged(
    standards: Standards,
    dataset: Dataset,
    scan: Scan,
    near: tuple[NearPair, ...] | None,
    review: tuple[NearPair, ...],
    scale: tuple[float, float] | None,
    protocol: Protocol | None,
    workers: int = 1,
) -> Audit:
    """Measure what was read and decoded, and let the rules judge it; `near` is None where nobody looked for copies."""
    knowledge = standards.knowledge
    facts = measure_dataset(
        dataset,
        scan,
        scale=scale,
        near=near,
        review=review,
        checks=knowledge.checks,
        least=standards.minimums,
        length_tolerance_seconds=standards.length_tolerance_seconds,
        workers=workers,
    )
    measured = admitted(facts, knowledge.vocabulary)
    concluded = consult(knowledge, measured.facts, packs=("audit",), unknown=measured.unknown)
    proposal = None
    if _concluded(concluded, "dataset.split_needs_repair"):
        measured += admitted(measure_moves(dataset, scan, near or ()), knowledge.vocabulary)
        concluded = consult(knowledge, measured.facts, packs=("audit",), unknown=measured.unknown)
        proposal = _proposed(dataset, scan, near or (), facts, concluded, protocol)
    return Audit(dataset, measured, concluded, proposal, near or (), review, scan)


def _proposed(
    dataset: Dataset,
    scan: Scan,
    near: Sequence[NearPair],
    facts: Measured,
    session: Session,
    wanted: Protocol | None,
) -> SplitProposal | None:
    """Propose the kind of split that the user wants, else the one that the rules prefer."""
    protocol = wanted or cast("Protocol", session.facts["dataset.repair_protocol"].value)
    even = cast("float", session.facts["dataset.repair_evenness"].value)
    shares = SplitShares.parsed(str(session.facts["dataset.repair_shares"].value), even)
    keep_test = _concluded(session, "dataset.repair_keeps_test")
    return propose_split(dataset, scan, shares=shares, protocol=protocol, keep_test=keep_test, near=near, before=facts)


def admitted(measured: Measured, vocabulary: Vocabulary) -> Measured:
    """Apply the gates of the vocabulary: what rests on too few items becomes unknown, with the reason."""
    checked = [vocabulary.admit(fact) for fact in measured.facts]
    facts = tuple(item for item in checked if isinstance(item, Fact))
    return Measured(facts, measured.unknown + tuple(item for item in checked if isinstance(item, Unknown)))


def _concluded(session: Session, name: str) -> bool:
    return name in session.facts and session.facts[name].value is True
