"""The plan reads back what it writes, and says file, line and nearest key for what it refuses."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.plan import make_plan, patched, plan_paths, plan_yaml, read_plan, value_at, write_atomically
from knowledge.errors import InputError, PlanError, UsageError

MINIMAL = {"task": {"type": "classification"}, "data": {"manifest": "m.csv"}}


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@given(
    epochs=st.integers(1, 1000),
    rate=st.floats(1e-7, 1.0),
    clip=st.sampled_from([None, "off", 0, 1.0, 2.5]),
    manifest=st.text(st.characters(categories=["L", "N"], include_characters=" -_:#'\""), min_size=1).filter(str.strip),
)
def test_a_plan_survives_writing_and_reading(
    epochs: int, rate: float, clip: object, manifest: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("plan")
    training = {"epochs": epochs, "learning_rate": rate, "clip_norm": clip}
    plan = make_plan({**MINIMAL, "data": {"manifest": str(folder / manifest)}, "training": training}, "test")
    text = plan_yaml(plan, {"training.epochs": "because # of this"}, "tonmeister train plan.yaml")

    assert read_plan(write(folder / "plan.yaml", text)) == plan


def test_an_unknown_key_names_line_and_nearest(tmp_path: Path) -> None:
    file = write(
        tmp_path / "plan.yaml", "task: {type: classification}\ndata: {manifest: m.csv}\ntraining:\n  epoch: 3\n"
    )

    with pytest.raises(PlanError, match=r"plan.yaml:4: unknown key training.epoch") as raised:
        read_plan(file)

    assert raised.value.hint == "Did you mean training.epochs?"
    assert raised.value.exit_status == 2


BASE = "task: {type: %s}\ndata: {manifest: m}\n%s\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BASE % ("regression", ""), "training.loss is cross-entropy, which does not fit task.type regression"),
        (BASE % ("classification", "adaptation: {method: lora}"), "mfcc has no weights to adapt"),
        (BASE % ("regression", "output: {bounded: true}"), "output.low and output.high must be given"),
        (BASE % ("classification", "output: {bounded: true}"), "classes have no range"),
        (BASE % ("classification", "training: {epochs: 0}"), r"training.epochs: .* got 0"),
    ],
)
def test_what_does_not_fit_together_is_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=message):
        read_plan(write(tmp_path / "plan.yaml", text))


def test_a_missing_or_broken_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_plan(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="is not YAML"):
        read_plan(write(tmp_path / "plan.yaml", "a: [1\n"))


def test_relative_paths_become_absolute(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    text = "task: {type: classification}\ndata: {manifest: sub/m.csv}\nbackbone: {name: hubert, checkpoint: model}\n"
    plan = read_plan(write(tmp_path / "plan.yaml", text))

    assert plan.data.manifest == str(tmp_path / "sub" / "m.csv")
    assert plan.backbone.checkpoint == str(tmp_path / "model")


def test_every_path_can_be_read_and_a_wrong_one_is_named() -> None:
    plan = make_plan(MINIMAL, "test")
    for path in plan_paths():
        value_at(plan, path)

    with pytest.raises(UsageError, match=r"unknown plan path 'training.epoch'"):
        patched(plan, {"training.epoch": 3})


def test_writing_atomically_leaves_no_temporary_file_behind(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a.txt", "one")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(tmp_path / "a.txt", "\ud800")

    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "one"
