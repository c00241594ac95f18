"""Small scripts of our own writing: how they evaluate, and what they report."""

from pathlib import Path
from typing import Any

import pytest

from engine.evidence.script.measures.evaluation import measure_evaluation
from engine.evidence.script.measures.reporting import measure_reports, measure_target

from .projects import script_of

LOOP = """
    import torch
    from torch import nn
    from torch.utils.data import DataLoader

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(40, 5)
        def forward(self, x):
            return self.head(x)

    def train(model, train_loader, valid_loader, criterion, optimizer):
        for epoch in range(20):
            {train}
            for x, y in train_loader:
                loss = criterion(model(x), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            {evaluate}
            right = 0
            {context}:
                for x, y in valid_loader:
                    out = model(x)
                    {metric}

    model = Net()
    train(model, DataLoader(a, shuffle=True), DataLoader(b), nn.{loss}(), torch.optim.Adam(model.parameters()))
"""
GOOD = {
    "train": "model.train()", "evaluate": "model.eval()", "context": "with torch.no_grad()",
    "metric": "right += (out.argmax(1) == y).sum().item()", "loss": "CrossEntropyLoss",
}  # fmt: skip


def facts_of(folder: Path, files: Any, entry: str = "train.py") -> dict[str, Any]:
    script = script_of(folder, files, entry)
    measured = measure_evaluation(script) + measure_target(script) + measure_reports(script)
    return {fact.name.removeprefix("script."): fact.value for fact in measured.facts}


def test_a_loop_that_does_it_right(tmp_path: Path) -> None:
    facts = facts_of(tmp_path, LOOP.format(**GOOD))
    assert facts["target"] == "class"
    assert facts["task_metric"] is True
    assert facts["evaluation_mode"] == "evaluation"
    assert facts["evaluation_gradients"] == "without"
    assert facts["report_confusion"] == "nothing"
    assert facts["report_scatter"] == "other-target"


@pytest.mark.parametrize(
    ("change", "fact", "value"),
    [
        ({"evaluate": "pass"}, "evaluation_mode", "training"),
        ({"train": "pass"}, "evaluation_mode", "stuck"),
        ({"evaluate": "model.train(False)"}, "evaluation_mode", "evaluation"),
        ({"context": "if True"}, "evaluation_gradients", "computed"),
        ({"context": "with torch.set_grad_enabled(True)"}, "evaluation_gradients", "computed"),
        ({"context": "with torch.inference_mode()"}, "evaluation_gradients", "without"),
        ({"metric": "right += criterion(out, y).item()"}, "task_metric", False),
        ({"loss": "MSELoss", "metric": "torch.corrcoef(out)"}, "report_confusion", "other-target"),
        ({"loss": "MSELoss", "metric": "torch.corrcoef(out)"}, "report_scatter", "nothing"),
    ],
)
def test_one_thing_is_changed(tmp_path: Path, change: dict[str, str], fact: str, value: object) -> None:
    assert facts_of(tmp_path, LOOP.format(**(GOOD | change)))[fact] == value


HF = """
    from transformers import AutoModelForAudioClassification, Trainer, TrainingArguments
    from metrics import compute_metrics
    model = AutoModelForAudioClassification.from_pretrained("facebook/wav2vec2-base", num_labels=4)
    arguments = TrainingArguments("out"{arguments})
    trainer = Trainer(model, arguments, train_dataset=a, eval_dataset=b, compute_metrics=compute_metrics)
    trainer.train()
    {after}
"""
METRICS = """
    import numpy as np
    from sklearn.metrics import accuracy_score, confusion_matrix
    def compute_metrics(pred):
        return {"accuracy": accuracy_score(pred.label_ids, np.argmax(pred.predictions, 1))}
"""


@pytest.mark.parametrize(
    ("arguments", "after", "metric", "mode"),
    [
        (', eval_strategy="epoch"', "", True, "framework"),
        ("", "trainer.evaluate()", True, "framework"),
        (", eval_steps=10", "", False, "no-evaluation"),
    ],
)
def test_a_trainer_evaluates_when_it_is_told_to(
    tmp_path: Path, arguments: str, after: str, metric: bool, mode: str
) -> None:
    files = {"train.py": HF.format(arguments=arguments, after=after), "metrics.py": METRICS}
    facts = facts_of(tmp_path, files)
    assert (facts["task_metric"], facts["evaluation_mode"]) == (metric, mode)
    assert facts["target"] == "class"


def test_a_report_in_another_file_counts(tmp_path: Path) -> None:
    report = """
        from sklearn.metrics import classification_report, ConfusionMatrixDisplay
        def report(y, p):
            print(classification_report(y, p))
            ConfusionMatrixDisplay.from_predictions(y, p)
    """
    facts = facts_of(tmp_path, {"train.py": LOOP.format(**GOOD), "report.py": report})
    assert facts["report_confusion"] == facts["report_groups"] == "there"


def test_an_outside_trainer_of_ones_own_class_still_gets_its_metrics(tmp_path: Path) -> None:
    own = HF.replace("trainer = Trainer(", "trainer = Own(").replace(
        "    model =", "    class Own(Trainer):\n        pass\n    model ="
    )
    files = {"train.py": own.format(arguments="", after="trainer.predict(b)"), "metrics.py": METRICS}
    assert facts_of(tmp_path, files)["task_metric"] is True
