"""Which clips an augmentation changes, told by the data set, the loop or the mapping in which it stands."""

from pathlib import Path

import pytest

from .reviewed import fact

LOOPS = """
import random, torch, torchaudio
from torch.utils.data import DataLoader, Dataset, random_split

class Clips(Dataset):
    def __init__(self, files, noisy):
        self.files, self.noisy = files, noisy
        {made}
    def __len__(self):
        return 2
    def __getitem__(self, at):
        wave = torchaudio.load(self.files[at])[0]
{item}
        return wave, 0

net, criterion = torch.nn.Linear(4, 2), torch.nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
{data}
for epoch in range(20):
    for x, y in train_loader:
{step}
        loss = criterion(net(x), y)
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        for x, y in val_loader:
{look}
            net(x).argmax()
"""
TWO = ('train_loader = DataLoader(Clips(["train.wav"], True), shuffle=True)\n'
       'val_loader = DataLoader(Clips(["val.wav"], False))')  # fmt: skip
ONE = """both = Clips(["a.wav"], True)
train, val = random_split(both, [1, 1])
train_loader, val_loader = DataLoader(train, shuffle=True), DataLoader(val)"""
NOISE = "wave = wave + 0.1 * torch.randn_like(wave)"
CASES = {
    "a switch of the data set": ({"item": f"if self.noisy:\n    {NOISE}", "data": TWO}, "training-only"),
    "by chance, behind a switch": (
        {"item": "if self.noisy and random.random() < 0.5:\n    wave = self.mask(wave)", "data": TWO}, "training-only"),
    "no switch": ({"item": NOISE, "data": TWO}, "held-out-too"),
    "a mask without a switch": ({"item": "wave = self.mask(wave)", "data": TWO}, "held-out-too"),
    "one data set divided": (
        {"item": "if random.random() < 0.5:\n    wave = self.mask(wave)", "data": ONE}, "held-out-too"),
    "in the loop of the training": (
        {"item": "pass", "data": TWO, "step": "x = torchaudio.functional.add_noise(x, x, None)"}, "training-only"),
    "in both loops": (
        {"item": "pass", "data": TWO, "step": "x = torchaudio.functional.add_noise(x, x, None)",
         "look": "x = torchaudio.functional.add_noise(x, x, None)"}, "held-out-too"),
}  # fmt: skip


def _script(parts: dict[str, str]) -> str:
    made = "self.mask = torchaudio.transforms.TimeMasking(10)" if "self.mask" in parts["item"] else "pass"
    filled = {"made": made, "step": "pass", "look": "pass", **parts}
    deep = {"made": 0, "item": 8, "step": 8, "look": 12, "data": 0}
    lines = {name: text.replace("\n", "\n" + " " * deep[name]) for name, text in filled.items()}
    return LOOPS.format(**{name: " " * deep[name] + text for name, text in lines.items()})


@pytest.mark.parametrize("name", CASES)
def test_the_reach_is_told_by_where_the_change_is_made(tmp_path: Path, name: str) -> None:
    parts, reach = CASES[name]
    assert fact(tmp_path, "augmentation_reach", _script(parts)) == reach


def test_a_mapped_function_reaches_the_part_that_it_is_mapped_on(tmp_path: Path) -> None:
    script = """
        from audiomentations import AddGaussianNoise
        from datasets import load_dataset
        from transformers import AutoModelForAudioClassification, Trainer, TrainingArguments
        data = load_dataset("me/clips")
        noise = AddGaussianNoise(p=0.5)
        def prepare(batch):
            return {{"input_values": [noise(x, 16000) for x in batch["audio"]], "labels": batch["label"]}}
        train = data["train"].map(prepare)
        held = data["validation"]{held}
        model = AutoModelForAudioClassification.from_pretrained("facebook/wav2vec2-base")
        trainer = Trainer(model, TrainingArguments("out"), train_dataset=train, eval_dataset=held)
        trainer.train()
    """
    assert fact(tmp_path / "a", "augmentation_reach", script.format(held="")) == "training-only"
    assert fact(tmp_path / "b", "augmentation_reach", script.format(held=".map(prepare)")) == "held-out-too"
