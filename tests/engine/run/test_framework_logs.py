"""Logs in the forms of ESPnet, icefall, fairseq, NeMo, MLflow and DCGM, written here: none is a real file."""

from __future__ import annotations

import sqlite3

import pytest

from engine.evidence.run.read import read_run, read_runs

STAMP = "2023-06-01 10:00:00,000"
ROUNDS = range(1, 6)


def values(run, name):
    return run.get(name).values


def test_espnet(tmp_path):
    path = tmp_path / "train.log"
    lines = []
    for n in ROUNDS:
        lines += [
            f"{STAMP} (trainer:284) INFO: {n}/5epoch started. Estimated time to finish: 1 hour",
            f"{STAMP} (trainer:732) INFO: {n}epoch:train:1-100batch: iter_time=0.1, loss_ctc={90 / n:.3f}, "
            f"acc=0.3, loss={61 / n:.3f}, optim0_lr0={1e-4 * n:.3e}, train_time=1.2",
            f"{STAMP} (trainer:338) INFO: {n}epoch results: [train] iter_time=0.1, loss={60 / n:.3f}, time=2 minutes "
            f"and 3 seconds, total_count=200, [valid] loss_ctc=1.0, acc={0.1 * n:.3f}, wer={0.9 / n:.3f}, "
            f"loss={50 / n:.3f}, time=10 seconds",
        ]
    path.write_text("\n".join(lines))
    run = read_run(path)

    assert values(run, "train/loss") == tuple(round(60 / n, 3) for n in ROUNDS)
    assert values(run, "val/loss") == tuple(round(50 / n, 3) for n in ROUNDS)
    assert values(run, "val/wer") == tuple(round(0.9 / n, 3) for n in ROUNDS)
    assert run.learning_rates[0].values[-1] == pytest.approx(5e-4)
    assert (run.meta.planned_epochs, run.meta.status) == (5, "completed")


def test_icefall(tmp_path):
    path = tmp_path / "log-train"
    lines = []
    for n in ROUNDS:
        lines += [
            f"{STAMP} INFO [train.py:876] (0/4) Epoch {n}, batch 50, loss[loss=9, over 7000.00 frames. ], "
            f"tot_loss[loss={1 / n:.4f}, simple_loss=2, over 100000.00 frames. ], batch size: 30, lr: {3e-3 / n:.2e}",
            f"{STAMP} INFO [train.py:901] (0/4) Computing validation loss",
            f"{STAMP} INFO [train.py:910] (0/4) Epoch {n}, validation: loss={2 / n:.4f}, over 9.00 frames. ",
        ]
    path.write_text("\n".join(lines))
    run = read_run(path)

    assert values(run, "train/loss") == tuple(round(1 / n, 4) for n in ROUNDS)
    assert values(run, "val/loss") == tuple(round(2 / n, 4) for n in ROUNDS)
    assert run.learning_rates[0].values[0] == pytest.approx(3e-3)


def test_fairseq(tmp_path):
    path = tmp_path / "hydra_train.log"
    lines = []
    for n in ROUNDS:
        lines += [
            f'[{STAMP}][train_inner][INFO] - {{"epoch": {n}, "update": {n}, "loss": "{9 / n:.3f}", '
            f'"num_updates": "{n * 100 - 50}", "lr": "1e-05", "gnorm": "1.5"}}',
            f'[{STAMP}][valid][INFO] - {{"epoch": {n}, "valid_loss": "{7 / n:.3f}", "valid_wer": "{90 / n:.2f}", '
            f'"valid_num_updates": "{n * 100}"}}',
        ]
    path.write_text("\n".join(lines))
    run = read_run(path)

    assert values(run, "train/loss") == tuple(round(9 / n, 3) for n in ROUNDS)
    assert values(run, "val/wer") == tuple(round(90 / n, 2) for n in ROUNDS)
    assert run.validation_loss.steps == (100, 200, 300, 400, 500)
    assert run.gradient_norm.values == (1.5,) * 5


def test_nemo(tmp_path):
    path = tmp_path / "nemo_log.txt"
    lines = []
    for n in ROUNDS:
        lines += [
            f"Epoch {n - 1}: 100%|####| 200/200 [01:00<00:00, 3.3it/s, v_num=0, train_loss={5 / n:.3f}, "
            f"val_loss={6 / n:.3f}, val_wer={0.9 / n:.3f}]",
            "[NeMo I 2023-06-01 10:00:00 rnnt_wer_bpe:231] reference: hello",
        ]
    path.write_text("\n".join(lines))
    run = read_run(path)

    assert values(run, "val/wer") == tuple(round(0.9 / n, 3) for n in ROUNDS)
    assert run.get("val/rnnt_wer_bpe") is None


def test_mlflow_database(tmp_path):
    path = tmp_path / "mlflow.db"
    with sqlite3.connect(path) as database:
        database.execute(
            "CREATE TABLE metrics (key TEXT, value DOUBLE, timestamp BIGINT, run_uuid TEXT, step BIGINT, is_nan INT)"
        )
        for time, run in enumerate(("first", "second")):
            for n in ROUNDS:
                row = [("train_loss", 2 / n), ("val_loss", 3 / n)]
                database.executemany(
                    "INSERT INTO metrics VALUES (?, ?, ?, ?, ?, 0)", [(*one, 100 * time + n, run, n) for one in row]
                )
    database.close()
    runs = read_runs(path)

    assert len(runs) == 2
    assert values(runs[1], "val/loss") == tuple(3 / n for n in ROUNDS)
    assert runs[1].train_loss.steps == tuple(ROUNDS)


def test_mlflow_export(tmp_path):
    folder = tmp_path / "run" / "metrics"
    folder.mkdir(parents=True)
    for name, scale in (("train_loss", 2), ("val_loss", 3)):
        (folder / name).write_text("".join(f"{1000 + n} {scale / n} {n}\n" for n in ROUNDS))
    run = read_run(tmp_path / "run")

    assert run.reader == "MLflow run"
    assert values(run, "val/loss") == tuple(3 / n for n in ROUNDS)


def test_dcgm(tmp_path):
    path = tmp_path / "dcgm.csv"
    header = "timestamp,gpu,DCGM_FI_DEV_GPU_UTIL,DCGM_FI_DEV_FB_USED,DCGM_FI_DEV_FB_FREE,DCGM_FI_DEV_POWER_USAGE"
    path.write_text(header + "\n" + "".join(f"{n},0,95,15000,1000,250.1\n" for n in range(20)))
    run = read_run(path)

    assert values(run, "gpu/utilisation") == (95.0,) * 20
    assert values(run, "gpu/memory_used") == (15000.0,) * 20
    assert values(run, "gpu/power") == (250.1,) * 20
