"""Practices of two small trainings, each in a right and a left-out form, for the tests of what a review reads."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Piece:
    """One practice of a script: its code, the code without it, and how a helper of another file does it."""

    good: str
    bad: str = "pass"
    needs: str = ""
    """The names of the script that the code reads, as parameters of the helper."""
    gives: str = ""
    """The name that the code sets for the rest of the script."""
    called: str = ""
    """How the script uses the helper, where a plain call does not do."""
    helper: str = ""
    """The helper itself, where the code in a function does not do."""
    alone: bool = False
    """Whether the code stays right in every form of the script, because other practices depend on it."""


SPEECH = {
    "augment": Piece("if training:\n    wave = wave + 0.01 * torch.randn_like(wave)",
                     "wave = wave + 0.01 * torch.randn_like(wave)", "wave, training", "wave"),
    "scale": Piece("wave = (wave - wave.mean()) / wave.std()", "pass", "wave", "wave"),
    "run": Piece("outputs = backbone(wave, attention_mask=mask, output_hidden_states=True)",
                 "outputs = backbone(wave, output_hidden_states=True)", "backbone, wave, mask", "outputs"),
    "layers": Piece("frames = (torch.stack(outputs.hidden_states) * weights.softmax(0)[:, None, None, None]).sum(0)",
                    "frames = outputs.last_hidden_state", "outputs, weights", "frames"),
    "pool": Piece("mask = backbone._get_feature_vector_attention_mask(frames.shape[1], mask)\n"
                  "shares = scorer(frames).masked_fill(~mask[:, :, None], -1e9).softmax(1)\n"
                  "pooled = (shares * frames).sum(1)",
                  "pooled = frames.mean(1)", "backbone, scorer, frames, mask", "pooled"),
    "versions": Piece('print("torch", torch.__version__)'),
    "config": Piece('json.dump(settings, open("run/settings.json", "w"))', "pass", "settings"),
    "deterministic": Piece("torch.use_deterministic_algorithms(True)"),
    "seed": Piece("torch.manual_seed(1)\nnp.random.seed(1)\nrandom.seed(1)"),
    "split": Piece("train_rows, val_rows = train_test_split(rows, stratify=labels)",
                   "train_rows, val_rows = train_test_split(rows)", "rows, labels", "train_rows, val_rows"),
    "freeze": Piece("net.backbone.freeze_feature_encoder()", "pass", "net"),
    "groups": Piece('groups = [{"params": net.backbone.parameters(), "lr": 1e-5},\n'
                    '          {"params": net.head.parameters(), "lr": 1e-3}]',
                    "groups = net.parameters()", "net", "groups"),
    "schedule": Piece("schedule = get_cosine_schedule_with_warmup(optimizer, 50, 500)", "schedule = None",
                      "optimizer", "schedule"),
    "move": Piece("schedule.step()", "pass", "schedule"),
    "resume": Piece('state = torch.load("last.pt")\nnet.load_state_dict(state["net"])\n'
                    'optimizer.load_state_dict(state["optimizer"])', "pass", "net, optimizer"),
    "watched": Piece("watched = DataLoader(Clips(val_rows, False), 8, collate_fn=collate)", "watched = test_loader",
                     "DataLoader, Clips, val_rows, collate, test_loader", "watched", alone=True),
    "loss": Piece("loss = nn.functional.cross_entropy(scores, label)",
                  "loss = nn.functional.cross_entropy(scores.softmax(1), label)", "scores, label", "loss"),
    "evaluate": Piece("with torch.no_grad():\n    for wave, mask, label in watched:\n"
                      "        answers += net(wave, mask).argmax(1).tolist()\n        truths += label.tolist()",
                      "for wave, mask, label in watched:\n"
                      "    answers += net(wave, mask).argmax(1).tolist()\n    truths += label.tolist()",
                      "net, watched, answers, truths"),
    "report": Piece("print(classification_report(truths, answers))", "pass", "truths, answers"),
    "interval": Piece("print(bootstrap((np.equal(truths, answers),), np.mean).confidence_interval)", "pass",
                      "truths, answers"),
    "embeddings": Piece("print(TSNE().fit_transform(np.array(answers)))", "pass", "answers"),
    "best": Piece('if score > best:\n    best = score\n    torch.save(net.state_dict(), "best.pt")',
                  'torch.save(net.state_dict(), "last.pt")', "score, best, net", "best"),
    "stop": Piece("if score > highest:\n    highest, waited = score, 0\nelse:\n    waited += 1\n"
                  "if waited >= 3:\n    break", "highest = max(score, highest)",
                  called="if stopper.ends(score):\n    break",
                  helper="class Stopper:\n    def __init__(self, patience=3):\n"
                         "        self.patience, self.waited, self.highest = patience, 0, 0.0\n\n"
                         "    def ends(self, score):\n        if score > self.highest:\n"
                         "            self.highest, self.waited = score, 0\n        else:\n"
                         "            self.waited += 1\n        return self.waited >= self.patience\n"),
    "champion": Piece(
        'client = mlflow.MlflowClient()\nold = client.get_model_version_by_alias("net", "champion")\n'
        'if score > float(old.tags["score"]):\n    client.set_registered_model_alias("net", "champion", 2)',
        "pass",
        "score",
    ),
    "registry": Piece('mlflow.register_model("runs:/1/net", "net")'),
}  # fmt: skip
"""Practices of a classifier of speech on a pretrained network that learns, in a loop written by hand."""

SCALE = {
    "freeze": Piece("net.backbone.requires_grad_(False)", "pass", "net"),
    "still": Piece("net.backbone.eval()", "pass", "net"),
    "bound": Piece("rating = 1 + 4 * torch.sigmoid(raw)", "rating = raw", "raw", "rating"),
    "split": Piece("first, second = next(GroupShuffleSplit(1).split(rows, groups=speakers))\n"
                   "train_rows, val_rows = [rows[each] for each in first], [rows[each] for each in second]",
                   "random.shuffle(rows)\ntrain_rows, val_rows = rows[100:], rows[:100]",
                   "rows, speakers", "train_rows, val_rows"),
    "workers": Piece("loader = DataLoader(Clips(train_rows), 8, shuffle=True, num_workers=4,\n"
                     "                    worker_init_fn=lambda number: np.random.seed(number))",
                     "loader = DataLoader(Clips(train_rows), 8, shuffle=True, num_workers=4)", "Clips, train_rows",
                     "loader"),
    "spread": Piece("print(np.std(answers) / np.std(truths))", "pass", "answers, truths"),
    "scatter": Piece("plt.scatter(truths, answers)", "pass", "answers, truths"),
    "bins": Piece("bins = np.digitize(truths, [2, 3, 4])\n"
                  "print([np.abs(answers - truths)[bins == each].mean() for each in range(4)])", "pass",
                  "answers, truths"),
}  # fmt: skip
"""Practices of a rating of speech on a frozen network."""

HEAD = """\
import argparse, csv, json, random, sys
import mlflow, numpy as np, torch, torchaudio, yaml
import matplotlib.pyplot as plt
from scipy.stats import bootstrap
from sklearn.manifold import TSNE
from sklearn.metrics import accuracy_score, classification_report
from sklearn.model_selection import GroupShuffleSplit, train_test_split
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset
from transformers import AutoModel, get_cosine_schedule_with_warmup
"""

SPEECH_SCRIPT = """\
class Clips(Dataset):
    def __init__(self, rows, training):
        self.rows, self.training = rows, training
    def __getitem__(self, number):
        wave, rate = torchaudio.load(self.rows[number]["file"])
        training = self.training
        {augment}
        {scale}
        return wave[0], int(self.rows[number]["label"])
def collate(batch):
    waves = [wave for wave, _ in batch]
    lengths = torch.tensor([len(wave) for wave in waves])
    wave = pad_sequence(waves, batch_first=True)
    mask = torch.arange(wave.shape[1])[None] < lengths[:, None]
    return wave, mask, torch.tensor([label for _, label in batch])
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = AutoModel.from_pretrained("facebook/wav2vec2-base")
        self.weights = nn.Parameter(torch.zeros(13))
        self.scorer = nn.Linear(768, 1)
        self.head = nn.Linear(768, 4)
    def forward(self, wave, mask):
        backbone, weights, scorer = self.backbone, self.weights, self.scorer
        {run}
        {layers}
        {pool}
        return self.head(pooled)
{versions}
{config}
{deterministic}
{seed}
rows = list(csv.DictReader(open("train.csv")))
labels = [row["label"] for row in rows]
{split}
test_rows = list(csv.DictReader(open("test.csv")))
loader = DataLoader(Clips(train_rows, True), 8, shuffle=True, collate_fn=collate)
test_loader = DataLoader(Clips(test_rows, False), 8, collate_fn=collate)
net = Net()
{late}
{freeze}
{groups}
optimizer = torch.optim.AdamW(groups, lr=1e-4)
{schedule}
{resume}
{watched}
best = highest = waited = 0
for epoch in range(20):
    net.train()
    for wave, mask, label in loader:
        optimizer.zero_grad()
        scores = net(wave, mask)
        {loss}
        loss.backward()
        optimizer.step()
        {move}
    net.eval()
    answers, truths = [], []
    {evaluate}
    score = accuracy_score(truths, answers)
    {report}
    {interval}
    {embeddings}
    {best}
    {stop}
net.eval()
answers, truths = [], []
with torch.no_grad():
    for wave, mask, label in test_loader:
        answers += net(wave, mask).argmax(1).tolist()
        truths += label.tolist()
print("test", accuracy_score(truths, answers))
{registry}
score = accuracy_score(truths, answers)
{champion}
"""

SCALE_SCRIPT = """\
class Clips(Dataset):
    def __init__(self, rows):
        self.rows = rows
    def __getitem__(self, number):
        wave, rate = torchaudio.load(self.rows[number]["file"])
        at = np.random.randint(0, wave.shape[1] - 16000)
        return wave[0, at : at + 16000], float(self.rows[number]["rating"])
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = AutoModel.from_pretrained("facebook/wav2vec2-base")
        self.head = nn.Linear(768, 1)
    def forward(self, wave):
        raw = self.head(self.backbone(wave).last_hidden_state.mean(1)).squeeze(-1)
        {bound}
        return rating
rows = list(csv.DictReader(open("clips.csv")))
speakers = [row["speaker"] for row in rows]
{split}
{workers}
val_loader = DataLoader(Clips(val_rows), 8)
net = Net()
{freeze}
optimizer = torch.optim.AdamW(net.head.parameters(), lr=1e-3)
for epoch in range(20):
    net.train()
    {still}
    for wave, label in loader:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(net(wave), label.float())
        loss.backward()
        optimizer.step()
    net.eval()
    answers, truths = [], []
    with torch.no_grad():
        for wave, label in val_loader:
            answers.append(net(wave))
            truths.append(label)
    answers, truths = torch.cat(answers).numpy(), torch.cat(truths).numpy()
    print(np.corrcoef(answers, truths))
    {spread}
    {scatter}
    {bins}
"""
