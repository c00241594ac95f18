"""How much audio there is, against the study that is to be repeated."""

from expert.consultation.budget import with_share_of_reference
from expert.consultation.plan import draft_plan
from expert.report.document import Table
from expert.report.findings import decisions_blocks
from knowledge.loader import load_knowledge
from knowledge.records import Fact

HOURS = Fact("dataset.hours", 12.5, "audit", n=3000)
REFERENCE = Fact("task.reference_hours", 600.0, "user")


def test_the_experiment_of_the_source_is_warned_before_training() -> None:
    session = draft_plan(load_knowledge(), [HOURS, REFERENCE]).session

    (finding,) = (one for one in session.findings if one.id == "too-little-against-the-reference")
    assert finding.severity == "warning"
    assert finding.because.startswith("You have 2.1% of the audio")


def test_a_twentieth_is_enough_not_to_be_warned() -> None:
    session = draft_plan(load_knowledge(), [Fact("dataset.hours", 30.0, "user"), REFERENCE]).session

    assert "too-little-against-the-reference" not in {one.id for one in session.findings}


def test_the_share_rests_on_what_the_hours_rest_on() -> None:
    share = with_share_of_reference([HOURS, REFERENCE])[-1]

    assert (share.name, share.source, share.n) == ("dataset.share_of_reference", "audit", 3000)


def test_without_either_number_there_is_no_share() -> None:
    for facts in ([HOURS], [REFERENCE], [HOURS, Fact("task.reference_hours", 0.0, "user")]):
        assert with_share_of_reference(facts) == tuple(facts)


def test_a_stated_share_stays() -> None:
    stated = Fact("dataset.share_of_reference", 0.5, "user")

    assert with_share_of_reference([HOURS, REFERENCE, stated]) == (HOURS, REFERENCE, stated)


def test_what_the_trainer_cannot_do_is_shown_as_advice() -> None:
    session = draft_plan(load_knowledge(), [Fact("task.type", "ctc", "user")]).session
    (table,) = decisions_blocks(session)
    assert isinstance(table, Table)
    shown = {row[0]: row[1] for row in table.rows}

    assert shown["augmentation.pitch_shift"] == "mild (advice: this trainer does not do it yet)"
    assert shown["reproducibility.deterministic"] == "yes"
    assert shown["augmentation.mask_share"] == "0"
    assert shown["training.optimizer"] == "adamw"
