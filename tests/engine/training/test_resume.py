import json
from pathlib import Path
from typing import Any

import pytest

from engine.plan import Plan
from engine.training import loop
from engine.training.stopping import Stop
from knowledge.errors import InputError, Interrupted, PlanError, TonmeisterError

from .corpora import (
    assert_same_state,
    events_of,
    last_state,
    score_plan,
    tone_corpus,
    tone_plan,
    train,
    write_plan,
    write_tone,
)

STEPS_PER_EPOCH = 3


def augmented(manifest: Path, **changes: Any) -> Plan:
    """A plan in which everything draws random numbers: augmentation, dropout, the order of the clips."""
    settings: dict[str, Any] = {
        "augmentation__strength": "strong",
        "backbone__normalise": "clip",
        "pooling__name": "attention",
        "head__name": "temporal",
        "head__hidden": 4,
        "head__dropout": 0.3,
        "training__epochs": 3,
        "training__warmup_fraction": 0.3,
    }
    return tone_plan(manifest, **(settings | changes))


def stop_at(step: int, monkeypatch: pytest.MonkeyPatch) -> Stop:
    """Return a stop that is requested while this step is under way."""
    stop, original = Stop(), loop.set_rates

    def counted(optimiser: Any, training: Any, done: int, total: int, plateaus: int) -> dict[str, float]:
        stop.requested |= done + 1 == step
        return original(optimiser, training, done, total, plateaus)

    monkeypatch.setattr(loop, "set_rates", counted)
    return stop


@pytest.mark.parametrize("step", [1, STEPS_PER_EPOCH, STEPS_PER_EPOCH + 2])
@pytest.mark.parametrize("changes", [{}, {"compute__workers": 2, "training__accumulation": 2}])
def test_a_resumed_run_equals_an_undisturbed_one_bit_by_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, changes: dict[str, Any]
) -> None:
    plan = augmented(tone_corpus(tmp_path / "data"), **changes)
    whole = train(plan, tmp_path / "whole")
    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        train(plan, tmp_path / "run", stop=stop_at(step, patch))
    stopped = events_of(tmp_path / "run")
    resumed = train(plan, tmp_path / "run", resume=True)

    assert stopped[-1]["kind"] == "end" and stopped[-1]["status"] == "interrupted"
    assert_same_state(last_state(whole), last_state(resumed))
    for kind in ("step", "eval"):
        for expected, actual in zip(events_of(whole, kind), events_of(resumed, kind), strict=True):
            names = ("step", "epoch", "loss", "grad_norm", "lr", "train_loss", "metrics", "best")
            assert [actual.get(name) for name in names] == [expected.get(name) for name in names]
    assert (whole / "predictions" / "val.csv").read_text() == (resumed / "predictions" / "val.csv").read_text()


def test_a_run_stopped_while_it_evaluates_is_resumed_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = augmented(tone_corpus(tmp_path / "data"))
    whole = train(plan, tmp_path / "whole")
    stop, original = Stop(), loop.score

    def score(*arguments: Any) -> Any:
        stop.requested = True
        return original(*arguments)

    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        patch.setattr(loop, "score", score)
        train(plan, tmp_path / "run", stop=stop)
    assert events_of(tmp_path / "run", "eval") == []

    assert_same_state(last_state(whole), last_state(train(plan, tmp_path / "run", resume=True)))


def test_the_best_clips_at_the_end_are_those_of_the_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = tone_corpus(tmp_path / "data")
    lines = manifest.read_text().splitlines()
    rated = [f"{lines[0]},snr", *(f"{line},{'none' if row % 5 == 0 else row}" for row, line in enumerate(lines[1:]))]
    manifest.write_text("\n".join(rated) + "\n")
    plan = tone_plan(manifest, data__quality_column="snr", training__best_epochs=1, training__epochs=3)
    whole = train(plan, tmp_path / "whole")
    steps = [event["step"] for event in events_of(whole, "eval")]
    assert steps[2] - steps[1] < steps[1] - steps[0]  # half of the clips

    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        train(plan, tmp_path / "run", stop=stop_at(steps[1] + 1, patch))
    assert_same_state(last_state(whole), last_state(train(plan, tmp_path / "run", resume=True)))


def test_patience_goes_on_counting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([0.9, 0.1, 0.1, 0.1, 0.1])
    monkeypatch.setattr(loop, "metrics_of", lambda _: {"accuracy": next(answers)})
    plan = tone_plan(tone_corpus(tmp_path / "data"), training__epochs=9, training__patience_epochs=3)
    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        train(plan, tmp_path / "run", stop=stop_at(2 * STEPS_PER_EPOCH + 1, patch))
    train(plan, tmp_path / "run", resume=True)

    assert events_of(tmp_path / "run", "end")[-1]["status"] == "early-stopped"
    assert [event["epoch"] for event in events_of(tmp_path / "run", "eval")] == [1, 2, 3, 4]


def test_resuming_a_finished_run_changes_nothing(tmp_path: Path) -> None:
    plan = tone_plan(tone_corpus(tmp_path / "data"))
    before = last_state(train(plan, tmp_path / "run"))
    steps = events_of(tmp_path / "run", "step")
    train(plan, tmp_path / "run", resume=True)

    assert_same_state(before, last_state(tmp_path / "run"))
    assert events_of(tmp_path / "run", "step") == steps
    assert events_of(tmp_path / "run", "end")[-1]["status"] == "completed"


def test_resuming_goes_on_from_the_checkpoint_before_a_torn_one(tmp_path: Path) -> None:
    plan = augmented(tone_corpus(tmp_path / "data"))
    expected = last_state(train(plan, tmp_path / "run"))
    newest = max((tmp_path / "run" / "checkpoints").glob("last-*"))
    newest.write_bytes(newest.read_bytes()[:1000])
    train(plan, tmp_path / "run", resume=True)

    assert_same_state(expected, last_state(tmp_path / "run"))


def test_another_plan_is_refused_and_its_differences_are_named(tmp_path: Path) -> None:
    manifest = tone_corpus(tmp_path / "data")
    train(tone_plan(manifest), tmp_path / "run")
    write_plan(tone_plan(manifest, training__learning_rate=0.5), tmp_path / "run")

    with pytest.raises(PlanError, match=r"begun with another plan; training.learning_rate was 0.02, is 0.5$"):
        train(tone_plan(manifest), tmp_path / "run", resume=True)


def test_where_a_run_computes_may_change(tmp_path: Path) -> None:
    manifest = tone_corpus(tmp_path / "data")
    train(tone_plan(manifest), tmp_path / "run")
    write_plan(tone_plan(manifest, compute__workers=2), tmp_path / "run")
    train(tone_plan(manifest), tmp_path / "run", resume=True)

    assert events_of(tmp_path / "run", "end")[-1]["status"] == "completed"


@pytest.mark.parametrize("change", ["sound", "label"])
def test_other_data_is_refused(tmp_path: Path, change: str) -> None:
    manifest = tone_corpus(tmp_path / "data", scores=True)
    plan = score_plan(manifest, training__epochs=1)
    train(plan, tmp_path / "run")
    if change == "sound":
        write_tone(tmp_path / "data" / "clip-3.wav", 700, 0.1, seed=3, seconds=0.2)
    else:
        manifest.write_text(manifest.read_text().replace("clip-3.wav,8.375", "clip-3.wav,8.5"))

    with pytest.raises(InputError, match=r"are not those that .* was begun with"):
        train(plan, tmp_path / "run", resume=True)


def test_resuming_what_was_never_begun_begins(tmp_path: Path) -> None:
    plan = tone_plan(tone_corpus(tmp_path / "data"), training__epochs=1)
    write_plan(plan, tmp_path / "run")

    assert events_of(train(plan, tmp_path / "run", resume=True), "end")[-1]["status"] == "completed"


def test_the_environment_is_written_down(tmp_path: Path) -> None:
    plan = tone_plan(tone_corpus(tmp_path / "data"), training__epochs=1)
    (tmp_path / "data" / "clip-0.wav").unlink()
    content = json.loads((train(plan, tmp_path / "run") / "environment.json").read_text())

    assert {"torch", "numpy", "python"} <= set(content["versions"])
    assert content["left_out"] == ["clip-0.wav: there is no such file (line 2)"]
    assert len(content["config_hash"]) == len(content["data_hash"]) == 64
    assert content["device"] == "cpu"


def test_a_stop_before_training_keeps_the_run_directory_free(tmp_path: Path) -> None:
    stop = Stop()
    stop.requested = True
    plan = tone_plan(tone_corpus(tmp_path / "data"), training__epochs=1)
    with pytest.raises(TonmeisterError) as caught:
        train(plan, tmp_path / "run", stop=stop)

    assert caught.value.exit_status == 130
    train(plan, tmp_path / "run")
