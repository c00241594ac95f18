"""Readers against run directories, real Trainer logs, and what logs look like when something went wrong."""

import json
import math

import pytest

from engine.evidence.run.read import read_run
from engine.evidence.run.series import Series, direction_of
from knowledge.errors import InputError

from .builders import Made, healthy, write_predictions, write_run, write_state


def test_run_directory(tmp_path):
    made = healthy(epochs=6)
    made.name = "macro-f1"
    run = read_run(write_run(tmp_path / "run", made))

    assert run.reader == "Tonmeister run directory"
    assert run.validation_loss.values == tuple(made.val)
    assert run.get("train/epoch_loss").values == tuple(made.train)
    assert len(run.train_loss) == 90
    assert run.metric.name == "val/macro-f1"
    assert run.metric.better == "higher"
    assert run.evaluations == 6
    assert [series.name for series in run.learning_rates] == ["lr/head"]
    assert run.meta.status == "completed"
    assert (run.meta.planned_steps, run.meta.planned_epochs, run.meta.classes) == (90, 6, 4)
    assert run.plan.training.clip_norm == 1.0
    assert [name for name, _ in run.predictions] == ["val"]
    assert run.notes == ()


def test_events_file_stands_for_its_directory(tmp_path):
    folder = write_run(tmp_path / "run", healthy())

    assert read_run(folder / "events.jsonl").source == folder


def test_torn_last_line_is_normal_and_a_torn_line_before_is_noted(tmp_path):
    folder = write_run(tmp_path / "run", healthy(epochs=4))
    path = folder / "events.jsonl"
    text = path.read_text()
    path.write_text(text + '{"v": 1, "kind": "st')

    assert read_run(folder).notes == ()

    lines = text.splitlines()
    path.write_text("\n".join([*lines[:5], '{"v": 1, "kind"', *lines[5:], ""]))

    assert read_run(folder).notes == ("lines of events.jsonl that are no event were skipped",)
    assert read_run(folder).evaluations == 4


def test_a_run_that_has_just_begun(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "events.jsonl").write_text("")

    run = read_run(folder)

    assert run.evaluations == 0
    assert run.series == ()


@pytest.mark.parametrize("token", ["NaN", '"NaN"', "null", "Infinity", '"-Infinity"'])
def test_not_a_number_however_it_is_written(tmp_path, token):
    folder = tmp_path / "run"
    folder.mkdir()
    lines = ['{"kind": "start"}', '{"kind": "step", "step": 1, "loss": 2.5}']
    lines.append(f'{{"kind": "step", "step": 2, "loss": {token}, "grad_norm": {token}}}')
    (folder / "events.jsonl").write_text("\n".join(lines) + "\n")

    loss = read_run(folder).train_loss

    assert loss.values[0] == 2.5
    assert not math.isfinite(loss.values[1])
    assert len(loss.finite()) == 1


def test_a_resumed_run_replaces_what_came_after_its_checkpoint(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    first = [{"kind": "start"}, *({"kind": "step", "step": step, "loss": 9.0} for step in range(1, 8))]
    second = [{"kind": "end", "status": "interrupted"}, {"kind": "start"}]
    second += [{"kind": "step", "step": step, "loss": 1.0} for step in range(6, 11)]
    (folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in first + second))

    run = read_run(folder)

    assert run.train_loss.steps == tuple(range(1, 11))
    assert run.train_loss.values == (9.0,) * 5 + (1.0,) * 5
    assert run.meta.status == "unfinished"


def test_a_broken_plan_is_noted_and_the_curves_are_kept(tmp_path):
    folder = write_run(tmp_path / "run", healthy())
    (folder / "plan.yaml").write_text("task: {type: juggling}\n")

    run = read_run(folder)

    assert run.plan is None
    assert "task.type" in run.notes[0]
    assert run.evaluations == 20


def test_folds_are_averaged_and_the_worst_ending_speaks(tmp_path):
    for number, val in enumerate(([2.0, 1.0, 0.5], [4.0, 3.0, 1.5]), start=1):
        made = Made(train=[2.0, 1.0, 0.5], val=val, status="nan" if number == 2 else "completed", steps=10 * number)
        write_run(tmp_path / f"fold-{number}", made)
    write_predictions(tmp_path / "predictions" / "out-of-fold.csv", [("a.wav", "s", "c0", "c0")])

    run = read_run(tmp_path)

    assert run.validation_loss.values == (3.0, 2.0, 1.0)
    assert run.meta.status == "nan"
    assert [name for name, _ in run.predictions] == ["out-of-fold"]
    assert "curves are means over 2 folds" in run.notes


def test_trainer_state_in_a_checkpoint_folder_under_any_name(tmp_path):
    rows = [{"step": 10 * i, "epoch": i / 4, "loss": 1 / i, "learning_rate": 1e-5} for i in range(1, 9)]
    write_state(tmp_path / "out" / "checkpoint-40" / "trainer_state.json", rows[:4], max_steps=80)
    write_state(tmp_path / "out" / "checkpoint-80" / "trainer_state.json", rows, max_steps=80)
    renamed = write_state(tmp_path / "history.txt", rows, max_steps=160)

    newest = read_run(tmp_path / "out")

    assert len(newest.train_loss) == 8
    assert newest.meta.status == "completed"
    assert len(read_run(tmp_path / "out" / "checkpoint-40").train_loss) == 4
    assert read_run(renamed).meta.status == "unfinished"


def test_trainer_state_with_several_evaluation_sets(tmp_path):
    rows = [
        {
            "step": step,
            "epoch": step / 10,
            f"eval_{name}_loss": loss,
            f"eval_{name}_wer": 30.0,
            f"eval_{name}_runtime": 1.0,
        }
        for step in (10, 20)
        for name, loss in (("clean", 1.0), ("noisy", 3.0))
    ]

    run = read_run(write_state(tmp_path / "trainer_state.json", rows))

    assert run.get("val:noisy/wer").values == (30.0, 30.0)
    assert run.validation_loss.values == (2.0, 2.0)
    assert "val/loss is the mean over 2 evaluation sets" in run.notes


def test_trainer_state_with_tokens_for_not_a_number(tmp_path):
    path = tmp_path / "trainer_state.json"
    path.write_text(
        '{"log_history": [{"step": 50, "epoch": NaN, "loss": 0.0, "grad_norm": NaN},'
        ' {"step": 50, "eval_loss": "NaN"}, {"step": 60, "loss": "off"}, "torn"]}'
    )

    run = read_run(path)

    assert run.train_loss.values == (0.0,)
    assert math.isnan(run.validation_loss.values[0])
    assert math.isnan(run.gradient_norm.values[0])
    assert run.train_loss.place(0) == "step 50"
    assert set(run.notes) == {
        "loss holds no number and was left out",
        "entries of log_history that are not objects were skipped",
    }


def test_an_epoch_counter_that_resets_does_not_matter_and_steps_that_do_are_seen(tmp_path):
    rows = [{"step": step, "epoch": epoch, "loss": 1.0} for step, epoch in ((10, 0.9), (20, 0.1), (30, 0.2))]
    run = read_run(write_state(tmp_path / "trainer_state.json", rows))

    assert run.train_loss.x.tolist() == [10, 20, 30]

    backwards = Series("train/loss", (10, 20, 5), (None,) * 3, (1.0, 1.0, 1.0))
    assert backwards.x.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("log.csv", "epoch,name\n1,2\n"),
        ("state.json", '{"steps": []}'),
        ("events.jsonl", '{"no": "kind"}\n'),
        ("a", ""),
    ],
)
def test_what_no_reader_understands_is_refused_with_the_path(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)

    with pytest.raises(InputError, match="expected a run directory") as caught:
        read_run(path)
    assert str(path) in caught.value.message


def test_a_missing_path_and_an_empty_folder_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_run(tmp_path / "nowhere")
    with pytest.raises(InputError, match="found nothing"):
        read_run(tmp_path)


def test_events_that_are_no_events_are_refused_with_the_line(tmp_path):
    (tmp_path / "events.jsonl").write_text('[1, 2]\n{"kind": "start"}\n')

    with pytest.raises(InputError, match=r'events\.jsonl:1: expected a JSON object with the key "kind"'):
        read_run(tmp_path)


@pytest.mark.parametrize(
    ("metric", "better"),
    [("loss", "lower"), ("wer", "lower"), ("error_rate", "lower"), ("macro-f1", "higher"), ("ccc", "higher"),
     ("rewards/accuracies", ""), ("std_ratio", ""), ("balanced_accuracy", "higher")],
)  # fmt: skip
def test_the_direction_of_a_metric_is_read_from_its_name(metric, better):
    assert direction_of(metric) == better


REAL = {
    "hf_whisper_flemish": (150, 15, "wer"),
    "hf_whisper_tiny_nb": (2000, 100, "wer"),
    "hf_multi_group": (30, 31, "accuracy"),
    "hf_gemma_lora": (75, 19, None),
    "hf_trocr": (500, 5, "cer"),
    "hf_dpo": (20, 0, None),
}


@pytest.mark.parametrize("name", REAL)
def test_real_trainer_states(test_data, name):
    run = read_run(test_data / "logs" / "hf_trainer_state" / f"{name}__trainer_state.json")
    points, evaluations, metric = REAL[name]

    assert len(run.train_loss) == points
    assert run.evaluations == evaluations
    assert (run.metric.metric if run.metric else None) == metric
