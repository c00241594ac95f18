"""Forms in which a script has a practice, many checks for each: written out, left out, through a helper, configured.

Also behind a switch that nobody turns on, behind one that only the launch knows, and by a framework's default.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from expert.consultation.review import review_script
from knowledge.loader import load_knowledge

LINES = {
    "seed": "torch.manual_seed(1)",
    "seed_numpy": "np.random.seed(1)",
    "seed_python": "random.seed(1)",
    "resume": 'optimizer.load_state_dict(torch.load("last.pt")["optimizer"])',
    "clear": "optimizer.zero_grad()",
    "clip": "torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)",
    "fall": "schedule.step()",
    "mode": "net.eval()",
    "metric": "score = f1_score(labels, answers)",
    "confusion": "print(confusion_matrix(labels, answers))",
    "state": 'torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()}, "last.pt")',
    "augment": "wave = wave + 0.01 * torch.randn_like(wave)",
    "resample": "wave = torchaudio.functional.resample(wave, rate, 16000)",
}
"""The lines of code that a form puts somewhere else, or behind something."""
VALUES = {"decay": "0.01", "epochs": "40", "shuffle": "True", "dropout": "0.2", "half": "True"}
LEFT_OUT = {"decay": "0.0", "epochs": "5", "shuffle": "False", "dropout": "0.0", "half": "False"}
NAMES = "wave, rate, net, optimizer, schedule, labels, answers"
TRAINER = """\
from datasets import load_dataset
from transformers import AutoModelForAudioClassification, Trainer, TrainingArguments
clips = load_dataset("superb", "ks")
model = AutoModelForAudioClassification.from_pretrained("facebook/wav2vec2-base", num_labels=12)
arguments = TrainingArguments("out", eval_strategy="epoch")
Trainer(model, arguments, train_dataset=clips["train"], eval_dataset=clips["validation"]).train()
"""
SCRIPT = """\
import argparse, json, random, sys, yaml
import numpy as np
import torch, torchaudio
from sklearn.metrics import confusion_matrix, f1_score
from torch import nn
from torch.utils.data import DataLoader, Dataset
{setup}
class Clips(Dataset):
    def __init__(self, files):
        self.files = files
    def __getitem__(self, number):
        wave, rate = torchaudio.load(self.files[number][0])
{resample}
{augment}
        return wave, self.files[number][1]
{seed}
{seed_numpy}
{seed_python}
files = json.load(open("files.json"))
random.shuffle(files)
files = [files[each] for each in np.random.permutation(len(files))]
net = nn.Sequential(nn.Linear(16000, 64), nn.ReLU(), nn.Dropout(VALUE_dropout), nn.Linear(64, 4))
optimizer = torch.optim.SGD(net.parameters(), lr=0.001, weight_decay=VALUE_decay)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 40)
{resume}
loader = DataLoader(Clips(files[100:]), batch_size=8, shuffle=VALUE_shuffle)
val_loader = DataLoader(Clips(files[:100]), batch_size=8)
for epoch in range(VALUE_epochs):
    net.train()
    for wave, label in loader:
{clear}
        with torch.autocast("cuda", dtype=torch.bfloat16, enabled=VALUE_half):
            loss = nn.functional.cross_entropy(net(wave), label)
        loss.backward()
{clip}
        optimizer.step()
    labels, answers = [], []
{mode}
    with torch.no_grad():
        for wave, label in val_loader:
            answers += net(wave).argmax(1).tolist()
            labels += label.tolist()
    score = 0.0
{metric}
{confusion}
{state}
{fall}
"""
CONFIGURED = 'settings = yaml.safe_load(open("settings.yaml"))'
LAUNCHED = "settings = json.load(open(sys.argv[1]))"
SWITCHED = "parser = argparse.ArgumentParser()\n{}\nsettings = vars(parser.parse_args())"
RESULTS = {"augment": "wave", "resample": "wave", "metric": "score"}


def project(form: str) -> dict[str, str]:
    """Return the files of the project in which every practice has one form."""
    setup, files = "", {}
    lines = dict(LINES)
    values = {name: f'settings["{name}"]' for name in VALUES}
    if form in ("present", "helper"):
        values = VALUES
    if form == "default":
        return {"train.py": TRAINER}
    if form == "missing":
        lines, values = dict.fromkeys(LINES, "pass"), LEFT_OUT
    elif form == "helper":
        setup = "import helpers"
        head = "import json, random\nimport numpy as np\nimport torch, torchaudio\n"
        head += "from sklearn.metrics import confusion_matrix, f1_score\n"
        made = [
            f"def {name}({_named(line)}):\n    {line}\n    return {RESULTS.get(name)}\n" for name, line in LINES.items()
        ]
        files["helpers.py"] = head + "".join(made)
        lines = {name: f"{RESULTS.get(name, 'made')} = helpers.{name}({_named(line)})"
                 for name, line in LINES.items()}  # fmt: skip
    elif form == "configuration":
        setup = CONFIGURED
        files["settings.yaml"] = "".join(f"{name}: true\n" for name in LINES)
        files["settings.yaml"] += "".join(f"{name}: {value}\n" for name, value in VALUES.items())
    elif form == "dead switch":
        options = [f'parser.add_argument("--{name}", action="store_true")' for name in LINES]
        options += [f'parser.add_argument("--{name}", default={value})' for name, value in LEFT_OUT.items()]
        setup = SWITCHED.format("\n".join(options))
    elif form == "undecidable":
        setup = LAUNCHED
    if form in ("configuration", "dead switch", "undecidable"):
        lines = {name: f'if settings["{name}"]: {line}' for name, line in LINES.items()}
    text = SCRIPT.format(setup=setup, **{name: _indented(name, line) for name, line in lines.items()})
    for name, value in values.items():
        text = text.replace(f"VALUE_{name}", value)
    return {"train.py": text, **files}


def _named(line: str) -> str:
    """Return the names of the script that a line needs, as parameters and as arguments."""
    return ", ".join(name for name in NAMES.split(", ") if re.search(rf"\b{name}\b", line))


def _indented(name: str, line: str) -> str:
    depth = {"augment": 8, "resample": 8, "clear": 8, "clip": 8, "seed": 0, "seed_numpy": 0, "seed_python": 0}
    return " " * depth.get(name, 0 if name == "resume" else 4) + line


@cache
def states(form: str) -> dict[str, str]:
    """Return the states of all checks of one form."""
    with TemporaryDirectory() as folder:
        for name, text in project(form).items():
            (Path(folder) / name).write_text(text, "utf-8")
        return {each.id: each.state for each in review_script(load_knowledge(), Path(folder), entry="train.py").checks}


PRACTICES = (
    "arch.dropout", "data.augmentation", "data.resample", "data.train_shuffle", "eval.eval_mode", "eval.task_metric",
    "interp.confusion", "life.optim_state", "repro.seed_cuda", "repro.seed_framework", "repro.seed_numpy",
    "repro.seed_python", "train.epochs_15", "train.grad_clip", "train.mixed_precision",
    "train.sched_step_ok", "train.weight_decay", "train.zero_grad_ok",
)  # fmt: skip
DEFAULTS = {
    "data.train_shuffle": "present", "data.val_split": "present", "eval.eval_mode": "present",
    "eval.no_grad": "present", "life.optim_state": "present", "repro.seed_cuda": "present",
    "repro.seed_framework": "present", "repro.seed_numpy": "present", "repro.seed_python": "present",
    "train.grad_clip": "present", "train.lr_schedule": "present", "train.sched_step_ok": "present",
    "train.zero_grad_ok": "present", "repro.config_saved": "present",
    # what its defaults leave out: three epochs, no decay, no rise, full precision, a head drawn before it seeds
    "train.epochs_15": "missing", "train.weight_decay": "missing", "train.lr_warmup": "missing",
    "train.mixed_precision": "missing", "train.selection_metric": "missing", "train.early_stopping": "missing",
    "life.best_ckpt": "missing", "eval.task_metric": "missing", "repro.seed_order": "missing",
    # what the checkpoint's own files decide
    "arch.dropout": "undecidable", "data.augmentation": "undecidable",
}  # fmt: skip
"""What a Trainer of transformers does when nobody tells it anything."""


@pytest.mark.parametrize("form", ["present", "helper", "configuration"])
@pytest.mark.parametrize("check", PRACTICES)
def test_a_practice_is_there_in_whatever_form_it_is_written(check: str, form: str) -> None:
    assert states(form)[check] == "present"


@pytest.mark.parametrize("form", ["missing", "dead switch"])
@pytest.mark.parametrize("check", PRACTICES)
def test_a_practice_that_is_left_out_or_switched_off_is_missing(check: str, form: str) -> None:
    assert states(form)[check] == "missing"


@pytest.mark.parametrize("check", PRACTICES)
def test_what_only_the_launch_knows_is_never_missing(check: str) -> None:
    said = states("undecidable")[check]
    assert said == ("undecidable" if check in ("data.train_shuffle", "train.epochs_15") else "present")


@pytest.mark.parametrize(("check", "state"), DEFAULTS.items())
def test_a_framework_does_it_by_default_or_leaves_it_out(check: str, state: str) -> None:
    assert states("default")[check] == state


def test_a_way_back_that_is_offered_counts_though_the_launch_does_not_take_it() -> None:
    assert [states(form)["life.resume"] for form in ("present", "dead switch", "missing")] == [
        "present", "present", "missing"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("form", "state"),
    [
        ("present", "missing"),
        ("helper", "missing"),
        ("configuration", "missing"),
        ("missing", "not-applicable"),
        ("dead switch", "not-applicable"),
    ],
)
def test_an_augmentation_of_every_clip_reaches_the_held_out_ones(form: str, state: str) -> None:
    assert states(form)["data.aug_train_only"] == state


@pytest.mark.parametrize(
    ("form", "state"),
    [
        ("present", "present"),
        ("configuration", "present"),
        ("missing", "not-applicable"),
        ("dead switch", "not-applicable"),
    ],
)
def test_without_a_seed_its_moment_is_no_question(form: str, state: str) -> None:
    assert states(form)["repro.seed_order"] == state
