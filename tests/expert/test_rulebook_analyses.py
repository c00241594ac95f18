"""What the auditor finds beyond single rules: each analysis with a planted fault, and with a rulebook without one."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expert import covering
from expert.absence import established, unmeasured
from expert.boxes import Box, Partition
from expert.covering import Undecided, left_out
from expert.mutation import mutants_of, pins_of
from expert.strata import concluding
from expert.thresholds import near, unfounded
from expert.verification import Problem, notes, verify
from expert.winning import beaten
from knowledge.auditing import JustifiedDocument, SettingDocument
from knowledge.conditions import parse_clauses
from knowledge.items import ItemDocument
from knowledge.loader import load_knowledge
from knowledge.rulebook import Knowledge, Rule
from knowledge.schema import SourceDocument, Strength

from . import builders
from .builders import entry, knowledge, rule, vocabulary

WORDS = vocabulary(
    entry("data.clips", "integer", range=(0, None), supplied_by=("audit",)),
    entry("data.share", "number", supplied_by=("audit",)),
    entry("data.kind", "choice", values=("speech", "music", "noise"), supplied_by=("user",)),
    entry("out.method", "choice", "decision", values=("frozen", "lora", "full")),
    findings=("f", "g"),
)
KNOWLEDGE = load_knowledge()


def method(
    id_: str,
    value: str,
    when: list[dict[str, Any]],
    strength: Strength = "default",
    certainty: float = 0.8,
    **more: Any,
) -> Rule:
    return rule(WORDS, id_, when, {"recommend": {"out.method": value}}, strength=strength, certainty=certainty, **more)


def found(made: Knowledge, kind: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(item.rule, item.others) for item in verify(made) if item.kind == kind]


def noted(made: Knowledge, kind: str) -> list[str]:
    return [item.rule for item in notes(made) if item.kind == kind]


# --- who never wins


def test_several_surer_rules_together_mask_one() -> None:
    low = method("m.low", "frozen", [{"data.clips": "< 10"}], certainty=0.9)
    high = method("m.high", "full", [{"data.clips": ">= 10"}], certainty=0.9)
    lost = method("m.lost", "lora", [{"data.clips": ">= 5"}])

    assert found(knowledge(WORDS, low, high, lost), "masked") == [("m.lost", ("m.low", "m.high"))]
    saved = replace(lost, when=())  # it wins while the number of clips is unknown
    assert found(knowledge(WORDS, low, high, saved), "masked") == []
    one_sided = found(knowledge(WORDS, low, replace(high, certainty=0.7), lost), "masked")
    assert [name for name, _ in one_sided] == ["m.high"]


def test_a_rule_under_a_stronger_one_is_a_second_choice_and_no_fault() -> None:
    strong = method("m.strong", "frozen", [{"data.clips": "< 10"}], "strong")
    weak = method("m.weak", "lora", [{"data.clips": "< 5"}])
    made = knowledge(WORDS, strong, weak)

    assert verify(made) == ()
    assert noted(made, "second-choice") == ["m.weak"]
    wins = knowledge(WORDS, strong, replace(weak, when=parse_clauses([{"data.clips": "< 11"}], WORDS, "")))
    assert noted(wins, "second-choice") == []


def test_findings_never_beat_each_other() -> None:
    rules = [rule(WORDS, f"f.{n}", [{"data.clips": "< 5"}], {"finding": n}) for n in ("f", "g")]

    assert list(beaten(concluding(rules), WORDS)) == []


# --- gaps and overlaps


def rows(*whens: tuple[str, str]) -> Knowledge:
    made = [
        rule(WORDS, f"t.r{n}", [{"data.clips": when}], {"recommend": {"out.method": value}}, table="t")
        for n, (when, value) in enumerate(whens)
    ]
    return knowledge(WORDS, *made)


def test_rows_that_overlap_come_with_a_case() -> None:
    made = rows(("<= 100", "frozen"), (">= 100", "frozen"))

    (problem,) = [item for item in verify(made) if item.kind == "overlap"]
    assert problem == Problem(
        "overlap",
        "t.r0",
        "decides beside t.r1 of the same table when data.clips is 100. Move the neighbouring row's bound as well, so "
        "that one row decides.",
        "warning",
    )
    assert found(rows(("< 100", "frozen"), (">= 100", "lora")), "overlap") == []


def test_open_cases_of_an_attribute_come_with_a_case() -> None:
    speech = method("m.speech", "lora", [{"data.kind": "speech"}])
    rest = method("m.rest", "frozen", [{"data.kind": ["music", "noise"]}])

    (note,) = [item for item in notes(knowledge(WORDS, speech)) if item.kind == "undecided"]
    assert note.message == "no rule concludes it when data.kind is music"
    assert noted(knowledge(WORDS, speech, rest), "undecided") == []


CELLS = 4


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.dictionaries(st.sampled_from(("data.a", "data.b")), st.frozensets(st.integers(0, CELLS - 1), min_size=1)),
        max_size=4,
    ),
    st.dictionaries(st.sampled_from(("data.a", "data.b")), st.frozensets(st.integers(0, CELLS - 1), min_size=1)),
)
def test_what_is_left_out_is_what_trying_every_case_finds(boxes: list[Box], within: Box) -> None:
    space = Partition(())
    space.cells = dict.fromkeys(("data.a", "data.b"), (1, 2, 3, None))
    names = tuple(space.cells)
    cases = [dict(zip(names, values, strict=True)) for values in product(range(CELLS), repeat=2)]
    inside = [case for case in cases if all(case[name] in cells for name, cells in within.items())]
    outside = [
        case for case in inside if not any(all(case[name] in cells for name, cells in box.items()) for box in boxes)
    ]

    got = list(left_out(boxes, space, within))

    assert bool(got) == bool(outside)
    for case in got:
        assert any(all(space.cells[name][one[name]] == cell for name, cell in case.items()) for one in outside)


def test_a_search_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"data.n{n}" for n in range(6)]
    space = Partition(())
    space.cells = dict.fromkeys(names, (1, 2, 3, None))
    low, high = frozenset({0, 1}), frozenset({2, 3})
    boxes: list[Box] = [dict(zip(names, corner, strict=True)) for corner in product((low, high), repeat=6)]

    assert list(left_out(boxes, space)) == []
    monkeypatch.setattr(covering, "_STEPS", 30)
    with pytest.raises(Undecided):
        list(left_out(boxes, space))


# --- subsumption of findings


@pytest.mark.parametrize(("severity", "adds_nothing"), [("warning", True), ("error", False)])
def test_a_finding_inside_another_adds_nothing_unless_it_is_graver(severity: str, adds_nothing: bool) -> None:
    wide = rule(WORDS, "f.wide", [{"data.clips": "< 20"}], {"finding": "f", "severity": "warning"})
    narrow = rule(WORDS, "f.narrow", [{"data.clips": "< 10"}], {"finding": "f", "severity": severity})

    assert found(knowledge(WORDS, wide, narrow), "subsumed") == ([("f.narrow", ("f.wide",))] if adds_nothing else [])
    with_remedy = replace(narrow, remedies=("r.one",))
    assert found(knowledge(WORDS, wide, with_remedy), "subsumed") == []


# --- thresholds


def shares(*values: float) -> Knowledge:
    rules = [rule(WORDS, f"f.r{n}", [{"data.share": f"> {value}"}], {"finding": "f"}) for n, value in enumerate(values)]
    return replace(knowledge(WORDS, *rules), settings=builders.settings(threshold__near=0.75))


@pytest.mark.parametrize(
    ("values", "pairs"),
    [
        ((0.1, 0.12), [("0.1", "0.12")]),
        ((0.1, 0.1), []),
        ((0.1, 0.2), []),
        ((0.1, -0.11), []),
        ((-0.12, -0.1), [("-0.12", "-0.1")]),
        ((0.0, 0.1), []),
    ],
)
def test_near_thresholds_of_one_fact(values: tuple[float, ...], pairs: list[tuple[str, str]]) -> None:
    assert [(left.text, right.text) for left, right in near(shares(*values))] == pairs
    assert found(shares(*values), "near-thresholds") == [("data.share", pair) for pair in pairs]


def test_a_rule_that_names_both_thresholds_tells_them_apart() -> None:
    both = rule(WORDS, "f.both", [{"data.share": "0.1 .. 0.12"}], {"finding": "f"})
    made = shares(0.1, 0.12)

    assert list(near(replace(made, rules=(*made.rules, both)))) == []


@pytest.mark.parametrize(("second", "is_near"), [(">= 100", False), (">= 101", True), ("> 100", True)])
def test_two_spellings_of_one_cut_are_one(second: str, is_near: bool) -> None:
    rules = [
        rule(WORDS, f"f.r{n}", [{"data.clips": text}], {"finding": "f"}) for n, text in enumerate(("> 99", second))
    ]
    made = replace(knowledge(WORDS, *rules), settings=builders.settings(threshold__near=0.75))

    assert bool(list(near(made))) is is_near


def test_a_minimum_that_nobody_answers_for() -> None:
    bare = entry("data.r", needs={"at_least": 30, "of": "labels"}, supplied_by=("audit",))
    cited = entry("data.s", needs={"at_least": 30, "of": "labels"}, supplied_by=("audit",), source="experience")

    assert found(knowledge(vocabulary(bare, cited)), "uncited") == [("data.r", ())]


def test_figures_that_the_cited_rows_do_not_mention() -> None:
    says = ItemDocument(item="S000-13a", kinds="R", says="Fewer than 1,000 clips, or 5 % of them")
    document = SourceDocument(source="S000", kind="source document", citation="the article")
    made = replace(
        knowledge(WORDS), items={"S000-13a": says}, sources={"S000": document, "experience": builders.SOURCE}
    )
    one = replace(
        rule(WORDS, "f.r", [{"data.clips": "< 1000"}, {"data.share": "> 0.05"}], {"finding": "f"}),
        sources=("S000-13a",),
    )

    assert unfounded(one, made) == ()
    other = replace(one, when=parse_clauses([{"data.clips": "< 900"}], WORDS, ""))
    assert unfounded(other, made) == (900.0,)
    assert unfounded(replace(other, sources=("S000-13a", "experience")), made) == ()
    assert unfounded(replace(other, corrects="the article is too strict"), made) == ()


# --- what rests on the unmeasured


def test_conclusions_that_rest_on_the_unmeasured() -> None:
    blind = rule(WORDS, "f.blind", [{"unknown": "data.clips"}], {"finding": "f"})
    after = method("m.after", "lora", [{"finding.f": True}])
    sighted = rule(WORDS, "f.sighted", [{"data.clips": "< 5"}], {"finding": "g"})

    (one,) = unmeasured(knowledge(WORDS, blind, after, sighted))
    assert (one.rule, one.without, one.suppliers, one.reaches) == (
        "f.blind",
        ("data.clips",),
        ("audit",),
        ("out.method",),
    )
    assert unmeasured(knowledge(WORDS, sighted)) == ()


def test_absence_that_is_established_names_its_measurements() -> None:
    fault = rule(WORDS, "f.fault", [{"data.clips": "< 5"}, {"data.share": "> 0.1"}], {"finding": "f"})
    clean = method("m.clean", "lora", [{"none": "finding.f"}])

    assert established(clean, knowledge(WORDS, fault, clean)) == {"finding.f": ("data.clips", "data.share")}


# --- what is justified


def justified(made: Knowledge, **body: Any) -> Knowledge:
    document = JustifiedDocument(justified="threshold.some", because="They are two things.", **body)
    return replace(made, justified=(document,))


def test_what_is_justified_is_not_reported() -> None:
    made = shares(0.1, 0.12)

    assert found(justified(made, kind="near-thresholds", of="data.share", others=[0.12, 0.1]), "near-thresholds") == []


@pytest.mark.parametrize("others", [[0.1, 0.13], [0.1]])
def test_a_justification_of_nothing_is_reported(others: list[float]) -> None:
    made = justified(shares(0.1, 0.12), kind="near-thresholds", of="data.share", others=others)

    assert {"justifies-nothing", "near-thresholds"} <= {item.kind for item in verify(made)}


def test_an_error_cannot_be_justified_away() -> None:
    made = knowledge(WORDS, method("m.a", "lora", [{"data.clips": "< 5"}, {"data.clips": "> 4"}]))

    assert found(justified(made, kind="unsatisfiable", of="m.a"), "unsatisfiable") == [("m.a", ())]


def test_examples_of_a_setting_must_lie_on_their_side() -> None:
    body = {"setting": "a.b", "least": 2, "means": "x", "source": "experience", "reaches": [2], "misses": [2]}
    with pytest.raises(ValueError, match="wrong side of 2"):
        SettingDocument.model_validate(body)


# --- the shipped rulebook


def test_the_shipped_rulebook_has_nothing_to_report_that_it_does_not_justify() -> None:
    assert [f"{item.kind} {item.rule}: {item.message}" for item in verify(KNOWLEDGE)] == []


def test_every_justification_of_the_shipped_rulebook_is_needed() -> None:
    bare = {(item.kind, item.rule, frozenset(item.others)) for item in verify(replace(KNOWLEDGE, justified=()))}

    assert bare == {(one.kind, one.of, frozenset(one.others)) for one in KNOWLEDGE.justified}


def test_notes_of_the_shipped_rulebook() -> None:
    kinds = {item.kind for item in notes(KNOWLEDGE)}

    assert kinds <= {"second-choice", "undecided", "unmeasured", "own-figure"}
    assert "second-choice" in kinds


def test_each_of_many_alternatives_is_pinned_by_a_case_that_needs_it() -> None:
    either = rule(
        WORDS,
        "m.either",
        [{"any": [{"data.kind": "speech"}, {"data.clips": "< 5"}, {"data.share": "> 0.5"}]}],
        {"recommend": {"out.method": "lora"}},
    )
    pinned = replace(either, pins=pins_of(either, knowledge(WORDS, either)))

    mutants = mutants_of(pinned, knowledge(WORDS, pinned))
    assert [mutant.change for mutant in mutants if not mutant.killed] == []
    assert len(mutants) > 6
    assert [one for one in mutants_of(either, knowledge(WORDS, either)) if one.killed] == []
