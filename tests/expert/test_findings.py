"""What fired becomes findings, with the evidence and remedies of every rule that reported them."""

import pytest

from expert.chaining import consult
from expert.session import Session
from knowledge.loader import load_knowledge
from knowledge.records import Evidence, Fact, NotAssessable, Unknown

from .builders import entry, fact, knowledge, remedy, rule, vocabulary

WORDS = vocabulary(
    entry("data.clipped_share"),
    entry("data.peak_db", unit="dB"),
    entry("data.clips", "integer"),
    entry("predictions.count", "integer"),
    entry("data.loud", "boolean", "derived"),
    findings=("clipping", "quiet"),
)
BOOK = knowledge(
    WORDS,
    rule(
        WORDS, "clipping.share", [{"data.clipped_share": "> 0.01"}], {"finding": "clipping", "severity": "warning"},
        certainty=0.6, remedies=("gain.lower", "clips.drop"),
        because="{data.clipped_share:.1%} of {data.clips} clips clip; peak {data.peak_db:.1f} dB.",
    ),
    rule(
        WORDS, "clipping.peak", [{"data.loud": True}], {"finding": "clipping", "severity": "error"},
        certainty=0.5, remedies=("clips.drop", "record.anew"), because="Peaks reach full scale.",
    ),
    rule(WORDS, "loud.peak", [{"data.peak_db": ">= 0"}], {"set": {"data.loud": True}}),
    rule(WORDS, "quiet.peak", [{"data.peak_db": "< -40"}], {"finding": "quiet", "severity": "note"}),
    remedies=[remedy(WORDS, name, {}, action="do it") for name in ("gain.lower", "clips.drop", "record.anew")],
)  # fmt: skip


def run(*facts: Fact) -> Session:
    return consult(BOOK, facts, packs=("plan",))


CLIPPED = fact(
    "data.clipped_share",
    0.125,
    n=8,
    evidence=(Evidence("a.wav is clipped", path="a.wav"), Evidence("log line", path="log.txt", line=3)),
    paths=("a.wav",),
)


def test_findings_of_several_rules_merge_under_the_severest() -> None:
    (finding,) = run(CLIPPED, fact("data.peak_db", 0.0), fact("data.clips", 8)).findings

    assert (finding.id, finding.severity, finding.rule) == ("clipping", "error", "clipping.peak")
    assert finding.because == "Peaks reach full scale."
    assert finding.confidence == pytest.approx(0.6 + 0.5 * 0.8 - 0.6 * 0.5 * 0.8)
    assert finding.remedies == ("clips.drop", "record.anew", "gain.lower")
    assert finding.evidence == CLIPPED.evidence
    assert finding.paths == ("a.wav",)
    assert finding.location == CLIPPED.evidence[1]


def test_the_reason_tells_the_numbers_of_this_case() -> None:
    (finding,) = run(CLIPPED, fact("data.peak_db", -3.0)).findings

    assert finding.because == "12.5% of unknown clips clip; peak -3.0 dB."


def test_findings_come_worst_first() -> None:
    book = knowledge(
        WORDS,
        *(
            rule(WORDS, f"{name}.r", [{"data.clips": 1}], {"finding": name, "severity": severity})
            for name, severity in (("clipping", "note"), ("quiet", "error"))
        ),
    )

    found = consult(book, [fact("data.clips", 1)], packs=("plan",)).findings
    assert [finding.id for finding in found] == ["quiet", "clipping"]


def test_telling_examples_are_limited_and_paths_are_not() -> None:
    many = fact(
        "data.clipped_share",
        1.0,
        evidence=tuple(Evidence(f"clip {n}") for n in range(50)),
        paths=tuple(f"{n}.wav" for n in range(50)),
    )

    (finding,) = run(many).findings
    assert len(finding.evidence) == 20
    assert len(finding.paths) == 50


def test_what_a_finding_lacks_is_told_down_to_the_facts_that_somebody_supplies() -> None:
    session = run(CLIPPED)
    assert [item.id for item in session.findings] == ["clipping"]
    assert session.not_assessable == (NotAssessable("quiet", ("data.peak_db (unknown)",), "quiet.peak"),)

    nothing = consult(BOOK, [], packs=("plan",), unknown=[Unknown("data.peak_db", "every file is empty")])
    assert nothing.not_assessable == (
        NotAssessable(
            "clipping", ("data.peak_db: every file is empty", "data.clipped_share (unknown)"), "clipping.peak"
        ),
        NotAssessable("quiet", ("data.peak_db: every file is empty",), "quiet.peak"),
    )


@pytest.mark.parametrize(
    ("need", "facts", "sentence"),
    [
        ({"data.clips": ">= 5"}, [fact("data.clips", 3)], "5 clips (3 found)"),
        ({"data.clips": "> 5"}, [fact("data.clips", 3)], "6 clips (3 found)"),
        ({"data.clips": ">= 5"}, [], "5 clips (unknown)"),
        ({"predictions.count": ">= 100"}, [fact("predictions.count", 30)], "100 predictions (30 found)"),
        ({"data.peak_db": "> -60"}, [fact("data.peak_db", -70.0)], "data.peak_db > -60 (-70 found)"),
        ({"known": "data.peak_db"}, [], "data.peak_db known (unknown)"),
    ],
)
def test_needs_are_told_as_sentences(need: dict[str, object], facts: list[Fact], sentence: str) -> None:
    book = knowledge(
        WORDS, rule(WORDS, "quiet.r", [{"unknown": "data.clipped_share"}], {"finding": "quiet"}, needs=[need])
    )

    (item,) = consult(book, facts, packs=("plan",)).not_assessable
    assert item.needs == (sentence,)


def test_a_finding_about_what_the_plan_does_is_as_sure_as_its_rule() -> None:
    """The random split is a fallback of certainty 0.5; that it parts copies is as sure as the rule that says so."""
    shipped = load_knowledge()
    facts = [Fact("task.type", "classification", "user"), Fact("dataset.near_duplicate_clips", 8, "audit")]
    session = consult(shipped, facts, packs=("plan",))

    assert session.certainty("split.protocol") == pytest.approx(0.5)
    found = next(finding for finding in session.findings if finding.id == "copies-drawn-apart")
    assert found.confidence == pytest.approx(0.95)
