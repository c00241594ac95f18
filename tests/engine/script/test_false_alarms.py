"""What reading once called missing although it was there, and what it let pass; each as people write it."""

from __future__ import annotations

from pathlib import Path

import pytest

from expert.consultation.review import review_script
from knowledge.loader import load_knowledge
from knowledge.records import Fact

_SCRIPT = """
import random
import numpy as np
import torch, torchaudio
from torch import nn
from torch.utils.data import DataLoader, Dataset

class Clips(Dataset):
    def __init__(self, files, train=False):
        self.files, self.train = files, train
    def __len__(self):
        return len(self.files)
    def __getitem__(self, i):
        wave, rate = torchaudio.load(self.files[i][0])
        wave = torchaudio.functional.resample(wave, rate, 16000)
        {prepare}
        return wave, {label}

def evaluate(model, loader):
    model.eval()
    right = total = 0
    with torch.no_grad():
        for x, y in loader:
            right += (model(x).argmax(1) == y).sum().item()
            total += len(y)
    return right / total

model = nn.Sequential(nn.Flatten(), nn.Linear(16000, 64), nn.ReLU(), nn.Linear(64, {outputs}))
criterion = nn.{loss}()
optimizer = torch.optim.AdamW(model.parameters())
train = DataLoader(Clips(open("train.txt").read(), True), 8, shuffle=True)
dev = DataLoader(Clips(open("dev.txt").read()), 8)
best, waited = 0, 0
for epoch in range(100):
    model.train()
    for x, y in train:
        loss = criterion({prediction}, {target})
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    score = evaluate(model, dev)
    if score > best:
        best, waited = score, 0
        torch.save(model.state_dict(), "best.pt")
    else:
        waited += 1
        if waited == 10: break
"""
_PARTS = {"prepare": "", "label": "torch.tensor(int(self.files[i][1]))", "outputs": "4", "loss": "CrossEntropyLoss",
          "prediction": "model(x)", "target": "y"}  # fmt: skip
_SCORES = {"outputs": "1", "loss": "MSELoss", "label": "torch.tensor(float(self.files[i][1]))"}


def _states(folder: Path, parts: dict[str, str], answers: tuple[Fact, ...] = ()) -> dict[str, str]:
    file = folder / "train.py"
    file.write_text(_SCRIPT.format(**{**_PARTS, **parts}))
    return {each.id: each.state for each in review_script(load_knowledge(), file, extra_facts=answers).checks}


@pytest.mark.parametrize(
    ("prepare", "state"),
    [
        ("if self.train: wave = wave + 0.001 * torch.randn_like(wave)", "present"),
        ("wave += torch.randn(wave.shape) * 0.005", "present"),
        ("wave = wave + np.random.normal(0, 0.01, wave.shape)", "present"),
        ("wave = wave * random.uniform(0.7, 1.2)", "present"),
        ("wave = wave / wave.abs().max()", "missing"),
        ("start = int(random.uniform(0, 9)); wave = wave[:, start : start + 16000]", "missing"),
        ("wave = torch.randn(1, 16000)", "missing"),
    ],
)
def test_noise_and_gain_by_arithmetic_are_augmentation(tmp_path: Path, prepare: str, state: str) -> None:
    assert _states(tmp_path, {"prepare": prepare})["data.augmentation"] == state


def test_the_noise_of_a_variational_network_is_none(tmp_path: Path) -> None:
    net = "type('Net', (), {})()\nclass Sampled(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    net += "        self.mean = nn.Linear(16000, 4)\n    def forward(self, x):\n        mean = self.mean(x)\n"
    net += "        return mean + torch.randn_like(mean)\nmodel = Sampled()"
    text = _SCRIPT.format(**_PARTS)
    held = next(line for line in text.splitlines() if line.startswith("model ="))
    (tmp_path / "train.py").write_text(text.replace(held, f"model = {net}"))
    review = review_script(load_knowledge(), tmp_path / "train.py")
    assert next(each.state for each in review.checks if each.id == "data.augmentation") == "missing"


def test_a_plain_chain_of_layers_is_a_network_that_is_evaluated(tmp_path: Path) -> None:
    states = _states(tmp_path, {})
    for check in ("eval.eval_mode", "eval.no_grad", "eval.task_metric", "train.early_stopping", "life.best_ckpt"):
        assert states[check] == "present", check


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "missing"),
        ({"prediction": "torch.sigmoid(model(x))"}, "missing"),
        ({"target": "y.float()"}, "missing"),
        ({"prediction": "model(x).squeeze(-1)"}, "present"),
        ({"prediction": "model(x)[:, 0]"}, "present"),
        ({"target": "y.unsqueeze(1)"}, "present"),
        ({"label": "torch.tensor([float(self.files[i][1])])"}, "present"),
        ({"label": "self.files[i][1]"}, "present"),
        ({"outputs": "4"}, "present"),
    ],
)
def test_a_column_against_a_row_is_found_where_it_is_sure(tmp_path: Path, changes: dict[str, str], state: str) -> None:
    assert _states(tmp_path, {**_SCORES, **changes})["problem.loss_match"] == state


def test_an_answer_goes_before_what_was_measured(tmp_path: Path) -> None:
    answer = Fact("script.augmentation", "there", "user")
    assert _states(tmp_path, {})["data.augmentation"] == "missing"
    assert _states(tmp_path, {}, (answer,))["data.augmentation"] == "present"


def test_noise_that_is_written_into_the_batch_is_augmentation(tmp_path: Path) -> None:
    own = "class Prepare:\n    def __call__(self, x):\n        for i in range(len(x)):\n"
    own += "            x[i] = x[i] + torch.rand(1) * x[0]\n        return x\nprepare = Prepare()\nmodel ="
    text = _SCRIPT.format(**{**_PARTS, "prediction": "model(prepare(x))"}).replace("model =", own, 1)
    (tmp_path / "train.py").write_text(text)
    review = review_script(load_knowledge(), tmp_path / "train.py")
    assert next(each.state for each in review.checks if each.id == "data.augmentation") == "present"


@pytest.mark.parametrize(
    ("prepare", "state"),
    [
        ("wave = torchaudio.transforms.MelSpectrogram()(wave)", "missing"),
        ("s = torchaudio.transforms.MelSpectrogram()(wave); wave = s - torch.mean(s, dim=-1, keepdim=True)", "present"),
        ("s = torchaudio.transforms.MelSpectrogram()(wave); wave = s - s.mean(-1, keepdim=True)", "present"),
        ("s = torchaudio.transforms.MelSpectrogram()(wave); wave = s - torch.mean(wave, dim=-1)", "missing"),
        ("n = torch.load('n.pt'); wave = (wave - n.mean) / n.deviation", "present"),
        ("n = torch.load('n.pt'); wave = (wave - n.mean) / n.device", "missing"),
    ],
)
def test_a_mean_taken_away_along_an_axis_is_normalisation(tmp_path: Path, prepare: str, state: str) -> None:
    assert _states(tmp_path, {"prepare": prepare})["backbone.input_norm"] == state


_TRAINER = """
import torch, torchaudio
import transformers
from scoring import concordance
{imports}

class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = {encoder}
        self.head = torch.nn.Linear(64, 1)
    def forward(self, waves, labels=None):
        return {{"loss": ((self.head(self.encoder(waves))[:, 0] - labels) ** 2).mean()}}

class Rising:
    def __init__(self, {first}):
        self.first = {first}
    def __call__(self, step):
        return min((step + 1) / self.first, 1.0)

def scores(outcome):
    return {{"ccc": concordance(outcome.predictions, outcome.label_ids)}}

files = [torchaudio.load(line)[0] for line in open("files.txt")]
model = Model()
optimizer = torch.optim.AdamW(model.parameters())
schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, Rising(100))
arguments = transformers.TrainingArguments("out", eval_strategy="epoch", num_train_epochs=20)
transformers.Trainer(model, arguments, train_dataset=files[:90], eval_dataset=files[90:],
                     optimizers=(optimizer, schedule){metrics}).train()
"""
_ENCODER = "torch.nn.Sequential(torchaudio.transforms.MelSpectrogram(), torch.nn.Flatten(), torch.nn.Linear(64, 64))"


@pytest.mark.parametrize(
    ("changes", "check", "state"),
    [
        ({"metrics": ", compute_metrics=scores"}, "eval.task_metric", "present"),
        ({"metrics": ", compute_metrics=None"}, "eval.task_metric", "missing"),
        ({}, "eval.task_metric", "missing"),
        ({"first": "warmup"}, "train.lr_warmup", "present"),
        ({}, "train.lr_warmup", "missing"),
        ({"imports": "import wavenets", "encoder": "wavenets.Encoder()"}, "backbone.input_norm", "undecidable"),
        ({}, "backbone.input_norm", "missing"),
    ],
)
def test_what_a_trainer_is_given_and_calls_itself(
    tmp_path: Path, changes: dict[str, str], check: str, state: str
) -> None:
    parts = {"imports": "", "encoder": _ENCODER, "first": "first", "metrics": ""} | changes
    (tmp_path / "train.py").write_text(_TRAINER.format(**parts))
    review = review_script(load_knowledge(), tmp_path / "train.py")
    assert next(each.state for each in review.checks if each.id == check) == state


_BACK = """
import glob
found = sorted(glob.glob("models/*.pt"))
if len(found) >= 1:
    model.load_state_dict(torch.load({what}))
best, waited = 0, 0
"""


@pytest.mark.parametrize(("what", "state"), [("found[-1]", "present"), ("'pretrained.pt'", "missing")])
def test_checkpoints_found_in_a_folder_are_a_way_back(tmp_path: Path, what: str, state: str) -> None:
    text = _SCRIPT.format(**_PARTS).replace("best, waited = 0, 0\n", _BACK.format(what=what), 1)
    (tmp_path / "train.py").write_text(text)
    review = review_script(load_knowledge(), tmp_path / "train.py")
    assert next(each.state for each in review.checks if each.id == "life.resume") == state


def test_a_folder_hides_no_package_of_the_same_name(tmp_path: Path) -> None:
    trainer = """
import evaluate
from transformers import AutoModelForAudioClassification, Trainer, TrainingArguments
metric = evaluate.load("accuracy")
def compute_metrics(given):
    return metric.compute(predictions=given.predictions.argmax(-1), references=given.label_ids)
model = AutoModelForAudioClassification.from_pretrained("facebook/wav2vec2-base")
arguments = TrainingArguments("out", eval_strategy="epoch")
Trainer(model, arguments, train_dataset=None, eval_dataset=None, compute_metrics=compute_metrics).train()
"""
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "run.py").write_text(trainer)
    (tmp_path / "evaluate").mkdir()
    (tmp_path / "evaluate" / "score.py").write_text("x = 1\n")
    review = review_script(load_knowledge(), tmp_path)
    assert next(each.state for each in review.checks if each.id == "eval.task_metric") == "present"


def test_a_function_called_like_the_entry_file_does_not_hide_it(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "training.py").write_text("def train():\n    loss.backward()\n    optimizer.step()\n")
    (tmp_path / "train.py").write_text("from net.training import train\n\nif __name__ == '__main__':\n    train()\n")
    (tmp_path / "search.py").write_text("from net import training\n\nif __name__ == '__main__':\n    print(training)\n")
    assert review_script(load_knowledge(), tmp_path).script.project.entry == "train.py"
