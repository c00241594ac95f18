"""How long a review takes beside parsing the same files with `ast`: 400 files of installed packages around one script.

    python -m benchmarks.review_speed

Cold: read, follow, measure, judge, report. Warm: the same project again, from the cache by content. The rulebook is
loaded before, as in an open interface; its time is told apart. No process of a review may have imported torch.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

PACKAGES = ("peft", "networkx", "torchaudio")
FILES, LINES = 400, 65_000
SCRIPT = """
import torch
import peft, networkx, torchaudio
from peft import get_peft_model, LoraConfig
from peft.tuners.lora import LoraModel


def main():
    model = get_peft_model(torch.nn.Linear(8, 2), LoraConfig(r=8))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    for epoch in range(20):
        for waveform, label in torch.utils.data.DataLoader(range(100), shuffle=True):
            loss = torch.nn.functional.cross_entropy(model(waveform), label)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


if __name__ == "__main__":
    main()
"""


def main() -> None:
    """Measure and write the figures."""
    with tempfile.TemporaryDirectory(prefix="tonmeister-speed-") as folder:
        os.environ["TONMEISTER_CACHE"] = f"{folder}/cache"
        found = measure(_project(Path(folder) / "project"))
    print(json.dumps(found, indent=1))
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    (results / "review_speed.json").write_text(json.dumps(found, indent=1) + "\n")


def measure(root: Path) -> dict[str, object]:
    start = time.perf_counter()
    from expert.consultation.reviewing import ReviewRequest, review_cached
    from knowledge.loader import load_knowledge

    knowledge = load_knowledge()
    loading = time.perf_counter() - start
    request = ReviewRequest(root, entry="train.py")
    files = sorted(root.rglob("*.py"))
    parsing = min(_seconds(lambda: [ast.parse(file.read_bytes()) for file in files]) for _ in range(3))
    review_cached(knowledge, ReviewRequest(_small(root.parent / "small")))  # compiles the rules, once a process
    cold = _seconds(lambda: review_cached(knowledge, request))
    warm = min(_seconds(lambda: review_cached(knowledge, request)) for _ in range(3))
    return {
        "files": len(files),
        "lines": sum(file.read_text("utf-8").count("\n") for file in files),
        "parsing_seconds": round(parsing, 3),
        "cold_seconds": round(cold, 3),
        "warm_seconds": round(warm, 3),
        "cold_times_parsing": round(cold / parsing, 2),
        "warm_times_parsing": round(warm / parsing, 2),
        "loading_seconds": round(loading, 3),
        "torch_imported": "torch" in sys.modules,
    }


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _small(root: Path) -> Path:
    root.mkdir()
    (root / "train.py").write_text("import torch\n")
    return root


def _project(root: Path) -> Path:
    """Copy small files of installed packages, so many that files and lines come near the wanted numbers."""
    packages = Path(sysconfig.get_paths()["purelib"])
    chosen = [file for name in PACKAGES for file in sorted((packages / name).rglob("*.py"))]
    sizes = {file: file.read_text("utf-8").count("\n") for file in chosen}
    lines = 0
    taken = [file for file in chosen if sizes[file] < 3 * LINES // FILES][:FILES]
    for file in taken:
        lines += sizes[file]
        target = root / file.relative_to(packages)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    (root / "train.py").write_text(SCRIPT)
    return root


if __name__ == "__main__":
    main()
