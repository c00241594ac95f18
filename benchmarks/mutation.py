"""How many small changes of the shipped rulebook its examples and pins notice (mutation score).

    python -m benchmarks.mutation

Some 10 seconds of one core. What survives is named; `tonmeister rules mutate RULE` shows it for one rule. Writes
benchmarks/results/mutation.json.
"""

from __future__ import annotations

from benchmarks.data import keep
from expert.mutation import mutants_of, score
from knowledge.loader import load_knowledge


def main() -> None:
    """Change every rule in every small way, and keep the score by pack."""
    knowledge = load_knowledge()
    found = [(rule, mutants_of(rule, knowledge)) for rule in knowledge.rules]
    everything = [mutant for _, mutants in found for mutant in mutants]
    packs = {
        pack: [mutant for rule, mutants in found if rule.pack == pack for mutant in mutants]
        for pack in sorted({rule.pack for rule, _ in found})
    }
    keep("mutation", {
        "rules": len(found), "cases": sum(len(rule.cases) for rule, _ in found),
        "mutants": len(everything), "score": round(score(everything), 4),
        "packs": {pack: {"mutants": len(own), "score": round(score(own), 4)} for pack, own in packs.items()},
        "survivors": [f"{mutant.rule}: {mutant.change}" for mutant in everything if not mutant.killed],
    })  # fmt: skip


if __name__ == "__main__":
    main()
