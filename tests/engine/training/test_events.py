import json
from pathlib import Path

from engine.process import EventTail
from engine.training.events import EventWriter, token


def test_every_event_is_one_line_of_strict_json(tmp_path: Path) -> None:
    writer = EventWriter(tmp_path / "run" / "events.jsonl")
    writer.write("step", loss=float("nan"), lr={"head": 0.1}, rows=[1.5, float("inf")])
    writer.close()
    (event,) = (json.loads(line) for line in (tmp_path / "run" / "events.jsonl").read_text().splitlines())

    assert {name: event[name] for name in ("v", "kind", "loss", "lr", "rows")} == {
        "v": 1, "kind": "step", "loss": None, "lr": {"head": 0.1}, "rows": [1.5, None],
    }  # fmt: skip
    assert event["t"] > 1.7e9


def test_a_torn_line_does_not_swallow_the_next_event(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"v": 1, "kind": "step", "step": 1}\n{"v": 1, "kind": "st')
    writer = EventWriter(path)
    writer.write("start", name="resumed")
    writer.close()

    assert [event["kind"] for event in EventTail(path).read()] == ["step", "start"]


def test_an_event_can_be_read_as_soon_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    tail, writer = EventTail(path), EventWriter(path)
    assert tail.read() == []
    writer.write("start")
    assert [event["kind"] for event in tail.read()] == ["start"]
    writer.write("end")
    assert [event["kind"] for event in tail.read()] == ["end"]
    writer.close()


def test_numbers_that_are_not_finite_keep_their_name() -> None:
    assert [token(value) for value in (1.5, float("nan"), float("inf"), -float("inf"))] == [
        1.5, "NaN", "Infinity", "-Infinity",
    ]  # fmt: skip
