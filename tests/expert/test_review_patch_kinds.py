"""Each kind of patch on a script of its own: offered, and its check present afterwards; a second run offers nothing."""

from pathlib import Path
from textwrap import dedent

import pytest

from expert.consultation.reviewing import fixes_of
from expert.reviewing.fixes import apply_fixes

from .test_review_fixes import reviewed, state, write

TRAIN = """
    for epoch in range(20):
        model.train()
        for wave, label in DataLoader(train, shuffle=True):
            loss = nn.functional.cross_entropy(model(wave), label)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(evaluate(model, DataLoader(dev)))
"""
EVALUATION = (
    """\
import torch
from sklearn.metrics import accuracy_score
from torch import nn
from torch.utils.data import DataLoader


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.1), nn.Linear(4, 2))

    def forward(self, wave):
        return self.layers(wave)


def evaluate(model, loader):
    answers, labels = [], []
{mode}    for wave, label in loader:
        answers += model(wave).argmax(1).tolist()
        labels += label.tolist()
    return accuracy_score(labels, answers)


def main(train, dev):
    model = Net()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
"""
    + TRAIN[1:]
    + """

main(torch.load("train.pt"), torch.load("dev.pt"))
"""
)
TRAINER = """\
import numpy as np
from datasets import load_dataset
from transformers import AutoFeatureExtractor, AutoModelForAudioClassification, Trainer, TrainingArguments

NAME = "facebook/wav2vec2-base"
clips = load_dataset("superb", "ks")
extractor = AutoFeatureExtractor.from_pretrained(NAME)


def prepare(batch):
    return extractor([clip["array"] for clip in batch["audio"]], sampling_rate=16000)


def compute_metrics(prediction):
    accuracy = (np.argmax(prediction.predictions, axis=1) == prediction.label_ids).mean()
    return {"accuracy": accuracy}


model = AutoModelForAudioClassification.from_pretrained(NAME)
arguments = TrainingArguments(
    output_dir="out",
    learning_rate=3e-5,
    num_train_epochs=20,
)
clips = clips.map(prepare, batched=True)
trainer = Trainer(
    model=model,
    args=arguments,
    train_dataset=clips["train"],
    eval_dataset=clips["validation"],
    compute_metrics=compute_metrics,
)
trainer.train()
"""
SOFTMAX = """\
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(4, 2)

    def forward(self, wave):
        return torch.softmax(self.head(wave), dim=-1)


model = Net()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
criterion = nn.CrossEntropyLoss()
for epoch in range(20):
    for wave, label in torch.utils.data.DataLoader([1], shuffle=True):
        loss = criterion(model(wave), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
LOADED = """\
import torch
import torchaudio
from torch import nn
from torch.utils.data import DataLoader, Dataset
from transformers import Wav2Vec2Model


class Clips(Dataset):
    def __init__(self, paths):
        self.paths = paths

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        wave, rate = torchaudio.load(self.paths[index])
        return wave[0], index % 2


backbone = Wav2Vec2Model.from_pretrained("facebook/wav2vec2-base")
head = nn.Linear(768, 2)
optimizer = torch.optim.AdamW(head.parameters(), lr=1e-3)
for epoch in range(20):
    for wave, label in DataLoader(Clips(["a.wav"]), shuffle=True):
        loss = nn.functional.cross_entropy(head(backbone(wave).last_hidden_state.mean(1)), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
CASES = {
    "eval-mode": ("eval.eval_mode", EVALUATION.format(mode=""), "    model.eval()\n"),
    "no-grad": ("eval.no_grad", EVALUATION.format(mode="    model.eval()\n"), "@torch.no_grad()\ndef evaluate"),
    "selection": ("train.selection_metric", TRAINER, 'metric_for_best_model="accuracy"'),
    "rate": ("data.resample", LOADED, "wave = torchaudio.functional.resample(wave, rate, 16000)"),
    "softmax": ("problem.loss_match", SOFTMAX, "return self.head(wave)"),
    "warm-up of a trainer": ("train.lr_warmup", TRAINER, "warmup_steps="),
    "warm-up of a loop": ("train.lr_warmup", SOFTMAX, "warmup.step()"),
}


@pytest.mark.parametrize("kind", CASES)
def test_a_kind_of_patch_mends_its_check(tmp_path: Path, kind: str) -> None:
    from expert.consultation.reviewing import fixes_of

    check, text, expected = CASES[kind]
    script = write(tmp_path, dedent(text))
    found = reviewed(script, check)
    assert state(found, check) == "missing"
    fixes = fixes_of(found, unsafe=True)
    assert [fix.finding.id for fix in fixes] == [check]
    apply_fixes(tmp_path, fixes)
    assert expected in script.read_text()
    again = reviewed(script, check)
    assert state(again, check) == "present"
    assert fixes_of(again, unsafe=True) == ()


GENERATORS = """\
import random
import numpy as np
import torch
files = [(str(each), each % 2) for each in range(40)]
random.shuffle(files)
order = np.random.permutation(40)
model = torch.nn.Linear(3, 2)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
for epoch in range(20):
    for wave, label in torch.utils.data.DataLoader([files[each] for each in order], shuffle=True):
        loss = torch.nn.functional.cross_entropy(model(wave), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""


def test_generators_without_a_seed_are_one_oversight_of_which_every_part_is_mended(tmp_path: Path) -> None:
    write(tmp_path, GENERATORS)
    before = reviewed(tmp_path)
    fixes = fixes_of(before)
    ranks = {each.id: each.rank for each in before.report.findings}
    others = [f"repro.seed_{name}" for name in ("numpy", "python", "cuda")]
    assert all(ranks[each] < ranks["repro.seed_framework"] for each in others)
    apply_fixes(tmp_path, fixes)
    after = reviewed(tmp_path)
    assert [state(after, each) for each in ("repro.seed_framework", *others)] == ["present"] * 4
    assert [each.finding.id for each in fixes if "seed" in each.finding.id] == ["repro.seed_framework", *others[:2]]
    assert not fixes_of(after)
