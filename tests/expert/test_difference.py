"""Two versions of a rulebook are told apart by what they conclude, not by how they are written."""

from dataclasses import replace
from pathlib import Path

from expert.difference import check_differences, differences, other_changes, rule_changes
from knowledge.loader import load_knowledge
from knowledge.rulebook import Knowledge, Rule
from tests.knowledge.folder import RULE, folder

from .builders import entry, knowledge, rule, vocabulary

TABLE = """
- table: size
  title: Size
  decides: dataset.regime
  by: dataset.clips
  certainty: 0.9
  source: S000-13
  since: "0.1"
  rows:
    - {id: size.tiny, when: "< 100", then: tiny, because: Few., fires: [99], rests: [100]}
    - {id: size.small, when: ">= 100", then: small, because: More., fires: [100], rests: [99]}
"""
READER = """
- rule: adaptation.frozen
  title: Freeze
  when: [{dataset.regime: tiny}]
  then: {recommend: {adaptation.method: frozen}}
  because: Few.
  certainty: 0.9
  source: S000-13a
  since: "0.1"
  examples:
    - {given: {dataset.clips: 9}, fires: true}
    - {given: {dataset.regime: small}, fires: false}
"""


def _book(root: Path, *texts: str) -> Knowledge:
    folder(root, "\n".join(texts))
    return load_knowledge(root)


def test_a_moved_threshold_shows_in_what_rests_on_it(tmp_path: Path) -> None:
    old = _book(tmp_path / "old", TABLE, READER)
    moved = TABLE.replace('"< 100"', '"< 50"').replace("fires: [99]", "fires: [49]").replace('">= 100"', '">= 50"')
    new = _book(tmp_path / "new", moved.replace("rests: [99]", "rests: [49]"), READER)

    assert [(change.rule, change.kind) for change in rule_changes(old, new)] == [
        ("size.small", "changed"),
        ("size.tiny", "changed"),
    ]
    found = {(one.attribute, one.before, one.after): one.case for one in differences(old, new)}
    assert set(found) == {("dataset.regime", "tiny", "small"), ("adaptation.method", "frozen", None)}
    assert all(50 <= int(case["dataset.clips"]) < 100 for case in found.values())


def test_an_added_rule_is_shown_by_its_own_cases(tmp_path: Path) -> None:
    old = _book(tmp_path / "old", RULE)
    more = RULE.replace("adaptation.frozen", "adaptation.lora", 1).replace("method: frozen", "method: lora")
    new = _book(tmp_path / "new", RULE, more.replace('"< 100"', '">= 100"').replace("fires: true", "fires: x")
                .replace("fires: false", "fires: true").replace("fires: x", "fires: false"))  # fmt: skip

    assert [(change.rule, change.kind) for change in rule_changes(old, new)] == [("adaptation.lora", "added")]
    (one,) = differences(old, new)
    assert (one.attribute, one.before, one.after) == ("adaptation.method", None, "lora")


def test_wording_is_no_difference(tmp_path: Path) -> None:
    old = _book(tmp_path / "old", RULE)
    new = _book(tmp_path / "new", RULE.replace("title: Freeze", "title: Keep").replace("are few", "are not many"))

    assert rule_changes(old, new) == ()
    assert differences(old, new) == ()


def test_the_shipped_rulebook_does_not_differ_from_itself() -> None:
    knowledge = load_knowledge()
    assert differences(knowledge, knowledge) == ()


def _two(one: Rule, two: Rule, policy: str = "one") -> Knowledge:
    words = vocabulary(
        entry("data.clips", "integer", range=(0, None), supplied_by=("audit",)),
        entry("out.epochs", "integer", "decision", policy=policy),
    )
    return knowledge(words, one, two)


WORDS = vocabulary(
    entry("data.clips", "integer", range=(0, None), supplied_by=("audit",)), entry("out.epochs", "integer", "decision")
)


def _epochs(name: str, when: str, value: int, certainty: float = 0.8) -> Rule:
    return rule(WORDS, name, [{"data.clips": when}], {"recommend": {"out.epochs": value}}, certainty=certainty)


def test_another_policy_shows_where_rules_meet() -> None:
    few, many = _epochs("e.few", "< 20", 5), _epochs("e.many", "> 10", 50, 0.9)

    assert [(one.rule, one.what) for one in other_changes(_two(few, many), _two(few, many, "min"))] == [
        ("out.epochs", "fact")
    ]
    (one,) = differences(_two(few, many), _two(few, many, "min"))
    assert (one.before, one.after) == (50, 5)
    assert 10 < int(one.case["data.clips"]) < 20


def test_another_certainty_shows_where_rules_meet() -> None:
    few, many = _epochs("e.few", "< 20", 5), _epochs("e.many", "> 10", 50, 0.9)

    (one,) = differences(_two(few, many), _two(few, _epochs("e.many", "> 10", 50, 0.7)))
    assert (one.before, one.after) == (50, 5)


def test_a_check_that_flags_other_clips_is_shown_with_one() -> None:
    shipped = load_knowledge()
    old = next(check for check in shipped.checks if check.id == "clip.noisy")
    (clause, *rest) = old.when
    moved = replace(old, when=((replace(clause[0], value=3.0),), *rest))
    new = replace(shipped, checks=tuple(moved if check is old else check for check in shipped.checks))

    assert [(one.rule, one.kind, one.what) for one in other_changes(shipped, new)] == [
        ("clip.noisy", "changed", "check")
    ]
    (one,) = check_differences(shipped, new)
    assert (one.attribute, one.before, one.after) == ("clip.noisy", True, False)
    assert 3 <= float(one.case["clip.snr_db"]) < 6
    assert check_differences(shipped, shipped) == () == other_changes(shipped, shipped)


def test_remedies_and_settings_that_differ_are_named() -> None:
    shipped = load_knowledge()
    remedies = {name: one for name, one in shipped.remedies.items() if name != "training.clip-gradients"}
    new = replace(shipped, remedies=remedies, settings={})

    found = {(one.rule, one.kind, one.what) for one in other_changes(shipped, new)}
    assert ("training.clip-gradients", "removed", "remedy") in found
    assert ("threshold.near", "removed", "setting") in found
