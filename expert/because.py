"""Writes a rule's reason to this user, with his numbers in it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from knowledge.conditions import spell
from knowledge.records import Fact
from knowledge.rulebook import TEMPLATE, Rule


def format_because(rule: Rule, facts: Mapping[str, Fact]) -> str:
    """Return `because` with the value of every `{fact.name}` and `{fact.name:.2f}`; an unknown fact reads "unknown".

    Behind the reason of a rule that users added or changed stands who did it, why, and what the package says.
    """

    def value(match: re.Match[str]) -> str:
        name, form = match.groups()
        if name not in facts:
            return "unknown"
        known = facts[name].value
        return format(known, form) if form else spell(known)

    return TEMPLATE.sub(value, rule.because) + (f" [{rule.own.sentence()}]" if rule.own else "")
