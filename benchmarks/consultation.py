"""How long one consultation takes: durable-rules against plain recursion and CLIPS, on the same rules and facts.

    python -m benchmarks.consultation [--rules 200] [--facts 200] [--rounds 200] [--write]

The rulebooks are each shipped pack, on the facts of `CASES` cases made at its thresholds, and a synthetic one. All
evaluators get the same rules and the same facts in the same process, a round each in turn. CLIPS stands there
twice: as the engine of the same whole consultation, and for its matching and firing alone, with each stratum's
established tokens and settled facts computed beforehand. Times are CPU times of this
process, because the machine may be shared.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from random import Random

from expert import chaining
from expert.chaining import consult
from expert.givens import admit
from expert.ratios import concluded_parts
from expert.reference import Assessment, Reference
from expert.strata import Stratum, concluding, stratify
from expert.working_memory import Fired, WorkingMemory
from knowledge.conditions import Condition
from knowledge.loader import load_knowledge
from knowledge.records import Fact, Value
from knowledge.rulebook import Conclusion, Knowledge, Rule
from knowledge.schema import PACKS, Pack
from knowledge.vocabulary import Entry, Vocabulary
from tests.oracle.clips_rules import ClipsStratum
from tests.oracle.random_cases import random_shipped_facts

RESULT = Path(__file__).parent / "results" / "consultation.json"
CASES = 10
"""Sets of facts for each shipped pack; nine in ten of the facts that its rules read are given."""
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


Run = Callable[[], int]
"""Evaluates once and returns how many rules fired."""


def durable(knowledge: Knowledge, pack: Pack, facts: list[Fact]) -> tuple[Run, float]:
    """Return the real thing, and the CPU milliseconds that compiling took."""
    started = time.process_time()
    chaining._rulebook(knowledge, (pack,))
    compiled = (time.process_time() - started) * 1e3
    return lambda: len(consult(knowledge, facts, packs=(pack,)).firings), compiled


def recursion(knowledge: Knowledge, pack: Pack, facts: list[Fact]) -> tuple[Run, float]:
    """Return plain recursion in Python."""
    rules = knowledge.pack(pack)
    by_attribute = concluding(rules)

    def run() -> int:
        givens = admit(knowledge.vocabulary, by_attribute, facts, (), {})
        reference = Reference(knowledge.vocabulary, by_attribute, givens.facts)
        reference.everything()
        return sum(reference.assessment.status(rule) == "fires" for rule in rules)

    return run, 0.0


def _ordered(knowledge: Knowledge, pack: Pack) -> tuple[Stratum, ...]:
    """The strata that `consult` runs, in which what is estimated from decisions waits for them."""
    rules = knowledge.pack(pack)
    return stratify(rules, concluded_parts(knowledge.vocabulary, concluding(rules)))


def clips(knowledge: Knowledge, pack: Pack, facts: list[Fact]) -> tuple[Run, float]:
    """Return matching and firing in CLIPS, and the CPU milliseconds that compiling took."""
    session = consult(knowledge, facts, packs=(pack,))
    strata = _ordered(knowledge, pack)
    started = time.process_time()
    compiled = [ClipsStratum(stratum.rules) for stratum in strata]
    compile_ms = (time.process_time() - started) * 1e3
    level = {name: stratum.level for stratum in strata for name in stratum.settles}
    assessment = Assessment(concluding(knowledge.pack(pack)), session.facts.get)
    inputs: list[tuple[dict[str, Value], set[str]]] = []
    for stratum in strata:
        conditions = [condition for rule in stratum.rules for condition in rule.conditions]
        read = {condition.fact for condition in conditions if condition.kind == "is"}
        below = {
            n: f.value
            for n, f in session.facts.items()
            if n in read and (n in session.pinned or level.get(n, -1) < stratum.level)
        }
        established = {c.key for c in conditions if c.kind != "is" and assessment.truth(c) is True}
        inputs.append((below, established))

    return lambda: sum(len(one.run(*given)) for one, given in zip(compiled, inputs, strict=True)), compile_ms


def clips_consultation(knowledge: Knowledge, pack: Pack, facts: list[Fact]) -> tuple[Run, float]:
    """Return the same whole consultation with CLIPS in the place of durable-rules."""
    rules = knowledge.pack(pack)
    by_attribute, strata = concluding(rules), _ordered(knowledge, pack)
    started = time.process_time()
    compiled = [ClipsStratum(stratum.rules) for stratum in strata]
    compile_ms = (time.process_time() - started) * 1e3
    supports = {
        (rule.id, number): tuple(c.fact if c.kind == "is" else c for c in branch)
        for rule in rules
        for number, branch in enumerate(product(*rule.when, *rule.needs))
    }
    reads = [{c.fact for rule in stratum.rules for c in rule.conditions if c.kind == "is"} for stratum in strata]
    states = [{c.key: c for rule in stratum.rules for c in rule.conditions if c.kind != "is"} for stratum in strata]

    def run() -> int:
        memory = WorkingMemory(knowledge, by_attribute, admit(knowledge.vocabulary, by_attribute, facts, (), {}))
        for stratum, engine, read, state in zip(strata, compiled, reads, states, strict=True):
            established = [key for key, condition in state.items() if memory.assessment.truth(condition)]
            known = {name: memory.facts[name].value for name in read & memory.facts.keys()}
            fired: Fired = {}
            for rule, number in engine.branches(known, established, memory.pinned):
                fired.setdefault(rule, {})[number] = supports[rule, number]
            memory.settle(stratum, fired)
        return len(memory.session((pack,)).firings)

    return run, compile_ms


EVALUATORS = {
    "durable-rules (consult)": durable,
    "plain recursion (Python)": recursion,
    "CLIPS (matching only)": clips,
    "CLIPS (consultation)": clips_consultation,
}


def compare(knowledge: Knowledge, pack: Pack, cases: list[list[Fact]], rounds: int) -> list[Timing]:
    """Time every evaluator on all cases; they take turns, so that a busy moment of the machine meets them all."""
    made = {name: [make(knowledge, pack, facts) for facts in cases] for name, make in EVALUATORS.items()}
    runs: dict[str, list[float]] = {name: [] for name in made}
    fired = {name: sum(run() for run, _ in variants) for name, variants in made.items()}
    for number in range(rounds):
        for name, variants in made.items():
            run, _ = variants[number % len(variants)]
            started = time.process_time()
            run()
            runs[name].append((time.process_time() - started) * 1e3)
    return [Timing(name, made[name][0][1], tuple(runs[name]), fired[name]) for name in made]


def table(timings: list[Timing]) -> list[str]:
    """Return the result as lines of text; ratios are medians over that of CLIPS."""
    clips_median = statistics.median(timings[-1].runs_ms)
    lines = [f"{'evaluator':<26} {'compile ms':>10} {'median ms':>10} {'max ms':>8} {'/ CLIPS':>8} {'fired':>6}"]
    for item in timings:
        median = statistics.median(item.runs_ms)
        lines.append(
            f"{item.name:<26} {item.compile_ms:>10.1f} {median:>10.2f} {max(item.runs_ms):>8.1f} "
            f"{median / clips_median:>8.2f} {item.fired:>6}"
        )
    return lines


def record(timings: list[Timing]) -> dict[str, object]:
    """Return the result as plain values."""
    medians = {item.name: round(statistics.median(item.runs_ms), 3) for item in timings}
    engine, _, matching, whole = (statistics.median(timing.runs_ms) for timing in timings)
    return {
        "median_ms": medians,
        "compile_ms": {item.name: round(item.compile_ms, 1) for item in timings},
        "times_clips_consultation": round(engine / whole, 3),
        "times_clips_matching": round(engine / matching, 3),
        "fired": timings[0].fired,
    }


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", type=int, default=200)
    parser.add_argument("--facts", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--write", action="store_true", help=f"keep the result in {RESULT.name}")
    options = parser.parse_args()
    shipped, random = load_knowledge(), Random(1)
    found: dict[str, object] = {"command": " ".join(["python -m benchmarks.consultation", *sys.argv[1:]])}
    for pack in PACKS:
        cases = [random_shipped_facts(random, shipped, pack, share=0.9) for _ in range(CASES)]
        facts = statistics.mean(map(len, cases))
        print(f"shipped {pack} rulebook: {len(shipped.pack(pack))} rules, {facts:.0f} facts, {options.rounds} rounds")
        timings = compare(shipped, pack, cases, options.rounds)
        print("\n".join(table(timings)))
        found[pack] = {"rules": len(shipped.pack(pack)), "facts": round(facts), **record(timings)}
    knowledge, given = synthetic(options.rules, options.facts)
    print(f"synthetic: {options.rules} rules, {options.facts} facts, chain depth {DEPTH}")
    timings = compare(knowledge, "plan", [given], options.rounds)
    print("\n".join(table(timings)))
    found["synthetic"] = {"rules": options.rules, "facts": options.facts, **record(timings)}
    if options.write:
        RESULT.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
