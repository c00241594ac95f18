"""Small knowledge for tests, made without YAML: a vocabulary, rules, and a knowledge around them."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from knowledge.auditing import SettingDocument
from knowledge.conditions import parse_clauses
from knowledge.records import Fact, FactSource, Value
from knowledge.rulebook import Conclusion, Knowledge, Remedy, Rule
from knowledge.schema import Pack, SourceDocument, Strength
from knowledge.vocabulary import Entry, Vocabulary

SOURCE = SourceDocument(source="experience", kind="experience", citation="ours")


def entry(name: str, type_: str = "number", kind: str = "fact", **more: Any) -> Entry:
    """Make one vocabulary entry."""
    return Entry.model_validate({"kind": kind, "name": name, "type": type_, "means": name, **more})


def vocabulary(*entries: Entry, findings: Iterable[str] = ()) -> Vocabulary:
    """Make a vocabulary, with `finding.<id>` for each of `findings`."""
    found = [*entries, *(entry(f"finding.{name}", "boolean", "derived") for name in findings)]
    return Vocabulary({item.name: item for item in found})


def rule(
    words: Vocabulary,
    id_: str,
    when: list[dict[str, Any]],
    then: Mapping[str, Any],
    *,
    needs: list[dict[str, Any]] | None = None,
    strength: Strength = "default",
    certainty: float = 0.8,
    because: str = "",
    remedies: tuple[str, ...] = (),
    pack: Pack = "plan",
    table: str = "",
) -> Rule:
    """Make one rule; `then` as in YAML: `{set: {..}}`, `{recommend: {..}}` or `{finding: .., severity: ..}`."""
    if "finding" in then:
        conclusion = Conclusion("finding", f"finding.{then['finding']}", True, then.get("severity", "warning"))
    else:
        ((kind, assignment),) = then.items()
        ((name, value),) = assignment.items()
        conclusion = Conclusion(kind, name, words.entry(name).coerce(value, id_))  # type: ignore[arg-type]
    return Rule(
        id=id_,
        title=f"Title of {id_}",
        when=parse_clauses(when, words, id_),
        needs=parse_clauses(needs or [], words, id_),
        then=conclusion,
        because=because or f"reason of {id_}",
        remedies=remedies,
        strength=strength,
        certainty=certainty,
        sources=("experience",),
        since="0.1",
        corrects="",
        examples=(),
        pack=pack,
        file="rules/test.yaml",
        line=1,
        table=table,
    )


def remedy(words: Vocabulary, id_: str, patch: dict[str, Any], **more: Any) -> Remedy:
    """Make one remedy; `when` and `unless` as in YAML."""
    return Remedy(
        id=id_,
        title=f"Title of {id_}",
        patch=patch,
        action=more.get("action", ""),
        when=parse_clauses(more.get("when", []), words, id_),
        unless=parse_clauses(more.get("unless", []), words, id_),
        expect="better",
        costs="none",
        sources=("experience",),
        file="rules/remedies/test.yaml",
        line=1,
    )


def knowledge(words: Vocabulary, *rules: Rule, remedies: Iterable[Remedy] = ()) -> Knowledge:
    """Put rules together; different rules give a different digest."""
    digest = hashlib.sha256(repr((rules, words)).encode()).hexdigest()
    return Knowledge(words, rules, {item.id: item for item in remedies}, {"experience": SOURCE}, digest)


def settings(**least: float) -> dict[str, SettingDocument]:
    """Make settings; `threshold__near=0.75` is `threshold.near`."""
    return {
        name.replace("__", ".").replace("_", "-"): SettingDocument(
            setting=name.replace("__", ".").replace("_", "-"),
            least=value,
            means="",
            source="experience",  # type: ignore[arg-type]  # the model takes one for many
            reaches=(value,),
            misses=(value / 2,),
        )
        for name, value in least.items()
    }


def fact(name: str, value: Value, source: FactSource = "audit", **more: Any) -> Fact:
    """Make one fact; measured, unless another source is named."""
    return Fact(name, value, source, **more)
