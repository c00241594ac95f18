import math
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.evidence.run.measure import measure_run
from engine.evidence.run.read import read_run
from engine.plan import Plan
from engine.process import EventTail
from engine.training import accumulation, evaluation, loop, run
from engine.training.checkpoints import BEST, read_checkpoint
from engine.training.model import AudioModel
from engine.training.stopping import Stop
from knowledge.errors import InputError, TonmeisterError, TrainingError

from .corpora import assert_same_state, events_of, last_state, score_plan, tone_corpus, tone_plan, train

STEP = {
    "v", "t", "kind", "step", "epoch", "loss", "grad_norm", "lr", "samples_per_second", "audio_seconds_per_second",
    "step_seconds",
    "data_wait_seconds",
}  # fmt: skip
START = {
    "v", "t", "kind", "name", "task", "device", "precision", "deterministic", "train_clips", "validation_clips",
    "classes", "parameters",
    "trainable_parameters", "epochs", "steps_per_epoch", "total_steps", "seed", "select_by", "chance", "fold",
    "left_out", "too_few_frames", "warnings",
}  # fmt: skip


def test_a_run_writes_what_its_readers_expect(tmp_path: Path) -> None:
    plan = tone_plan(tone_corpus(tmp_path / "data", split=True), data__protocol="given-split", training__epochs=3)
    run_folder = train(plan, tmp_path / "run", test=True)
    start, *middle, end = events_of(run_folder)
    steps, evals = events_of(run_folder, "step"), events_of(run_folder, "eval")

    assert set(start) == START
    assert (start["train_clips"], start["validation_clips"], start["chance"]) == (18, 3, pytest.approx(1 / 3))
    assert start["classes"] == ["high", "low", "mid"]
    assert start["total_steps"] == len(steps) == 9
    assert all(set(step) == STEP for step in steps)
    assert [step["step"] for step in steps] == list(range(1, 10))
    assert [step["epoch"] for step in steps] == pytest.approx([number / 3 for number in range(1, 10)])
    assert {event["kind"] for event in middle} <= {"step", "eval", "checkpoint", "telemetry", "census"}
    assert [(one["step"], one["epoch"]) for one in evals] == [(3, 1), (6, 2), (9, 3)]
    names = {"loss", "accuracy", "balanced-accuracy", "macro-f1"}
    assert set(evals[0]["metrics"]) == {f"val/{name}" for name in names}
    assert evals[0]["train_loss"] == pytest.approx(sum(step["loss"] for step in steps[:3]) / 3)
    assert end["status"] == "completed"
    assert end["best"] == evals[end["best_epoch"] - 1]["metrics"]
    for event in events_of(run_folder, "checkpoint"):
        assert event["kind_of"] in ("best", "last")
        assert event["path"].startswith("checkpoints/")
    for name, rows in (("val", 3), ("test", 3)):
        lines = (run_folder / "predictions" / f"{name}.csv").read_text().splitlines()
        assert lines[0] == "path,group,label,prediction,p_high,p_low,p_mid"
        assert len(lines) == rows + 1


def test_tones_are_learned(tmp_path: Path) -> None:
    plan = tone_plan(tone_corpus(tmp_path / "data"), training__epochs=12, training__learning_rate=0.1)
    end = events_of(train(plan, tmp_path / "run"), "end")[0]

    assert end["best"]["val/accuracy"] == 1.0


def test_levels_are_learned_as_scores(tmp_path: Path) -> None:
    manifest = tone_corpus(tmp_path / "data", clips=48, scores=True)
    plan = score_plan(manifest, training__epochs=40, training__learning_rate=0.05, head__name="mlp")
    run_folder = train(plan, tmp_path / "run")
    best = events_of(run_folder, "end")[0]["best"]
    rows = [line.split(",") for line in (run_folder / "predictions" / "val.csv").read_text().splitlines()]

    assert set(best) == {f"val/{name}" for name in ("loss", "ccc", "pearson", "rmse", "mae", "std_ratio")}
    assert best["val/ccc"] > 0.8
    assert rows[0] == ["path", "group", "label", "prediction"]
    assert all(0 <= float(row[3]) <= 10 for row in rows[1:])
    assert events_of(run_folder, "start")[0]["chance"] == 0.0


def test_the_best_checkpoint_is_that_of_the_selecting_metric(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([0.5, 0.8, 0.8, 0.1])
    monkeypatch.setattr(loop, "metrics_of", lambda _: {"accuracy": next(answers)})
    plan = tone_plan(tone_corpus(tmp_path / "data"), training__epochs=4)
    run_folder = train(plan, tmp_path / "run")

    assert [event["best"] for event in events_of(run_folder, "eval")] == [True, True, False, False]
    assert events_of(run_folder, "end")[0]["best_epoch"] == 2
    assert read_checkpoint(run_folder / "checkpoints" / BEST)[1]["epoch"] == 2


def test_training_stops_when_nothing_gets_better(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([0.5, 0.8, 0.7, 0.8, 0.9])
    monkeypatch.setattr(loop, "metrics_of", lambda _: {"accuracy": next(answers)})
    plan = tone_plan(tone_corpus(tmp_path / "data"), training__epochs=9, training__patience_epochs=2)
    run_folder = train(plan, tmp_path / "run")
    end = events_of(run_folder, "end")[0]

    assert (end["status"], end["best_epoch"], len(events_of(run_folder, "eval"))) == ("early-stopped", 2, 4)


@pytest.mark.parametrize("head", ["linear", "temporal"])
def test_accumulated_passes_equal_the_whole_batch(tmp_path: Path, head: str) -> None:
    manifest = tone_corpus(tmp_path / "data")
    whole = tone_plan(manifest, head__name=head, head__hidden=4, training__batch_size=7)
    parts = replace_in(whole, accumulation=3)
    states = [last_state(train(plan, tmp_path / f"run-{n}")) for n, plan in enumerate((whole, parts))]

    for name, value in states[0].items():
        if not name.startswith("random."):
            torch.testing.assert_close(states[1][name], value, rtol=1e-4, atol=1e-5, msg=name)
    norms = [[step["grad_norm"] for step in events_of(tmp_path / f"run-{n}", "step")] for n in (0, 1)]
    assert norms[0] == pytest.approx(norms[1], rel=1e-3)


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("score", {"training__loss": "ccc"}),
        ("score", {"training__loss": "clipped-mse+rank", "training__batch_size": 18}),
        ("class", {"training__loss": "supcon", "evaluation__select_by": "loss"}),
        ("class", {"training__loss": "supcon", "evaluation__select_by": "loss", "training__clips_per_class": 4,
                   "training__class_balance": "balanced-sampling", "training__batch_size": 8}),
    ],
)  # fmt: skip
def test_what_compares_the_clips_of_a_batch_compares_those_of_all_its_passes(
    tmp_path: Path, kind: str, changes: dict[str, Any]
) -> None:
    """Four passes of a batch, of which each may hold a single class or too few clips, take the step of one pass."""
    manifest = tone_corpus(tmp_path / "data", clips=48, scores=kind == "score")
    make = score_plan if kind == "score" else tone_plan
    whole = make(manifest, **({"training__batch_size": 40} | changes))
    parts = replace_in(whole, accumulation=4)
    states = [last_state(train(plan, tmp_path / f"run-{n}")) for n, plan in enumerate((whole, parts))]
    losses = [[step["loss"] for step in events_of(tmp_path / f"run-{n}", "step")] for n in (0, 1)]

    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    for name, value in states[0].items():
        if not name.startswith("random."):
            torch.testing.assert_close(states[1][name], value, rtol=1e-4, atol=1e-5, msg=name)


def test_dropped_weights_are_the_same_in_both_forward_passes(tmp_path: Path) -> None:
    """The answers that the gradient is taken at are those that it is carried through: two runs, two equal steps."""
    plan = score_plan(tone_corpus(tmp_path / "data", clips=24, scores=True), training__loss="clipped-mse+rank",
                      training__batch_size=18, training__accumulation=3, training__epochs=1)  # fmt: skip
    plan = plan.model_copy(update={"head": plan.head.model_copy(update={"name": "mlp", "dropout": 0.5})})
    seen: list[torch.Tensor] = []
    original = accumulation._answers

    def watched(*arguments: Any) -> Any:
        found = original(*arguments)
        seen.append(found[0].detach())
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accumulation, "_answers", watched)
        train(plan, tmp_path / "run")
    steps = [seen[n : n + 6] for n in range(0, len(seen), 6)]
    assert steps and all(len(step) == 6 for step in steps)
    assert all(torch.equal(step[n], step[n + 3]) for step in steps for n in range(3))


def test_the_gradient_norm_is_logged_unclipped_and_clipping_bounds_the_step(tmp_path: Path) -> None:
    manifest = tone_corpus(tmp_path / "data")
    states, norms = [], []
    for clip in (0.0, 1e-9):
        plan = tone_plan(manifest, training__clip_norm=clip, training__epochs=1, training__batch_size=18)
        run_folder = train(plan, tmp_path / f"run-{clip}")
        states.append(last_state(run_folder)["optimiser.0.exp_avg"].norm())
        norms.append(events_of(run_folder, "step")[0]["grad_norm"])

    assert norms[0] == norms[1] > 0.01
    assert states[0] > 1e-3
    assert states[1] < 1e-9


def test_workers_change_nothing(tmp_path: Path) -> None:
    manifest = tone_corpus(tmp_path / "data")
    plans = [tone_plan(manifest, augmentation__strength="strong", compute__workers=workers) for workers in (0, 2)]
    states = [last_state(train(plan, tmp_path / f"run-{n}")) for n, plan in enumerate(plans)]

    assert_same_state(*states)


def test_a_rate_that_is_far_too_high_ends_as_nan(tmp_path: Path) -> None:
    plan = score_plan(
        tone_corpus(tmp_path / "data", scores=True),
        output__bounded=False,
        training__learning_rate=1e30,
        training__epochs=3,
        head__name="mlp",
    )
    with pytest.raises(TrainingError, match=r"is (nan|inf) at step \d+") as caught:
        train(plan, tmp_path / "run")
    end = events_of(tmp_path / "run", "end")[0]

    assert caught.value.exit_status == 4
    assert (end["status"], end["error"]["code"]) == ("nan", "nan")


def test_a_lost_loss_names_step_and_clips_and_keeps_the_last_good_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = tone_plan(tone_corpus(tmp_path / "data"), training__epochs=3)
    per_epoch = 3
    original, calls = AudioModel.head_forward, []

    def poisoned(model: AudioModel, frames: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        calls.append(model.training)
        bad = model.training and sum(calls) == per_epoch + 2
        outputs = original(model, frames, mask)
        return outputs * math.nan if bad else outputs

    monkeypatch.setattr(AudioModel, "head_forward", poisoned)
    with pytest.raises(TrainingError, match=r"the loss is nan at step 5 on clip-\d+\.wav, ") as caught:
        train(plan, tmp_path / "run")
    step = events_of(tmp_path / "run", "step")[-1]

    assert caught.value.exit_status == 4
    assert (step["step"], step["loss"], step["grad_norm"]) == (5, "NaN", "NaN")
    weights = [value for name, value in last_state(tmp_path / "run").items() if name.startswith("model.")]
    assert weights and all(value.isfinite().all() for value in weights)
    assert read_checkpoint(tmp_path / "run" / "checkpoints" / BEST)[1]["epoch"] == 1


@pytest.mark.parametrize("fault", [torch.OutOfMemoryError("CUDA out of memory. Tried"), MemoryError()])
def test_lack_of_memory_says_what_to_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception) -> None:
    def fail(*_: object) -> None:
        raise fault

    monkeypatch.setattr(AudioModel, "head_forward", fail)
    plan = tone_plan(tone_corpus(tmp_path / "data"), training__accumulation=2)
    with pytest.raises(TrainingError, match=r"no memory for a pass of 1 clip ") as caught:
        train(plan, tmp_path / "run")
    end = events_of(tmp_path / "run", "end")[0]

    assert (end["status"], end["clips_in_pass"]) == ("out-of-memory", 1)
    assert "data.max_seconds" in caught.value.hint


def test_a_fault_of_ours_is_no_lack_of_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(AudioModel, "head_forward", fail)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        train(tone_plan(tone_corpus(tmp_path / "data")), tmp_path / "run")

    end = events_of(tmp_path / "run", "end")[0]
    assert (end["status"], end["error"]["code"]) == ("failed", "crash")


def test_weights_that_get_no_gradient_end_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = run.build_model

    def with_dead_weight(*args: Any, **kwargs: Any) -> AudioModel:
        model = original(*args, **kwargs)
        model.register_parameter("adapter", torch.nn.Parameter(torch.zeros(3)))
        return model

    monkeypatch.setattr(run, "build_model", with_dead_weight)
    with pytest.raises(TrainingError, match=r"1 trainable tensors got no gradient in two steps: adapter"):
        train(tone_plan(tone_corpus(tmp_path / "data")), tmp_path / "run")

    assert events_of(tmp_path / "run", "end")[0]["error"]["code"] == "dead-tensors"
    (counted,) = events_of(tmp_path / "run", "census")
    assert (counted["silent"], counted["names"], counted["step"]) == (1, ["adapter"], 2)
    measured = measure_run(read_run(tmp_path / "run"))
    facts = {fact.name: fact.value for fact in measured.facts}
    assert (facts["run.silent_tensors"], facts["run.trainable_tensors"]) == (1, counted["trainable"])


def test_the_census_of_a_sound_run_names_nothing(tmp_path: Path) -> None:
    (counted,) = events_of(train(tone_plan(tone_corpus(tmp_path / "data")), tmp_path / "run"), "census")

    assert (counted["silent"], counted["names"]) == (0, [])
    assert counted["trainable"] > 0


def test_clips_that_cannot_be_decoded_are_left_out_with_a_warning(tmp_path: Path) -> None:
    manifest = tone_corpus(tmp_path / "data")
    (tmp_path / "data" / "clip-4.wav").write_bytes(b"not a sound")
    start = events_of(train(tone_plan(manifest), tmp_path / "run"), "start")[0]

    assert start["left_out"] == 1
    assert start["train_clips"] + start["validation_clips"] == 23
    assert [text.partition(":")[0] for text in start["warnings"]] == ["clip-4.wav"]


def test_when_no_training_clip_can_be_decoded_training_fails(tmp_path: Path) -> None:
    manifest = tone_corpus(tmp_path / "data", split=True)
    for file in (tmp_path / "data").glob("*.wav"):
        file.write_bytes(b"not a sound")
    with pytest.raises(InputError, match=r"no clip of the train part can be used; 21 were left out"):
        train(tone_plan(manifest, data__protocol="given-split"), tmp_path / "run")
    assert not (tmp_path / "run" / "events.jsonl").exists()


def test_a_run_directory_is_not_used_twice(tmp_path: Path) -> None:
    plan = tone_plan(tone_corpus(tmp_path / "data"), training__epochs=1)
    train(plan, tmp_path / "run")
    before = events_of(tmp_path / "run")

    with pytest.raises(TonmeisterError, match="holds a run already"):
        train(plan, tmp_path / "run")
    assert events_of(tmp_path / "run") == before


def test_the_plan_is_kept_beside_the_run(tmp_path: Path) -> None:
    plan = tone_plan(tone_corpus(tmp_path / "data"), training__epochs=1)
    folder = tmp_path / "plans"
    folder.mkdir()
    (folder / "mine.yaml").write_text((train(plan, tmp_path / "first") / "plan.yaml").read_text())
    run.train_run(folder / "mine.yaml", tmp_path / "run", resume=False, test=False, stop=Stop())

    assert run.read_plan(tmp_path / "run" / "plan.yaml") == plan


def test_selection_by_loss_prefers_the_lowest() -> None:
    assert evaluation.is_better("loss", 0.1, 0.2)
    assert not evaluation.is_better("loss", 0.2, 0.2)
    assert evaluation.is_better("ccc", 0.3, 0.2)
    assert not evaluation.is_better("ccc", math.nan, 0.2)
    assert not evaluation.is_better("ccc", math.nan, None)
    assert evaluation.is_better("ccc", -0.5, None)


def test_the_level_of_a_guess_belongs_to_the_selecting_metric(tmp_path: Path) -> None:
    plan = tone_plan(tone_corpus(tmp_path / "data", clips=9))
    items = run.read_corpus(plan).items

    def level(metric: str) -> float | None:
        return evaluation.chance(patched_select(plan, metric), items[:4], 3)

    assert level("accuracy") == 0.5
    assert level("macro-f1") == pytest.approx(2 / 3 / 3)
    assert level("loss") == pytest.approx(-(0.5 * math.log(0.5) + 2 * 0.25 * math.log(0.25)))


def test_every_event_can_be_read_by_the_parent(tmp_path: Path) -> None:
    run_folder = train(tone_plan(tone_corpus(tmp_path / "data"), training__epochs=1), tmp_path / "run")

    assert EventTail(run_folder / "events.jsonl").read() == events_of(run_folder)


def patched_select(plan: Plan, metric: str) -> Plan:
    return plan.model_copy(update={"evaluation": plan.evaluation.model_copy(update={"select_by": metric})})


def replace_in(plan: Plan, **training: int) -> Plan:
    return plan.model_copy(update={"training": plan.training.model_copy(update=training)})
