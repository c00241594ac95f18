"""Logs in other languages and with decimal commas, as a stranger writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.evidence.run.formats.languages import normalised
from engine.evidence.run.read import read_run


def test_a_german_console_log_with_decimal_commas(tmp_path):
    path = tmp_path / "training.log"
    form = "Epoche {}/9 - Trainingsverlust: {:.4f} - Validierungsverlust: {:.4f} - Genauigkeit: {:.3f}"
    lines = [form.format(i, 2 / i, 3 / i, 0.1 * i) for i in range(1, 10)]
    path.write_text("\n".join(lines).replace(".", ","))
    run = read_run(path)
    assert run.train_loss.values[1] == pytest.approx(1.0)
    assert run.validation_loss.values[-1] == pytest.approx(0.3333)
    assert run.validation_loss.epochs[-1] == 9
    assert run.metric.values[-1] == pytest.approx(0.9)


def test_a_table_with_semicolons_and_decimal_commas(tmp_path):
    path = tmp_path / "verlauf.csv"
    rows = "".join(f"{i};{2 / i:.4f};{3 / i:.4f};{0.001:.6f}\n" for i in range(1, 10)).replace(".", ",")
    path.write_text("Epoche;Train Loss;Val Loss;Lernrate\n" + rows)
    run = read_run(path)
    assert run.validation_loss.values[2] == pytest.approx(1.0)
    assert run.learning_rates[0].values[0] == pytest.approx(0.001)


def test_a_loss_that_is_called_by_its_kind(tmp_path):
    path = tmp_path / "odd.tsv"
    path.write_text("it\ttr_ce\tdev_ce\n" + "".join(f"{i}\t{2 / i:.4f}\t{3 / i:.4f}\n" for i in range(1, 10)))
    run = read_run(path)
    assert (len(run.train_loss), len(run.validation_loss)) == (9, 9)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=6, max_size=20))
def test_a_table_of_whole_numbers_keeps_its_commas(rows):
    text = "epoch,loss\n" + "".join(f"{left},{right}\n" for left, right in rows)
    assert normalised(text) == text


def test_english_with_points_stays_as_it_is():
    text = "Epoch 1: loss=0.5, val_loss=0.7\n" * 9
    assert normalised(text) == text
