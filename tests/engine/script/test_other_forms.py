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


KERAS = """
    import keras
    from data import waves, labels
    network = keras.Sequential([keras.layers.Dense(2, activation="softmax")])
    network.compile("adam", "categorical_crossentropy")
    for {head}:
        network.fit(waves, labels, epochs={epochs})
"""


@pytest.mark.parametrize(
    ("head", "epochs", "told"),
    [
        ("epoch in range(40)", 1, 40),
        ("fold in range(5)", 20, 20),
        ("fold in range(5)", 1, 1),
        ("epoch in range(waves.rounds)", 1, None),
    ],
)
def test_a_loop_over_epochs_around_a_fit_of_one_epoch(tmp_path: Path, head: str, epochs: int, told: int | None) -> None:
    assert fact(tmp_path, "epochs", dedent(KERAS.format(head=head, epochs=epochs))) == told


@pytest.mark.parametrize(("given", "resume"), [("args.resume", "full"), ("None", "none")])
def test_an_option_to_go_on_that_is_off_is_offered(tmp_path: Path, given: str, resume: str) -> None:
    option = "import argparse; parser = argparse.ArgumentParser()"
    option += "; parser.add_argument('--resume', action='store_true'); args = parser.parse_args()"
    text = hf(before=option, after=f"trainer.train(resume_from_checkpoint={given})")
    assert fact(tmp_path, "resume", text) == resume


RECIPE = """
    import torch
    from hyperpyyaml import load_hyperpyyaml
    with open("outer.yaml") as file:
        outer = load_hyperpyyaml(file)
    text = ""
    for name in ("{name}", "data_folder"):
        text += name + ": " + str(outer[name]) + "\\n"
    with open(outer["recipe"]) as file:
        hparams = load_hyperpyyaml(file, text)
    network = torch.nn.Linear(4, 2)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for epoch in range(hparams["rounds"]):
        for wave, label in torch.utils.data.DataLoader(hparams["clips"], shuffle=True):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(wave), label).backward()
            optimizer.step()
"""


@pytest.mark.parametrize(
    ("recipe", "name", "seeded", "epochs"),
    [
        ("conf/inner.yaml", "lr", True, 7),
        ("conf/inner.yaml", "rounds", True, None),  # written anew
        ("elsewhere/other.yaml", "lr", None, None),  # in no file of the project: nothing is missing for sure
    ],
)
def test_settings_that_settings_name(
    tmp_path: Path, recipe: str, name: str, seeded: bool | None, epochs: int | None
) -> None:
    files = {
        "train.py": dedent(RECIPE.format(name=name)),
        "outer.yaml": f"recipe: {recipe}\nrounds: 3\nlr: 1\ndata_folder: x\n",
        "conf/inner.yaml": "__seed: !apply:torch.manual_seed [1]\nrounds: 7\nlr: 1\n",
    }
    assert fact(tmp_path, "seed_framework", files) is seeded
    assert fact(tmp_path, "epochs", files) == epochs


DATA_SET = """
    import torch
    from sklearn.metrics import f1_score
    class Spectrum(torch.nn.Module):
        def forward(self, wave):
            return torch.stft(wave, 512)
    class Clips(torch.utils.data.Dataset):
        def __init__(self):
            self.spectrum = Spectrum()
        def __getitem__(self, number):
            return self.spectrum(torch.zeros(16000)), 0
    network = torch.nn.Linear(4, 2)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for epoch in range(20):
        for wave, label in torch.utils.data.DataLoader(Clips(), shuffle=True):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(wave), label).backward()
            optimizer.step()
        network.eval()
        {off}
            for wave, label in torch.utils.data.DataLoader(Clips()):
                print(f1_score(label, network(wave).argmax(1)))
        network.train()
"""


@pytest.mark.parametrize(("off", "gradients"), [("with torch.no_grad():", "without"), ("if True:", "computed")])
def test_what_prepares_a_clip_is_no_evaluation(tmp_path: Path, off: str, gradients: str) -> None:
    text = dedent(DATA_SET.format(off=off))
    assert fact(tmp_path, "evaluation_gradients", text) == gradients
    assert fact(tmp_path, "evaluation_mode", text) == "evaluation"


@pytest.mark.parametrize(("name", "order"), [("wav2vec2-base", "after"), ("wav2vec2-base-960h", "before")])
def test_a_head_is_drawn_where_the_checkpoint_has_none(tmp_path: Path, name: str, order: str) -> None:
    before = f"from transformers import Wav2Vec2ForCTC; other = Wav2Vec2ForCTC.from_pretrained('facebook/{name}')"
    text = hf(before=before).replace("AutoModelForAudioClassification.from_pretrained", "other or (lambda *_, **__: 0)")
    assert fact(tmp_path, "seed_order", text) == order


NETWORK = """
    import torch
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(4, 2)
            self.drop = torch.nn.Dropout(0.5)
        def forward(self, wave):
            return {answer}
    network = Net()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for epoch in range(20):
        for wave, label in torch.utils.data.DataLoader([1], shuffle=True):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(wave), label).backward()
            optimizer.step()
"""


@pytest.mark.parametrize(
    ("answer", "dropout"), [("self.layer(self.drop(wave))", "there"), ("self.layer(wave)", "nothing")]
)
def test_a_layer_that_is_made_and_never_asked_for_drops_nothing(tmp_path: Path, answer: str, dropout: str) -> None:
    assert fact(tmp_path, "dropout", dedent(NETWORK.format(answer=answer))) == dropout
