"""Says what each possible answer to a question would change, before it is given; asks nobody.

The answers that no rule tells apart count as one, so that a question about a number has as many answers as there are
ranges between the thresholds of the rules that read it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, product
from typing import Any

from knowledge.conditions import Condition, spell
from knowledge.records import Fact, Value
from knowledge.vocabulary import Entry

from .boxes import Partition, admits
from .ratios import late_entries, ratio_entries, scaled
from .session import Session
from .sweep import Change, Sweep, kinds

_JOINT = 200
"""So many suppositions at most are tried to show that an answer cannot matter; a tenth of a second at 0.5 ms each."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Answers that no rule tells apart."""

    value: Value
    """One of them."""
    says: str
    """All of them, for a reader: `tiny or small`, `100 to 499`."""
    weight: int
    """How many choices it stands for; 1 for a range of numbers."""


@dataclass(frozen=True, slots=True)
class Prospect:
    """What one answer would change."""

    answer: Answer
    decisions: tuple[Change, ...]
    findings: tuple[Change, ...]
    derived: tuple[Change, ...] = ()
    """Conclusions on the way to both."""

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "answer": self.answer.says,
            "value": self.answer.value,
            "decisions": [change.record() for change in self.decisions],
            "findings": [change.record() for change in self.findings],
        }


class Prospects:
    """The possible answers of one session's open questions, and what they would change."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._sweep = Sweep(session)
        rules = session.knowledge.pack(*session.packs)
        conditions = dict.fromkeys(condition for rule in rules for condition in rule.conditions)
        self._conditions: dict[str, list[Condition]] = {}
        for condition in conditions:
            self._conditions.setdefault(condition.fact, []).append(condition)
        self._computed = ratio_entries(session.knowledge.vocabulary)
        late = late_entries(session.knowledge.vocabulary, self._sweep.by_attribute)
        self._ratios = tuple(entry for entry in self._computed if entry.name not in late)
        self._prospects: dict[str, tuple[Prospect, ...]] = {}

    @property
    def given(self) -> Mapping[str, Fact]:
        """What the session started from."""
        return self._sweep.given

    @property
    def concluded(self) -> Collection[str]:
        """Everything that some rule concludes."""
        return self._sweep.by_attribute.keys()

    def answers(self, name: str) -> tuple[Answer, ...]:
        """Return the answers that rules tell apart."""
        entry = self._session.knowledge.vocabulary.entry(name)
        conditions = [*self._conditions.get(name, []), *self._through_ratios(name)]
        partition = Partition(conditions, self._session.knowledge.vocabulary)
        cells = [cell for cell in partition.cells.get(name, ()) if cell is not None]
        marks = {cell: tuple(admits(condition, cell) for condition in conditions) for cell in cells}
        if entry.type in ("integer", "number"):
            return tuple(_ranges(cells, marks, entry, conditions))
        return tuple(_choices(cells, marks))

    def _through_ratios(self, name: str) -> Iterator[Condition]:
        for entry in self._computed:
            for condition in self._conditions.get(entry.name, ()):
                found = scaled(condition, entry, name, self._session.facts)
                if found is not None:
                    yield found

    def of(self, name: str) -> tuple[Prospect, ...]:
        """Return what each answer to a question would change."""
        if name not in self._prospects:
            self._prospects[name] = tuple(self._prospect(name, answer) for answer in self.answers(name))
        return self._prospects[name]

    def effect(self, name: str) -> tuple[float, float]:
        """Return how many decisions, and how many findings, an answer changes on average over the answers."""
        prospects = self.of(name)
        weight = sum(prospect.answer.weight for prospect in prospects) or 1
        decisions = sum(prospect.answer.weight * len(prospect.decisions) for prospect in prospects)
        findings = sum(prospect.answer.weight * len(prospect.findings) for prospect in prospects)
        return decisions / weight, findings / weight

    def matters(self, name: str, others: tuple[str, ...]) -> bool:
        """Whether some answer changes something, whatever is answered to `others`.

        Where that would take too many suppositions to tell, it is taken to matter.
        """
        if any(self.effect(name)) or any(name in entry.parts for entry in self._ratios):
            return True
        answers = [answer.value for answer in self.answers(name)]
        companions = [(None, *(answer.value for answer in self.answers(other))) for other in others]
        size = len(answers) + 1
        for choices in companions:
            size *= len(choices)
        if size > _JOINT:
            return True
        return any(self._tells(name, answers, said) for said in _assignments(others, companions))

    def _tells(self, name: str, answers: list[Value], said: Mapping[str, Value]) -> bool:
        """Whether the answers lead to different conclusions when this much else is said."""
        before = self._concluded(said) if said else ()
        return any(self._concluded({**said, name: value}) != before for value in answers)

    def _concluded(self, said: Mapping[str, Value]) -> tuple[tuple[str, str], ...]:
        found = kinds(self._sweep.changes(said), self._session)
        return tuple((change.attribute, repr(change.after)) for change in (*found["decision"], *found["finding"]))

    def _prospect(self, name: str, answer: Answer) -> Prospect:
        changes = self._sweep.changes({name: answer.value})
        found = kinds(changes, self._session)
        derived = tuple(change for change in changes if change not in (*found["decision"], *found["finding"]))
        return Prospect(answer, found["decision"], found["finding"], derived)


def _assignments(names: tuple[str, ...], choices: list[tuple[Value | None, ...]]) -> Iterator[dict[str, Value]]:
    for values in product(*choices):
        yield {name: value for name, value in zip(names, values, strict=True) if value is not None}


def _choices(cells: list[Value], marks: Mapping[Value, tuple[bool, ...]]) -> Iterator[Answer]:
    groups: dict[tuple[bool, ...], list[Value]] = {}
    for cell in cells:
        groups.setdefault(marks[cell], []).append(cell)
    for group in groups.values():
        yield Answer(group[0], " or ".join(map(spell, group)), len(group))


def _ranges(
    cells: list[Value], marks: Mapping[Value, tuple[bool, ...]], entry: Entry, conditions: list[Condition]
) -> Iterator[Answer]:
    """Neighbouring numbers that no rule tells apart; one from the middle stands for them."""
    runs = [list(run) for _, run in groupby(cells, key=lambda cell: marks[cell])]
    cuts = {item.value for item in conditions if item.kind == "is" and not isinstance(item.value, tuple)}
    for number, run in enumerate(runs):
        before = runs[number - 1][-1] if number else None
        after = runs[number + 1][0] if number + 1 < len(runs) else None
        says = _whole_span(run, before, after) if entry.type == "integer" else _span(run, before, after, cuts)
        yield Answer(run[len(run) // 2], says, 1)


def _whole_span(run: list[Value], before: Value | None, after: Value | None) -> str:
    low, high = spell(run[0]), spell(run[-1])
    if before is None:
        return "any number" if after is None else f"up to {high}"
    if after is None:
        return f"{low} or more"
    return low if low == high else f"{low} to {high}"


def _span(run: list[Value], before: Value | None, after: Value | None, cuts: set[Value]) -> str:
    """Between two numbers that stand for ranges the threshold is whichever of them a rule names."""
    low = spell(run[0]) if run[0] in cuts else "" if before is None else f"above {spell(before)}"
    high = f"up to {spell(run[-1])}" if run[-1] in cuts else "" if after is None else f"below {spell(after)}"
    if before is None:
        return high if after is not None else "any number"
    if after is None:
        return f"{low} or more" if run[0] in cuts else low
    joint = ", " if low.startswith("above") else " to "
    return low if len(run) == 1 and run[0] in cuts else f"{low}{joint}{high}"
