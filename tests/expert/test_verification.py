"""What the verification of a rulebook finds, each with a rulebook that has the fault and one that has not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from expert import examples
from expert.verification import Problem, verify
from knowledge.loader import load_knowledge
from knowledge.rulebook import Knowledge
from knowledge.schema import Example, Strength

from .builders import entry, knowledge, remedy, rule, vocabulary

MOVE = "Move the neighbouring row's bound as well, so that one row decides."
WORDS = vocabulary(
    entry("data.clips", "integer", range=(0, None), supplied_by=("audit",)),
    entry("data.kind", "choice", values=("speech", "music", "noise"), supplied_by=("user",)),
    entry("data.nobody"),
    entry("data.regime", "choice", "derived", values=("tiny", "large")),
    entry("data.poor", "boolean", "derived"),
    entry("out.method", "choice", "decision", values=("frozen", "lora")),
    entry("out.sole", "choice", "decision", values=("frozen", "lora"), policy="unique"),
    entry("out.least", "number", "decision", policy="min"),
    entry("training.epochs", "integer", "decision", plan="training.epochs"),
    findings=("f",),
)
Spec = tuple[str, list[dict[str, Any]], dict[str, Any]]


def book(*rules: Spec, **more: Any) -> Knowledge:
    return knowledge(WORDS, *(rule(WORDS, id_, when, then, **more) for id_, when, then in rules))


def problems(made: Knowledge, kind: str = "") -> list[tuple[str, str, str]]:
    return [(item.kind, item.rule, item.severity) for item in verify(made) if kind in ("", item.kind)]


def method(id_: str, value: str, *when: dict[str, Any], name: str = "out.method") -> Spec:
    return id_, list(when), {"recommend": {name: value}}


def test_a_sound_rulebook_has_no_problems() -> None:
    made = book(
        ("r.tiny", [{"data.clips": "< 100"}], {"set": {"data.regime": "tiny"}}),
        ("r.large", [{"data.clips": ">= 100"}], {"set": {"data.regime": "large"}}),
        method("m.tiny", "frozen", {"data.regime": "tiny"}),
        method("m.large", "lora", {"data.regime": "large"}),
    )

    assert verify(made) == ()


def test_circles() -> None:
    made = book(
        ("m.rule", [{"out.sole": "lora"}], {"recommend": {"out.method": "lora"}}),
        ("s.rule", [{"out.method": "lora"}], {"recommend": {"out.sole": "lora"}}),
    )

    (problem,) = verify(made)
    assert (problem.kind, problem.severity) == ("circle", "error")
    assert "out.method" in problem.message


def test_a_circle_over_packs_that_never_meet_is_none() -> None:
    rules = [
        rule(WORDS, "m.rule", [{"out.sole": "lora"}], {"recommend": {"out.method": "lora"}}, pack="plan"),
        rule(WORDS, "s.rule", [{"out.method": "lora"}], {"recommend": {"out.sole": "lora"}}, pack="audit"),
    ]

    assert verify(knowledge(WORDS, *rules)) == ()


def test_contradictions_come_with_a_case() -> None:
    made = book(method("m.a", "frozen", {"data.clips": "< 20"}), method("m.b", "lora", {"data.clips": "> 10"}))

    (problem,) = verify(made)
    assert problem == Problem(
        "contradiction",
        "m.a",
        "says out.method = frozen, and m.b says lora, with equal strength, when data.clips is 11. Give one of them "
        "another strength or certainty, or narrow its `when`.",
        "warning",
    )


@pytest.mark.parametrize(
    ("name", "values", "severity"),
    [
        ("out.method", ("frozen", "lora"), "warning"),
        ("out.sole", ("frozen", "lora"), "error"),
        ("out.least", (1, 2), ""),
    ],
)
def test_the_policy_decides_how_bad_a_contradiction_is(name: str, values: tuple[Any, Any], severity: str) -> None:
    made = book(
        method("m.a", values[0], {"data.clips": "< 20"}, name=name),
        method("m.b", values[1], {"data.clips": "> 10"}, name=name),
    )

    assert problems(made) == ([("contradiction", "m.a", severity)] if severity else [])


@pytest.mark.parametrize("second", [{"data.clips": ">= 20"}, {"data.clips": "10 .. < 15"}])
def test_disjoint_rules_and_special_cases_are_no_contradiction(second: dict[str, Any]) -> None:
    assert problems(book(method("m.a", "frozen", {"data.clips": "< 20"}), method("m.b", "lora", second))) == []


def test_different_strength_is_no_contradiction() -> None:
    a = rule(WORDS, "m.a", [{"data.clips": "< 20"}], {"recommend": {"out.method": "frozen"}}, strength="must")
    b = rule(WORDS, "m.b", [{"data.clips": "> 10"}], {"recommend": {"out.method": "lora"}})

    assert problems(knowledge(WORDS, a, b)) == []


def test_a_special_case_that_is_less_certain_is_masked() -> None:
    wide = rule(WORDS, "m.wide", [{"data.clips": "< 20"}], {"recommend": {"out.method": "frozen"}}, certainty=0.9)
    narrow = rule(WORDS, "m.narrow", [{"data.clips": "< 10"}], {"recommend": {"out.method": "lora"}}, certainty=0.5)

    assert problems(knowledge(WORDS, wide, narrow)) == [("masked", "m.narrow", "warning")]
    assert problems(knowledge(WORDS, wide, replace(narrow, certainty=0.9))) == []


@pytest.mark.parametrize(
    ("strength", "certainty", "adds_nothing"), [("default", 0.5, True), ("strong", 0.5, False), ("default", 0.9, False)]
)
def test_a_rule_inside_another_adds_nothing(strength: Strength, certainty: float, adds_nothing: bool) -> None:
    then = {"recommend": {"out.method": "lora"}}
    wide = rule(WORDS, "m.wide", [{"data.clips": "< 20"}], then)
    narrow = rule(WORDS, "m.narrow", [{"data.clips": "< 10"}], then, strength=strength, certainty=certainty)

    expected = [("subsumed", "m.narrow", "warning")] if adds_nothing else []
    assert problems(knowledge(WORDS, wide, narrow)) == expected


def test_conditions_that_exclude_each_other() -> None:
    made = book(method("m.a", "lora", {"data.clips": "< 5"}, {"data.clips": "> 4"}))
    fine = book(method("m.a", "lora", {"data.clips": "< 5"}, {"data.clips": "> 3"}))

    assert problems(made) == [("unsatisfiable", "m.a", "error")]
    assert problems(fine) == []


@pytest.mark.parametrize(
    ("condition", "is_dead"),
    [
        ({"data.nobody": 1}, True),
        ({"known": "data.nobody"}, True),
        ({"unknown": "data.nobody"}, False),
        ({"any": [{"data.nobody": 1}, {"data.clips": 1}]}, False),
        ({"data.regime": "large"}, True),
        ({"data.regime": "tiny"}, False),
        ({"none": "data.poor"}, True),
        ({"out.sole": "lora"}, False),
    ],
)
def test_rules_that_wait_for_what_nobody_supplies_are_dead(condition: dict[str, Any], is_dead: bool) -> None:
    regime: Spec = ("r.tiny", [{"data.clips": "< 100"}], {"set": {"data.regime": "tiny"}})

    assert problems(book(regime, method("m.a", "lora", condition)), "dead") == (
        [("dead", "m.a", "error")] if is_dead else []
    )


def test_derived_facts_that_nothing_reads() -> None:
    regime: Spec = ("r.tiny", [{"data.clips": "< 100"}], {"set": {"data.regime": "tiny"}})

    assert problems(book(regime)) == [("unread", "r.tiny", "warning")]
    told = book(regime, method("m.a", "lora", {"known": "data.clips"}), because="so {data.regime}")
    assert problems(told, "unread") == []


def test_gaps_of_tables_come_with_a_case() -> None:
    rows = [
        rule(
            WORDS,
            f"t.{n}",
            [{"data.clips": when}, {"data.kind": "speech"}],
            {"set": {"data.regime": value}},
            table="size",
        )
        for n, (when, value) in enumerate([("< 100", "tiny"), ("> 100", "large")])
    ]
    user = rule(WORDS, "m.a", [{"data.regime": ["tiny", "large"]}], {"recommend": {"out.method": "lora"}})

    assert [item for item in verify(knowledge(WORDS, *rows, user)) if item.kind == "gap"] == [
        Problem("gap", "size", f"no row decides when data.clips is 100. {MOVE}", "warning")
    ]
    whole = [rows[0], replace(rows[1], when=rule(WORDS, "x.y", [{"data.clips": ">= 100"}, {"data.kind": "speech"}],
                                                 {"finding": "f"}).when)]  # fmt: skip
    assert problems(knowledge(WORDS, *whole, user), "gap") == []


def test_gaps_of_choices() -> None:
    rows = [
        rule(WORDS, f"t.{kind}", [{"data.kind": kind}], {"recommend": {"out.method": "lora"}}, table="kinds")
        for kind in ("speech", "music")
    ]

    assert [item.message for item in verify(knowledge(WORDS, *rows))] == [
        f"no row decides when data.kind is noise. {MOVE}"
    ]


@pytest.mark.parametrize(
    ("because", "expected"),
    [
        ("{data.clips} clips, {data.clips:.1f}", []),
        ("{data.kind} clips", [("because", "m.a", "warning")]),
        ("{data.clips:q} clips", [("because", "m.a", "error")]),
        ("{out.method:.1f}", [("because", "m.a", "error")]),
        ("{out.method}", []),
    ],
)
def test_reasons_that_could_not_be_told(because: str, expected: list[tuple[str, str, str]]) -> None:
    assert problems(book(method("m.a", "lora", {"data.clips": "< 5"}), because=because)) == expected


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ({"training.epochs": 40}, ""),
        ({"training.epochs": {"multiply": 2}}, ""),
        ({"training.epochs": {"from": "data.clips"}}, ""),
        ({"training.epoch": 40}, "the plan has no path 'training.epoch'; did you mean training.epochs?"),
        ({"training.epochs": "many"}, "sets training.epochs to 'many', which it does not admit"),
        ({"training.epochs": 0}, "sets training.epochs to 0, which it does not admit"),
        ({"training.schedule": "step"}, "sets training.schedule to 'step', which it does not admit"),
        ({"training.clip_norm": "off"}, ""),
        ({"training.epochs": {"multiply": "2"}}, "training.epochs: got {'multiply': '2'}, expected a number"),
    ],
)
def test_patches_of_remedies_fit_the_plan(patch: dict[str, Any], message: str) -> None:
    found = verify(knowledge(WORDS, remedies=[remedy(WORDS, "r.one", patch)]))

    assert [(item.kind, item.rule, item.message) for item in found] == ([("path", "r.one", message)] if message else [])


def test_an_operation_that_does_not_exist_is_found() -> None:
    (found,) = verify(knowledge(WORDS, remedies=[remedy(WORDS, "r.one", {"training.epochs": {"add": 2}})]))

    assert "expected a value or one of multiply, at_least, at_most, from" in found.message


def test_plan_paths_of_the_vocabulary_and_of_decisions_fit_the_plan() -> None:
    words = vocabulary(
        entry("data.clips", "integer", supplied_by=("audit",)),
        entry("out.a", "integer", "decision", plan="training.epoks"),
        entry("out.b", "integer", "decision", plan="training.epochs"),
    )
    made = knowledge(words, rule(words, "b.zero", [{"data.clips": 1}], {"recommend": {"out.b": 0}}))

    assert [(item.rule, item.message) for item in verify(made)] == [
        ("b.zero", "concludes 0, which training.epochs does not admit"),
        ("out.a", "the plan has no path 'training.epoks'; did you mean training.epochs?"),
    ]


@pytest.mark.parametrize("evaluate", [examples.by_engine, examples.by_recursion])
def test_examples_run_through_the_engine_and_by_recursion(evaluate: examples.Evaluate) -> None:
    good = rule(WORDS, "m.a", [{"data.regime": "tiny"}, {"none": "data.poor"}], {"recommend": {"out.method": "lora"}})
    detector = rule(WORDS, "p.poor", [{"data.clips": "< 5"}], {"set": {"data.poor": True}})
    cases = (
        Example(given={"data.regime": "tiny", "data.clips": 7}, fires=True),
        Example(given={"data.regime": "tiny", "data.poor": False}, fires=True),
        Example(given={"data.regime": "tiny"}, fires=False),
        Example(given={"data.regime": "tiny", "data.clips": 3}, fires=False),
    )
    wrong = tuple(example.model_copy(update={"fires": not example.fires}) for example in cases)

    assert examples.test_examples(knowledge(WORDS, replace(good, examples=cases), detector), evaluate) == ()
    failures = examples.test_examples(knowledge(WORDS, replace(good, examples=wrong), detector), evaluate)
    assert [str(failure) for failure in failures] == [
        "m.a: given data.regime = tiny, data.clips = 7 it fires, expected not to",
        "m.a: given data.regime = tiny, data.poor = no it fires, expected not to",
        "m.a: given data.regime = tiny it does not fire for want of: none data.poor",
        "m.a: given data.regime = tiny, data.clips = 3 it does not fire for want of: none data.poor",
    ]


def test_the_shipped_rulebook_has_no_errors() -> None:
    assert [item for item in verify(load_knowledge()) if item.severity == "error"] == []


def test_a_folder_of_ones_own_is_verified(tmp_path: Path) -> None:
    (tmp_path / "rules" / "plan").mkdir(parents=True)
    (tmp_path / "words.yaml").write_text(
        "- {fact: data.clips, type: integer, means: clips, supplied_by: [user]}\n"
        "- {decision: out.method, type: choice, values: [lora, full], means: method}\n"
        "- {source: experience, kind: experience, citation: ours}\n"
    )
    (tmp_path / "rules" / "plan" / "method.yaml").write_text(
        "- rule: method.lora\n"
        "  title: LoRA for few clips\n"
        '  when: [{data.clips: "< 100"}, {data.clips: "> 200"}]\n'
        "  then: {recommend: {out.method: lora}}\n"
        '  because: "{data.clips} clips"\n'
        "  certainty: 0.8\n"
        "  source: experience\n"
        '  since: "0.1"\n'
        "  examples:\n"
        "    - {given: {data.clips: 5}, fires: true}\n"
        "    - {given: {data.clips: 500}, fires: false}\n"
    )

    made = load_knowledge(tmp_path)

    assert problems(made) == [("unsatisfiable", "method.lora", "error")]
    assert [failure.rule for failure in examples.test_examples(made)] == ["method.lora"]
