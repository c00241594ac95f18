"""What a plan says about itself: the reasons beside its lines and the words on top of it. Decides nothing."""

from __future__ import annotations

import textwrap

from knowledge.conditions import spell
from knowledge.records import Fact

from ..because import format_because
from ..session import Candidate, Decision, Session

CANNOT_RUN = "-cannot-run-here"
"""How the id of a finding ends that names something wanted and the nearest plan that runs."""
_WIDTH = 110
_ORIGIN = {
    "user": "your answer",
    "audit": "measured in the data set",
    "machine": "measured on this machine",
    "plan": "from the plan",
    "rule": "follows from your answers",
}


def comments(session: Session) -> dict[str, str]:
    """Return a short reason for every plan path that a fact states or a decision fills."""
    found: dict[str, str] = {}
    for entry in session.knowledge.vocabulary.entries.values():
        if entry.plan and entry.name in session.decisions:
            found[entry.plan] = _decision_comment(session, session.decisions[entry.name])
        elif entry.plan and entry.name in session.facts:
            source = session.facts[entry.name].source
            found.setdefault(entry.plan, _ORIGIN.get(source, source))
    return found


def assumptions(session: Session) -> tuple[str, ...]:
    """Return a line for every decision that only a fallback rule supports."""
    return tuple(
        f"{decision.attribute} = {spell(decision.value)}: {_because(session, decision.rule)}"
        for decision in in_order(session)
        if _is_assumed(decision)
    )


def objections(session: Session) -> tuple[str, ...]:
    """Return a line for every choice of the user that a rule disagrees with."""
    return tuple(
        f"{decision.attribute} = {spell(decision.value)} is your choice; {_would_choose(session, decision.losers[0])}"
        for decision in in_order(session)
        if decision.fixed_by_user and decision.losers
    )


def clash(session: Session) -> str:
    """Say which choices of the user stand against the rules, for a plan that cannot be run with them."""
    return " ".join(objections(session))


def header(session: Session, command: str, not_runnable: tuple[str, ...]) -> str:
    """Return the comment on top of plan.yaml: the launch command, then all that a reader has to know first."""
    lines = [command]
    lines += _block("Not run here yet:", not_runnable)
    warnings = [item.because for item in session.findings if not item.id.endswith(CANNOT_RUN)]
    lines += _block("Mind:", warnings)
    lines += _block("What it takes:", costs(session))
    lines += _block("Against the rules:", objections(session))
    assumed = [decision.attribute for decision in in_order(session) if _is_assumed(decision)]
    lines += _block("Assumed, because too little is known:", [", ".join(assumed)] if assumed else [])
    lines += _block("Own knowledge in force:", [own.sentence() for own in session.knowledge.own])
    return "\n".join(lines)


def costs(session: Session) -> tuple[str, ...]:
    """Return what the plan takes on this machine, a line each, as far as it could be estimated."""
    hours = [session.facts.get(f"time.training_hours{end}") for end in ("", "_low", "_high")]
    clips, batch = session.facts.get("memory.pass_clips"), session.facts.get("training.batch_size")
    lines = []
    if all(hours):
        usual, least, most = (_duration(float(fact.value)) for fact in hours if fact)
        lines.append(f"Training takes about {usual}, between {least} and {most}: {_basis(hours[0])}.")
    if clips and batch and session.facts["adaptation.method"].value != "frozen":
        held = f"One pass holds {clips.value} of the longest clips, and a batch has {batch.value}"
        lines.append(f"{held}: {_basis(clips)}.")
    return tuple(lines)


def _basis(fact: Fact | None) -> str:
    return fact.evidence[0].text if fact and fact.evidence else ""


def _duration(hours: float) -> str:
    """An estimate, with as many digits as it deserves."""
    minutes = hours * 60
    if minutes < 100:
        return f"{minutes:.2g} minutes" if minutes >= 1.5 else "a minute"
    return f"{hours:.2g} hours" if hours < 48 else f"{hours / 24:.2g} days"


def in_order(session: Session) -> tuple[Decision, ...]:
    """Return the decisions in the order of the vocabulary, which is that in which a person settles them."""
    return tuple(session.decisions[name] for name in session.knowledge.vocabulary.entries if name in session.decisions)


def _decision_comment(session: Session, decision: Decision) -> str:
    if decision.fixed_by_user:
        if decision.losers:
            return f"you chose this; {_would_choose(session, decision.losers[0])}"
        return f"you chose this, and so does {decision.rule}" if decision.rule else "you chose this"
    assumed = "assumed: " if _is_assumed(decision) else ""
    rivals = [loser for loser in decision.losers if loser.strength == decision.strength] if decision.contested else []
    contested = f"; contested by {rivals[0].rules[0]}, which wants {spell(rivals[0].value)}" if rivals else ""
    rule = session.knowledge.rule(decision.rule)
    own = f", {rule.own.what} by the {rule.own.layer}" if rule and rule.own else ""
    return f"{assumed}{_because(session, decision.rule)} [{decision.rule}{own}]{contested}"


def _would_choose(session: Session, candidate: Candidate) -> str:
    rule = candidate.rules[0]
    return f"{rule} would choose {spell(candidate.value)}: {_because(session, rule)}"


def _because(session: Session, rule_id: str) -> str:
    """The first sentence of a rule's reason; it is written to stand alone."""
    rule = session.knowledge.rule(rule_id)
    if rule is None:
        return ""
    sentence, stop, _ = format_because(rule, session.facts).partition(". ")
    return f"{sentence}." if stop else sentence


def _is_assumed(decision: Decision) -> bool:
    return decision.strength == "fallback" and not decision.fixed_by_user


def _block(title: str, items: list[str] | tuple[str, ...]) -> list[str]:
    if not items:
        return []
    return ["", title, *(line for item in items for line in _wrapped(item, "  "))]


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
