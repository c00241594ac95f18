from pathlib import Path

from engine.evidence.script.values import Const, Unknown, constant, constants

from .projects import script_of

FLAGS = """
    import argparse, torch
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("-e", "--num-epochs", type=int, default=5)
    parser.add_argument("--fp16", action="store_true")
    parser.add_argument("--data", required=True)
    args = parser.parse_args()
    torch.use(args.lr, args.num_epochs, args.fp16, args.data)
"""


def test_defaults_of_flags_count_where_nothing_launches_the_script(tmp_path: Path) -> None:
    (used,) = script_of(tmp_path, FLAGS).trace.named("torch.use")
    rate, epochs, half, data = used.arguments
    assert (constant(rate), constant(epochs), constant(half)) == (1e-3, 5, False)
    assert isinstance(rate, Const) and rate.via == "default"
    assert isinstance(data, Unknown) and "--data" in data.reason


def test_a_launch_file_overrules_defaults(tmp_path: Path) -> None:
    files = {
        "train.py": FLAGS,
        "run.sh": "EPOCHS=40\npython train.py --data x \\\n  -e ${EPOCHS} --lr=3e-5 --fp16 | tee log\n",
    }
    (used,) = script_of(tmp_path, files).trace.named("torch.use")
    assert [constant(value) for value in used.arguments] == [3e-5, 40, True, "x"]
    epochs = used.arguments[1]
    assert isinstance(epochs, Const) and epochs.place and str(epochs.place) == "run.sh:2" and epochs.via == "config"


def test_settings_of_a_file_know_their_line(tmp_path: Path) -> None:
    files = {
        "train.py": """
            import yaml, torch
            with open("conf/base.yaml") as f:
                config = yaml.safe_load(f)
            torch.use(config["training"]["rate"], config["training"].get("epochs", 3), config["absent"])
        """,
        "conf/base.yaml": "name: x\ntraining:\n  rate: 1e-4\n",
    }
    (used,) = script_of(tmp_path, files).trace.named("torch.use")
    rate, epochs, absent = used.arguments
    assert (constant(rate), constant(epochs)) == (1e-4, 3)
    assert isinstance(rate, Const) and str(rate.place) == "conf/base.yaml:3" and rate.via == "config"
    assert isinstance(absent, Unknown)


def test_several_presets_leave_open_what_they_disagree_on(tmp_path: Path) -> None:
    files = {
        "train.py": "import json, sys, torch\nc = json.load(open(sys.argv[1]))\ntorch.use(c['rate'], c['epochs'])\n",
        "configs/a.json": '{"rate": 0.1, "epochs": 9}',
        "configs/b.json": '{"rate": 0.2, "epochs": 9}',
    }
    (used,) = script_of(tmp_path, files).trace.named("torch.use")
    assert sorted(constants(used.arguments[0]) or ()) == [0.1, 0.2]
    assert constant(used.arguments[1]) == 9


def test_dataclasses_namespaces_and_keyword_dictionaries(tmp_path: Path) -> None:
    script = script_of(tmp_path, """
        import torch
        from dataclasses import dataclass, field
        from types import SimpleNamespace
        @dataclass
        class Settings:
            rate: float = 1e-4
            names: list = field(default_factory=list)
        class Config:
            epochs = 12
        settings = Settings(rate=2e-4)
        more = SimpleNamespace(**{"decay": 0.01})
        keywords = dict(lr=settings.rate, weight_decay=more.decay)
        torch.optim.AdamW([1], **keywords)
        torch.use(Config.epochs, Config().epochs)
    """)  # fmt: skip
    (made,) = script.trace.named("torch.optim.AdamW")
    assert (constant(made.argument("lr")), constant(made.argument("weight_decay"))) == (2e-4, 0.01)
    assert made.complete
    (used,) = script.trace.named("torch.use")
    assert [constant(value) for value in used.arguments] == [12, 12]


def test_hugging_face_arguments_from_the_command_line(tmp_path: Path) -> None:
    text = """
        from transformers import HfArgumentParser, TrainingArguments
        (arguments,) = HfArgumentParser((TrainingArguments,)).parse_args_into_dataclasses()
    """
    (made,) = script_of(tmp_path, text).trace.named("transformers.TrainingArguments")
    assert not made.complete
    launched = {"train.py": text, "run.sh": "python train.py --num_train_epochs 20 --bf16\n"}
    (made,) = script_of(tmp_path / "b", launched).trace.named("transformers.TrainingArguments")
    assert made.complete
    assert (constant(made.argument("num_train_epochs")), constant(made.argument("bf16"))) == (20, True)


def test_hydra_composes_its_defaults(tmp_path: Path) -> None:
    files = {
        "train.py": """
            import hydra, torch
            @hydra.main(config_path="conf", config_name="config")
            def main(cfg):
                torch.use(cfg.optim.lr, cfg.epochs)
            main()
        """,
        "conf/config.yaml": "defaults:\n  - optim: adam\nepochs: 7\n",
        "conf/optim/adam.yaml": "lr: 0.001\n",
    }
    (used,) = script_of(tmp_path, files).trace.named("torch.use")
    assert [constant(value) for value in used.arguments] == [0.001, 7]


def test_objects_that_a_hyperpyyaml_file_makes(tmp_path: Path) -> None:
    files = {
        "train.py": """
            from hyperpyyaml import load_hyperpyyaml
            with open("hparams.yaml") as f:
                hparams = load_hyperpyyaml(f)
            hparams["opt"]([1]).step()
        """,
        "hparams.yaml": "lr: 0.0001\nopt: !name:torch.optim.AdamW\n  lr: !ref <lr>\n",
    }
    script = script_of(tmp_path, files)
    (made,) = script.trace.named("functools.partial")
    assert constant(made.argument("lr")) == 0.0001
    (called,) = script.trace.named("torch.optim.AdamW")
    assert constant(called.argument("lr")) == 0.0001


def test_arguments_of_hyperpyyaml_calls_are_noted(tmp_path: Path) -> None:
    files = {
        "train.py": "from hyperpyyaml import load_hyperpyyaml\nh = load_hyperpyyaml(open('h.yaml'))\n",
        "h.yaml": "seed: 7\n__set_seed: !apply:torch.manual_seed [!ref <seed>]\n",
    }
    (call,) = script_of(tmp_path, files).trace.named("torch.manual_seed")
    assert constant(call.argument("seed", 0)) == 7


def test_targets_of_hydra_are_made(tmp_path: Path) -> None:
    files = {
        "train.py": """
            import hydra
            @hydra.main(config_path="conf", config_name="config")
            def main(cfg):
                net = hydra.utils.instantiate(cfg.net)
                optimizer = hydra.utils.instantiate(cfg.optimizer)(params=net.parameters())
                optimizer.step()
            main()
        """,
        "lib/net.py": """
            from torch import nn
            class Net(nn.Module):
                def __init__(self, width, head):
                    super().__init__()
                    self.body = nn.Linear(width, 4)
        """,
        "conf/config.yaml": """
            net:
              _target_: lib.net.Net
              width: 12
              head: {_target_: torch.nn.Dropout, p: 0.3}
            optimizer: {_target_: torch.optim.AdamW, _partial_: true, lr: 0.002}
        """,
    }
    script = script_of(tmp_path, files)
    (body,) = script.trace.named("torch.nn.Linear")
    assert constant(body.argument("in_features", 0)) == 12
    assert constant(script.trace.named("torch.nn.Dropout")[0].argument("p", 0)) == 0.3
    assert constant(script.trace.named("torch.optim.AdamW")[0].argument("lr")) == 0.002
    assert script.trace.named("torch.optim.*.step")
