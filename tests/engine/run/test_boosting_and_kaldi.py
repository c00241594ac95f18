"""CatBoost and Kaldi leave many files for one training, and say of none of their numbers which way it is better."""

from __future__ import annotations

import json
import math

import pytest

from engine.evidence.run.read import read_run
from knowledge.errors import InputError

STEPS = range(20)


def fall(step: int) -> float:
    return round(2 * math.exp(-step / 6) + 0.2, 4)


def training(name: str = "Logloss", best: str = "Min") -> dict:
    metric = [{"best_value": best, "name": name}, {"best_value": "Max", "name": "AUC"}]
    rows = [{"learn": [fall(i), 0.5 + i / 50], "iteration": i, "test": [fall(i) + 0.1, 0.5 + i / 60]} for i in STEPS]
    return {"meta": {"learn_metrics": metric, "test_metrics": metric}, "iterations": rows}


def test_a_folder_of_catboost_is_one_run(tmp_path):
    (tmp_path / "catboost_training.json").write_text(json.dumps(training()))
    (tmp_path / "learn_error.tsv").write_text("iter\tLogloss\n" + "".join(f"{i}\t{fall(i)}\n" for i in STEPS))

    for place in (tmp_path, tmp_path / "learn_error.tsv", tmp_path / "catboost_training.json"):
        run = read_run(place)
        assert run.reader == "CatBoost"
        assert run.get("train/loss").values == tuple(fall(i) for i in STEPS)
        assert run.get("val/loss").values[-1] == pytest.approx(fall(19) + 0.1)
        assert run.get("val/auc").better == "higher"


@pytest.mark.parametrize(("rising", "name"), [(False, "loss"), (True, "score")])
def test_printed_lines_tell_a_loss_or_a_score_by_what_is_learnt(tmp_path, rising, name):
    path = tmp_path / "boost.log"
    number = (lambda i: 1 - fall(i) / 3) if rising else fall
    lines = [
        f"{i}:\tlearn: {number(i):.7f}\ttest: {number(i) * 0.99:.7f}\tbest: {number(i) * 0.99:.7f} ({i})\t"
        f"total: 138ms\tremaining: 2m 17s"
        for i in STEPS
    ]
    path.write_text("Learning rate set to 0.068\n" + "\n".join(lines) + "\n\nbestTest = 0.2\nbestIteration = 19\n")
    run = read_run(path)

    assert run.get(f"train/{name}").values[3] == pytest.approx(number(3), abs=1e-6)
    assert run.get(f"val/{name}").steps == tuple(STEPS)


def told(split: str, step: int, what: str, number: str) -> str:
    return (
        f"LOG (nnet3-chain-compute-prob[5.5]:PrintTotalStats():nnet-chain-diagnostics.cc:194) Overall {what} for "
        f"'output' is {number} per frame, over 20000 frames.\n"
    )


def test_a_folder_of_kaldi_is_one_run_in_the_order_of_its_iterations(tmp_path):
    log = tmp_path / "log"
    log.mkdir()
    for step in (0, 5, 10, 100):
        for split, worse in (("train", 0.0), ("valid", 0.02)):
            total = -0.5 / (step + 1) - 0.1 - worse
            text = told(split, step, "log-probability", f"{total + 0.01:.6f} + -0.01 = {total:.6f}")
            text += told(split, step, "log-probability", "-9").replace("'output'", "'output-xent'")
            text += told(split, step, "accuracy", f"{0.6 + step / 1000:.3f}")
            (log / f"compute_prob_{split}.{step}.log").write_text("# nnet3-chain-compute-prob ...\n" + text)
    (log / "compute_prob_valid.final.log").write_text(told("valid", 0, "log-probability", "-0.1"))

    for place in (tmp_path, log):
        run = read_run(place)
        assert run.get("val/loss").steps == (0, 5, 10, 100)
        assert run.get("val/loss").values[-1] == pytest.approx(0.5 / 101 + 0.12, abs=1e-5)
        assert run.get("train/accuracy").values[-1] == pytest.approx(0.7)


def test_lines_of_grep_over_kaldi_logs(tmp_path):
    path = tmp_path / "probs.txt"
    lines = [
        f"exp/log/compute_prob_{split}.{step}.log:" + told(split, step, "log-probability", f"{-1 / (step + 1):.5f}")
        for split in ("train", "valid")
        for step in STEPS
    ]
    path.write_text("".join(lines))
    run = read_run(path)

    assert run.reader == "Kaldi nnet3"
    assert run.get("train/loss").steps == run.get("val/loss").steps == tuple(STEPS)


@pytest.mark.parametrize(
    "content",
    [
        '{"iterations": [], "meta": {}}',
        '{"iterations": 3, "meta": {"learn_metrics": [{}]}}',
        '{"iterations": [{"learn": [1]}], "meta": {"learn_metrics": [{"name": null, "best_value": "Min"}]}}',
        '{"iterations": [{"iteration": 1, "learn": 7}], "meta": {"learn_metrics": [{"name": "a"}]}}',
        '{"meta": 1, "iterations": [1]}',
    ],
)
def test_broken_files_of_catboost_are_refused(tmp_path, content):
    path = tmp_path / "catboost_training.json"
    path.write_text(content)

    with pytest.raises(InputError):
        read_run(path)
