"""The interview as plain prompts on standard error, for terminals without an interface and for pipes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from .output import say

if TYPE_CHECKING:
    from expert.interview import Question
    from knowledge.vocabulary import Entry
    from tui.interview import InterviewState

_HELP = "Answer, or: Enter = I don't know, w = why do you ask, b = back to the question before, q = stop asking."


def ask_all(state: InterviewState) -> None:
    """Ask until no question could change the plan, the user stops, or the input ends."""
    say(_HELP)
    while entry := _next(state):
        _pose(entry)
        line = sys.stdin.readline()
        answer = line.strip()
        if not line or answer == "q":
            break
        if answer == "w":
            _why(state.questions(), entry)
        elif answer == "b":
            _back(state)
        else:
            _accept(state, entry, answer)
    say("")


def _next(state: InterviewState) -> Entry | None:
    if state.reopened:
        return state.knowledge.vocabulary.entry(state.reopened)
    return next((question.entry for question in state.questions()), None)


def _pose(entry: Entry) -> None:
    say(f"\n{entry.ask}")
    if entry.help:
        say(f"   {entry.help}")
    for number, value in enumerate(entry.values, 1):
        label = f": {entry.labels[value]}" if value in entry.labels else ""
        say(f"   {number}) {value}{label}")
    unit = f" in {entry.unit}" if entry.unit else ""
    print(f"[{entry.expected()}{unit}] > ", end="", file=sys.stderr, flush=True)


def _why(questions: tuple[Question, ...], entry: Entry) -> None:
    for question in questions:
        if question.entry.name == entry.name:
            say(f"   It decides {', '.join(question.decides)}; waiting for it: {', '.join(question.pending)}.")
            return
    say("   You answered it before; a new answer changes what followed from the old one.")


def _back(state: InterviewState) -> None:
    if state.replies:
        state.revise(next(reversed(state.replies)))
    else:
        say("   This is the first question.")


def _accept(state: InterviewState, entry: Entry, answer: str) -> None:
    from knowledge.errors import TonmeisterError

    if entry.values and answer.isdigit() and 1 <= int(answer) <= len(entry.values):
        answer = entry.values[int(answer) - 1]
    if entry.type == "boolean":
        answer = {"y": "yes", "n": "no"}.get(answer.lower(), answer)
    try:
        state.set(entry.name, answer or "unknown")
    except TonmeisterError as error:
        say(f"   {error.message} {error.hint}".rstrip())
