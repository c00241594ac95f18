"""Which heavy packages each entry point may pull in, read from sys.modules of fresh processes."""

import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import engine
import expert
import knowledge
import tonmeister

HEAVY = {"torch", "torchaudio", "transformers", "peft", "accelerate"}


def modules_after(code: str, cwd: Path) -> set[str]:
    """Return the top-level names in sys.modules after running `code` in a fresh interpreter."""
    script = (
        f"{code}\nimport sys, json\nprint('\\n' + json.dumps(sorted({{m.partition('.')[0] for m in sys.modules}})))"
    )
    result = subprocess.run(
        [sys.executable, "-P", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
    )
    return set(json.loads(result.stdout.splitlines()[-1]))


def torch_free_modules() -> list[str]:
    packages = (knowledge, engine, expert, tonmeister)
    found = [m.name for package in packages for m in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    return [name for name in found if not name.startswith("engine.training") and not name.endswith("__main__")]


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    loaded = modules_after("from tonmeister.cli.main import main; main(['--help'])", tmp_path)

    assert not loaded & (HEAVY | {"pydantic", "numpy", "rich", "textual", "yaml", "scipy"})


def test_every_module_outside_training_imports_without_torch_and_textual(tmp_path: Path) -> None:
    """One process imports all of them: if any pulled in torch or the interface, it would show."""
    loaded = modules_after("\n".join(f"import {name}" for name in torch_free_modules()), tmp_path)

    assert not loaded & (HEAVY | {"textual", "scipy", "durable"})


def test_plan_with_answers_loads_no_torch_numpy_or_textual(tmp_path: Path) -> None:
    (tmp_path / "answers.yaml").write_text("task.type: classification\ndataset.clips: 300\ntask.domain: unknown\n")
    code = "from tonmeister.cli.main import main\nassert main(['plan', '--answers', 'answers.yaml']) == 0"
    loaded = modules_after(code, tmp_path)

    assert (tmp_path / "plan.yaml").is_file()
    assert not loaded & (HEAVY | {"textual", "numpy", "scipy", "soundfile"})


def test_the_interface_loads_no_torch(tmp_path: Path) -> None:
    loaded = modules_after("import tui.app", tmp_path)

    assert not loaded & (HEAVY | {"scipy"})


@pytest.mark.parametrize(
    "command", ["plan", "audit", "train", "evaluate", "diagnose", "loop", "rules", "doctor", "demo"]
)
def test_every_commands_help_loads_no_torch(command: str, tmp_path: Path) -> None:
    loaded = modules_after(f"from tonmeister.cli.main import main; main(['{command}', '--help'])", tmp_path)

    assert not loaded & (HEAVY | {"textual", "scipy", "numpy", "pydantic"})
