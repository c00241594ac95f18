"""What is written without effect, and what is told beside: small scripts of our own writing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.evidence.script.measures.context import measure_context
from engine.evidence.script.measures.idle import measure_idle

from .projects import script_of
from .reviewed import hf, loop


def told(folder: Path, files: Any) -> dict[str, Any]:
    script = script_of(folder, files)
    facts = (measure_idle(script) + measure_context(script)).facts
    return {fact.name.removeprefix("script."): fact.value for fact in facts if fact.value not in (False, "usual")}


CLIP = "torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)"


@pytest.mark.parametrize(("parts", "expected"), [
    ({"between": CLIP}, None),
    ({"after_step": CLIP}, "after-step"),
    ({"between": "pass"}, None),
    ({"between": CLIP, "after_step": CLIP}, None),
])  # fmt: skip
def test_clipping_acts_before_the_step(tmp_path: Path, parts: dict[str, str], expected: str | None) -> None:
    assert told(tmp_path, loop(**parts)).get("clipping_order") == expected


def test_clipping_before_there_are_gradients(tmp_path: Path) -> None:
    text = loop().replace("        loss.backward()", f"        {CLIP}\n        loss.backward()")
    assert told(tmp_path, text)["clipping_order"] == "before-backward"


@pytest.mark.parametrize(("setup", "before", "expected"), [
    ("def fix():\n    torch.manual_seed(1)", "", True),
    ("def fix():\n    torch.manual_seed(1)", "fix()", None),
    ("def clip(x):\n    pass", "", None),
])  # fmt: skip
def test_a_function_that_nothing_calls(tmp_path: Path, setup: str, before: str, expected: bool | None) -> None:
    assert told(tmp_path, loop(setup=setup, before=before)).get("unreached_seeding") is expected


def test_an_import_that_nothing_calls(tmp_path: Path) -> None:
    helper = "import torch\ndef fix():\n    torch.manual_seed(1)\ndef other():\n    return 1\n"
    files = {"helper.py": helper, "train.py": loop(setup="from helper import fix, other", before="other()")}
    assert told(tmp_path, files)["unreached_seeding"] is True
    (tmp_path / "b").mkdir()
    files["train.py"] = loop(setup="from helper import other", before="other()")
    assert "unreached_seeding" not in told(tmp_path / "b", files)


def test_a_branch_that_the_launch_does_not_take(tmp_path: Path) -> None:
    assert told(tmp_path, loop(between=f"if False:\n    {CLIP}"))["unreached_clipping"] is True


@pytest.mark.parametrize(("steps", "expected"), [("0", True), ("100", None), ("chosen()", None)])
def test_a_warm_up_of_no_length(tmp_path: Path, steps: str, expected: bool | None) -> None:
    setup = "from transformers import get_linear_schedule_with_warmup as warm"
    text = loop(setup=setup, before=f"schedule = warm(optimizer, {steps}, 99)")
    assert told(tmp_path, text).get("warm_up_off") is expected


@pytest.mark.parametrize(("arguments", "after", "expected"), [
    ("resume_from_checkpoint='last'", "trainer.train()", True),
    ("resume_from_checkpoint='last'", "trainer.train(resume_from_checkpoint='last')", None),
    ("", "trainer.train()", None),
])  # fmt: skip
def test_a_checkpoint_that_train_is_not_told(tmp_path: Path, arguments: str, after: str, expected: bool | None) -> None:
    assert told(tmp_path, hf(arguments, after=after)).get("resume_untaken") is expected


@pytest.mark.parametrize(
    ("end", "expected"), [("best = loss", True), ("best = loss; torch.save(net.state_dict(), 'best.pt')", None)]
)
def test_the_best_that_is_never_written(tmp_path: Path, end: str, expected: bool | None) -> None:
    text = loop(before="best = 9", after_epoch=f"loss = validate(net)\nif loss < best: {end}")
    assert told(tmp_path, text).get("best_in_memory") is expected


KERAS = """
    from tensorflow import keras
    net = keras.Sequential([keras.layers.Dense(2)])
    net.compile(loss="mse")
    net.fit(x, y, validation_data=(v, w), epochs=20, callbacks=[keras.callbacks.EarlyStopping({monitor})])
"""


@pytest.mark.parametrize(("monitor", "expected"), [
    ("monitor='loss', patience=3", True), ("monitor='val_loss'", None), ("", None), ("'accuracy'", True),
])  # fmt: skip
def test_stopping_by_the_training_data(tmp_path: Path, monitor: str, expected: bool | None) -> None:
    assert told(tmp_path, KERAS.format(monitor=monitor)).get("stops_by_training") is expected


FLAGS = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument('--drop-out', type=float)
args = parser.parse_args()
"""


@pytest.mark.parametrize(("before", "expected"), [
    ("print(args)", 1), ("print(args.drop_out)", None), ("make(**vars(args))", None), ("print(args['drop_out'])", None),
])  # fmt: skip
def test_a_switch_that_nothing_reads(tmp_path: Path, before: str, expected: int | None) -> None:
    assert told(tmp_path, loop(setup=FLAGS, before=before)).get("dead_flags") == expected


def test_the_checkpoint_has_its_name(tmp_path: Path) -> None:
    assert told(tmp_path, hf())["checkpoint"] == "facebook/wav2vec2-base"
