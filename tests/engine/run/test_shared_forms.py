"""Logs in forms that many scripts share and no framework owns, made here with running numbers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from engine.evidence.run.formats.drawn import Drawn
from engine.evidence.run.formats.rewriting import rewritten
from engine.evidence.run.read import read_runs

from .test_unseen_logs import EPOCHS, accuracy, train, val

BOTH = {"train/loss": EPOCHS, "val/loss": EPOCHS}
ALL = {**BOTH, "val/accuracy": EPOCHS}
FORMS = {
    "a bar that is redrawn": (
        "\rEpoch {e}/12:  50%|##   | 50/100 [00:05, loss=9.9]\rEpoch {e}/12: 100%|####| 100/100 [00:10, loss={t}]\n"
        "\rvalidating: 100%|###| 10/10 [00:01<00:00, loss={v}, accuracy={a}]\n", ALL),
    "a box": (
        "Epoch {e}\n┏━━━━━┳━━━━┓\n┃ Metric ┃ Value ┃\n┡━━━━╇━━━━┩\n│ train_loss │ {t} │\n│ val_loss │ {v} │\n"
        "│ val_accuracy │ {a} │\n└────┴────┘\n", ALL),
    "a grid with a row for each split": (
        "Epoch: {e}\n+---+---+---+\n|  | loss | accuracy |\n+===+===+===+\n| train | {t} | {a} |\n+---+---+---+\n"
        "| val | {v} | {a} |\n+---+---+---+\n", ALL),
    "a grid with a column for each split": (
        "2023-01-01 10:00:00 - INFO - trainer - Epoch {e}/12\n"
        "2023-01-01 10:00:00 - INFO - x -              Training |  Validation\n"
        "2023-01-01 10:00:00 - INFO - x - accuracy |  {a}  |  {a}\n"
        "2023-01-01 10:00:00 - INFO - x - loss     |  {t}  |  {v}\n", ALL),
    "dicts of the Trainer": (
        "{{'loss': {t}, 'grad_norm': 1.2, 'learning_rate': 9e-05, 'epoch': {e}.0}}\n"
        "{{'eval_loss': {v}, 'eval_accuracy': {a}, 'eval_runtime': 12.3, 'epoch': {e}.0}}\n", ALL),
    "dicts with numbers as text": (
        "{{'loss': '{t}', 'epoch': '{e}.0'}}\n{{'eval_loss': '{v}', 'epoch': '{e}.0'}}\n", BOTH),
    "a nested dict behind the epoch": (
        "Epoch {e}: {{'train': {{'loss': {t}}}, 'val': {{'loss': {v}, 'accuracy': {a}}}}}\n", ALL),
    "numbers with their device": (
        "Epoch {e}: loss tensor({t}, device='cuda:0', grad_fn=<M0>), val loss tensor({v}, device='c:0')\n",
        BOTH),
    "numbers of numpy in a dict": ("{e} {{'loss': np.float64({t}), 'val_loss': np.float64({v})}}\n", BOTH),
    "right answers of all": (
        "Train Epoch: {e} [0/600 (0%)]\tLoss: 9.9\nTrain Epoch: {e} [300/600 (50%)]\tLoss: {t}\n\n"
        "Test set: Average loss: {v}, Accuracy: {right}/1000 ({a}%)\n", {**ALL, "train/loss": 2 * EPOCHS}),
    "steps of an epoch": (
        "Epoch [{e}/12], Step [100/300], Loss: 9.9\nEpoch [{e}/12], Step [300/300], Loss: {t}\n"
        "Accuracy of the network on the 10000 test images: {p} %\n",
        {"train/loss": 2 * EPOCHS, "val/accuracy": EPOCHS}),
    "speeds behind the losses": (
        "Epoch {e}/12\n313/313 - 3s - loss: {t} - val_loss: {v} - val_accuracy: {a} - 3s/epoch - 10ms/step\n", ALL),
    "one name for two numbers": ("Epoch {e} | iter {s} step {s} | loss train: {t}, val: {v} | iter 1 ms\n", BOTH),
    "the split in brackets": ("Epoch {e}: loss (train): {t}, loss (val): {v}, accuracy[val]={a}\n", ALL),
    "two titles in a line": ("[Epoch {e}/12] [Train] loss: {t} [Val] loss: {v} accuracy: {a}\n", ALL),
    "a sentence": ("Epoch {e}: training loss is {t}, validation loss is {v}, validation accuracy is {p}%\n", ALL),
    "steps of the whole run": (" iteration    {s}/  1200 | lm loss: {t}E+00 | loss scale: 1.0 |\n"
        " validation loss at iteration {s} | lm loss value: {v}E+00 | lm loss PPL: 1.2E+02 |\n", BOTH),
    "an Estimator": (
        "INFO:tensorflow:loss = {t}, step = {s} (3.2 sec)\n"
        "INFO:tensorflow:Saving dict for global step {s}: accuracy = {a}, global_step = {s}, loss = {v}\n", ALL),
    "cross-entropy": ("Epoch[{e}] Train-cross-entropy={t}\nEpoch[{e}] Validation-cross-entropy={v}\n", BOTH),
    "the metric before the average": (
        "EPOCH {e} done: loss {t} - lr 0.1\nDEV : loss {v} - f1-score (micro avg)  {a}\n", {**BOTH, "val/f1": EPOCHS}),
    "Portuguese": ("Época {e}/12 - Perda treino: {t} - Perda validação: {v} - Acurácia: {a}\n", ALL),
    "Turkish": ("Dönem {e}/12: eğitim kaybı {t}, doğrulama kaybı {v}, doğruluk {a}\n", ALL),
    "Indonesian": ("Epoch {e}: kerugian latih {t}, kerugian validasi {v}, akurasi {a}\n", ALL),
}  # fmt: skip
FILES = {
    "epochs.json": lambda: _joined(f'"{e}": {{"train_loss": {train(e)}, "val_loss": {val(e)}}}' for e in _epochs()),
    "named.json": lambda: _joined(
        f'"epoch_{e}": {{"train": {{"loss": {train(e)}}}, "val": {{"loss": {val(e)}}}}}' for e in _epochs()
    ),
    "history.json": lambda: (
        f'{{"config": {{"lr": 0.1}}, "history": {{"train": {{"loss": {[train(e) for e in _epochs()]}}}, '
        f'"val": {{"loss": {[val(e) for e in _epochs()]}}}}}}}'
    ),
    "pairs.json": lambda: (
        f'{{"train_loss": {[[e, train(e)] for e in _epochs()]}, "val_loss": {[[e, val(e)] for e in _epochs()]}}}'
    ),
    "spaces.txt": lambda: (
        "Epoch Train_Loss Val_Loss\n" + "".join(f"{e} {train(e)} {val(e)}\n" for e in _epochs())
    ),
}  # fmt: skip


def _joined(members: Iterable[str]) -> str:
    return "{" + ",".join(members) + "}"


def _epochs() -> range:
    return range(1, EPOCHS + 1)


def _log(form: str) -> str:
    return "".join(form.format(e=e, s=100 * e, t=train(e), v=val(e), **_scored(accuracy(e))) for e in _epochs())


def _scored(share: float) -> dict[str, float]:
    return {"a": share, "p": round(100 * share, 1), "right": round(1000 * share)}


@pytest.mark.parametrize("form", FORMS)
def test_every_curve_of_the_form_is_read(form: str, tmp_path: Path) -> None:
    text, expected = FORMS[form]
    path = tmp_path / "log.txt"
    path.write_text(_log(text), encoding="utf-8")

    runs = read_runs(path)

    assert len(runs) == 1
    counts = {one.name: len(one) for one in runs[0].series}
    assert {name: counts.get(name) for name in expected} == expected
    loss = runs[0].get("val/loss")
    if "val/loss" in expected and loss is not None:
        assert list(loss.y) == pytest.approx([val(e) for e in _epochs()])


@pytest.mark.parametrize("name", FILES)
def test_documents_of_other_shapes(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(FILES[name](), encoding="utf-8")

    (run,) = read_runs(path)

    assert [run.get(f"{split}/loss").values for split in ("train", "val")] == [
        tuple(train(e) for e in _epochs()), tuple(val(e) for e in _epochs())
    ]  # fmt: skip


def test_the_mean_over_the_whole_run_is_no_point_of_its_curve(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    lines = "".join(f"{{'loss': {train(e)}, 'epoch': {e}.0}}\n" for e in _epochs())
    path.write_text(lines + "{'train_runtime': 99.0, 'train_loss': 5.5, 'epoch': 12.0}\n")

    (run,) = read_runs(path)

    assert run.get("train/loss").values[-1] == train(EPOCHS)


def test_means_of_the_epochs_are_the_course_beside_losses_of_batches(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    batches = "Batch 0/100 - Loss: 0.9\nBatch 50/100 - Loss: 0.0\n"
    path.write_text("".join(f"Epoch {e}/12\n{batches}Average Loss: {train(e)}\n" for e in _epochs()))

    (run,) = read_runs(path)

    assert len(run.train_loss) == 2 * EPOCHS
    assert run.train_course.values == tuple(train(e) for e in _epochs())


def test_how_many_epochs_there_are_to_be_is_no_place(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("# Epochs: 12\n" + "".join(f"epoch {e} loss {train(e)}\n" for e in _epochs()))

    (run,) = read_runs(path)

    assert run.meta.planned_epochs == EPOCHS
    assert run.get("train/loss").epochs[0] == 1


def test_a_test_score_after_the_course_is_no_validation(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("".join(f"epoch {e} loss {train(e)}\n" for e in _epochs()) + "test accuracy: 0.58\n")

    (run,) = read_runs(path)

    assert run.evaluations == 0
    assert run.get("test/accuracy").values == (0.58,)


@pytest.mark.parametrize(
    "line",
    ["this is how it is", "loss (mean): none", "Saving model to a.pt", "[1, 2, 3]", "acc/val of the run", "3/4 of it"],
)
def test_lines_of_no_such_form_stay_as_they_are(line: str) -> None:
    assert rewritten(line) == line


def test_a_row_under_a_heading_of_prose_tells_nothing() -> None:
    drawn = Drawn()

    assert drawn.line("| file | size |") == "| file | size |"
    assert drawn.line("| a.wav | 12 |") == "| a.wav | 12 |"
    assert drawn.line("| val_loss | 0.5 |") == "val_loss: 0.5"


def test_the_bare_lists_of_vits_are_named(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    stamp = "2023-02-18 17:28:03,219\t32k\tINFO\t"
    config = f"{stamp}{{'train': {{'epochs': 12, 'learning_rate': 0.0001}}, 'data': {{'hop': 320}}}}\n"
    listed = (
        f"{stamp}Train Epoch: {e} [0%]\n{stamp}[2.4, 2.3, 5.4, {train(e)}, 0.7, {200 * e}, 9e-05]\n" for e in _epochs()
    )
    rows = "".join(listed)
    path.write_text(config + rows)

    (run,) = read_runs(path)

    assert run.get("train/loss_mel").values == tuple(train(e) for e in _epochs())
    assert {one.name.split("/")[1] for one in run.series} <= {
        "loss_disc", "loss_gen", "loss_fm", "loss_mel", "loss_kl", "loss"
    }  # fmt: skip
    assert len(run.learning_rates[0]) == EPOCHS


@pytest.mark.parametrize("text", ["[1, 2, 3, 4, 5, 6, 7]", "[2.4, 2.3, 5.4, 1.0, 0.7, 200, 9.5]", "[a, b]"])
def test_other_lists_stay_as_they_are(text: str) -> None:
    assert rewritten(text) == text


def test_a_log_that_ran_out_of_memory_before_its_first_loss(tmp_path: Path) -> None:
    path = tmp_path / "job.log"
    path.write_text("loading the model\ntorch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB\n")

    (run,) = read_runs(path)

    assert (run.meta.status, run.series) == ("out-of-memory", ())


def test_a_score_at_every_threshold_is_no_curve(tmp_path: Path) -> None:
    path = tmp_path / "job.log"
    scores = ", ".join(["0.9"] * 20)
    path.write_text("".join(f"epoch {e} loss {train(e)}\nAccuracy: [{scores}]\n" for e in _epochs()))

    (run,) = read_runs(path)

    assert [one.name for one in run.series] == ["train/loss"]


def test_a_long_row_of_digits_is_tried_once(tmp_path: Path) -> None:
    """The parts of 3,000 digits, each tried against what follows, would take hours and not the test's second."""
    path = tmp_path / "job.log"
    rows = "Job ID: " + "9" * 3_000 + ".cluster\n"
    path.write_text("".join(f"{rows}epoch {e} loss {train(e)}\n" for e in _epochs()))

    (run,) = read_runs(path)

    assert run.get("train/loss").values == tuple(train(e) for e in _epochs())


@pytest.mark.parametrize("head", ["Epoch {e}/{many}", "epochs={many}\nEpoch {e}", "Epoch {many}\nEpoch {e}"])
def test_epochs_that_nobody_can_count_are_no_plan(head: str, tmp_path: Path) -> None:
    from engine.evidence.run.measure import measure_run

    path = tmp_path / "job.log"
    path.write_text("".join(f"{head.format(e=e, many='9' * 400)} loss {train(e)}\n" for e in _epochs()))

    (run,) = read_runs(path)

    assert "run.finished_share" not in measure_run(run).facts
    assert run.meta.planned_epochs is None
