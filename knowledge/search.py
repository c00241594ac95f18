"""Finds rules by words in what they say, read, conclude and cite; ranks by where the words stand. Judges nothing."""

from __future__ import annotations

from .rulebook import Knowledge, Rule


def search(knowledge: Knowledge, text: str) -> tuple[Rule, ...]:
    """Return the rules that hold every word of `text`, those with the words in id or title first.

    What users silenced is found as well: it speaks no more, and must not be lost. `silenced`, `overridden` and `added`
    find what they changed.
    """
    words, every = text.casefold().split(), (*knowledge.rules, *knowledge.silenced)
    if not words:
        return every
    places = [(rule, _places(rule, knowledge)) for rule in every]
    ranked = [(rank, rule) for rule, texts in places if (rank := _rank(words, texts)) is not None]
    return tuple(rule for _, rule in sorted(ranked, key=lambda pair: pair[0]))


def _places(rule: Rule, knowledge: Knowledge) -> tuple[str, ...]:
    """What is searched, in the order of its weight."""
    names = " ".join((rule.id, rule.table, rule.title)).casefold()
    read = " ".join(map(str, rule.conditions))
    concluded = f"{rule.then.attribute} {rule.then.value} {rule.because}"
    remedies = " ".join(f"{name} {knowledge.remedies[name].title}" for name in rule.remedies)
    cited = " ".join(f"{source} {knowledge.citation(source)}" for source in rule.sources)
    own = rule.own.sentence() if rule.own else ""
    return names, f"{concluded} {read}".casefold(), f"{remedies} {cited} {rule.file} {own}".casefold()


def _rank(words: list[str], texts: tuple[str, ...]) -> int | None:
    """The place that one must read up to until every word was met; None when one stands nowhere."""
    for rank in range(len(texts)):
        read = " ".join(texts[: rank + 1])
        if all(word in read for word in words):
            return rank
    return None
