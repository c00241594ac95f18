from pathlib import Path

import pytest

from engine.evidence.script.measures.traps import measure_traps
from knowledge.records import Value

from .projects import script_of

LOOP = """
import torch
net = torch.nn.Linear(4, 2)
{made}
optimizer = {optimizer}
{scaler}
for batch in range(9):
    optimizer.zero_grad()
    with {cast}:
        loss = net(batch).sum()
    {backward}
    torch.nn.utils.clip_grad_norm_(net.parameters(), {norm})
    optimizer.step()
"""
USUAL = {"made": "", "optimizer": "torch.optim.AdamW(net.parameters())", "scaler": "", "backward": "loss.backward()",
         "cast": "torch.enable_grad()", "norm": "1.0"}  # fmt: skip


def told(folder: Path, **changes: str) -> dict[str, Value]:
    measured = measure_traps(script_of(folder, LOOP.format(**{**USUAL, **changes})))
    return {fact.name: fact.value for fact in measured.facts}


def test_a_usual_loop_shows_only_its_norm(tmp_path: Path) -> None:
    assert told(tmp_path) == {"script.clip_norm": 1.0}


@pytest.mark.parametrize(("cast", "expected"), [
    ("torch.cuda.amp.autocast()", False),
    ("torch.autocast('cuda', dtype=torch.float16)", False),
    ("torch.autocast('cuda', dtype=torch.bfloat16)", None),
    ("torch.autocast('cpu')", None),
    ("torch.cuda.amp.autocast(enabled=False)", None),
])  # fmt: skip
def test_float16_wants_a_scaler_and_bfloat16_does_not(tmp_path: Path, cast: str, expected: bool | None) -> None:
    assert told(tmp_path, cast=cast).get("script.loss_scaler") is expected


def test_a_scaled_loss_is_seen(tmp_path: Path) -> None:
    scaler, backward = "scaler = torch.cuda.amp.GradScaler()", "scaler.scale(loss).backward()"
    found = told(tmp_path, cast="torch.cuda.amp.autocast()", scaler=scaler, backward=backward)
    assert found["script.loss_scaler"] is True


def test_half_weights_count_only_when_they_are_trained(tmp_path: Path) -> None:
    text = "class Net(torch.nn.Module):\n    def forward(self, x):\n        return x\nnet = Net()"
    assert told(tmp_path, made=f"{text}.half()")["script.half_weights"] is True
    (tmp_path / "b").mkdir()
    after = LOOP.format(**{**USUAL, "made": text}) + "net.half()\n"
    assert measure_traps(script_of(tmp_path / "b", after)).get("script.half_weights") is None


@pytest.mark.parametrize(("optimizer", "expected"), [
    ("torch.optim.Adam(net.parameters(), weight_decay=0.01)", True),
    ("torch.optim.Adam(net.parameters(), weight_decay=0)", None),
    ("torch.optim.AdamW(net.parameters(), weight_decay=0.01)", None),
])  # fmt: skip
def test_decay_within_adam(tmp_path: Path, optimizer: str, expected: bool | None) -> None:
    assert told(tmp_path, optimizer=optimizer).get("script.coupled_decay") is expected


def test_a_norm_that_is_computed_says_nothing(tmp_path: Path) -> None:
    assert told(tmp_path, norm="compute()") == {}
