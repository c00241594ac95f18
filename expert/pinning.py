"""Writes the cases that pin every rule of a knowledge folder as YAML text; writes no file and changes no rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import yaml

from knowledge.records import Value
from knowledge.rulebook import Knowledge
from knowledge.schema import Example

from .mutation import pins_of

HEADER = """\
# Written by `tonmeister rules pin`: for each rule the cases that tell it from every small change of it (a condition
# dropped, a threshold moved), where its own examples do not. A diff of this file shows what a change of a rule changes.
"""


def pins_text(knowledge: Knowledge) -> str:
    """Return the pins of all rules, in the order of their ids."""
    documents = ((rule.id, pins_of(rule, knowledge)) for rule in sorted(knowledge.rules, key=lambda rule: rule.id))
    return HEADER + "".join(_document(rule, pins) for rule, pins in documents if pins)


def _document(rule: str, pins: Iterable[Example]) -> str:
    cases = list(pins)
    lines = [f"- pins: {rule}\n"]
    for name, fires in (("fires", True), ("rests", False)):
        given = [example.given for example in cases if example.fires == fires]
        lines += [f"  {name}:\n"] if given else []
        lines += [f"    - {_flow(case)}\n" for case in given]
    return "".join(lines)


def _flow(case: Mapping[str, Value]) -> str:
    text = yaml.safe_dump(dict(case), default_flow_style=True, width=10**9, sort_keys=True)
    return text.strip()
