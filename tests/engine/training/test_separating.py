"""Each separating test on tiny clips: what it measures, and that it tells a fault from its absence."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from engine.evidence.class_shares import error_rank
from engine.plan import Plan, plan_yaml, write_atomically
from engine.separating import TESTS, measured_outcomes, outcome_folder, read_outcomes
from engine.training import losses
from engine.training import run as run_module
from engine.training.items import Item
from engine.training.loader import Loader
from engine.training.model import AudioModel
from engine.training.separating import one_batch as one_batch_module
from engine.training.separating import short_runs
from engine.training.separating.bench import prepare
from engine.training.separating.modes import other_answers
from engine.training.separating.running import _FUNCTIONS, run_test
from engine.training.separating.short_runs import dealt_anew
from engine.training.stopping import Stop
from knowledge.errors import InputError, UsageError
from knowledge.loader import load_knowledge

from .corpora import tone_corpus, tone_plan, train
from .sequence_corpora import event_corpus, event_plan, tag_corpus, tag_plan, word_corpus, word_plan

NAMES = frozenset(load_knowledge().vocabulary.entries)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_batch_module, "_STEPS", 40)
    monkeypatch.setattr(short_runs, "_EPOCHS", 4)


def outcome(folder: Path, name: str, plan: Plan | None = None, **changes: Any) -> Mapping[str, Any]:
    plan = plan or tone_plan(tone_corpus(folder / "data"), **changes)
    write_atomically(folder / "run" / "plan.yaml", plan_yaml(plan))
    run_test(folder / "run", name, Stop())
    (found,) = [one for one in read_outcomes(folder / "run") if one.test == name]
    assert set(found.facts) | set(found.unknown) <= NAMES
    assert all(found.shown) or found.unknown
    return found.facts


def test_every_test_has_a_name_a_function_and_facts_that_the_rules_know() -> None:
    assert list(_FUNCTIONS) == list(TESTS)


def test_one_batch_is_learned_by_a_sound_model(tmp_path: Path) -> None:
    facts = outcome(tmp_path, "one-batch")

    assert facts["test.one_batch_score"] == 1
    assert facts["test.one_batch_loss_left"] < 0.2


def test_what_is_learned_as_planned_needs_no_other_attempt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_batch_module, "_LOOK_EVERY", 5)
    facts = outcome(tmp_path, "one-batch", training__learning_rate=0.3)
    (found,) = read_outcomes(tmp_path / "run")

    assert facts["test.one_batch_score"] == facts["test.one_batch_planned_score"] == 1
    assert "test.one_batch_unregularised_score" in found.unknown
    assert len(found.shown) == 2


@pytest.mark.parametrize("plan", [word_plan, tag_plan, event_plan])
def test_labels_of_every_kind_are_dealt_anew(tmp_path: Path, plan: Callable[..., Plan]) -> None:
    corpus = {word_plan: word_corpus, tag_plan: tag_corpus, event_plan: event_corpus}[plan](tmp_path / "data")
    bench = prepare(plan(corpus), tmp_path, tmp_path, Stop())
    items = bench.parts.train
    dealt = dealt_anew(items, bench.plan)

    def asked(item: Item) -> tuple[Any, ...]:
        return item.target, item.label, item.numbers, item.events

    assert sorted(map(asked, dealt)) == sorted(map(asked, items))
    by_path = {item.path: asked(item) for item in items}
    assert {item.path for item in dealt} == set(by_path)
    assert sum(by_path[item.path] != asked(item) for item in dealt) > len(items) / 3
    if plan is word_plan:
        apart = [abs(len(by_path[item.path][2]) - len(item.numbers)) for item in dealt]
        assert sum(apart) < 0.6 * len(items)  # by chance alone transcripts of 2 to 4 letters lie 0.9 apart


def test_letters_and_events_learned_by_heart_have_a_score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_batch_module, "_STEPS", 20)
    monkeypatch.setattr(one_batch_module, "_RATES", ())
    words = outcome(
        tmp_path / "words", "one-batch", word_plan(word_corpus(tmp_path / "w"), training__learning_rate=0.02)
    )
    events = outcome(tmp_path / "events", "one-batch", event_plan(event_corpus(tmp_path / "e", 8)))

    assert 0 <= words["test.one_batch_score"] <= 1
    assert events["test.one_batch_score"] > 0.5


def test_modes_of_letters_are_compared_by_their_loss(tmp_path: Path) -> None:
    plan = word_plan(word_corpus(tmp_path / "data"), head__dropout=0.5)
    train(plan, tmp_path / "run")
    facts = outcome(tmp_path, "mode-agreement", plan)

    assert facts["test.mode_loss_ratio"] == pytest.approx(1, abs=1e-4)
    assert "test.mode_other_answers" not in facts


def test_one_batch_tells_regularisation_from_a_wrong_model(tmp_path: Path) -> None:
    facts = outcome(tmp_path, "one-batch", training__learning_rate=0.01, training__weight_decay=90.0)

    assert facts["test.one_batch_unregularised_score"] > facts["test.one_batch_planned_score"]


def test_one_batch_shows_answers_that_are_squashed_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = AudioModel.head_forward
    monkeypatch.setattr(AudioModel, "head_forward", lambda self, *a, **k: original(self, *a, **k).softmax(-1))
    facts = outcome(tmp_path, "one-batch")

    assert facts["test.one_batch_score"] == 1
    assert facts["test.one_batch_loss_left"] > 0.35


def test_a_rate_range_finds_where_the_loss_falls_and_where_it_blows_up(tmp_path: Path) -> None:
    facts = outcome(tmp_path, "rate-range", training__learning_rate=1e-7)

    assert 1e-4 < facts["test.rate_steepest"] < 3
    assert facts["test.rate_planned_over_steepest"] < 0.01


def test_labels_dealt_anew_score_less(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(short_runs, "_EPOCHS", 12)
    facts = outcome(tmp_path, "label-shuffle", training__epochs=20)

    assert facts["test.shuffle_gain"] > 0
    assert facts["test.shuffle_gain_low"] <= facts["test.shuffle_gain"] <= facts["test.shuffle_gain_high"]


def test_seeds_and_fractions_are_runs_of_their_own(tmp_path: Path) -> None:
    plan = tone_plan(tone_corpus(tmp_path / "data"))
    spread = outcome(tmp_path, "seed-spread", plan)
    fraction = outcome(tmp_path, "data-fraction", plan)
    folder = outcome_folder(tmp_path / "run", "data-fraction")

    assert spread["test.seed_spread"] >= 0
    assert fraction["test.fraction_gain_low"] <= fraction["test.fraction_gain"] <= fraction["test.fraction_gain_high"]
    assert {path.parent.name for path in folder.glob("*/events.jsonl")} == {"share-0.25", "share-0.5", "share-1"}


def test_modes_agree_but_for_dropout(tmp_path: Path) -> None:
    plan = tone_plan(tone_corpus(tmp_path / "data"), head__dropout=0.5)
    train(plan, tmp_path / "run")
    facts = outcome(tmp_path, "mode-agreement", plan)

    assert facts["test.mode_other_answers"] == 0
    assert facts["test.mode_loss_ratio"] == pytest.approx(1, abs=1e-5)
    assert facts["test.mode_dropout_ratio"] != pytest.approx(1, abs=1e-3)


def test_modes_differ_where_a_norm_forgets_its_statistics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = run_module.build_model

    def with_norm(*arguments: Any, **options: Any) -> AudioModel:
        model = original(*arguments, **options)
        linear = next(layer for layer in model.answer if isinstance(layer, nn.Linear))
        norm = nn.BatchNorm1d(linear.in_features, affine=False, momentum=0.0)
        norm.running_mean = torch.linspace(-5, 5, linear.in_features)
        norm.running_var = torch.full((linear.in_features,), 0.05)
        model.answer = nn.Sequential(norm, *model.answer)
        return model

    monkeypatch.setattr(run_module, "build_model", with_norm)
    plan = tone_plan(tone_corpus(tmp_path / "data"), training__epochs=6)
    train(plan, tmp_path / "run")

    facts = outcome(tmp_path, "mode-agreement", plan)
    assert facts["test.mode_loss_ratio"] > 1.3
    assert facts["test.mode_other_answers"] > 0.2


def test_another_answer_is_another_class_another_tag_or_half_a_spread() -> None:
    scores, classes = torch.tensor([1.0, 2.0, 3.0]), torch.eye(3)

    assert other_answers("score", scores, scores + torch.tensor([0.0, 0.9, -1.1]), 2.0).tolist() == [False, False, True]
    assert other_answers("class", classes, classes.roll(1, 0) * 5, 0.0).all()
    assert not other_answers("class", classes, classes * 5 - 1, 0.0).any()
    assert other_answers("tags", classes - 0.5, -torch.ones(3, 3), 0.0).all()
    assert not other_answers("tags", classes - 0.5, 9 * classes - 1, 0.0).any()


def test_without_a_checkpoint_modes_are_unknown(tmp_path: Path) -> None:
    assert outcome(tmp_path, "mode-agreement") == {}
    measured = measured_outcomes(tmp_path / "run", NAMES)

    assert {one.attribute if hasattr(one, "attribute") else one.name for one in measured.unknown} == {
        "test.mode_loss_ratio",
        "test.mode_dropout_ratio",
        "test.mode_other_answers",
    }


def test_gradients_of_a_part_that_is_cut_off_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert outcome(tmp_path / "whole", "gradient-census")["test.gradient_silent"] == 0
    original = AudioModel.head_forward
    monkeypatch.setattr(
        AudioModel, "head_forward", lambda self, *a, **k: original(self, *a, **k).detach() + self.answer[-1].bias
    )

    assert outcome(tmp_path / "cut", "gradient-census")["test.gradient_silent"] == 1


def test_a_clip_that_gives_nan_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = losses.cross_entropy

    def poisoned(scores: torch.Tensor, labels: torch.Tensor, *rest: Any) -> torch.Tensor:
        return original(scores, labels, *rest) * (torch.nan if bool((labels == 0).any()) else 1.0)

    monkeypatch.setattr(losses, "cross_entropy", poisoned)

    assert outcome(tmp_path, "gradient-census")["test.gradient_nonfinite_clips"] >= 1


def test_a_slow_loader_takes_the_larger_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    original = Loader.training_batch

    def slow(self: Loader, items: Any, epoch: int) -> Any:
        time.sleep(0.05)
        return original(self, items, epoch)

    monkeypatch.setattr(Loader, "training_batch", slow)
    facts = outcome(tmp_path, "step-timing", augmentation__strength="light")

    assert facts["test.loader_seconds"] >= 0.05
    assert 0 < facts["test.loader_share"] <= 1


def test_errors_of_three_classes_have_no_place(tmp_path: Path) -> None:
    assert outcome(tmp_path, "error-spread") == {}


def test_the_place_of_an_error_is_that_among_the_other_classes() -> None:
    import numpy as np

    shares = np.array([[0.5, 0.3, 0.15, 0.05], [0.5, 0.3, 0.15, 0.05], [0.5, 0.3, 0.15, 0.05]])

    assert error_rank(np.array([0, 1, 3]), shares).tolist() == [0.0, 1.0]


def test_an_outcome_is_replaced_and_a_strange_file_passed_over(tmp_path: Path) -> None:
    outcome(tmp_path, "gradient-census")
    outcome(tmp_path, "gradient-census")
    strange = tmp_path / "run" / "tests" / "strange"
    strange.mkdir()
    (strange / "outcome.json").write_text("[1, 2")
    forged = tmp_path / "run" / "tests" / "forged" / "outcome.json"
    forged.parent.mkdir()
    forged.write_text(json.dumps({"schema": "tonmeister.test/1", "test": "nothing", "facts": {}, "shown": []}))

    assert [one.test for one in read_outcomes(tmp_path / "run")] == ["gradient-census"]


def test_what_is_no_test_or_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no plan\.yaml"):
        run_test(tmp_path, "one-batch", Stop())
    with pytest.raises(UsageError, match="no test 'twice'"):
        run_test(tmp_path, "twice", Stop())
