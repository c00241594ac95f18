from pathlib import Path

from engine.evidence.script.recipe import recipe_of
from expert.consultation.instead import planned_instead
from expert.consultation.review import review_script
from expert.report.instead import instead_document, instead_record
from expert.report.text import render_text
from knowledge.loader import load_knowledge
from knowledge.records import Fact

KNOWLEDGE = load_knowledge()
KNOWN = [Fact("task.type", "classification", "user")]
ENTRIES = tuple(KNOWLEDGE.vocabulary.entries.values())
LOOP = """
import torch
optimizer = torch.optim.AdamW([1], lr={rate}, weight_decay=0.05)
for epoch in range(4):
    for batch in torch.utils.data.DataLoader([1], batch_size=8, shuffle=True):
        loss = torch.nn.functional.cross_entropy(batch, batch)
        loss.backward()
        optimizer.step()
"""


def reviewed(folder: Path, text: str):  # type: ignore[no-untyped-def]
    (folder / "train.py").write_text(text)
    return review_script(KNOWLEDGE, folder / "train.py")


def test_settings_of_a_script_are_named_as_the_plan_names_them(tmp_path: Path) -> None:
    review = reviewed(tmp_path, LOOP.format(rate="3e-4"))
    recipe = {
        each.decision: each for each in recipe_of(review.script, review.measured, KNOWLEDGE.vocabulary.entries.values())
    }
    assert recipe["training.learning_rate"].value == 3e-4
    assert recipe["training.weight_decay"].value == 0.05
    assert (recipe["training.epochs"].value, recipe["training.batch_size"].value) == (4, 8)
    place = recipe["training.learning_rate"].place
    assert place is not None and place.line == 3


def test_what_is_given_at_launch_is_not_guessed(tmp_path: Path) -> None:
    review = reviewed(tmp_path, "import sys\n" + LOOP.format(rate="float(sys.argv[1])"))
    names = {each.decision for each in recipe_of(review.script, review.measured, ENTRIES)}
    assert "training.learning_rate" not in names
    rows = planned_instead(KNOWLEDGE, review, KNOWN)
    row = next(each for each in rows if each.decision == "training.learning_rate")
    assert row.script is None and row.agrees is None
    assert "cannot tell" in render_text(instead_document(rows))


def test_both_stand_side_by_side_with_the_reason(tmp_path: Path) -> None:
    review = reviewed(tmp_path, LOOP.format(rate="3e-4"))
    rows = planned_instead(KNOWLEDGE, review, [*KNOWN, Fact("dataset.clips", 3000, "user")])
    row = next(each for each in rows if each.decision == "training.epochs")
    assert row.script == 4 and row.plan != 4 and row.agrees is False
    assert row.because and KNOWLEDGE.rule(row.rule) is not None
    text = render_text(instead_document(rows))
    assert f"training.epochs: {row.plan} instead of 4" in text
    assert {"decision", "script", "plan", "because", "rule", "assumed", "place"} == set(instead_record(rows)[0])


def test_nothing_is_planned_from_nothing(tmp_path: Path) -> None:
    review = reviewed(tmp_path, "x = 1\n")
    assert all(row.script is None for row in planned_instead(KNOWLEDGE, review, []))
    assert "Nothing can be planned" in render_text(instead_document(()))
