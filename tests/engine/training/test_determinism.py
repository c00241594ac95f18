"""What `compute.deterministic` asks for is done, told, and never ends a run; without it nothing of it is left over."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from engine.training import run as runs
from engine.training.determinism import StrictSteps, follow
from engine.training.ejecting.ejection import eject

from .corpora import assert_same_state, events_of, last_state, tone_corpus, tone_plan, train, write_plan


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    follow(False)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tone_corpus(tmp_path_factory.mktemp("tones"))


def asked() -> tuple[bool, bool, bool]:
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.backends.cudnn.deterministic,
    )


def test_a_run_does_what_its_plan_asks_for_and_says_so(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    for wanted in (True, False):
        run = train(tone_plan(manifest, compute__deterministic=wanted, training__epochs=1), tmp_path / str(wanted))

        assert asked() == (wanted, wanted, wanted)
        assert not torch.backends.cudnn.benchmark
        assert events_of(run, "start")[0]["deterministic"] is wanted
        assert json.loads((run / "environment.json").read_text())["deterministic"] is wanted
        assert not events_of(run, "nondeterministic")
        if wanted:
            assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


def test_steps_alone_are_strict() -> None:
    follow(True)
    seen = StrictSteps(nn.Linear(1, 1)).make(asked)
    assert seen == ((True, False, True), "")
    assert asked() == (True, True, True)
    follow(False)
    assert StrictSteps(nn.Linear(1, 1)).make(asked) == ((False, False, False), "")


def test_other_errors_of_a_step_are_its_own() -> None:
    follow(True)

    def fails() -> None:
        raise RuntimeError("CUDA out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        StrictSteps(nn.Linear(1, 1)).make(fails)
    assert asked() == (True, True, True)


def through_put(function: Any) -> Any:
    """Return the loss, read from a place that an operation without a deterministic form has written."""

    def loss(answers: Tensor, labels: Tensor) -> Tensor:
        value: Tensor = function(answers, labels)
        place = torch.zeros(2)
        place.put_(torch.tensor([0]), torch.ones(1))
        return value * place[0]

    return loss


@pytest.mark.filterwarnings("ignore:put_ does not have:UserWarning")
def test_an_operation_without_such_a_form_is_named_once_and_the_steps_stay_what_they_are(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {"head__name": "mlp", "head__dropout": 0.3, "training__accumulation": 2}
    plain = train(tone_plan(manifest, **changes), tmp_path / "plain")
    inner = runs.loss_function
    monkeypatch.setattr(runs, "loss_function", lambda *about: through_put(inner(*about)))
    run = train(tone_plan(manifest, **changes, compute__deterministic=True), tmp_path / "deterministic")

    (named,) = events_of(run, "nondeterministic")
    assert (named["step"], named["operation"]) == (1, "put_")
    assert_same_state(last_state(plain), last_state(run))


def test_a_run_that_goes_on_otherwise_says_so(manifest: Path, tmp_path: Path) -> None:
    run = train(tone_plan(manifest, training__epochs=1), tmp_path / "run")
    write_plan(tone_plan(manifest, training__epochs=1, compute__deterministic=True), run)
    train(tone_plan(manifest), run, resume=True)

    said = [text for text in events_of(run, "start")[-1]["warnings"] if "compute.deterministic" in text]
    assert said == [
        "compute.deterministic was False when this run began and is True now; results may differ in the last digits"
    ]


def test_an_ejected_script_asks_for_it_too(manifest: Path, tmp_path: Path) -> None:
    plan = write_plan(tone_plan(manifest, compute__deterministic=True), tmp_path)
    eject(plan, tmp_path / "script.py")
    text = (tmp_path / "script.py").read_text()

    assert "torch.use_deterministic_algorithms(True, warn_only=True)" in text
    assert "\nimport os\n" in text
