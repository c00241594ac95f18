"""Logs of frameworks that are not ours, written here in their manner, and the real ones where they are at hand."""
# ruff: noqa: E501 - logs are quoted as they are printed

import csv
import json
import math
import random
import struct
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.evidence.run.foreign import read_event_files, read_foreign
from engine.evidence.run.formats.console import read_console
from engine.evidence.run.formats.decoding import plain_lines
from engine.evidence.run.formats.names import meaning
from engine.evidence.run.measure import measure_run
from engine.evidence.run.read import read_run, read_runs
from engine.evidence.run.series import RunSeries
from expert.consultation.diagnose import diagnose_run
from knowledge.errors import InputError
from knowledge.loader import load_knowledge


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def values(run: RunSeries, name: str) -> tuple[float, ...]:
    series = run.get(name)
    assert series is not None, [one.name for one in run.series]
    return series.values


@pytest.mark.parametrize(
    ("name", "role", "split", "metric"),
    [
        ("loss", "curve", "", "loss"),
        ("val_accuracy", "curve", "val", "accuracy"),
        ("Validation Loss", "curve", "val", "loss"),
        ("ValLoss", "curve", "val", "loss"),
        ("loss/train", "curve", "train", "loss"),
        ("train_loss_epoch", "curve", "train", "epoch_loss"),
        ("train_loss_step", "curve", "train", "loss"),
        ("val_loss_epoch", "curve", "val", "loss"),
        ("metrics/mAP50-95(B)", "curve", "", "map50_95"),
        ("mIoU", "curve", "", "iou"),
        ("DiarizationErrorRate", "curve", "", "diarization_error_rate"),
        ("avg_loss_mel", "curve", "", "loss_mel"),
        ("lr/pg0", "rate", "", "pg0"),
        ("learning_rate", "rate", "", "all"),
        ("grad_norm", "gradient", "", ""),
        ("gnorm", "gradient", "", ""),
        ("epoch", "epoch", "", ""),
        ("iter", "step", "", ""),
        ("global_step", "step", "", ""),
        ("Train Time", "other", "", ""),
        ("eval_samples_per_second", "other", "", ""),
    ],
)
def test_names_of_all_frameworks_mean_the_same(name: str, role: str, split: str, metric: str) -> None:
    found = meaning(name)
    assert (found.role, found.split, found.metric) == (role, split, metric)


def test_a_keras_table_reads_unprefixed_columns_as_training(tmp_path: Path) -> None:
    path = written(
        tmp_path, "log.csv", "epoch,accuracy,loss,lr,val_accuracy,val_loss\n0,.4,1.2,.001,.5,1.1\n1,.6,.9,.001,.55,1\n"
    )
    run = read_run(path)
    assert values(run, "train/loss") == (1.2, 0.9)
    assert values(run, "val/loss") == (1.1, 1.0)
    assert values(run, "train/accuracy") == (0.4, 0.6)
    assert run.learning_rates[0].values == (0.001, 0.001)
    assert run.metric is not None
    assert run.metric.name == "val/accuracy"


def test_a_lightning_table_has_training_and_validation_on_rows_of_their_own(tmp_path: Path) -> None:
    text = "epoch,step,train_loss_step,train_loss_epoch,val_loss,lr-Adam\n,0,,,,.1\n0,49,.9,,,\n0,50,,,.8,\n0,50,,.85,,\n1,99,.6,,,\n1,100,,,.7,\n"
    run = read_run(written(tmp_path, "metrics.csv", text))
    assert values(run, "train/loss") == (0.9, 0.6)
    assert values(run, "train/epoch_loss") == (0.85,)
    assert values(run, "val/loss") == (0.8, 0.7)
    assert run.validation_loss is not None
    assert run.validation_loss.steps == (50, 100)


def test_parts_of_a_loss_are_summed_and_scores_without_a_split_are_of_the_validation(tmp_path: Path) -> None:
    text = "  epoch, train/box_loss, train/cls_loss, metrics/mAP50-95(B), val/box_loss, val/cls_loss\n 1, 1, 2, .1, 3, 4\n 2, .5, 1, .2, 2, 3\n"
    run = read_run(written(tmp_path, "results.csv", text))
    assert values(run, "train/loss") == (3.0, 1.5)
    assert values(run, "val/loss") == (7.0, 5.0)
    assert values(run, "val/map50_95") == (0.1, 0.2)
    assert any("box_loss + cls_loss" in note for note in run.notes)


def test_runs_appended_to_one_table_are_separated_and_rows_of_another_width_told(tmp_path: Path) -> None:
    text = "epoch;loss;val_loss\n0;3;4\n1;2;3\n0;5;6\n1;4;5;9\n1;3;2\n"
    path = written(tmp_path, "log.csv", text)
    assert [values(run, "val/loss") for run in read_runs(path)] == [(4.0, 3.0), (6.0, 2.0)]
    assert values(read_run(path, 1), "train/loss") == (3.0, 2.0)
    assert read_run(path).meta.appended_runs == 2
    assert any("1 rows have more or fewer columns" in note for note in read_run(path).notes)
    with pytest.raises(InputError, match="holds 2 runs, got --run 3"):
        read_run(path, 3)


def test_utf16_is_read(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes("epoch,loss,val_loss\n1,2,3\n2,1,2\n".encode("utf-16"))
    assert values(read_run(path), "val/loss") == (3.0, 2.0)


def test_json_lines_of_mmengine_count_batches_of_the_evaluation_apart(tmp_path: Path) -> None:
    rows = [{"mode": "train", "epoch": 1, "iter": 10, "lr": 0.01, "loss": 2.0}, {"mode": "train", "epoch": 1, "iter": 20, "loss": 1.0},
            {"mode": "val", "epoch": 1, "iter": 4, "mIoU": 0.5}, {"mode": "train", "epoch": 2, "iter": 30, "loss": 0.5},
            {"mode": "val", "epoch": 2, "iter": 4, "mIoU": 0.6}]  # fmt: skip
    run = read_run(written(tmp_path, "log.json", "{}\n" + "\n".join(map(json.dumps, rows)) + "\nbroken"))
    assert run.metric is not None
    assert run.metric.name == "val/iou"
    assert run.metric.steps == (20, 30)
    assert values(run, "train/loss") == (2.0, 1.0, 0.5)


def test_json_histories_hold_lists_or_objects(tmp_path: Path) -> None:
    lists = written(tmp_path, "a.json", json.dumps({"loss": [2, 1], "val_loss": [3, 2], "params": {"lr": 1}}))
    objects = written(
        tmp_path,
        "b.json",
        json.dumps({"name": "x", "history": [{"eval_loss": math.nan, "step": 5}, {"loss": 0.5, "step": 9}]}),
    )
    assert values(read_run(lists), "val/loss") == (3.0, 2.0)
    assert math.isnan(values(read_run(objects), "val/loss")[0])
    assert read_run(objects).train_loss is not None


CONSOLES = {
    "speechbrain": "Epoch: 1, lr: 1.00e-04 - train loss: 2.0 - valid loss: 1.5, valid error_rate: 5e-01\n"
    "Epoch: 2, lr: 1.00e-04 - train loss: 1.0 - valid loss: 1.2, valid error_rate: 4e-01\n"
    "Epoch loaded: 2 - test loss: 9.9, test error_rate: 9e-01\n",
    "nanogpt": "step 0: train loss 2.0, val loss 1.5\niter 0: loss 2.0, time 63ms\niter 10: loss 1.0, time 4ms\nstep 20: train loss 1.0, val loss 1.2\n",
    "keras": "Epoch 1/2\n" + "".join(f"\r{n}/9 [=>..] - ETA: 3s - loss: 7.0" for n in range(1, 9))
    + "\r9/9 [==] - 4s 12ms/step - loss: 2.0 - val_loss: 1.5\nEpoch 2/2\n9/9 [==] - 4s 12ms/step - loss: 1.0 - val_loss: 1.2\n",
    "sentences": "\x1b[32m[2025-10-21 01:20:58 net]\x1b[0m INFO Train: [0/2]\tlr 0.0003\ttime 0.33 (0.36)\tloss 1.4 (2.0)\n"
    " INFO  * Val Acc 52.270 Val Loss 1.5\n INFO Accuracy of the network on the 50000 train images: 37.0%\n"
    " INFO Train: [1/2]\tlr 0.0003\ttime 0.33 (0.36)\tloss 1.4 (1.0)\n INFO  * Val Acc 60.0 Val Loss 1.2\n",
    "german": "Epoche läuft\nEpoch 1: train_loss=2.0 val_loss=1.5\nEpoch 2: train_loss=1.0 val_loss=1.2\nEarly stopping in Epoch 3 (bestes: Epoch 1, val_loss=0.1)\n",
    "sections": "Epoch: [1][5/10]\tPer Sample Data Time 0.1\tTrain Loss 2.0\t\nstart validation\nacc: 0.5\nvalid_loss: 1.5\nvalidation finished\n"
    "Epoch: [2][5/10]\tTrain Loss 1.0\t\nstart validation\nacc: 0.6\nvalid_loss: 1.2\nvalidation finished\n",
}  # fmt: skip


@pytest.mark.parametrize("name", CONSOLES)
def test_consoles_of_many_scripts_are_understood(name: str, tmp_path: Path) -> None:
    run = read_run(written(tmp_path, "train.log", CONSOLES[name]))
    assert values(run, "val/loss") == (1.5, 1.2)
    assert sorted(set(values(run, "train/loss"))) == [1.0, 2.0]


def test_a_gan_is_read_by_what_it_reconstructs(tmp_path: Path) -> None:
    epoch = " > EPOCH: {0}/1000\n > TRAINING\n   --> STEP: 24/36 -- GLOBAL_STEP: {1}\n     | > loss_disc: 3.0  (3.4)\n     | > loss_mel: 19.0  (23.0)\n > EVALUATION\n     | > avg_loss_disc: 2.9 (+0.00)\n     | > avg_loss_mel: {2} (-1.5)\n"
    run = read_run(written(tmp_path, "log.txt", epoch.format(0, 25, 18.0) + epoch.format(1, 61, 16.0)))
    assert values(run, "val/loss") == (18.0, 16.0)
    assert values(run, "train/loss") == (23.0, 23.0)
    assert run.meta.planned_epochs == 1000
    assert run.meta.status == "unfinished"


def frame(message: bytes) -> bytes:
    return struct.pack("<Q", len(message)) + b"\0\0\0\0" + message + b"\0\0\0\0"


def field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2, len(content)]) + content


def event(step: int, tag: str, value: float, *, tensor: bool) -> bytes:
    if tensor:
        held = field(8, b"\x08\x01" + field(4, struct.pack("<f", value)))
    else:
        held = bytes([2 << 3 | 5]) + struct.pack("<f", value)
    summary = field(1, field(1, tag.encode()) + held)
    return frame(bytes([0x09]) + struct.pack("<d", 1.0) + bytes([0x10, step]) + field(5, summary))


@pytest.mark.parametrize("tensor", [False, True])
def test_event_files_of_one_run_are_joined(tensor: bool, tmp_path: Path) -> None:
    for split, start in (("train", 2.0), ("validation", 3.0)):
        folder = tmp_path / split
        folder.mkdir()
        events = b"".join(event(step, "epoch_loss", start - step, tensor=tensor) for step in range(2))
        (folder / "events.out.tfevents.1").write_bytes(frame(bytes([0x09]) + b"\0" * 8) + events + b"torn")
    run = read_run(tmp_path)
    assert values(run, "train/loss") == (2.0, 1.0)
    assert values(run, "val/loss") == (3.0, 2.0)


def test_a_folder_with_several_logs_is_read_by_the_fullest(tmp_path: Path) -> None:
    written(tmp_path, "history.csv", "epoch,loss,val_loss\n1,3,4\n2,2,3\n3,1,2\n")
    written(tmp_path, "output.log", "Epoch 1: loss=3.0\n")
    assert read_run(tmp_path).evaluations == 3


@pytest.mark.parametrize(
    "text", ["", "hello world\n", "a,b\nx,y\n", "{}", "[1, 2]", "name,size\nanna,3\nberta,4\n", "\0\0\0\0"]
)
def test_what_names_no_loss_is_refused_with_what_was_expected(text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected"):
        read_run(written(tmp_path, "notes.txt", text))


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.sampled_from('loss: val=epoch123.5e-/()[]\n\r\x08\x1b{}",;nan '), max_size=300))
def test_no_text_makes_the_readers_fail(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for run in read_foreign(written(Path(folder), "random.log", text)):
            assert all(len(series.values) == len(series.steps) == len(series.epochs) for series in run.series)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400), st.randoms(use_true_random=False))
def test_no_event_file_makes_the_reader_fail(noise: bytes, dice: random.Random) -> None:
    sound = event(1, "loss", 1.0, tensor=dice.random() < 0.5) * 3
    cut = dice.randrange(len(sound))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.out.tfevents.1"
        path.write_bytes(sound[:cut] + noise + sound[cut:])
        read_event_files([path])


def test_a_progress_bar_tells_its_last_state() -> None:
    assert plain_lines("a\rbb\x08\x08c\r\nd\x1b[0m\n") == ["c", "d", ""]
    found = read_console(plain_lines("\r".join(f"Epoch 1: loss={n}.0" for n in range(5))))
    assert found is not None
    assert [dict(record.values) for record in found[0]] == [{"loss": 4.0}]


SMI = "timestamp, name, utilization.gpu [%], memory.used [MiB], memory.total [MiB], clocks_event_reasons.active\n"


def test_telemetry_of_nvidia_smi_is_measured_under_load_only(tmp_path: Path) -> None:
    idle = "2026/01/03 15:36:53.507, NVIDIA X, 0 %, 100 MiB, 1000 MiB, 0x0000000000000001\n" * 50
    busy = "2026/01/03 15:36:54.507, NVIDIA X, 90 %, 960 MiB, 1000 MiB, 0x0000000000000020\n" * 60
    calm = "2026/01/03 15:36:55.507, NVIDIA X, 80 %, 900 MiB, 1000 MiB, [N/A]\n"
    measured = measure_run(read_run(written(tmp_path, "gpu.csv", SMI + idle + busy)))
    assert measured.get("run.gpu_samples") == 60
    assert measured.get("run.gpu_utilisation_low") == measured.get("run.gpu_utilisation_high") == 90
    assert measured.get("run.gpu_memory_peak_share") == pytest.approx(0.96)
    assert measured.get("run.gpu_throttled_share") == 1.0
    unsure = measure_run(read_run(written(tmp_path, "other.csv", SMI + busy + calm)))
    assert unsure.get("run.gpu_throttled_share") is None
    assert unsure.get("run.gpu_samples") == 61


@pytest.mark.parametrize(
    ("name", "findings"),
    [
        ("gpu_vlm", {"gpu-healthy"}),
        ("gpu_landct", {"gpu-bursty", "gpu-memory-near-full"}),
        ("gpu_mt", {"gpu-underutilised"}),
    ],
)
def test_real_telemetry_is_judged_as_labelled(name: str, findings: set[str], test_data: Path) -> None:
    row = next(row for row in labelled(test_data) if row["id"] == name)
    diagnosis = diagnose_run(load_knowledge(), test_data / "logs" / row["file"])
    assert {finding.id for finding in diagnosis.session.findings} == findings


def labelled(test_data: Path) -> list[dict[str, str]]:
    with (test_data / "logs" / "INDEX.tsv").open(newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def test_real_logs_of_every_format_are_read(test_data: Path) -> None:
    unread = []
    for row in labelled(test_data):
        files = [test_data / "logs" / file for file in row["file"].split(";")]
        runs = read_event_files(files) if row["format"] == "tfevents" else read_runs(files[0])
        telling = "gpu/utilisation" if row["id"].startswith("gpu_") else "train/loss"
        unread += [row["id"]] if not runs or runs[-1].get(telling) is None else []
    assert unread == []


def test_a_table_and_the_console_of_one_real_run_tell_the_same(test_data: Path) -> None:
    rows = {row["id"]: test_data / "logs" / row["file"].split(";")[0] for row in labelled(test_data)}
    table, console = read_run(rows["ast_speechcommands_csv"]), read_run(rows["ast_speechcommands_txt"])
    assert values(console, "val/loss") == pytest.approx(values(table, "val/loss"), abs=1e-6)
    assert values(console, "val/acc") == pytest.approx(values(table, "val/accuracy"), abs=1e-6)


def test_the_first_of_three_real_models_in_one_console_is_that_of_its_table(test_data: Path) -> None:
    row = next(row for row in labelled(test_data) if row["id"] == "keras_pbs_stdout")
    console, table = (test_data / "logs" / file for file in row["file"].split(";"))
    assert values(read_run(console, 1), "val/loss") == pytest.approx(values(read_run(table), "val/loss"), abs=6e-5)
