from pathlib import Path

import pytest

from .reviewed import fact, hf, loop

HELPER = "import torch\ndef limit(net):\n    torch.nn.utils.clip_grad_value_(net.parameters(), 0.5)\n"
CLIP = "torch.nn.utils.clip_grad_norm_(net.parameters(), {limit})"
FLAG = """
parser = argparse.ArgumentParser()
parser.add_argument("--{name}", type={kind}, {rest})
args = parser.parse_args()
"""
NO_DECAY_SAID = FLAG.format(name="wd", kind="float", rest="required=True")
CLIP_OFF = FLAG.format(name="clip", kind="float", rest="default=0.0")
EPOCHS = FLAG.format(name="epochs", kind="int", rest="{}")
WHILE = loop().replace("for epoch in range(20):", "epoch = 0\nwhile epoch < 12:")
WHILE = WHILE.replace("        optimizer.step()", "        optimizer.step()\n    epoch += 1")


@pytest.mark.parametrize(
    ("files", "answer"),
    [
        (loop(), False),
        (loop(between=CLIP.format(limit=1.0)), True),
        (loop(between=CLIP.format(limit="float('inf')")), False),  # measures the norm alone
        (loop(between="if args.clip:\n    " + CLIP.format(limit="args.clip"), setup=CLIP_OFF), False),
        ({"train.py": loop(setup="from helper import limit", between="limit(net)"),
          "helper.py": HELPER}, True),
        (hf(), True),
        (hf("max_grad_norm=0"), False),
        ("import torch\nprint(torch.ones(3))\n", None),
    ],
)  # fmt: skip
def test_clipping(tmp_path: Path, files: str, answer: object) -> None:
    assert fact(tmp_path, "gradient_clipping", files) is answer


LIGHTNING = """
import torch, lightning.pytorch as pl
from transformers import get_linear_schedule_with_warmup
class Net(pl.LightningModule):
    def training_step(self, batch, number):
        return self(batch).mean()
    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=1e-3)
        schedule = get_linear_schedule_with_warmup(optimizer, 10, 1000)
        return {returned}
trainer = pl.Trainer({arguments})
trainer.fit(Net(), [1])
"""

BARE = LIGHTNING.format(returned="[optimizer], [schedule]", arguments="")
BY_STEP = LIGHTNING.format(returned="[optimizer], [{'scheduler': schedule, 'interval': 'step'}]", arguments="")


def test_lightning_clips_only_when_told(tmp_path: Path) -> None:
    assert fact(tmp_path, "gradient_clipping", LIGHTNING.format(returned="optimizer", arguments="")) is False
    clipped = LIGHTNING.format(returned="optimizer", arguments="gradient_clip_val=1.0")
    assert fact(tmp_path, "gradient_clipping", clipped) is True


SCHEDULE = "schedule = torch.optim.lr_scheduler.{made}"
BY_HAND = "for group in optimizer.param_groups:\n    group['lr'] = 0.1 * 0.9 ** epoch"
STEPS = SCHEDULE.format(made="StepLR(optimizer, 5)")
ONE_CYCLE = SCHEDULE.format(made="OneCycleLR(optimizer, 0.1, total_steps=20 * len(loader))")
PLATEAU = SCHEDULE.format(made="ReduceLROnPlateau(optimizer)")
FALLING = SCHEDULE.format(made="LinearLR(optimizer, start_factor=1.0, end_factor=0.1)")
RISING = SCHEDULE.format(made="LinearLR(optimizer, total_iters=3)")
LAMBDA = "warm_up = 10\n" + SCHEDULE.format(made="LambdaLR(optimizer, lambda step: min(1.0, step / warm_up))")


@pytest.mark.parametrize(
    ("files", "schedule", "warm_up", "stepping"),
    [
        (loop(), False, False, "no-schedule"),
        (loop(before=STEPS, after_epoch="schedule.step()"), True, False, "moved-on"),
        (loop(before=STEPS), True, False, "never"),
        (loop(before=PLATEAU, after_epoch="schedule.step()"), True, False, "no-metric"),
        (loop(before=PLATEAU, after_epoch="schedule.step(loss)"), True, False, "moved-on"),
        (loop(before=ONE_CYCLE, after_step="schedule.step()"), True, True, "moved-on"),
        (loop(before=ONE_CYCLE, after_epoch="schedule.step()"), True, True, "wrong-unit"),
        (loop(before=FALLING, after_epoch="schedule.step()"), True, False, "moved-on"),
        (loop(before=RISING, after_epoch="schedule.step()"), True, True, "moved-on"),
        (loop(before=LAMBDA, after_step="schedule.step()"), True, True, "moved-on"),
        (loop(after_epoch=BY_HAND), True, False, "by-hand"),
        (hf(), True, False, "framework"),
        (hf("warmup_ratio=0.1"), True, True, "framework"),
        (hf("lr_scheduler_type='constant'"), False, False, "framework"),
        (BARE, True, True, "wrong-unit"),
        (BY_STEP, True, True, "framework"),
    ],
)  # fmt: skip
def test_schedules(tmp_path: Path, files: str, schedule: bool, warm_up: bool, stepping: str) -> None:
    assert fact(tmp_path, "lr_schedule", files) is schedule
    assert fact(tmp_path, "lr_warmup", files) is warm_up
    assert fact(tmp_path, "schedule_stepping", files) == stepping


@pytest.mark.parametrize(
    ("files", "answer"),
    [
        (loop(), False),
        (loop(optimizer="torch.optim.AdamW(net.parameters())"), True),
        (loop(optimizer="torch.optim.AdamW(net.parameters(), weight_decay=0.0)"), False),
        (loop(optimizer="torch.optim.Adam(net.parameters(), weight_decay=1e-4)"), True),
        (loop(optimizer="torch.optim.Adam([{'params': net.parameters(), 'weight_decay': 0.1}])"), True),
        (loop(optimizer="torch.optim.Adam(net.parameters(), weight_decay=args.wd)", setup=NO_DECAY_SAID), None),
        (hf(), False),
        (hf("weight_decay=0.01"), True),
    ],
)  # fmt: skip
def test_weight_decay(tmp_path: Path, files: str, answer: object) -> None:
    assert fact(tmp_path, "weight_decay", files) is answer


def test_learning_rates(tmp_path: Path) -> None:
    groups = "torch.optim.Adam([{'params': a, 'lr': 1e-5}, {'params': b, 'lr': 1e-3}])"
    assert fact(tmp_path, "learning_rates", loop(optimizer=groups, setup="a, b = [1], [2]")) == "several"
    assert fact(tmp_path, "learning_rates", loop()) == "nothing-to-tell-apart"
    assert fact(tmp_path, "learning_rates", hf()) == "one"
    assert (
        fact(tmp_path, "learning_rates", hf(after="model.freeze_base_model()\n        trainer.train()"))
        == "nothing-to-tell-apart"
    )


def test_mixed_precision(tmp_path: Path) -> None:
    assert fact(tmp_path, "mixed_precision", loop()) is False
    inside = loop(between="with torch.autocast('cuda'):\n    net(x)")
    assert fact(tmp_path, "mixed_precision", inside) is True
    in_evaluation = loop(end="with torch.autocast('cuda'):\n    net(1)")
    assert fact(tmp_path, "mixed_precision", in_evaluation) is False
    switched_off = loop(between="with torch.autocast('cuda', enabled=False):\n    net(x)")
    assert fact(tmp_path, "mixed_precision", switched_off) is False
    assert fact(tmp_path, "mixed_precision", hf("fp16=True")) is True


def test_cleared_gradients(tmp_path: Path) -> None:
    assert fact(tmp_path, "gradient_clearing", loop()) == "cleared"
    assert fact(tmp_path, "gradient_clearing", loop().replace("optimizer.zero_grad()", "pass")) == "never"
    assert fact(tmp_path, "gradient_clearing", hf()) == "framework"


@pytest.mark.parametrize(
    ("files", "answer"),
    [
        (loop(epochs="5"), 5),
        (loop(epochs="1, args.epochs + 1", setup=EPOCHS.format("default=30")), 30),
        (loop(epochs="args.epochs", setup=EPOCHS.format("required=True")), None),
        ({"train.py": loop(epochs="args.epochs", setup=EPOCHS.format("default=3")),
          "run.sh": "python train.py --epochs 40\n"}, 40),
        (WHILE, 12),
        (hf("num_train_epochs=7"), 7),
        (hf(), 3),
        (hf("max_steps=1000"), None),
    ],
)  # fmt: skip
def test_epochs(tmp_path: Path, files: str, answer: object) -> None:
    assert fact(tmp_path, "epochs", files) == answer


def test_a_budget_of_steps_is_no_number_of_epochs(tmp_path: Path) -> None:
    assert fact(tmp_path, "step_budget", hf("max_steps=1000")) is True
    assert fact(tmp_path, "step_budget", hf()) is False


PATIENCE = """
if loss < best:
    best, waited = loss, 0
else:
    waited += 1
if waited > 5:
    break
"""
STOPPER = """
class Stopper:
    def __init__(self):
        self.best, self.count, self.stop = 9.0, 0, False
    def step(self, loss):
        if loss < self.best:
            self.best = loss
            self.count = 0
        else:
            self.count += 1
        self.stop = self.count > 3
stopper = Stopper()
"""


@pytest.mark.parametrize(
    ("files", "answer"),
    [
        (loop(), False),
        (loop(before="best, waited = 9.0, 0", after_epoch=PATIENCE), True),
        (loop(before=STOPPER, after_epoch="stopper.step(loss)\nif stopper.stop:\n    break"), True),
        (loop(before="count = 0", after_step="count += 1\nif count > 1000:\n    break"), False),  # a limit, no patience
        (hf(), False),
        (hf("load_best_model_at_end=True", trainer="callbacks=[EarlyStoppingCallback(3)]"), True),
    ],
)
def test_early_stopping(tmp_path: Path, files: str, answer: bool) -> None:
    assert fact(tmp_path, "early_stopping", files) is answer


KEEP = """
{value} = evaluate(net)
if {value} {than} best:
    best = {value}
    {save}
"""
SAVE = "torch.save(net.state_dict(), 'best.pt')"


def kept(value: str, than: str, save: str = SAVE) -> str:
    """Return a loop that keeps the best by hand."""
    return loop(
        before="best = 0.0\ndef evaluate(net):\n    return net(1).item()",
        after_epoch=KEEP.format(value=value, than=than, save=save),
    )


@pytest.mark.parametrize(
    ("files", "criterion", "on_disk"),
    [
        (loop(end="torch.save(net.state_dict(), 'last.pt')"), "nothing", False),
        (kept("val_accuracy", ">"), "task-metric", True),
        (kept("val_loss", "<"), "loss", True),
        (kept("val_wer", "<"), "task-metric", True),
        (kept("train_accuracy", ">"), "on-training-data", True),
        (hf(), "nothing", False),
        (hf("eval_strategy='epoch', load_best_model_at_end=True"), "loss", True),
        (
            hf("eval_strategy='epoch', load_best_model_at_end=True, metric_for_best_model='accuracy'"),
            "task-metric",
            True,
        ),
        (hf("load_best_model_at_end=True, metric_for_best_model='accuracy'"), "nothing", False),  # never evaluated
    ],
)
def test_selection(tmp_path: Path, files: str, criterion: str, on_disk: bool) -> None:
    assert fact(tmp_path, "selection", files) == criterion
    assert fact(tmp_path, "best_checkpoint", files) is on_disk
