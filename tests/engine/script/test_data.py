"""The measures of data and losses on small scripts of our own writing: there, not there, by helper, not told."""

from __future__ import annotations

from pathlib import Path

import pytest

from expert.consultation.review import review_script
from knowledge.loader import load_knowledge

_HEAD = """
import torch, torchaudio, librosa, random
from torch import nn
from torch.utils.data import DataLoader, Dataset, random_split
from sklearn.model_selection import train_test_split, GroupShuffleSplit

class Clips(Dataset):
    def __init__(self, files, train=False):
        self.files = files
        self.train = train
    def __len__(self):
        return len(self.files)
    def __getitem__(self, i):
        wave, rate = {load}
        return wave, 0

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(16000, 64)
        self.head = nn.Linear(64, 4)
        self.softmax = nn.Softmax(dim=1)
    def forward(self, x):
        return {head}

def epoch(net, loader, loss_function, optimizer):
    for wave, label in loader:
        loss = loss_function(net(wave), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

def watch(net, loader, loss_function):
    with torch.no_grad():
        for wave, label in loader:
            loss_function(net(wave), label)

net = Net()
optimizer = torch.optim.AdamW(net.parameters())
criterion = nn.{loss}()
{split}
train_loader = DataLoader(Clips(train_files, train=True), batch_size=8{shuffle})
for number in range(20):
    epoch(net, train_loader, criterion, optimizer)
    {watch}
"""
_SIGMOID = "torch.sigmoid(self.head(self.body(x)))"
_CUT = "train_files, val_files = "
_PLAIN = {
    "load": "torchaudio.load(self.files[i])", "head": "self.head(self.body(x))", "loss": "CrossEntropyLoss",
    "split": "train_files, val_files = train_test_split(open('list.txt').readlines())", "shuffle": ", shuffle=True",
    "watch": "watch(net, DataLoader(Clips(val_files)), criterion)",
}  # fmt: skip


def _state(folder: Path, check: str, **changes: str) -> str:
    (folder / "train.py").write_text(_HEAD.format(**{**_PLAIN, **changes}), "utf-8")
    review = review_script(load_knowledge(), folder / "train.py")
    return next(each.state for each in review.checks if each.id == check)


@pytest.mark.parametrize(
    ("check", "state", "changes"),
    [
        ("data.train_shuffle", "present", {}),
        ("data.train_shuffle", "missing", {"shuffle": ""}),
        ("data.train_shuffle", "missing", {"shuffle": ", shuffle=False"}),
        ("data.train_shuffle", "present", {"shuffle": ", sampler=torch.utils.data.WeightedRandomSampler([1], 1)"}),
        ("data.train_shuffle", "missing", {"shuffle": ", sampler=torch.utils.data.SequentialSampler([1])"}),
        ("data.resample", "missing", {}),
        ("data.resample", "present", {"load": "librosa.load(self.files[i], sr=16000)"}),
        ("data.resample", "missing", {"load": "librosa.load(self.files[i], sr=None)"}),
        ("data.stratified", "missing", {}),
        ("data.stratified", "present", {"split": "train_files, val_files = train_test_split([1], stratify=[2])"}),
        ("data.stratified", "missing", {"split": "train_files, val_files = train_test_split([1], stratify=None)"}),
        ("data.group_disjoint", "missing", {}),
        ("data.group_disjoint", "missing", {"split": _CUT + "random_split(open('a').readlines(), [8, 2])"}),
        ("data.group_disjoint", "present", {"split": _CUT + "train_test_split(open('speakers.txt').read())"}),
        ("data.group_disjoint", "present", {"split": _CUT + "next(GroupShuffleSplit().split([1], groups=[2]))"}),
        ("data.val_split", "present", {}),
        ("data.val_split", "missing", {"split": "train_files, test_files = train_test_split(open('a').readlines())",
                                       "watch": "watch(net, DataLoader(Clips(test_files)), criterion)"}),
        ("data.val_split", "missing", {"watch": "pass"}),
        ("data.val_split", "missing", {"watch": "watch(net, train_loader, criterion)"}),
        ("data.val_split", "missing", {"split": "train_files, held = 'train.csv', 'test.csv'",
                                       "watch": "watch(net, DataLoader(Clips(held)), criterion)"}),
        ("data.augmentation", "missing", {}),
        ("data.augmentation", "present", {"load": "add_noise(torchaudio.load(self.files[i])), 1",
                                          "split": "def add_noise(x): return x\ntrain_files = val_files = [1]"}),
        ("data.augmentation", "present", {"load": "torchaudio.transforms.FrequencyMasking(9)(self.files[i]), 1"}),
        ("problem.loss_match", "present", {}),
        ("problem.loss_match", "missing", {"head": "self.softmax(self.head(self.body(x)))"}),
        ("problem.loss_match", "missing", {"head": _SIGMOID, "loss": "BCEWithLogitsLoss"}),
        ("problem.loss_match", "present", {"head": _SIGMOID, "loss": "BCELoss"}),
        ("problem.loss_match", "present", {"head": "torch.log_softmax(self.head(self.body(x)), 1)"}),
        ("problem.output_range", "missing", {"loss": "MSELoss"}),
        ("problem.output_range", "present", {"loss": "MSELoss", "head": _SIGMOID}),
        ("problem.output_range", "present", {"loss": "MSELoss", "head": "self.head(self.body(x)).clamp(1, 5)"}),
        ("problem.output_range", "not-applicable", {}),
    ],
)  # fmt: skip
def test_state(tmp_path: Path, check: str, state: str, changes: dict[str, str]) -> None:
    assert _state(tmp_path, check, **changes) == state


_TRAINER = """
from datasets import load_dataset, Audio
from transformers import AutoModelForAudioClassification, Trainer, TrainingArguments, set_seed
{data}
model = AutoModelForAudioClassification.from_pretrained("facebook/wav2vec2-base"{model})
trainer = Trainer(model=model, args=TrainingArguments("out"), train_dataset={train}, eval_dataset={held})
trainer.train()
"""
_HUB = 'parts = load_dataset("superb", "er")'
_CAST = '.cast_column("audio", Audio(sampling_rate=16000))'
_FILES = 'parts = load_dataset("csv", data_files={"train": "a/train.csv", "validation": "a/test.csv"})'


@pytest.mark.parametrize(
    ("check", "state", "changes"),
    [
        ("data.val_split", "present", {"data": _HUB, "held": 'parts["validation"]'}),
        ("data.val_split", "missing", {"data": _HUB, "held": 'parts["test"]'}),
        ("data.val_split", "missing", {"data": _FILES, "held": 'parts["validation"]'}),
        ("data.train_shuffle", "present", {"data": _HUB, "held": 'parts["test"]'}),
        ("data.augmentation", "undecidable", {"data": _HUB, "held": 'parts["test"]'}),
        ("data.augmentation", "present", {"data": _HUB, "held": 'parts["test"]', "model": ", mask_time_prob=0.05"}),
        ("data.augmentation", "missing", {"data": _HUB, "held": "None", "model": ", apply_spec_augment=False"}),
        ("data.resample", "present", {"data": _HUB + _CAST, "held": "None"}),
        ("data.test_clean", "missing", {"data": _HUB, "train": 'parts["test"]', "held": 'parts["validation"]'}),
    ],
)  # fmt: skip
def test_state_under_a_trainer(tmp_path: Path, check: str, state: str, changes: dict[str, str]) -> None:
    given = {"train": 'parts["train"]', "model": "", **changes}
    (tmp_path / "train.py").write_text(_TRAINER.format(**given), "utf-8")
    review = review_script(load_knowledge(), tmp_path / "train.py")
    assert next(each.state for each in review.checks if each.id == check) == state


_CALLED_TEST = """
import keras
paths = sorted(open("list.txt"))
train_paths, valid_paths = paths[:-20], paths[-20:]
model = keras.models.Model()
model.compile(loss="sparse_categorical_crossentropy")
model.fit(load(train_paths), validation_data=load(valid_paths))
test_clips = load(valid_paths)
for clip in test_clips:
    model.predict(clip)
"""


def test_a_part_called_test_that_is_the_development_part(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(_CALLED_TEST, "utf-8")
    review = review_script(load_knowledge(), tmp_path / "train.py")
    states = {each.id: each.state for each in review.checks}
    assert states["data.test_clean"] == "missing"
    assert states["data.group_disjoint"] == "missing"


_ARRAYS = """
import numpy, torch
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.head = torch.nn.Linear(40, 4)
    def forward(self, x):
        return self.head(x)
net, loss_function = Net(), torch.nn.CrossEntropyLoss()
clips, labels = numpy.load("clips.npy"), numpy.load("labels.npy")
for epoch in range(30):
    order = {order}
    for start in range(0, 800, 8):
        picked = order[start:start + 8]
        loss = loss_function(net(torch.tensor(clips[picked])), torch.tensor(labels[picked]))
        loss.backward()
"""


@pytest.mark.parametrize(("order", "state"), [("numpy.random.permutation(800)", "present"), ("numbers", "undecidable")])
def test_batches_cut_out_of_arrays(tmp_path: Path, order: str, state: str) -> None:
    (tmp_path / "train.py").write_text(_ARRAYS.format(order=order), "utf-8")
    states = {each.id: each.state for each in review_script(load_knowledge(), tmp_path / "train.py").checks}
    assert states["data.train_shuffle"] == state
    assert states["data.augmentation"] == "missing"


def test_parts_that_are_put_into_a_dictionary_keep_their_split(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(
        """
import datasets, transformers
parts = datasets.DatasetDict()
parts["train"] = datasets.load_dataset("x", split="train")
parts["eval"] = datasets.load_dataset("x", split="validation")
parts = parts.cast_column("audio", datasets.Audio(sampling_rate=16000))
arguments = transformers.TrainingArguments("out", eval_strategy="epoch")
trainer = transformers.Trainer(1, arguments, train_dataset=parts["train"], eval_dataset=parts["eval"])
trainer.train()
"""
    )
    review = review_script(load_knowledge(), tmp_path / "train.py")
    assert next(each.state for each in review.checks if each.id == "data.val_split") == "present"
