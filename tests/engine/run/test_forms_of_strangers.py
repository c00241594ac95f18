"""Logs in forms that were met in a third set of runs of others; every number is made here."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from engine.evidence.run.measure import measure_run
from engine.evidence.run.read import read_run, read_runs
from engine.evidence.run.series import RunSeries, Series
from expert.consultation.diagnose import diagnose_run
from knowledge.loader import load_knowledge

from .courses import train, val

EPOCHS = range(1, 13)


def written(folder: Path, form: str, name: str = "run.log") -> Path:
    path = folder / name
    path.write_text("".join(form.format(e=e, t=train(e), v=val(e), s=100 * e) for e in EPOCHS))
    return path


def numbers(series: Series | None) -> list[float]:
    return [] if series is None else [float(y) for y in series.y]


FORMS = {
    "seconds in the title of a split": (
        "epoch {e} : train (51.15 sec): n=2153, loss={t} (0.000), acc=0.2 | valid (3.2 sec): n=54, loss={v} (0.000)\n"
    ),
    "no blank between the split and the loss": "epoch {e}, 12 total epochs, LR 0.1, TRAINLOSS {t}, TESTLOSS {v}\n",
    "no line ends": "epoch: {e}/12, train_loss: {t}, test_loss: {v}",
}


@pytest.mark.parametrize("form", FORMS)
def test_both_losses_are_read_in_full(form: str, tmp_path: Path) -> None:
    (run,) = read_runs(written(tmp_path, FORMS[form]))

    assert numbers(run.train_loss) == [train(e) for e in EPOCHS]
    assert numbers(run.validation_loss) == [val(e) for e in EPOCHS]


def test_a_mean_in_brackets_is_still_taken(tmp_path: Path) -> None:
    run = read_run(written(tmp_path, "Epoch: [{e}][0/1] Loss 9.1 ({t})\n"))

    assert numbers(run.train_loss) == [train(e) for e in EPOCHS]


def test_an_end_point_error_beside_that_of_the_training_is_of_the_validation(tmp_path: Path) -> None:
    rows = "".join(f"{train(e)}\t{2 * train(e)}\t{2 * val(e)}\n" for e in EPOCHS)
    (tmp_path / "train.log").write_text(f"train_loss\ttrain_EPE\tEPE\n{rows}")
    run = read_run(tmp_path / "train.log")

    assert run.evaluations == len(EPOCHS)
    assert run.metric is not None and run.metric.metric == "epe" and run.metric.better == "lower"


def test_error_rates_of_speakers_need_no_colon_and_epochs_may_stand_first(tmp_path: Path) -> None:
    runs = read_runs(written(tmp_path, "{e} epoch, LR 0.001, LOSS {t}, ACC 12.0\nEER_a {v}, min_a 0.13\n"))
    twice = tmp_path / "twice.log"
    twice.write_text(2 * (tmp_path / "run.log").read_text())

    assert numbers(runs[0].get("val/eer_a")) == [val(e) for e in EPOCHS]
    assert [len(run.train_loss or ()) for run in read_runs(twice)] == [12, 12]


DETECTRON = """MAX_ITER: 9000
LOSS_WEIGHT: 1.0
[01/01 10:00:00] d2.utils.events INFO:  eta: 1:00:00  iter: {s}  total_loss: {t}  lr: 0.02
[01/01 10:00:00] d2.evaluation.testing INFO: copypaste: Task: bbox
[01/01 10:00:00] d2.evaluation.testing INFO: copypaste: AP,AP50,AP75
[01/01 10:00:00] d2.evaluation.testing INFO: copypaste: {e}.5,22.5,9.25
[01/01 10:00:00] d2.evaluation.testing INFO: copypaste: Task: segm
[01/01 10:00:00] d2.evaluation.testing INFO: copypaste: AP,AP50,AP75
[01/01 10:00:00] d2.evaluation.testing INFO: copypaste: 1.5,2.5,1.25
"""


def test_scores_below_a_line_of_their_names_are_read_for_each_task(tmp_path: Path) -> None:
    run = read_run(written(tmp_path, DETECTRON))
    boxes = run.get("val/bbox_ap")

    assert boxes is not None
    assert [round(y, 4) for y in numbers(boxes)] == [round((e + 0.5) / 100, 4) for e in EPOCHS]
    assert list(boxes.at) == [100 * e for e in EPOCHS]
    assert run.meta.planned_steps == 9000 and run.meta.status == "unfinished"


@pytest.mark.parametrize("prose", ["Using cuda,cpu,mps\n1,2,3\n", "copypaste: AP,AP50,AP75\nnothing was found\n"])
def test_other_lists_are_no_scores(prose: str, tmp_path: Path) -> None:
    run = read_run(written(tmp_path, "epoch {e} loss {t}\n" + prose))

    assert not run.evaluations


def test_a_column_without_a_heading_goes_by_the_name_of_its_file(tmp_path: Path) -> None:
    run = read_run(written(tmp_path, "{t}\n", "total_loss.txt"))

    assert numbers(run.train_loss) == [train(e) for e in EPOCHS]


def test_parts_of_a_total_are_no_total(tmp_path: Path) -> None:
    rows = "".join(f"{10 * train(e)}\t0.2\t{train(e)}\n" for e in EPOCHS)
    (tmp_path / "train_log.txt").write_text(f"total loss\tscore loss\tctc loss\n{rows}")
    run = read_run(tmp_path / "train_log.txt")

    assert numbers(run.train_loss) == [10 * train(e) for e in EPOCHS]
    assert numbers(run.get("train/score_loss")) == [0.2] * len(EPOCHS)


PADDLE = (
    "ppcls INFO: [Train][Epoch {e}/12][Iter: 9/10]lr: 0.1, loss: {t}\n"
    "ppcls INFO: [Eval][Epoch {e}][Iter: 0/25]loss: 9.1, top1: 0.01\n"
    "ppcls INFO: [Eval][Epoch {e}][Iter: 10/25]loss: 8.1, top1: 0.02\n"
    "ppcls INFO: [Eval][Epoch {e}][Avg]loss: {v}, top1: 0.5\n"
)


def test_batches_of_an_evaluation_are_none_of_its_course(tmp_path: Path) -> None:
    run = read_run(written(tmp_path, PADDLE))

    assert numbers(run.validation_loss) == [val(e) for e in EPOCHS]


def test_counts_that_fall_back_early_are_those_of_a_run_begun_again(tmp_path: Path) -> None:
    begun = "".join(f"Step {s}/500000, Total Loss: 1.5\n" for s in (100, 200, 300))
    path = written(tmp_path, "Step {s}/500000, Total Loss: {t}\n")
    path.write_text(begun + path.read_text())

    assert read_run(path).meta.planned_steps == 500000


def test_batches_that_begin_anew_with_each_epoch_are_no_plan(tmp_path: Path) -> None:
    (tmp_path / "run.log").write_text(
        "".join(f"Step {s}/400, Loss: {train(e)}\n" for e in EPOCHS for s in (100, 200, 300, 400))
    )

    assert read_run(tmp_path / "run.log").meta.planned_steps is None


def test_logs_of_two_splits_in_one_folder_are_one_run(tmp_path: Path) -> None:
    written(tmp_path, "Step {s}/5000, Total Loss: {t}, Mel Loss: 0.1\n", "train_log.txt")
    written(tmp_path, "Validation Step {s}, Total Loss: {v}, Mel Loss: 0.1\n", "val_log.txt")
    run = read_run(tmp_path)

    assert numbers(run.train_loss) == [train(e) for e in EPOCHS]
    assert numbers(run.validation_loss) == [val(e) for e in EPOCHS]


def test_logs_of_two_counts_are_not_joined(tmp_path: Path) -> None:
    written(tmp_path, "Step {s}/5000, Total Loss: {t}\n", "train_log.txt")
    written(tmp_path, "Validation Step {e}, Total Loss: {v}\n", "val_log.txt")
    run = read_run(tmp_path)

    assert run.train_loss is None or run.validation_loss is None


def best_skill(metric: str, values: list[float]) -> object:
    curve = Series(f"val/{metric}", range(len(values)), [float(i) for i in range(len(values))], values)
    return measure_run(RunSeries(Path("run"), "test", (curve,))).get("run.best_skill")


@pytest.mark.parametrize("metric", ["bleu", "bbox_ap"])
def test_half_is_the_best_of_scores_that_nothing_brings_to_1(metric: str) -> None:
    assert best_skill(metric, [0.02, 0.05, 0.1]) == pytest.approx(0.2)
    assert best_skill("miou", [0.02, 0.05, 0.1]) == pytest.approx(0.1)


def test_a_translation_that_is_learned_is_no_failure_and_one_at_nothing_is(tmp_path: Path) -> None:
    def found(top: float) -> set[str]:
        scores = [round(top * (1 - math.exp(-e / 3)), 2) for e in EPOCHS]
        lines = (
            f"Epoch {e}, loss: {train(e)}\nEpoch {e} Dev BLEU = {s}\n" for e, s in zip(EPOCHS, scores, strict=True)
        )
        (tmp_path / "run.log").write_text("".join(lines))
        return {one.id for one in diagnose_run(load_knowledge(), tmp_path / "run.log").session.findings}

    assert "failure-to-learn" not in found(9.0)
    assert "failure-to-learn" in found(3.0)


def test_a_step_a_name_and_a_number_a_line_are_curves(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text(
        "".join(f"{s} val {val(e)}\n{s} hella 0.2\n{s} train {train(e)}\n" for e, s in ((e, 9 * e) for e in EPOCHS))
    )

    run = read_run(path)

    assert (run.reader, numbers(run.validation_loss)) == ("step, name and value", [val(e) for e in EPOCHS])
    assert run.train_loss is not None and run.train_loss.at.tolist() == [9 * e for e in EPOCHS]


@pytest.mark.parametrize("line", ["{e} wavs 0.5\n", "{e} train {t} more\n"])
def test_other_lines_of_three_words_are_no_curves(line: str, tmp_path: Path) -> None:
    from engine.evidence.run.formats.triples import read_triples

    assert read_triples([line.format(e=e, t=train(e)) for e in EPOCHS]) is None


def test_the_score_of_all_classes_speaks_before_those_of_single_ones(tmp_path: Path) -> None:
    form = "epoch {e} val_loss: {v} val_auroc_edema: 0.4 val_auroc_mass: 0.9 val_auroc_hernia: 0.8 val_auroc: 0.85\n"
    run = read_run(written(tmp_path, form))

    assert run.metric is not None and run.metric.name == "val/auroc"
