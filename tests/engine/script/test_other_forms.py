"""Forms that public scripts write things in, each met in a script that the rules were not written from."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from .projects import names_of, script_of
from .reviewed import fact, hf, loop


def test_a_command_that_typer_registers_is_run(tmp_path: Path) -> None:
    files = {
        "work.py": "import torch\ndef train():\n    torch.manual_seed(1)\n",
        "train.py": "import typer\nfrom work import train\napp = typer.Typer()\napp.command('train')(train)\napp()\n",
    }
    assert "torch.manual_seed" in names_of(script_of(tmp_path, files).trace)


LIGHTNING = """
    import argparse, torch
    import pytorch_lightning as pl
    class Net(pl.LightningModule):
        def training_step(self, batch, number):
            return self(batch).sum()
        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters())
    parser = argparse.ArgumentParser()
    parser = pl.Trainer.add_argparse_args(parser)
    parser.add_argument("--width", type=int, default=4)
    args = parser.parse_args()
    pl.Trainer.from_argparse_args(args, {given}).fit(Net(), torch.utils.data.DataLoader([1]))
"""


@pytest.mark.parametrize(("given", "clipped"), [("gradient_clip_val=1.0", True), ("gpus=1", False)])
def test_a_trainer_from_the_command_line(tmp_path: Path, given: str, clipped: bool) -> None:
    assert fact(tmp_path, "gradient_clipping", LIGHTNING.format(given=given)) is clipped


@pytest.mark.parametrize(("made", "rises"), [("warmup_cosine(100)", True), ("cosine(100)", False)])
def test_a_rise_that_another_package_makes(tmp_path: Path, made: str, rises: bool) -> None:
    setup = "from helpers_of_others import cosine, warmup_cosine"
    text = loop(setup=setup, before=f"schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, {made})")
    assert fact(tmp_path, "lr_warmup", text) is rises


@pytest.mark.parametrize(("kind", "decays"), [("AdamW", True), ("Adam", False)])
def test_the_optimizer_that_a_trainer_is_handed_decides(tmp_path: Path, kind: str, decays: bool) -> None:
    trainer = f"optimizers=(torch.optim.{kind}(model.parameters(), lr=3e-5), None)"
    assert fact(tmp_path, "weight_decay", hf(trainer=trainer)) is decays


@pytest.mark.parametrize(("audio", "rate"), [("Audio()", "native"), ("Audio(sampling_rate=16000)", "resampled")])
def test_a_column_of_audio_without_a_rate(tmp_path: Path, audio: str, rate: str) -> None:
    files = {
        "train.py": f"from datasets import load_dataset, Audio\nload_dataset('json').cast_column('audio', {audio})\n",
        "use.py": "import torchaudio\ntorchaudio.transforms.Resample(8000, 16000)\n",
    }
    assert fact(tmp_path, "sampling_rate", files) == rate


def test_a_function_of_ones_own_that_resamples(tmp_path: Path) -> None:
    text = """
        import numpy, soundfile
        def _linear_resample(wave, rate, wanted):
            return numpy.interp(numpy.arange(9), numpy.arange(7), wave)
        wave, rate = soundfile.read("a.wav")
        if rate != 16000:
            wave = _linear_resample(wave, rate, 16000)
    """
    assert fact(tmp_path, "sampling_rate", text) == "resampled"


SPLIT = """
    from datasets import load_dataset
    from torch.utils.data import DataLoader
    clips = load_dataset("some/clips")["train"]
    if {condition}:
        train, held = clips.filter(lambda clip: clip["fold"] < 9), clips.filter(lambda clip: clip["fold"] == 9)
    else:
        parts = clips.train_test_split(test_size=0.2)
        train, held = parts["train"], parts["test"]
"""


@pytest.mark.parametrize(("condition", "split"), [('"fold" in clips.features', None), ("chosen()", "random")])
def test_a_random_division_beside_one_by_folds(tmp_path: Path, condition: str, split: str | None) -> None:
    run = "for batch in DataLoader(train, shuffle=True):\n    net(batch).sum().backward()\n"
    run += "for batch in DataLoader(held):\n    net(batch)\n"
    text = dedent(SPLIT.format(condition=condition)) + "import torch\nnet = torch.nn.Linear(2, 2)\n" + run
    assert fact(tmp_path, "split", text) == split


def test_an_option_of_another_program_freezes_nothing(tmp_path: Path) -> None:
    other = "def main():\n    if args.freeze_encoder:\n        model.freeze()\nmain()\n"
    assert fact(tmp_path, "freezing", {"train.py": hf(), "score.py": other}) == "nothing"
