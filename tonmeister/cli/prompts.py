"""The interview as plain prompts on standard error, for terminals without an interface and for pipes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from .output import say
from .planning import Case

if TYPE_CHECKING:
    from expert.interview import Question

    from knowledge.vocabulary import Entry

_HELP = "Answer, or: Enter = I don't know, w = why do you ask, b = back, q = stop asking."


def ask_all(case: Case) -> Case:
    """Ask until no question could change the plan, the user stops, or the input ends."""
    from expert.interview import questions

    say(_HELP)
    before: list[Case] = []
    while pending := questions(case.draft().session):
        question = pending[0]
        _pose(question)
        line = sys.stdin.readline()
        answer = line.strip()
        if not line or answer == "q":
            break
        if answer == "w":
            say(f"   It decides {', '.join(question.decides)}; waiting for it: {', '.join(question.pending)}.")
        elif answer == "b":
            case = before.pop() if before else case
        else:
            given = _accept(case, question.entry, answer)
            if given is not None:
                before.append(case)
                case = given
    say("")
    return case


def _pose(question: Question) -> None:
    entry = question.entry
    say(f"\n{entry.ask}")
    if entry.help:
        say(f"   {entry.help}")
    for number, value in enumerate(entry.values, 1):
        label = f": {entry.labels[value]}" if value in entry.labels else ""
        say(f"   {number}) {value}{label}")
    unit = f" in {entry.unit}" if entry.unit else ""
    print(f"[{entry.expected()}{unit}] > ", end="", file=sys.stderr, flush=True)


def _accept(case: Case, entry: Entry, answer: str) -> Case | None:
    from knowledge.errors import UsageError

    if entry.values and answer.isdigit() and 1 <= int(answer) <= len(entry.values):
        answer = entry.values[int(answer) - 1]
    short = {"y": "yes", "n": "no"}
    if entry.type == "boolean":
        answer = short.get(answer.lower(), answer)
    try:
        return case.with_answer(entry.name, answer or "unknown")
    except UsageError as error:
        say(f"   {error.message} {error.hint}".rstrip())
        return None
