"""How long one consultation takes: durable-rules against plain recursion and CLIPS, on one synthetic rulebook.

    python -m benchmarks.consultation [--rules 200] [--facts 200] [--rounds 200]

All three get the same rules and the same facts in the same process. CLIPS gets each stratum's established tokens and
settled facts as input, so it does only the matching and firing; the other two do everything that a consultation does.
Times are CPU times of this process, because the machine may be shared.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from expert import chaining
from expert.chaining import consult
from expert.givens import admit
from expert.reference import Assessment, Reference
from expert.strata import concluding, stratify
from knowledge.conditions import Condition
from knowledge.loader import load_knowledge
from knowledge.records import Fact, Value
from knowledge.rulebook import Conclusion, Knowledge, Rule
from knowledge.vocabulary import Entry, Vocabulary
from tests.oracle.clips_rules import ClipsStratum

DEPTH = 6
GROUPS = ("data", "task", "machine", "run", "plan")


@dataclass(frozen=True)
class Timing:
    """One evaluator."""

    name: str
    compile_ms: float
    runs_ms: tuple[float, ...]
    fired: int


def synthetic(rules: int, facts: int, seed: int = 1) -> tuple[Knowledge, list[Fact]]:
    """Make a rulebook whose conclusions chain over `DEPTH` layers, and facts that fire about half of it."""
    random = Random(seed)
    entries = {f"{GROUPS[n % 5]}.in{n}": _entry(f"{GROUPS[n % 5]}.in{n}", "number", "fact") for n in range(facts)}
    given = [Fact(name, random.uniform(0, 100), "audit") for name in entries]
    layers: list[list[str]] = [list(entries)]
    made: list[Rule] = []
    for layer in range(DEPTH):
        heads = []
        for number in range(rules * layer // DEPTH, rules * (layer + 1) // DEPTH):
            kind = random.choice(("finding", "set", "recommend"))
            prefix = {"finding": "finding", "set": "derived", "recommend": "plan"}[kind]
            name = f"{prefix}.l{layer}-{number // 2}"
            entries[name] = _entry(name, "boolean", "decision" if kind == "recommend" else "derived")
            value = kind != "recommend" or bool(number % 2)
            when = _conditions(random, layers, entries)
            made.append(_rule(f"r.n{number}", when, Conclusion(kind, name, value)))  # type: ignore[arg-type]
            heads.append(name)
        layers.append(sorted(set(heads)))
    knowledge = Knowledge(Vocabulary(entries), tuple(made), {}, {}, f"synthetic {rules} {facts} {seed}")
    return knowledge, given


def _entry(name: str, type_: str, kind: str) -> Entry:
    return Entry.model_validate({"kind": kind, "name": name, "type": type_, "means": name})


def _conditions(random: Random, layers: list[list[str]], entries: Mapping[str, Entry]) -> list[Condition]:
    """Two comparisons of inputs, and one condition on the layer below where there is one."""
    found = []
    for name in random.sample(layers[0], 2):
        operator = random.choice(("<", ">", ">=", "<="))
        threshold = random.uniform(0, 40) if operator in (">", ">=") else random.uniform(60, 100)
        found.append(Condition("is", name, operator, threshold))  # type: ignore[arg-type]
    if len(layers) > 1:
        below = random.choice(layers[-1])
        absent = entries[below].kind == "derived" and random.random() < 0.3
        found.append(Condition("none", below) if absent else Condition("is", below, "==", True))
    return found


def _rule(id_: str, when: list[Condition], then: Conclusion) -> Rule:
    return Rule(
        id=id_, title=id_, when=tuple((condition,) for condition in when), needs=(), then=then, because="", remedies=(),
        strength="default", certainty=0.8, sources=(), since="0.1", corrects="", examples=(), pack="plan", file="",
        line=0,
    )  # fmt: skip


def time_durable(knowledge: Knowledge, facts: list[Fact], rounds: int) -> Timing:
    """Time the real thing."""
    started = time.process_time()
    chaining._rulebook(knowledge, ("plan",))
    compiled = time.process_time() - started
    session = consult(knowledge, facts, packs=("plan",))
    runs = _time(lambda: consult(knowledge, facts, packs=("plan",)), rounds)
    return Timing("durable-rules (consult)", compiled * 1e3, runs, len(session.firings))


def time_reference(knowledge: Knowledge, facts: list[Fact], rounds: int) -> Timing:
    """Time plain recursion."""
    by_attribute = concluding(knowledge.rules)

    def run() -> Reference:
        givens = admit(knowledge.vocabulary, by_attribute, facts, (), {})
        reference = Reference(knowledge.vocabulary, by_attribute, givens.facts)
        reference.everything()
        return reference

    fired = sum(run().assessment.status(rule) == "fires" for rule in knowledge.rules)
    return Timing("plain recursion (Python)", 0.0, _time(run, rounds), fired)


def time_clips(knowledge: Knowledge, facts: list[Fact], rounds: int) -> Timing:
    """Time matching and firing in CLIPS."""
    session = consult(knowledge, facts, packs=("plan",))
    strata = stratify(knowledge.rules)
    started = time.process_time()
    compiled = [ClipsStratum(stratum.rules) for stratum in strata]
    compile_ms = (time.process_time() - started) * 1e3
    level = {name: stratum.level for stratum in strata for name in stratum.settles}
    assessment = Assessment(concluding(knowledge.rules), session.facts.get)
    inputs: list[tuple[dict[str, Value], set[str]]] = []
    for stratum in strata:
        conditions = [condition for rule in stratum.rules for condition in rule.conditions]
        read = {condition.fact for condition in conditions if condition.kind == "is"}
        below = {n: f.value for n, f in session.facts.items() if n in read and level.get(n, -1) < stratum.level}
        established = {c.key for c in conditions if c.kind != "is" and assessment.truth(c) is True}
        inputs.append((below, established))

    def run() -> list[set[str]]:
        return [clips.run(*given) for clips, given in zip(compiled, inputs, strict=True)]

    return Timing("CLIPS (matching only)", compile_ms, _time(run, rounds), sum(map(len, run())))


def _time(run: Callable[[], object], rounds: int) -> tuple[float, ...]:
    found = []
    for _ in range(rounds):
        started = time.process_time()
        run()
        found.append((time.process_time() - started) * 1e3)
    return tuple(found)


def table(timings: list[Timing]) -> list[str]:
    """Return the result as lines of text; ratios are medians over that of the first row."""
    first = statistics.median(timings[0].runs_ms)
    lines = [f"{'evaluator':<26} {'compile ms':>10} {'median ms':>10} {'max ms':>8} {'ratio':>6} {'fired':>6}"]
    for item in timings:
        median = statistics.median(item.runs_ms)
        lines.append(
            f"{item.name:<26} {item.compile_ms:>10.1f} {median:>10.2f} {max(item.runs_ms):>8.1f} "
            f"{median / first:>6.2f} {item.fired:>6}"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", type=int, default=200)
    parser.add_argument("--facts", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    knowledge, facts = synthetic(options.rules, options.facts)
    strata = len(stratify(knowledge.rules))
    print(
        f"{options.rules} rules, {options.facts} facts, chain depth {DEPTH}, {strata} strata, {options.rounds} rounds"
    )
    timers = (time_durable, time_reference, time_clips)
    print("\n".join(table([timer(knowledge, facts, options.rounds) for timer in timers])))
    shipped = load_knowledge()
    said = [Fact("task.type", "classification", "user")]
    consult(shipped, said, packs=("plan",))
    runs = _time(lambda: consult(shipped, said, packs=("plan",)), options.rounds)
    print(f"shipped plan rulebook, {len(shipped.pack('plan'))} rules, one fact: {statistics.median(runs):.2f} ms")


if __name__ == "__main__":
    main()
