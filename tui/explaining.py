"""Explanations as blocks of text: a line of the plan, a question, a finding, a remedy. Reasons nothing out itself."""

from __future__ import annotations

from collections.abc import Iterable

from expert.arguments import LOST
from expert.consultation.plan import PlanDraft
from expert.consultation.rounds import Proposal, RoundReport
from expert.explanation import format_because, how, why
from expert.interview import Question
from expert.mind import change_of_mind
from expert.session import Candidate, Decision, Session
from knowledge.conditions import spell
from knowledge.records import Evidence, Finding
from knowledge.rulebook import Knowledge
from knowledge.vocabulary import Entry

from .block import Block


def decision_blocks(draft: PlanDraft, attribute: str) -> list[Block]:
    """Explain one line of the plan: value, reason, rule, sources, losers, and what the rules object to."""
    session = draft.session
    entry = session.knowledge.vocabulary.entry(attribute)
    means = Block("", (entry.means,))
    decision = session.decisions.get(attribute)
    if decision is None:
        return [means, Block("not decided", ("No rule has decided this yet, or this plan does not need it.",))]
    blocks = [means, verdict(session, decision), *_rule_blocks(session, decision.rule)]
    if decision.objections:
        blocks.append(Block("the rules disagree", objections(session, decision)))
    if decision.losers:
        blocks.append(Block("considered and not chosen", tuple(_loser(session, loser) for loser in decision.losers)))
    if not decision.fixed_by_user:
        turns = tuple(map(str, change_of_mind(session, attribute).turns))
        blocks.append(Block("what would change it", turns or ("No single fact, were it otherwise.",)))
        blocks.append(Block("how it follows", tuple(how(session, attribute).lines()), verbatim=True))
    return blocks


def verdict(session: Session, decision: Decision) -> Block:
    """Return value and reason of a decision."""
    heading = f"{decision.attribute} = {spell(decision.value)}"
    if decision.fixed_by_user:
        agree = "" if decision.objections else " No rule disagrees."
        return Block(heading, (f"Your choice; it is kept.{agree}",))
    rule = session.knowledge.rule(decision.rule)
    lines = [format_because(rule, session.facts)] if rule else []
    if decision.contested:
        lines.append("Contested: rules of the same strength recommend different values.")
    return Block(heading, tuple(lines))


def _rule_blocks(session: Session, rule_id: str) -> list[Block]:
    rule = session.knowledge.rule(rule_id)
    if rule is None:
        return []
    weight = f"strength {rule.strength}, certainty {rule.certainty:g}"
    return [
        Block("rule", (f"{rule.id}: {rule.title}", weight)),
        Block("sources", citations(session.knowledge, rule.sources)),
    ]


def citations(knowledge: Knowledge, sources: Iterable[str]) -> tuple[str, ...]:
    """Return each source with its full citation."""
    return tuple(f"{source}: {knowledge.citation(source)}" for source in sources)


def objections(session: Session, decision: Decision) -> tuple[str, ...]:
    """Return what rules say against a choice of the user."""
    return tuple(_objection(session, rule) for rule in decision.objections)


def _objection(session: Session, rule_id: str) -> str:
    rule = session.knowledge.rule(rule_id)
    if rule is None:
        return rule_id
    return f"{rule.id} recommends {spell(rule.then.value)}: {format_because(rule, session.facts)}"


def _loser(session: Session, loser: Candidate) -> str:
    rule = session.knowledge.rule(loser.rules[0]) if loser.rules else None
    reason = f": {format_because(rule, session.facts)}" if rule else ""
    lost = LOST.get(loser.lost_on, f"lost on {loser.lost_on}")
    return f"{spell(loser.value)}, because {lost} ({', '.join(loser.rules)}){reason}"


def question_blocks(session: Session, question: Question) -> list[Block]:
    """Say why a question is asked."""
    entry = question.entry
    return [
        Block(entry.name, (entry.means,)),
        Block("why this is asked", tuple(why(session, question).lines()[1:]), verbatim=True),
    ]


def finding_blocks(knowledge: Knowledge, finding: Finding) -> list[Block]:
    """Show a finding with its evidence, its rule and its sources."""
    blocks = [Block(finding.title, (finding.because,))]
    if finding.evidence:
        blocks.append(Block("evidence", tuple(evidence_line(item) for item in finding.evidence)))
    if len(finding.paths) > len(finding.evidence):
        blocks.append(Block("clips", (f"{len(finding.paths)} clips are affected",)))
    rule = knowledge.rule(finding.rule)
    title = f": {rule.title}" if rule else ""
    blocks.append(Block("rule", (f"{finding.rule}{title}", f"confidence {finding.confidence:.2f}")))
    blocks.append(Block("sources", citations(knowledge, finding.sources)))
    remedies = [knowledge.remedies[name] for name in finding.remedies if name in knowledge.remedies]
    if remedies:
        blocks.append(Block("what helps", tuple(remedy.title for remedy in remedies)))
    return blocks


def evidence_line(item: Evidence) -> str:
    """Return one piece of evidence with where to look it up."""
    place = item.path or ""
    if item.path and item.line is not None:
        place += f":{item.line}"
    if item.step is not None:
        place += f" step {item.step}"
    text = item.text.removeprefix(f"{item.path}: ")  # a finding's text may name the clip already
    return f"{place.strip()}: {text}" if place.strip() else item.text


def proposal_blocks(knowledge: Knowledge, proposal: Proposal) -> list[Block]:
    """Show what a remedy changes, why, what it costs and what the next run shows if it helped."""
    remedy = proposal.remedy
    return [
        Block("changes", proposal.diff, verbatim=True),
        Block("because of", (f"{proposal.finding.id}: {proposal.finding.because}",)),
        Block("if it helps", (remedy.expect,)),
        Block("costs", (remedy.costs,)),
        Block("sources", citations(knowledge, remedy.sources)),
    ]


def fact_block(entry: Entry) -> Block:
    """Say what a fact means."""
    return Block(entry.name, tuple(text for text in (entry.means, entry.help) if text))


def round_blocks(report: RoundReport) -> list[Block]:
    """Show what a round changed, what it scored and what was found in it."""
    blocks = [Block(report.round.kind, (f"{report.status} in {report.seconds:.0f} s, {report.verdict}",))]
    blocks += [
        Block(f"{change.remedy.title} ({change.finding.rule})", change.diff, verbatim=True)
        for change in report.round.changes
    ]
    if report.score is not None:
        blocks.append(Block("validation score", (f"{report.score} on {report.score.clips} clips",)))
    if report.gain is not None:
        gain = report.gain
        text = f"{gain.value:+.3f} {gain.interval('+')} on {gain.clips} clips that both scored"
        blocks.append(Block("gain over the champion it challenged", (text,)))
    findings = tuple(f"{finding.severity} {finding.id}: {finding.title}" for finding in report.findings)
    return [*blocks, Block("findings", findings or ("none",)), Block("run directory", (str(report.round.run),))]
