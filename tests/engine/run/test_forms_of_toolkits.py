"""Logs in the forms of many toolkits, written without looking at the readers; every number is made here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.evidence.run.formats.decoding import read_text
from engine.evidence.run.formats.names import meaning
from engine.evidence.run.formats.telemetry import read_telemetry
from engine.evidence.run.read import read_run, read_runs
from engine.evidence.run.series import RunSeries, direction_of

from .courses import EPOCHS, accuracy, assert_both_losses, train, val

NUMBERS = range(1, EPOCHS + 1)


def filled(form: str, head: str = "", tail: str = "") -> str:
    each = (form.format(e=e, t=train(e), v=val(e), a=accuracy(e), p=100 * accuracy(e), s=100 * e) for e in NUMBERS)
    return head + "".join(each) + tail


def read(folder: Path, text: str, name: str = "run.log") -> RunSeries:
    (folder / name).write_text(text)
    (run,) = read_runs(folder / name)
    return run


def assert_accuracy(run: RunSeries) -> None:
    metric = run.metric
    assert metric is not None and metric.better == "higher"
    assert np.allclose(metric.y, [accuracy(e) for e in NUMBERS], atol=1e-3)


CONSOLE = {
    "a heading in columns": ("{e:>5}  {t:>10}  {v:>10}  {a:>9}\n", "epoch  train_loss    val_loss  val_acc\nfit\n"),
    "numbered rows, a column empty now and then": (
        "{e:<3}{e:>5}{t:>12}{v:>12}{a:>10}\n",
        "history:\n   epoch  train_loss    val_loss   val_acc  cp\n",
    ),
    "a heading between rules with stamps": (
        "[ INFO : 2023-05-01 10:00:00,123 ] - |{e:>9}|{t:>9}|{v:>9}|{a:>9}|\n",
        "[ INFO : 2023-05-01 10:00:00,123 ] - |Epoch|Train Loss|Val Loss|Val Acc|\n"
        "[ INFO : 2023-05-01 10:00:00,124 ] - +---------+---------+---------+---------+\n",
    ),
    "a heading of two rows": (
        "| {e:7d} | 00:00:{e} | {p:.2f}% | {t} | {v} |\n",
        "Training on one GPU.\n| Epoch | Time       | Validation | Mini-batch | Validation |\n"
        "|       | (hh:mm:ss) | Accuracy   | Loss       | Loss       |\n",
    ),
    "a table below the results of a model card": (
        "| {t} | {e}.0 | {s} | {v} | {a} |\n",
        "# model\nIt achieves the following results on the evaluation set:\n- Loss: 0.9\n- Acc: 0.1\n\n"
        "| Training Loss | Epoch | Step | Validation Loss | Acc |\n|:---:|:---:|:---:|:---:|:---:|\n",
    ),
    "tables of one epoch each": (
        "| Epoch | {e}/12 | lr |\n|-----|-----|-----|\n| metric | train | valid |\n| loss | {t} | {v} |\n"
        "| acc | 0.5 | {a} |\n",
        "",
    ),
    "the best in brackets": (
        "epoch {e}/12 | train loss {t} | val loss {v} (best 0.1 @ 3) | val acc {a} (best 0.9)\n",
        "",
    ),
    "pairs in brackets": ("epoch {e}: loss (train, val) = ({t}, {v}), acc (train, val) = (0.5, {a})\n", ""),
    "an epoch glued to its number": ("epoch{e:03d}-train_loss {t} val_loss {v}, val_acc: {a}\n", ""),
    "bare counts of epochs": ("[{e:>3}/12] train_loss: {t} val_loss: {v} val_acc: {a}\n", ""),
    "Train on and validate on": (
        "Epoch {e}/12\n - 3s - loss: {t} - acc: 0.5 - val_loss: {v} - val_acc: {a}\n",
        "Train on 800 samples, validate on 200 samples\n",
    ),
    "metrics below a title with a time": (
        "Epoch {e} - Evaluation time (seconds): 5.1 - Train metrics:\n\tAccuracy: 0.5\n\tLoss: {t}\n"
        "Epoch {e} - Evaluation time (seconds): 1.1 - Test metrics:\n\tAccuracy: {a}\n\tLoss: {v}\n",
        "",
    ),
    "two clauses": ("Train Epoch: {e}/12 Loss: {t} | Val Epoch: {e}/12 Loss: {v} Acc: {a}\n", ""),
    "one clause behind parts of the loss": ("Epoch {e} Train loss: {t}, Val: loss {v}, acc {a}\n", ""),
    "of": (
        "Epoch {e} of 12 took 1.2s\n  training loss:\t\t{t}\n  validation loss:\t\t{v}\n  val acc:\t{p:.2f} %\n",
        "",
    ),
    "an asterisk": ("{e}/12 * Epoch (train): loss: {t}\n{e}/12 * Epoch (valid): acc: {a} | loss: {v}\n", ""),
    "costs": ("Epoch {e} (global_step {s}) finished\ncost: {t}\nvalidation_cost: {v}\nvalidation_acc: {a}\n", ""),
    "Polish": ("Epoka {e}: strata treningowa {t}, strata walidacyjna {v}, dokładność walidacyjna {a}\n", ""),
    "Portuguese": ("Época {e} - Perda de treino: {t} - Perda de validação: {v} - Acurácia de validação: {a}\n", ""),
    "Japanese": ("エポック {e}  訓練誤差: {t}  検証誤差: {v}  検証精度: {a}\n", ""),
    "epochs as keys": ("epoch_{e}:\n  train_loss: {t}\n  valid_loss: {v}\n  valid_acc: {a}\n", ""),
    "losses without a sign": ("epoch {e} | loss_cls {t}\nVALID | epoch {e} | loss_cls {v} | acc {a}\n", ""),
    "two objects in a line": ("Epoch {e}: train {{'loss': {t}}} val {{'loss': {v}, 'acc': {a}}}\n", ""),
    "objects in brackets": ("({e}, {{'epoch': {e}, 'loss': {t}, 'val_loss': {v}, 'val_acc': {a}}})\n", ""),
}


@pytest.mark.parametrize("form", CONSOLE)
def test_both_losses_and_the_score_are_read_in_full(form: str, tmp_path: Path) -> None:
    run = read(tmp_path, filled(*CONSOLE[form]))

    assert_both_losses(run)
    assert_accuracy(run)
    assert run.validation_loss is not None
    assert [int(epoch) for epoch in run.validation_loss.when] == list(NUMBERS)


TABLES = {
    "metricName,metricValue,step,epoch\n": "train_loss,{t},{s},{e}\nval_loss,{v},{s},{e}\nval_acc,{a},{s},{e}\n",
    "run.hash,metric.name,metric.context.subset,step,epoch,metric.value\n": (
        "a1,loss,train,{s},{e},{t}\na1,loss,val,{s},{e},{v}\na1,acc,val,{s},{e},{a}\n"
    ),
    "time,epoch,set,loss,acc\n": "10:00,{e},train,{t},0.5\n10:01,{e},valid,{v},{a}\n",
    "Epoch,Training loss,Validation loss,Validation accuracy,Duration\n": "{e},{t},{v},{p:.2f}%,60s\n",
}


@pytest.mark.parametrize("head", TABLES)
def test_tables_of_exports_are_read(head: str, tmp_path: Path) -> None:
    run = read(tmp_path, filled(TABLES[head], head), "run.csv")

    assert_both_losses(run)
    assert_accuracy(run)


def test_a_table_with_a_row_for_each_curve_is_turned(tmp_path: Path) -> None:
    rows = [["epoch", *NUMBERS], *([name, *map(curve, NUMBERS)] for name, curve in CURVES.items())]
    run = read(tmp_path, "".join(",".join(map(str, row)) + "\n" for row in rows), "run.csv")

    assert_both_losses(run)


CURVES = {"train/loss": train, "val/loss": val, "val/accuracy": accuracy}
STEPS = [100 * e for e in NUMBERS]
OBJECTS: dict[str, object] = {
    "Sacred": {name: {"steps": STEPS, "values": [*map(curve, NUMBERS)]} for name, curve in CURVES.items()},
    "ClearML": {
        "loss": {
            split: {"name": split, "x": STEPS, "y": [*map(curve, NUMBERS)]}
            for split, curve in (("train", train), ("val", val))
        },
        "accuracy": {"val": {"name": "val", "x": STEPS, "y": [*map(accuracy, NUMBERS)]}},
    },
    "points": {
        name: [{"step": 100 * e, "value": curve(e)} for e in NUMBERS] for name, curve in CURVES.items()
    },
    "a list of curves": [
        {"name": name, "steps": STEPS, "values": [*map(curve, NUMBERS)]} for name, curve in CURVES.items()
    ],
    "pairs": {name: [[100 * e, curve(e)] for e in NUMBERS] for name, curve in CURVES.items()},
}  # fmt: skip


@pytest.mark.parametrize("form", OBJECTS)
def test_curves_with_steps_of_their_own_keep_them(form: str, tmp_path: Path) -> None:
    run = read(tmp_path, json.dumps(OBJECTS[form]), "run.json")

    assert_both_losses(run)
    assert_accuracy(run)
    assert run.validation_loss is not None and list(run.validation_loss.at) == STEPS


def test_a_wrapper_around_the_lists_and_the_plan_beside_them(tmp_path: Path) -> None:
    log = {"epoch": [*NUMBERS], **{name: [*map(curve, NUMBERS)] for name, curve in CURVES.items()}}
    run = read(tmp_path, json.dumps({"args": {"epochs": 30, "lr": 0.1}, "log": log}), "run.json")

    assert_both_losses(run)
    assert run.meta.planned_epochs == 30 and run.meta.status == "unfinished"
    assert run.validation_loss is not None and run.validation_loss.when[-1] == EPOCHS


OF_SPLITS: dict[str, object] = {
    "columns and rows": {
        "columns": ["epoch", "train_loss", "val_loss"],
        "data": [[e, train(e), val(e)] for e in NUMBERS],
    },
    "epochs within splits": {
        "train": {f"epoch_{e}": {"loss": train(e)} for e in NUMBERS},
        "val": {f"epoch_{e}": {"loss": val(e)} for e in NUMBERS},
    },
}


@pytest.mark.parametrize("form", OF_SPLITS)
def test_histories_in_other_orders(form: str, tmp_path: Path) -> None:
    assert_both_losses(read(tmp_path, json.dumps(OF_SPLITS[form]), "run.json"))


def test_the_first_of_twelve_scores_is_the_average_precision(tmp_path: Path) -> None:
    rows = ({"epoch": e, "train_loss": train(e), "test_loss": val(e), "test_coco_eval_bbox": [accuracy(e)] * 12}
            for e in NUMBERS)  # fmt: skip
    run = read(tmp_path, "".join(json.dumps(row) + "\n" for row in rows), "log.txt")

    assert_both_losses(run)
    assert_accuracy(run)


def test_counts_of_errors_are_no_batches(tmp_path: Path) -> None:
    line = (
        "epoch: {e} iter: {s} train_loss: {t} dev_loss: {v} dev %WER 12.1 [ 1089 / 9000, 100 ins, 200 del, 300 sub ]\n"
    )
    run = read(tmp_path, filled(line))

    assert run.validation_loss is not None and list(run.validation_loss.at) == STEPS


def test_arrays_that_numpy_printed(tmp_path: Path) -> None:
    text = "".join(f"{name} {np.array([*map(curve, NUMBERS)])}\n" for name, curve in
                   (("Train losses:", train), ("Val losses:", val)))  # fmt: skip

    assert_both_losses(read(tmp_path, "done\n" + text, "run.txt"))


FOLDERS = {
    "a curve a file": {f"{name.replace('/', '_')}.csv": (curve, "step,timestamp,value\n{s},1,{y}\n") for name, curve in
                       CURVES.items()},
    "a curve a file in folders": {f"plots/{name}.tsv": (curve, f"step\t{name[-4:]}\n{{s}}\t{{y}}\n") for name, curve in
                                  {"train/loss": train, "val/loss": val}.items()},
    "a table a split": {f"{split}.csv": (curve, "epoch,loss\n{e},{y}\n") for split, curve in
                        (("train", train), ("val", val))},
}  # fmt: skip


@pytest.mark.parametrize("form", FOLDERS)
def test_files_of_one_run_are_joined(form: str, tmp_path: Path) -> None:
    for name, (curve, row) in FOLDERS[form].items():
        head, line = row.split("\n")[:2]
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([head, *(line.format(e=e, s=100 * e, y=curve(e)) for e in NUMBERS)]) + "\n")
    (run,) = read_runs(tmp_path)

    assert_both_losses(run)


def test_an_object_for_each_epoch(tmp_path: Path) -> None:
    for e in NUMBERS:
        told = {"epoch": e, "training_loss": train(e), "validation_loss": val(e), "best_epoch": 0}
        (tmp_path / f"metrics_epoch_{e}.json").write_text(json.dumps(told))

    assert_both_losses(read_run(tmp_path))


def test_means_of_epochs_are_no_batches(tmp_path: Path) -> None:
    batches = "".join(f"Train | Epoch {{e}} | {n}/3 | 3.1 it/sec | Loss {n}.5\n" for n in (1, 2, 3))
    run = read(
        tmp_path, filled(batches + "Train Summary | Epoch {e} | Loss={t}\nValid Summary | Epoch {e} | Loss={v}\n")
    )

    assert run.train_loss is not None and set(run.train_loss.values) == {1.5, 2.5, 3.5}
    assert run.train_course is not None and run.train_course.values == tuple(train(e) for e in NUMBERS)


def test_progress_bars_count_the_steps_of_the_trainer(tmp_path: Path) -> None:
    one = " 10%|#   | {s}/4000 [00:10<01:00, 1.2s/it]\n{{'loss': {t}, 'learning_rate': 1e-05, 'epoch': {e}.0}}\n"
    evaluated = "100%|####| 20/20 [00:05<00:00, 4.1it/s]\n{{'eval_loss': {v}, 'epoch': {e}.0}}\n"
    run = read(tmp_path, filled(one + evaluated))

    assert_both_losses(run)
    assert run.meta.planned_steps == 4000
    assert run.validation_loss is not None and list(run.validation_loss.at) == STEPS


PLANS = {
    " [1200/4000 20:01 < 46:12, 1.01 it/s, Epoch 12/40]\nStep\tTraining Loss\tValidation Loss\n": (
        "{s}\t{t}\t{v}\n", "", "planned_steps", 4000),
    "Starting training..., iters: 2000\n": (
        "Iter {s}: Train loss {t}\nIter {s}: Val loss {v}\n", "", "planned_steps", 2000),
    "GPU available\n": ("Epoch {e}: train_loss={t} val_loss={v}\n", "`Trainer.fit` stopped: `max_epochs=12` reached.\n",
                        "status", "completed"),
    "go\n": ("Epoch {e}: train_loss={t} val_loss={v}\n", "I Early stop triggered as the loss did not improve\n",
             "status", "early-stopped"),
}  # fmt: skip


@pytest.mark.parametrize("head", PLANS)
def test_plans_and_ends(head: str, tmp_path: Path) -> None:
    form, tail, name, expected = PLANS[head]
    run = read(tmp_path, filled(form, head, tail))

    assert_both_losses(run)
    assert getattr(run.meta, name) == expected


def test_seeds_in_one_log_are_runs(tmp_path: Path) -> None:
    one = filled("[{e}/12] loss {t} | val loss {v} | val acc {p:.1f}\n")
    (tmp_path / "run.log").write_text(f"== seed 1 ==\n{one}== seed 2 ==\n{one}")

    runs = read_runs(tmp_path / "run.log")
    assert len(runs) == 2
    assert_both_losses(runs[1])


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("utt_mse_accuracy", "lower"), ("utt_pcc_accuracy", "higher"), ("err_top5", "lower"), ("acc_top5", "higher"),
        ("wa_start", ""), ("val_wa", "higher"), ("properties_per_channel_0", ""), ("dev_per", "lower"),
        ("audio_to_text_R@1", "higher"), ("dev_tdcf", "lower"), ("psds1", "higher"), ("top_p", ""),
        ("val_spider", "higher"),
    ],
)  # fmt: skip
def test_directions(name: str, direction: str) -> None:
    one = meaning(name)
    assert (direction_of(one.metric) if one.role == "curve" else "") == direction


def test_a_plan_of_epochs_is_not_held_against_steps(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"step": 100 * e, "train_loss": train(e), "val_loss": val(e)}) + "\n" for e in NUMBERS)
    run = read(tmp_path, json.dumps({"epochs": 3}) + "\n" + lines, "log.jsonl")

    assert_both_losses(run)
    assert run.meta.planned_epochs is None and run.meta.status == ""


def test_letters_of_splits_and_wrappers() -> None:
    assert (meaning("loss_va").split, meaning("ccc_va").split, meaning("ep").role) == ("val", "", "epoch")
    assert (meaning("TLOSS").split, meaning("TLOSS").metric) == ("train", "loss")
    assert (meaning("VEER").split, meaning("VEER").metric) == ("val", "eer")
    assert meaning("validation/main/loss").metric == "loss"
    assert meaning("learning_rate_decrease_itr").role == "other"


def test_short_names_in_brackets_and_units(tmp_path: Path) -> None:
    run = read(
        tmp_path, filled("Validation Metrics (step {s}) - CTC Loss: {v} | Word Error Rate (WER): {a} | SI-SDR: 9.1dB\n")
    )

    assert run.get("val/wer") is not None and run.get("val/si_sdr") is not None


def test_losses_of_several_sets_are_no_parts_of_one(tmp_path: Path) -> None:
    run = read(
        tmp_path,
        filled("Epoch {e}: train_loss={t} dev_clean_loss={v} dev_clean_wer=0.1 dev_other_loss={v} dev_other_wer=0.2\n"),
    )

    assert_both_losses(run)


def test_a_comment_tells_no_place(tmp_path: Path) -> None:
    run = read(tmp_path, filled("step {s} train loss {t} val loss {v}\n", "# 1 epoch is 500 (iteration)\n"))

    assert run.validation_loss is not None and not np.isfinite(run.validation_loss.when).any()


def test_telemetry_below_what_nvidia_smi_drew_with_holes(tmp_path: Path) -> None:
    drawn = "+-----+-----+\n| NVIDIA-SMI 495.44  Driver Version: 495.44 |\n+-----+-----+\n"
    head = "index, name, memory.total [MiB], memory.used [MiB], utilization.gpu [%]\n"
    row = "0, V100, 32510 MiB, 30062 MiB, 97 %\n"
    path = tmp_path / "gpu.csv"
    path.write_bytes((drawn + head).encode() + b"\0" * 5000 + (row * 20).encode())

    run = read_telemetry(read_text(path), path)
    assert run is not None and len(run.series[0]) == 20


def test_utf16_is_still_known(tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    path.write_bytes(filled("epoch {e} train_loss {t} val_loss {v}\n").encode("utf-16-le"))

    assert_both_losses(read_run(path))
