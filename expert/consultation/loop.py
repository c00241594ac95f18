"""The improvement loop, a step at a time: plan, train, diagnose, patch, again. Trains nothing itself.

Whoever drives it (command line, terminal interface) trains each round's plan in a child process and hands the run
directory back. The champion is replaced only by a challenger that is better on validation beyond its paired bootstrap
interval. A remedy that changes the data voids every score before it: the old config is trained again on the new data
and becomes the model to beat.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine.plan import Plan, differences, patched, plan_yaml, write_atomically
from knowledge.errors import TonmeisterError, UsageError
from knowledge.records import SEVERITIES, Fact, Finding, Value
from knowledge.rulebook import Knowledge, Remedy

from ..explanation import applicable_remedies
from ..session import Session
from .audit import Audit, audit_dataset, write_repaired_manifest
from .carried import carried
from .diagnose import diagnose_run
from .patch import apply_remedy, diff_lines
from .rounds import LoopResult, Proposal, Round, RoundKind, RoundReport, Score
from .scores import gain, read_predictions, score, validation_file


@dataclass
class LoopState:
    """Where a loop stands. `next_round` says what to train, `finish_round` reads it, `apply` queues remedies."""

    knowledge: Knowledge
    folder: Path
    metric: str
    """The validation score that champions are compared by; higher is better."""
    audits: dict[str, Audit]
    """One audit for each manifest that the loop has used."""
    queued: Round | None = None
    reports: list[RoundReport] = field(default_factory=list)
    champion: RoundReport | None = None
    before: RoundReport | None = None
    pretended: Score | None = None
    tried: set[tuple[str, ...]] = field(default_factory=set)
    facts: dict[int, dict[str, Value]] = field(default_factory=dict)
    """What each round showed."""
    carried: list[Proposal] = field(default_factory=list)
    """What rejected rounds showed of the champion's plan."""

    @classmethod
    def start(cls, plan: Plan, folder: Path, knowledge: Knowledge) -> LoopState:
        """Begin a loop in `folder`, which holds one run directory a round.

        Raises:
            InputError: the plan's manifest cannot be read.
        """
        state = cls(knowledge, folder, _metric(plan, knowledge), {})
        state._audit(plan)
        state.queued = Round(1, "first", plan, folder / "round-1", ())
        return state

    def next_round(self) -> Round | None:
        """Return the round to train next, with its plan written into its run directory; None when none is queued."""
        if self.queued is None:
            return None
        write_atomically(self.queued.run / "plan.yaml", plan_yaml(self.queued.plan, header=_header(self.queued)))
        return self.queued

    def finish_round(self, run: Path) -> RoundReport:
        """Diagnose the trained round, compare it with the champion, and return what was found and what may be tried."""
        if self.queued is None or self.queued.run != run:
            raise UsageError(f"{run} is not the round that this loop asked for")
        report = self._report(self.queued)
        self.queued = None
        base = self.champion or (self.reports[-1] if self.reports else report)
        self.reports.append(report)
        self._remember(report, base)
        if report.verdict == "champion":
            self._crown(report)
        elif self.champion is not None:
            report = self._with_champions_proposals(report)
        write_atomically(self.folder / "loop.json", json.dumps(loop_record(self.result("")), indent=1) + "\n")
        return report

    def _remember(self, report: RoundReport, base: RoundReport) -> None:
        """Add to the ledger what the remedies of this round brought, against the round that they were tried on."""
        from ..ledger import LEDGER, append_outcomes, outcomes_of

        seen_in = next((change.seen_in for change in report.round.changes if change.seen_in), base.round.number)
        before, after = (self.facts.get(number, {}) for number in (seen_in, report.round.number))
        append_outcomes(self.folder / LEDGER, outcomes_of(report, self.knowledge, before, after))

    def apply(self, proposals: Iterable[Proposal]) -> Round:
        """Queue the round that tries these remedies together; a data remedy goes alone, with everything else as it was.

        Raises:
            UsageError: nothing to apply.  PlanError: the remedies do not fit together.
        """
        chosen = list(proposals)
        if not chosen:
            raise UsageError("no remedy was chosen, expected at least one")
        data = [proposal for proposal in chosen if proposal.remedy.changes_data]
        kind: RoundKind = "baseline" if data else "challenger"
        base = self.reports[-1] if self.champion is None else self.champion
        plan = base.round.plan
        applied: list[Proposal] = []
        for proposal in data[:1] or chosen:
            changes = {path: new for path, (_, new) in differences(base.round.plan, proposal.plan).items()}
            taken = {path for other in applied for path in differences(base.round.plan, other.plan)}
            if not taken & changes.keys():
                plan = patched(plan, changes, proposal.remedy.id)
                applied.append(proposal)
        number = len(self.reports) + 1
        self.tried.update(_key(proposal) for proposal in applied)
        self.queued = Round(number, kind, plan, self.folder / f"round-{number}", tuple(applied))
        return self.queued

    def result(self, stopped_because: str) -> LoopResult:
        """Return the loop so far."""
        return LoopResult(tuple(self.reports), self.champion, self.before, self.pretended, {}, None, stopped_because)

    def audit(self, plan: Plan) -> Audit:
        """Return the audit of the plan's data."""
        return self.audits[plan.data.manifest]

    def _audit(self, plan: Plan) -> Audit:
        if plan.data.manifest not in self.audits:
            audit = audit_plan_data(self.knowledge, plan)
            self.audits[plan.data.manifest] = audit
        return self.audits[plan.data.manifest]

    def _repair_facts(self, audit: Audit) -> tuple[Fact, ...]:
        """Write the proposed split into the loop's own folder and say where it is."""
        if audit.proposal is None:
            return ()
        target = self.folder / "repaired-manifest.csv"
        if not target.exists():
            write_repaired_manifest(audit, target)
        return audit.repair_facts(target)

    def _report(self, queued: Round) -> RoundReport:
        status, seconds = _ending(queued.run)
        audit = self._audit(queued.plan)
        facts = (*audit.measured.facts, *self._repair_facts(audit))
        diagnosis = diagnose_run(self.knowledge, queued.run, extra_facts=facts, extra_unknown=audit.measured.unknown)
        session = diagnosis.session
        self.facts[queued.number] = {name: fact.value for name, fact in session.facts.items()}
        measured = self._score(queued, status)
        difference = self._gain(queued) if measured is not None and queued.kind == "challenger" else None
        proposals, actions = self._proposals(queued.plan, session)
        _write_findings(queued.run, session)
        if queued.kind == "challenger" and measured is not None and self.champion is not None:
            meant, _ = self._proposals(self.champion.round.plan, session)
            self.carried += carried(self.champion, queued, meant, self.knowledge)
        won = measured is not None and (
            queued.kind != "challenger"
            or self.champion is None
            or (difference is not None and _beats(difference, queued))
        )
        return RoundReport(
            queued,
            "failed" if measured is None else "champion" if won else "rejected",
            measured,
            difference,
            session.findings,
            session.not_assessable,
            proposals,
            actions,
            status,
            seconds,
        )

    def _score(self, queued: Round, status: str) -> Score | None:
        file = validation_file(queued.run)
        if file is None or status not in ("completed", "early-stopped"):
            return None
        return score(read_predictions(file), self.metric, queued.plan.evaluation.bootstrap_samples)

    def _gain(self, queued: Round) -> Score | None:
        mine = validation_file(queued.run)
        theirs = validation_file(self.champion.round.run) if self.champion else None
        if mine is None or theirs is None:
            return None
        samples = queued.plan.evaluation.bootstrap_samples
        return gain(read_predictions(mine), read_predictions(theirs), self.metric, samples)

    def _crown(self, report: RoundReport) -> None:
        if report.round.kind == "baseline" and self.pretended is None and self.champion is not None:
            self.pretended = self.champion.score
        if report.round.kind in ("first", "baseline"):
            self.before = report
        self.champion = report
        self.carried.clear()

    def _with_champions_proposals(self, report: RoundReport) -> RoundReport:
        """What is left to try after a rejected challenger: the champion's remedies not tried yet, then what is carried.

        The challenger's own proposals are for a plan that was given up.
        """
        assert self.champion is not None
        waiting = {_key(proposal): proposal for proposal in (*self.champion.proposals, *self.carried)}
        left = tuple(proposal for key, proposal in waiting.items() if key not in self.tried)
        self.champion = replace(self.champion, proposals=left)
        report = replace(report, proposals=left)
        self.reports[-1] = report
        return report

    def _proposals(
        self, plan: Plan, session: Session
    ) -> tuple[tuple[Proposal, ...], tuple[tuple[Finding, Remedy], ...]]:
        proposals: dict[tuple[str, ...], Proposal] = {}
        actions = []
        for finding in session.findings:
            for remedy in applicable_remedies(session, finding):
                if remedy.action:
                    actions.append((finding, remedy))
                elif (proposal := _propose(plan, finding, remedy, session)) and _key(proposal) not in self.tried:
                    proposals.setdefault(_key(proposal), proposal)
        ranked = sorted(proposals.values(), key=_rank)
        return tuple(ranked), tuple(actions)


def audit_plan_data(knowledge: Knowledge, plan: Plan) -> Audit:
    """Audit the data that a plan trains on, with the plan's own columns, task and scale.

    A split column that the plan does not use is left out: what leaks across it leaks nowhere.
    """
    output = plan.output
    used = plan.data.split_column if plan.data.protocol == "given-split" else None
    return audit_dataset(
        knowledge,
        Path(plan.data.manifest),
        label=plan.data.label_column,
        group=plan.data.group_column,
        split=used or "",
        path=plan.data.path_column,
        audio_root=Path(plan.data.audio_root) if plan.data.audio_root else None,
        task=plan.task.type if plan.task.type in ("classification", "regression") else None,
        scale=(output.low, output.high) if output.low is not None and output.high is not None else None,
    )


def choose(report: RoundReport) -> tuple[Proposal, ...]:
    """Return what is applied unattended: a data repair alone, else a remedy for every error, else the best one."""
    data = [proposal for proposal in report.proposals if proposal.remedy.changes_data]
    if data:
        return (data[0],)
    errors: dict[str, Proposal] = {}
    for proposal in report.proposals:
        if proposal.finding.severity == "error" and not proposal.seen_in:  # the runs disagree about such a one
            errors.setdefault(proposal.finding.id, proposal)
    worth_trying = [proposal for proposal in report.proposals if proposal.finding.severity != "note"]
    return tuple(errors.values()) or tuple(worth_trying[:1])


def loop_record(result: LoopResult) -> dict[str, Any]:
    """Return what `loop.json` holds: every round, what it changed, why, and what it brought."""
    return {
        "schema": "tonmeister.loop/1",
        "rounds": [_round_record(report) for report in result.reports],
        "champion": result.champion.round.number if result.champion else None,
        "before": result.before.round.number if result.before else None,
        "pretended": _score_record(result.pretended),
        "test": {name: _score_record(value) for name, value in result.test.items()},
        "test_gain": _score_record(result.test_gain),
        "stopped_because": result.stopped_because,
    }


def _round_record(report: RoundReport) -> dict[str, Any]:
    return {
        "round": report.round.number,
        "kind": report.round.kind,
        "run": report.round.run.name,
        "changes": [
            {"remedy": p.remedy.id, "finding": p.finding.id, "rule": p.finding.rule, "diff": list(p.diff)}
            | ({"seen_in": p.seen_in} if p.seen_in else {})
            for p in report.round.changes
        ],
        "status": report.status,
        "verdict": report.verdict,
        "score": _score_record(report.score),
        "gain": _score_record(report.gain),
        "findings": [finding.id for finding in report.findings],
        "seconds": round(report.seconds, 3),
    }


def _score_record(value: Score | None) -> dict[str, Any] | None:
    if value is None:
        return None
    return {
        "metric": value.metric, "value": value.value, "low": value.low, "high": value.high, "clips": value.clips,
    }  # fmt: skip


def _metric(plan: Plan, knowledge: Knowledge) -> str:
    """The plan's own metric, or the one that the rules recommend where the plan selects by loss or by Pearson."""
    from ..chaining import consult
    from .plan import facts_of_plan

    if plan.evaluation.select_by not in ("loss", "pearson"):
        return plan.evaluation.select_by
    session = consult(knowledge, facts_of_plan(plan, knowledge), packs=("plan",))
    decision = session.decisions.get("evaluation.select_by")
    if decision is None:
        raise UsageError(f"no rule says how to score task.type {plan.task.type}; set evaluation.select_by in the plan")
    return str(decision.value)


def _propose(plan: Plan, finding: Finding, remedy: Remedy, session: Session) -> Proposal | None:
    try:
        new = apply_remedy(plan, remedy, session.facts)
    except TonmeisterError:
        return None  # a remedy that does not fit this plan is no proposal
    diff = tuple(diff_lines(plan, new))
    return Proposal(finding, remedy, new, diff) if diff else None


def _key(proposal: Proposal) -> tuple[str, ...]:
    return (proposal.remedy.id, *proposal.diff)


def _rank(proposal: Proposal) -> tuple[int, int, float, int, str]:
    finding, remedy = proposal.finding, proposal.remedy
    order = finding.remedies.index(remedy.id) if remedy.id in finding.remedies else len(finding.remedies)
    return (SEVERITIES.index(finding.severity), not remedy.changes_data, -finding.confidence, order, remedy.id)


def _beats(difference: Score, queued: Round) -> bool:
    if queued.plan.evaluation.replace_champion == "any-gain":
        return difference.value > 0
    return difference.low > 0


def _ending(run: Path) -> tuple[str, float]:
    """Return the status and the seconds of the `end` event; a run without one was killed."""
    from engine.process import EventTail

    files = [run / "events.jsonl", *sorted(run.glob("fold-*/events.jsonl"))]
    ends = [event for file in files if file.is_file() for event in EventTail(file).read() if event["kind"] == "end"]
    if not ends:
        return "killed", 0.0
    bad = [event["status"] for event in ends if event["status"] not in ("completed", "early-stopped")]
    return (bad[0] if bad else ends[-1]["status"]), sum(event.get("seconds", 0.0) for event in ends)


def _write_findings(run: Path, session: Session) -> None:
    from ..report.json import finding_record, session_record

    lines = [json.dumps(finding_record(finding)) for finding in session.findings]
    write_atomically(run / "findings.jsonl", "".join(line + "\n" for line in lines))
    write_atomically(run / "diagnosis.json", json.dumps(session_record(session), indent=1) + "\n")


def _header(queued: Round) -> str:
    changed = [f"{change.remedy.title}, because of {change.because}" for change in queued.changes]
    reason = "; ".join(changed) or "the plan as given"
    return f"tonmeister train {queued.run / 'plan.yaml'}\n\nRound {queued.number}, {queued.kind}: {reason}."
