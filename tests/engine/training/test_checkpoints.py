from pathlib import Path

import pytest
import torch
from torch.amp.grad_scaler import GradScaler

from engine.training.averaging import WeightAverage
from engine.training.checkpoints import BEST, Checkpoints, Progress, read_checkpoint
from engine.training.model import AudioModel, build_model
from engine.training.optimisation import make_optimiser
from knowledge.errors import InputError

from .corpora import tone_plan

PLAN = tone_plan(Path("clips.csv"), head__name="temporal", head__hidden=4)


def trained(steps: int, seed: int = 0) -> tuple[AudioModel, torch.optim.Optimizer, GradScaler, WeightAverage]:
    model = build_model(PLAN, classes=3, seed=seed)
    optimiser = make_optimiser(model, PLAN.training)
    for _ in range(steps):
        for parameter in model.parameters():
            parameter.grad = torch.randn_like(parameter)
        optimiser.step()
    return model, optimiser, GradScaler("cpu", enabled=False), WeightAverage(dict(model.named_parameters()), 0.9)


def test_everything_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    torch.manual_seed(3)
    model, optimiser, scaler, average = trained(3)
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save_best(model, {})
    saved = Progress(step=3, epoch=1, best_score=0.5, best={"val/loss": 0.1}, loss_sum=0.1 + 0.2)
    checkpoints.save_last(model, optimiser, scaler, average, saved)
    drawn = torch.randn(5)
    other, other_optimiser, other_scaler, other_average = trained(1, seed=1)
    progress = checkpoints.resume(other, other_optimiser, other_scaler, other_average)

    assert progress == saved
    assert torch.equal(torch.randn(5), drawn)
    for name, value in model.state_dict().items():
        assert torch.equal(other.state_dict()[name], value), name
    for name, value in average.tensors.items():
        assert torch.equal(other_average.tensors[name], value), name
    for index, state in optimiser.state_dict()["state"].items():
        for name, value in state.items():
            assert torch.equal(other_optimiser.state_dict()["state"][index][name], value), name


def test_without_a_checkpoint_training_begins_anew(tmp_path: Path) -> None:
    assert Checkpoints(tmp_path / "none").resume(*trained(0)) == Progress()


@pytest.mark.parametrize("harm", ["cut", "flip", "empty", "text"])
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(tmp_path: Path, harm: str) -> None:
    checkpoints = Checkpoints(tmp_path)
    model, optimiser, scaler, average = trained(1)
    checkpoints.save_last(model, optimiser, scaler, average, Progress(step=5, epoch=1))
    newest = checkpoints.save_last(model, optimiser, scaler, average, Progress(step=10, epoch=2))
    content = newest.read_bytes()
    flipped = content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]
    newest.write_bytes({"cut": content[: len(content) // 2], "flip": flipped, "empty": b"", "text": b"{}" * 99}[harm])

    assert checkpoints.resume(*trained(0)).step == 5


def test_altered_notes_are_noticed(tmp_path: Path) -> None:
    path = Checkpoints(tmp_path).save_best(trained(0)[0], {"step": 1111})
    path.write_bytes(path.read_bytes().replace(b"1111", b"2222"))

    with pytest.raises(InputError, match="does not agree with its digest"):
        read_checkpoint(path)


def test_when_every_checkpoint_is_damaged_it_says_so(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save_last(*trained(1), Progress(step=5)).write_bytes(b"torn")

    with pytest.raises(InputError, match=r"neither it nor the 0 before it is whole"):
        checkpoints.resume(*trained(0))


def test_a_damaged_best_checkpoint_is_chosen_anew(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save_best(trained(1)[0], {}).write_bytes(b"torn")
    checkpoints.save_last(*trained(1), Progress(step=5, best_score=0.9, best_epoch=1))

    assert checkpoints.resume(*trained(0)).best_score is None


def test_only_the_two_newest_are_kept_and_nothing_half_written(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    for step in (1, 2, 10):
        checkpoints.save_last(*trained(0), Progress(step=step))
    checkpoints.save_best(trained(0)[0], {"classes": ["a"]})

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        BEST, "last-000000002-00000.safetensors", "last-000000010-00000.safetensors",
    ]  # fmt: skip
    assert read_checkpoint(tmp_path / BEST)[1] == {"classes": ["a"]}


def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"best.safetensors: there is no such checkpoint"):
        read_checkpoint(tmp_path / BEST)
