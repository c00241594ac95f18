"""The interview as plain prompts on standard error, for terminals without an interface and for pipes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from .output import say

if TYPE_CHECKING:
    from knowledge.vocabulary import Entry
    from tui.interview import InterviewState

_HELP = "Answer, or: Enter = I don't know, w = why do you ask, b = back to the question before, q = stop asking."


def ask_all(state: InterviewState) -> None:
    """Ask until no question could change the plan, the user stops, or the input ends."""
    say(_HELP)
    topic = ""
    while entry := _next(state):
        topic = _announce(state, entry, topic)
        _pose(entry)
        line = sys.stdin.readline()
        answer = line.strip()
        if not line or answer == "q":
            break
        if answer == "w":
            _why(state, entry)
        elif answer == "b":
            _back(state, entry)
        else:
            _accept(state, entry, answer)
    say("" if _next(state) else "\nNothing else that you could answer would change the plan.")


def _next(state: InterviewState) -> Entry | None:
    if state.reopened:
        return state.knowledge.vocabulary.entry(state.reopened)
    return next((question.entry for question in state.questions()), None)


def _announce(state: InterviewState, entry: Entry, topic: str) -> str:
    """Say which topic comes, and how much hangs on the question; returns the topic."""
    now = entry.topic or ""
    if now != topic:
        open_ones = len(state.questions())
        say(f"\n{now.capitalize()}  ({open_ones} question{'s' * (open_ones != 1)} open)")
    for question in state.questions():
        if question.entry is entry and question.effect:
            say(f"   An answer changes {question.effect:.1f} decisions of the plan on average.")
    return now


def _pose(entry: Entry) -> None:
    say(f"\n{entry.ask}")
    if entry.help:
        say(f"   {entry.help}")
    for number, value in enumerate(entry.values, 1):
        label = f": {entry.labels[value]}" if value in entry.labels else ""
        say(f"   {number}) {value}{label}")
    unit = f" in {entry.unit}" if entry.unit else ""
    print(f"[{entry.expected()}{unit}] > ", end="", file=sys.stderr, flush=True)


def _why(state: InterviewState, entry: Entry) -> None:
    from expert.explanation import prospect_line, why

    for question in state.questions():
        if question.entry is entry:
            reason = why(state.draft().session, question)
            bears = ", ".join(reason.decides) or "findings only"
            say(f"   It decides {bears}; waiting for it: {', '.join(question.pending)}.")
            for prospect in reason.prospects:
                if line := prospect_line(prospect):
                    say(f"   {line}")
            return
    say("   You answered it before; a new answer changes what followed from the old one.")


def _back(state: InterviewState, entry: Entry) -> None:
    """Go to the answer before the question that is open, itself perhaps one that was gone back to."""
    names = list(state.replies)
    before = names[: names.index(entry.name)] if entry.name in names else names
    if before:
        state.revise(before[-1])
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
        if state.dropped:
            say(f"   No longer needed, and taken back: {', '.join(state.dropped)}.")
    except TonmeisterError as error:
        say(f"   {error.message} {error.hint}".rstrip())
