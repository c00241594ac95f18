from pathlib import Path

import pytest

from engine.evidence.script.calls import comes_from, sources, texts
from engine.evidence.script.values import Const, Unknown, constant, constants

from .projects import names_of, script_of


def test_aliases_lead_to_one_full_name(tmp_path: Path) -> None:
    script = script_of(tmp_path, """
        import torch.nn.functional as F
        from torch import optim as o
        import torch
        o.AdamW([1], lr=1e-3)
        F.softmax(1)
        torch.optim.adam.Adam([1])
    """)  # fmt: skip
    assert names_of(script.trace) == ["torch.optim.AdamW", "torch.nn.functional.softmax", "torch.optim.Adam"]


def test_methods_are_named_by_the_class_of_their_object(tmp_path: Path) -> None:
    script = script_of(tmp_path, """
        import torch
        optimizer = torch.optim.SGD([1], lr=0.1)
        for batch in range(3):
            optimizer.step()
    """)  # fmt: skip
    (step,) = script.trace.named("torch.optim.*.step")
    assert len(step.loops) == 1
    assert step.place.line == 4


def test_what_is_never_called_is_not_reached(tmp_path: Path) -> None:
    script = script_of(tmp_path, """
        import torch
        def clip(net):
            torch.nn.utils.clip_grad_norm_(net, 1.0)
        def train(net):
            net.backward()
        train(1)
    """)  # fmt: skip
    assert script.calls("gradient-clipping") == []
    assert len(script.calls("gradient-clipping", main=False)) == 1


def test_a_decided_condition_is_followed_and_an_undecided_one_is_kept(tmp_path: Path) -> None:
    script = script_of(tmp_path, """
        import os, torch
        USE = False
        if USE:
            torch.first()
        if os.path.exists("x"):
            torch.second()
        else:
            torch.third()
    """)  # fmt: skip
    names = names_of(script.trace)
    assert "torch.first" not in names
    (second,) = script.trace.named("torch.second")
    (third,) = script.trace.named("torch.third")
    assert [guard.holds for guard in (*second.guards, *third.guards)] == [True, False]


def test_arguments_reach_the_call_inside_a_helper_of_another_file(tmp_path: Path) -> None:
    script = script_of(tmp_path, {
        "train.py": """
            from lib.helpers import build
            build(3e-4, decay=0.01)
        """,
        "lib/helpers.py": """
            import torch
            def build(rate, decay=0.0, momentum=0.9):
                return torch.optim.SGD([1], lr=rate, weight_decay=decay, momentum=momentum)
        """,
    })  # fmt: skip
    (made,) = script.trace.named("torch.optim.SGD")
    assert [constant(made.argument(name)) for name in ("lr", "weight_decay", "momentum")] == [3e-4, 0.01, 0.9]
    assert made.place.path == "lib/helpers.py"
    assert script.of(made).via == "helper"


def test_objects_carry_their_attributes_and_networks_run_forward(tmp_path: Path) -> None:
    script = script_of(tmp_path, """
        import torch
        from torch import nn
        class Base(nn.Module):
            def __init__(self, width):
                super().__init__()
                self.out = nn.Linear(width, 4)
        class Net(Base):
            def forward(self, x):
                return torch.softmax(self.out(x), -1)
        net = Net(16).to("cuda")
        loss = nn.CrossEntropyLoss()(net(1), 2)
    """)  # fmt: skip
    (loss,) = script.trace.named("torch.nn.CrossEntropyLoss.__call__")
    assert comes_from(loss.argument("input", 0), "torch.softmax") is not None
    assert comes_from(loss.argument("input", 0), "torch.nn.Linear.__call__") is not None
    (linear,) = script.trace.named("torch.nn.Linear")
    assert constant(linear.argument("in_features", 0)) == 16


def test_a_loader_reads_its_data_set_and_collates(tmp_path: Path) -> None:
    script = script_of(tmp_path, """
        import torch, torchaudio
        from torch.utils.data import Dataset, DataLoader
        class Clips(Dataset):
            def __init__(self, path):
                self.path = path
            def __getitem__(self, index):
                return torchaudio.load(self.path)[0]
        def collate(batch):
            return torch.nn.utils.rnn.pad_sequence(batch)
        for batch in DataLoader(Clips("train.csv"), shuffle=True, collate_fn=collate):
            torch.use(batch)
    """)  # fmt: skip
    (used,) = script.trace.named("torch.use")
    assert comes_from(used.argument("x", 0), "torchaudio.load") is not None
    assert comes_from(used.argument("x", 0), "torch.nn.utils.rnn.pad_sequence") is not None
    assert "train.csv" in texts(used.argument("x", 0))


def test_contexts_and_decorators_stand_around_calls(tmp_path: Path) -> None:
    script = script_of(tmp_path, """
        import torch
        @torch.no_grad()
        def evaluate():
            torch.inner()
        evaluate()
        with torch.inference_mode(), open("x") as f:
            torch.outer()
    """)  # fmt: skip
    (inner,) = script.trace.named("torch.inner")
    (outer,) = script.trace.named("torch.outer")
    assert [context.name for context in inner.contexts] == ["torch.no_grad"]
    assert [context.name for context in outer.contexts] == ["torch.inference_mode", "open"]


def test_hooks_of_frameworks_are_read_after_the_launch(tmp_path: Path) -> None:
    script = script_of(tmp_path, """
        import pytorch_lightning as pl, torch
        class Net(pl.LightningModule):
            def validation_step(self, batch, index):
                torch.validate(batch)
            def training_step(self, batch, index):
                torch.train_on(batch)
            def configure_optimizers(self):
                return torch.optim.AdamW(self.parameters())
        pl.Trainer(max_epochs=3).fit(Net())
    """)  # fmt: skip
    found = [
        (call.name, call.hook) for call in script.trace if call.main and call.hook and call.name.startswith("torch.")
    ]
    assert found == [
        ("torch.optim.AdamW", "configure_optimizers"), ("torch.train_on", "training_step"),
        ("torch.validate", "validation_step"),
    ]  # fmt: skip


def test_a_counter_of_a_loop_decides_nothing(tmp_path: Path) -> None:
    script = script_of(tmp_path, """
        import torch
        steps = 0
        first = True
        for batch in range(100):
            steps += 1
            if steps % 4 > 0:
                continue
            torch.stepped()
            if not first:
                torch.later()
            first = False
    """)  # fmt: skip
    assert len(script.trace.named("torch.stepped")) == 1
    assert len(script.trace.named("torch.later")) == 1


def test_names_that_are_put_together_lead_to_every_possibility(tmp_path: Path) -> None:
    script = script_of(tmp_path, """
        import torch, sys
        def get_adam(p): return torch.optim.Adam(p)
        def get_sgd(p): return torch.optim.SGD(p, lr=1)
        kind = sys.argv[1]
        eval(f"get_{kind}")([1]).step()
        getattr(torch.optim, kind)([1]).step()
    """)  # fmt: skip
    assert {call.name for call in script.trace.named("torch.optim.*.step")} == {
        "torch.optim.Adam.step", "torch.optim.SGD.step", "torch.optim.?.step",
    }  # fmt: skip


def test_recursion_and_mutual_imports_end(tmp_path: Path) -> None:
    script = script_of(tmp_path, {
        "train.py": """
                from a import *
                def f(n):
                    return f(n - 1) + g(n)
                def g(n):
                    return f(n)
                f(5)
                while True:
                    g(1)
            """,
        "a.py": "from b import *\nfrom train import *\n",
        "b.py": "from a import *\nX = 1\n",
    })  # fmt: skip
    assert script.cut == ()
    assert "train.py:f" in names_of(script.trace)


def test_what_cannot_be_known_says_why(tmp_path: Path) -> None:
    script = script_of(tmp_path, """
        import torch
        def train(rate):
            torch.optim.SGD([1], lr=rate)
    """)  # fmt: skip
    (made,) = script.trace.named("torch.optim.SGD")  # nobody calls it, so its file is read as a library
    (reason,) = [each.reason for each in sources(made.argument("lr")) if isinstance(each, Unknown)]
    assert "rate" in reason


def test_both_branches_leave_their_values(tmp_path: Path) -> None:
    script = script_of(tmp_path, """
        import os, torch
        rate = 1
        if os.path.exists("x"):
            rate = 2
        elif os.path.exists("y"):
            raise ValueError("no")
        torch.use(rate)
    """)  # fmt: skip
    (used,) = script.trace.named("torch.use")
    assert sorted(constants(used.arguments[0]) or ()) == [1, 2]


def test_wrappers_hand_on_what_they_wrap(tmp_path: Path) -> None:
    script = script_of(tmp_path, """
        import torch
        from torch import nn
        class Net(nn.Module):
            def forward(self, x):
                return torch.inside(x)
        net = nn.DataParallel(Net()).cuda()
        net(1)
        net.module(2)
    """)  # fmt: skip
    assert len(script.trace.named("torch.inside")) == 2


def test_a_library_is_started_by_the_file_that_imports_it(tmp_path: Path) -> None:
    script = script_of(tmp_path, {
        "src/trainer.py": "def fit(net, epochs):\n    for _ in range(epochs):\n        net.backward()\n",
        "main.py": "from src.trainer import fit\nif __name__ == '__main__':\n    fit(1, epochs=7)\n",
    }, "src/trainer.py")  # fmt: skip
    (over,) = script.trace.named("range")
    assert constant(over.arguments[0]) == 7


@pytest.mark.parametrize("method", ["from_pretrained", "from_config"])
def test_alternative_constructors_make_objects_of_their_class(tmp_path: Path, method: str) -> None:
    script = script_of(tmp_path, f"""
        from transformers import Wav2Vec2Model as W
        W.{method}("facebook/wav2vec2-base").freeze_feature_encoder()
    """)  # fmt: skip
    assert "transformers.Wav2Vec2Model.freeze_feature_encoder" in names_of(script.trace)


def test_constants_know_where_they_stand(tmp_path: Path) -> None:
    script = script_of(tmp_path, "import torch\nRATE = 3e-4\ntorch.use(RATE * 2)\n")
    (used,) = script.trace.named("torch.use")
    value = used.arguments[0]
    assert isinstance(value, Const)
    assert (value.value, value.place and value.place.line, value.via) == (6e-4, 2, "explicit")


def test_breaks_and_conditions_of_while_are_noted(tmp_path: Path) -> None:
    script = script_of(tmp_path, """
        import torch, sys
        step = 0
        while step < int(sys.argv[1]):
            torch.use(step)
            if torch.bad():
                break
    """)  # fmt: skip
    (used,) = script.trace.named("torch.use")
    assert used.loops[0].condition is not None
    (left,) = script.trace.named("break")
    assert [guard.text for guard in left.guards] == ["torch.bad()"]


def test_a_name_with_a_mark_is_taken_out_of_a_set(tmp_path: Path) -> None:
    script = script_of(tmp_path, """
        import torch
        torch.optim.SGD([1]).step()
        torch.optim.lr_scheduler.StepLR(1, 2).step()
    """)  # fmt: skip
    found = script.trace.named("torch.optim.*.step", "!torch.optim.lr_scheduler.*")
    assert [call.name for call in found] == ["torch.optim.SGD.step"]


def test_loaders_of_hooks_and_of_fit_are_gone_over(tmp_path: Path) -> None:
    script = script_of(tmp_path, """
        import pytorch_lightning as pl, torch
        from torch.utils.data import DataLoader, Dataset
        class Clips(Dataset):
            def __getitem__(self, index):
                return torch.made(index)
        def collate(batch):
            return torch.collated(batch)
        class Net(pl.LightningModule):
            def train_dataloader(self):
                return DataLoader(Clips(), collate_fn=collate)
        class Joined:
            def __call__(self, batch):
                return torch.joined(batch)
        net = Net.load_from_checkpoint("x.ckpt", width=3)
        pl.Trainer().fit(net, val_dataloaders=[DataLoader(Clips(), collate_fn=Joined())])
    """)  # fmt: skip
    (collated,) = script.trace.named("torch.collated")
    assert collated.hook == "train_dataloader"
    assert script.trace.named("torch.joined")
    assert len(script.trace.named("torch.made")) == 2


def test_a_collator_that_is_an_object_is_called(tmp_path: Path) -> None:
    script = script_of(tmp_path, """
        import torch, transformers
        class Collator:
            def __call__(self, features):
                return torch.padded(features)
        transformers.Trainer(model=1, data_collator=Collator()).train()
    """)  # fmt: skip
    assert script.trace.named("torch.padded")


def test_dictionaries_of_packages_keep_what_is_put_into_them(tmp_path: Path) -> None:
    script = script_of(tmp_path, """
        import datasets, torch
        parts = datasets.DatasetDict()
        parts["eval"] = datasets.load_dataset("x", split="validation")
        torch.use(parts["eval"])
    """)  # fmt: skip
    (used,) = script.trace.named("torch.use")
    made = comes_from(used.arguments[0], "datasets.load_dataset")
    assert made is not None
    assert constant(made.argument("split")) == "validation"


@pytest.mark.parametrize("guard", [
    "if not args.model:\n    raise ValueError('which model?')",
    "if args.model == 'a':\n    size = 1\nelif args.model == 'b':\n    size = 2\nelse:\n    raise ValueError()",
    "if args.model is None:\n    parser.print_help()\n    sys.exit(1)",
])  # fmt: skip
def test_a_flag_that_nobody_gave_ends_no_reading(tmp_path: Path, guard: str) -> None:
    head = "import argparse, sys, torch\nparser = argparse.ArgumentParser()\nparser.add_argument('--model')\n"
    script = script_of(tmp_path, f"{head}args = parser.parse_args()\n{guard}\ntorch.manual_seed(1)\n")
    assert "torch.manual_seed" in names_of(script.trace)


def test_a_known_value_that_no_branch_refuses_is_still_decided(tmp_path: Path) -> None:
    script = script_of(
        tmp_path,
        """
        import torch
        kind = "a"
        if kind == "a":
            torch.manual_seed(1)
        elif kind == "b":
            torch.cuda.empty_cache()
        else:
            raise ValueError(kind)
    """,
    )
    assert names_of(script.trace) == ["torch.manual_seed"]


def test_a_module_that_the_launch_names_may_be_any_of_its_package(tmp_path: Path) -> None:
    script = script_of(tmp_path, {
        "train.py": """
            import argparse, importlib
            parser = argparse.ArgumentParser()
            parser.add_argument("--loss", default="")
            args = parser.parse_args()
            importlib.import_module("losses." + args.loss).__getattribute__("Loss")()
        """,
        "losses/plain.py": "import torch\nclass Loss:\n    def __init__(self):\n        torch.nn.CrossEntropyLoss()\n",
        "losses/hinge.py": "import torch\nclass Loss:\n    def __init__(self):\n        torch.nn.MultiMarginLoss()\n",
    })  # fmt: skip
    assert {"torch.nn.CrossEntropyLoss", "torch.nn.MultiMarginLoss"} <= set(names_of(script.trace))


def test_what_another_process_is_handed_is_known_there(tmp_path: Path) -> None:
    script = script_of(tmp_path, """
        import argparse, torch
        import torch.multiprocessing as mp
        from multiprocessing import Process
        def work(rank, seed):
            torch.manual_seed(seed)
        def load(sr):
            torch.hann_window(sr)
        mp.spawn(work, nprocs=2, args=(7,))
        Process(target=load, args=(16000,)).start()
    """)  # fmt: skip
    calls = script.trace.named("torch.manual_seed", "torch.hann_window")
    assert [constant(call.arguments[0]) for call in calls] == [7, 16000]


def test_a_registry_gives_back_what_a_decorator_put_into_it(tmp_path: Path) -> None:
    script = script_of(tmp_path, """
        import torch
        class Registry:
            def __init__(self):
                self.items = {}
            def register(self, name):
                def keep(builder):
                    self.items[name] = builder
                    return builder
                return keep
        MODELS = Registry()
        @MODELS.register("plain")
        class Plain(torch.nn.Module):
            def __init__(self):
                self.head = torch.nn.Linear(4, 2)
        @MODELS.register("other")
        def other():
            return torch.nn.Conv1d(1, 2, 3)
        MODELS.items["plain"]()(1).backward()
    """)  # fmt: skip
    assert "torch.nn.Linear" in names_of(script.trace)
    assert "torch.nn.Conv1d" not in names_of(script.trace)


def test_state_that_a_later_round_changes_is_read_both_ways(tmp_path: Path) -> None:
    script = script_of(tmp_path, """
        import torch
        class Keeper:
            def __init__(self):
                self.best = None
            def see(self, score):
                if self.best is None:
                    self.best = score
                elif score > self.best:
                    torch.save({}, "best.pt")
        keeper = Keeper()
        for epoch in range(3):
            keeper.see(epoch)
    """)  # fmt: skip
    assert "torch.save" in names_of(script.trace)


def test_parts_of_a_path_that_nobody_knows_end_no_reading(tmp_path: Path) -> None:
    script = script_of(tmp_path, """
        import os, torch
        def below(*parts):
            return os.path.join(*parts)
        optimizer = torch.optim.SGD([1], lr=0.1)
    """)  # fmt: skip
    assert "torch.optim.SGD" in names_of(script.trace)
