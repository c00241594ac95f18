from pathlib import Path

import pytest

from .reviewed import fact, hf, loop

SEEDS = "torch.manual_seed(1)\nnp.random.seed(1)\nrandom.seed(1)"


def test_seeds(tmp_path: Path) -> None:
    assert fact(tmp_path, "seed_framework", loop()) is False
    assert fact(tmp_path, "seed_framework", loop(setup=SEEDS)) is True
    assert fact(tmp_path, "seed_cuda", loop(setup="torch.manual_seed(1)")) == "seeded"  # it seeds every device
    assert fact(tmp_path, "seed_framework", hf()) is True


def test_a_seeding_function_that_nothing_calls_seeds_nothing(tmp_path: Path) -> None:
    files = {
        "train.py": loop(setup="from helper import seed_all"),
        "helper.py": "import torch\ndef seed_all():\n    torch.manual_seed(1)\n",
    }
    assert fact(tmp_path, "seed_framework", files) is False
    files["train.py"] = loop(setup="from helper import seed_all\nseed_all()")
    assert fact(tmp_path, "seed_framework", files) is True


@pytest.mark.parametrize(
    ("setup", "answer"),
    [
        ("", "unused"),
        ("order = np.random.permutation(5)", "unseeded"),
        ("np.random.seed(3)\norder = np.random.permutation(5)", "seeded"),
        ("order = np.random.RandomState(3).permutation(5)", "seeded"),
        ("from sklearn.model_selection import train_test_split\na, b = train_test_split([1, 2])", "unseeded"),
        (
            "from sklearn.model_selection import train_test_split\na, b = train_test_split([1, 2], random_state=0)",
            "unused",
        ),
    ],
)
def test_draws_from_numpy(tmp_path: Path, setup: str, answer: str) -> None:
    assert fact(tmp_path, "seed_numpy", loop(setup=setup)) == answer


NETWORK = "class Net(nn.Module):\n    pass\nother = Net()\n"


def test_the_moment_of_the_seed(tmp_path: Path) -> None:
    assert fact(tmp_path, "seed_order", loop()) == "no-seed"
    assert fact(tmp_path, "seed_order", loop(setup="torch.manual_seed(1)\n" + NETWORK)) == "before"
    assert fact(tmp_path, "seed_order", loop(setup=NETWORK + "torch.manual_seed(1)")) == "after"
    assert fact(tmp_path, "seed_order", hf()) == "after"  # the Trainer seeds when it is made, the head was drawn before
    assert fact(tmp_path, "seed_order", hf(before="from transformers import set_seed\n        set_seed(1)")) == "before"


def test_deterministic_operations(tmp_path: Path) -> None:
    assert fact(tmp_path, "deterministic", loop()) is False
    assert fact(tmp_path, "deterministic", loop(setup="torch.backends.cudnn.deterministic = True")) is True
    assert fact(tmp_path, "deterministic", loop(setup="torch.backends.cudnn.deterministic = False")) is False
    assert fact(tmp_path, "deterministic", hf("full_determinism=True")) is True


WORKERS = """
class Clips(torch.utils.data.Dataset):
    def __getitem__(self, index):
        return index, random.random()
"""


@pytest.mark.parametrize(
    ("workers", "seed", "answer"),
    [("2", "", "unseeded"), ("2", "torch.manual_seed(1)", "seeded"), ("0", "", "nothing-to-seed")],
)
def test_seeds_of_workers(tmp_path: Path, workers: str, seed: str, answer: str) -> None:
    script = loop(setup=WORKERS + seed, workers=workers).replace("DataLoader([1, 2]", "DataLoader(Clips()")
    assert fact(tmp_path, "worker_seed", script) == answer


PARSER = "parser = argparse.ArgumentParser()\nparser.add_argument('--lr', default=0.1)\nargs = parser.parse_args()\n"


@pytest.mark.parametrize(
    ("files", "answer"),
    [
        (loop(setup=PARSER), False),
        (loop(setup=PARSER + "import json\njson.dump(vars(args), open('args.json', 'w'))"), True),
        (loop(setup=PARSER, end="torch.save({'net': net.state_dict(), 'args': args}, 'last.pt')"), True),
        (loop(setup=PARSER + "import logging\nlogging.info(args)"), True),
        (loop(setup=PARSER + "print(args)"), False),
        (loop(end="import json\njson.dump({'loss': 0.1}, open('stats.json', 'w'))"), False),
        (hf(), True),
    ],
)
def test_saved_settings(tmp_path: Path, files: str, answer: bool) -> None:
    assert fact(tmp_path, "settings_saved", files) is answer


@pytest.mark.parametrize(
    ("name", "text", "answer"),
    [
        ("requirements.txt", "numpy==1.26.0\ntorch==2.3.1\n", "pinned"),
        ("requirements.txt", "torch>=2.0\nnumpy==1.26.0\n", "open"),
        ("requirements.txt", "# torch==2.3.1\nnumpy\n", "open"),
        ("environment.yml", "dependencies:\n  - python=3.11\n  - pytorch=2.3.1\n", "pinned"),
        ("pyproject.toml", '[tool.poetry.dependencies]\ntorch = "2.3.1"\n', "pinned"),
        ("pyproject.toml", '[tool.poetry.dependencies]\ntorch = "^2.3.1"\n', "open"),
        ("poetry.lock", '[[package]]\nname = "torch"\nversion = "2.3.1"\n', "pinned"),
        ("Dockerfile", "FROM pytorch/pytorch:2.3.1-cuda12.1-cudnn8-runtime\n", "pinned"),
        ("README.md", "torch==2.3.1\n", "none"),
    ],
)
def test_versions(tmp_path: Path, name: str, text: str, answer: str) -> None:
    assert fact(tmp_path, "versions", {"train.py": loop(), name: text}) == answer


def test_versions_that_a_run_logs(tmp_path: Path) -> None:
    assert fact(tmp_path, "versions", loop(setup="print('torch', torch.__version__)")) == "logged"
    assert fact(tmp_path, "versions", loop(setup="old = torch.__version__ < '2'")) == "none"


@pytest.mark.parametrize(
    ("files", "answer"),
    [
        (loop(end="torch.save(net.state_dict(), 'last.pt')"), False),
        (loop(end="torch.save({'net': net.state_dict(), 'optimizer': optimizer.state_dict()}, 'last.pt')"), True),
        (hf(), True),
        (hf("save_only_model=True"), False),
    ],
)
def test_state_of_the_optimizer(tmp_path: Path, files: str, answer: bool) -> None:
    assert fact(tmp_path, "optimizer_saved", files) is answer


RESUME = (
    "parser = argparse.ArgumentParser()\nparser.add_argument('--resume', default=None)\nargs = parser.parse_args()\n"
)


@pytest.mark.parametrize(
    ("files", "answer"),
    [
        (loop(), "none"),
        (loop(setup=RESUME), "none"),  # a flag that nothing reads
        (
            loop(setup=RESUME, before="if args.resume:\n    net.load_state_dict(torch.load(args.resume))"),
            "weights-only",
        ),
        (loop(before="optimizer.load_state_dict(torch.load('last.pt')['optimizer'])"), "full"),
        (hf("resume_from_checkpoint='out/last'"), "none"),  # stored, and used by nothing
        (hf(after="trainer.train(resume_from_checkpoint=True)"), "full"),
    ],
)
def test_taking_a_run_up_again(tmp_path: Path, files: str, answer: str) -> None:
    assert fact(tmp_path, "resume", files) == answer


def test_registries(tmp_path: Path) -> None:
    assert fact(tmp_path, "registered", hf()) is False
    assert fact(tmp_path, "registered", hf("push_to_hub=True")) is True
    assert fact(tmp_path, "registered", loop(end="import mlflow\nmlflow.pytorch.log_model(net, 'net')")) is True


def test_names_that_newer_versions_no_longer_have(tmp_path: Path) -> None:
    old = hf("evaluation_strategy='epoch', warmup_ratio=0.1", trainer="tokenizer=None")
    assert fact(tmp_path, "gone_names", old) == 3
    assert fact(tmp_path, "gone_names", {"train.py": old, "requirements.txt": "transformers==4.40.0\n"}) == 0
    (tmp_path / "requirements.txt").unlink()
    assert fact(tmp_path, "gone_names", hf("eval_strategy='epoch', warmup_steps=0.1")) == 0
