"""How many questions a complete plan takes: the expert's interview against a questionnaire that asks everything.

    python -m benchmarks.interview

The ten projects of tests/expert/consultations answer what their owner knows, and "I don't know" otherwise. The
questionnaire asks every question of the vocabulary, in its order. `settled` is the number of questions after which no
decision of the plan changed any more. Times are CPU times of this process. Writes benchmarks/results/interview.json.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from knowledge.records import Value
from knowledge.rulebook import Knowledge
from tests.expert.consultation_cards import CARDS, Card, begun, shipped
from tui.interview import InterviewState

RESULT = Path(__file__).parent / "results" / "interview.json"
Decided = dict[str, Value]


def measure(card: Card, knowledge: Knowledge, everything: list[str]) -> dict[str, Any]:
    """Return the counts for one project."""
    found: dict[str, Any] = {"title": card.title}
    times: list[float] = []
    for name, audited in (("without_audit", False), ("with_audit", True)):
        plans, asked = _led(begun(card, knowledge, audited=audited), card, times)
        found[name] = {"questions": len(asked), "settled": _settled(plans), "asked": asked}
    state = begun(card, knowledge, audited=False)
    plans = [_decided(state), *(_after(state, card, name) for name in everything)]
    found["questionnaire"] = {"questions": len(everything), "settled": _settled(plans)}
    found["milliseconds_to_the_next_question"] = [round(item * 1e3, 1) for item in times]
    return found


def _led(state: InterviewState, card: Card, times: list[float]) -> tuple[list[Decided], list[str]]:
    plans, asked = [_decided(state)], []
    while name := _next(state, times):
        asked.append(name)
        plans.append(_after(state, card, name))
    return plans, asked


def _next(state: InterviewState, times: list[float]) -> str:
    """The next question, timed; the plan has been drawn already."""
    started = time.process_time()
    questions = state.questions()
    times.append(time.process_time() - started)
    return questions[0].entry.name if questions else ""


def _after(state: InterviewState, card: Card, name: str) -> Decided:
    if name in card.answers:
        state.answer(name, card.answers[name])
    else:
        state.dont_know(name)
    return _decided(state)


def _decided(state: InterviewState) -> Decided:
    return {name: item.value for name, item in state.draft().session.decisions.items()}


def _settled(plans: list[Decided]) -> int:
    """After how many questions the decisions are those of the end."""
    return next(number for number, plan in enumerate(plans) if all(later == plans[-1] for later in plans[number:]))


def table(result: dict[str, Any]) -> Iterator[str]:
    """Return the counts as a Markdown table."""
    yield "| project | questionnaire | interview | settled after | interview after an audit |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for item in result["projects"].values():
        free, audited = item["without_audit"], item["with_audit"]
        counts = item["questionnaire"]["questions"], free["questions"], free["settled"], audited["questions"]
        yield f"| {item['title']} | {' | '.join(map(str, counts))} |"


def main() -> None:
    """Measure every project, write the result and print the table."""
    knowledge = shipped()
    everything = [entry.name for entry in knowledge.vocabulary.entries.values() if entry.ask]
    projects = {name: measure(card, knowledge, everything) for name, card in CARDS.items()}
    times = [item for project in projects.values() for item in project.pop("milliseconds_to_the_next_question")]
    result = {
        "plan_rules": len(knowledge.pack("plan")),
        "milliseconds_to_the_next_question": {"median": statistics.median(times), "max": max(times)},
        "projects": projects,
    }
    RESULT.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print("\n".join(table(result)))
    print(f"\nnext question: {statistics.median(times):.0f} ms in the median, {max(times):.0f} ms at most")


if __name__ == "__main__":
    main()
