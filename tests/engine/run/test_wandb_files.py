"""The binary run file of Weights & Biases, written here by its public format; summary and console log beside it."""

from __future__ import annotations

import contextlib
import json
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.evidence.run.formats.wandb import _messages, read_run_file
from engine.evidence.run.formats.wire import WireError, fields, signed
from engine.evidence.run.read import read_run
from engine.evidence.run.telemetry import telemetry
from knowledge.errors import InputError

BLOCK = 1 << 15


def varint(value: int) -> bytes:
    parts = []
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def part(number: int, content: bytes | int) -> bytes:
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def double(number: int, value: float) -> bytes:
    return varint(number << 3 | 1) + struct.pack("<d", value)


def framed(messages: list[bytes]) -> bytes:
    """The file of some messages: header, blocks, fragments."""
    out = bytearray(struct.pack("<4sHB", b":W&B", 0xBEE1, 0))
    for message in messages:
        begin = True
        while begin or message:
            left = BLOCK - len(out) % BLOCK
            if left < 7:
                out += bytes(left)
                left = BLOCK
            data, message = message[: left - 7], message[left - 7 :]
            kind = (1 if not message else 2) if begin else (4 if not message else 3)
            out += struct.pack("<IHB", zlib.crc32(data, zlib.crc32(bytes([kind]))), len(data), kind) + data
            begin = False
    return bytes(out)


def as_json(name: str, value: object) -> bytes:
    """An item as versions before 0.20 or so write it."""
    return part(1, name.encode()) + part(16, json.dumps(value).encode())


def history(step: int, items: list[bytes]) -> bytes:
    return part(2, b"".join(part(1, item) for item in items) + part(2, part(1, step)))


def run_file(*, new: bool, ended: bool = True) -> bytes:
    def item(name: str, value: float) -> bytes:
        return part(1, name.encode()) + double(6, value) if new else as_json(name, value)

    messages = [part(17, part(1, b"abc") + part(4, part(1, as_json("epochs", {"value": 20} if new else 20))))]
    for epoch in range(20):
        messages.append(history(2 * epoch, [item("train/loss", 1 / (1 + epoch)), item("epoch", epoch)]))
        messages.append(history(2 * epoch + 1, [item("val/loss", 2 / (1 + epoch)), item("epoch", epoch),
                                                as_json("picture", {"_type": "image-file"})]))  # fmt: skip
        stats = [as_json("system.gpu.0.gpu", 90.0), as_json("gpu.0.memoryAllocatedBytes", 4e9),
                 as_json("gpu.0.memoryAllocated", 25.0)]  # fmt: skip
        messages.append(part(7, b"".join(part(3, one) for one in stats)))
    return framed([*messages, *([part(18, part(1, 0))] if ended else [])])


@pytest.mark.parametrize("new", [True, False])
def test_curves_epochs_and_the_end_are_read(tmp_path, new):
    (tmp_path / "run-abc.wandb").write_bytes(run_file(new=new))
    run = read_run(tmp_path)
    assert run.reader == "W&B run file"
    assert run.get("train/loss").values[:2] == (1.0, 0.5)
    assert run.validation_loss.epochs[-1] == 19
    assert (run.meta.planned_epochs, run.meta.status) == (20, "completed")


def test_telemetry_of_the_first_gpu_is_read(tmp_path):
    (tmp_path / "run-abc.wandb").write_bytes(run_file(new=True))
    found = {fact.name: fact.value for fact in telemetry(read_run(tmp_path)).facts}
    assert found["run.gpu_utilisation_median"] == 90
    assert found["run.gpu_memory_peak_share"] == pytest.approx(0.25)


def test_a_run_that_goes_on_is_unfinished_and_its_torn_end_is_left(tmp_path):
    whole = run_file(new=True, ended=False)
    (tmp_path / "x.wandb").write_bytes(whole[:-5])
    run = read_run(tmp_path / "x.wandb")
    assert run.meta.status == "unfinished"
    assert len(run.validation_loss) == 20


@given(st.lists(st.integers(0, 3 * BLOCK), max_size=6), st.integers(0, 255))
@settings(max_examples=40, deadline=None)
def test_messages_of_any_length_are_put_together_again(lengths, byte):
    messages = [bytes([byte]) * length for length in lengths]
    assert list(_messages(framed(messages))) == messages


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_fields_or_no_message(content):
    with contextlib.suppress(WireError):
        assert all(number >= 0 for number, _, _ in fields(content))


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_damaged_file_is_read_in_part(tmp_path_factory, data):
    content = bytearray(run_file(new=True))
    for at in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=8)):
        content[at] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.mktemp("w") / "x.wandb"
    path.write_bytes(bytes(content))
    assert len(read_run_file(path).records) <= 60


@given(st.integers(-(1 << 40), 1 << 40))
def test_zigzag_is_undone(value):
    assert signed((value << 1) ^ (value >> 63)) == value


def test_the_summary_alone_tells_last_values(tmp_path):
    folder = tmp_path / "run-1" / "files"
    folder.mkdir(parents=True)
    (folder / "wandb-summary.json").write_text(
        '{"val/loss": 0.5, "train/loss": 0.1, "_step": 7, "_wandb": {"runtime": 3}}'
    )
    assert read_run(tmp_path / "run-1").validation_loss.values == (0.5,)


def test_the_console_log_tells_more_than_the_summary(tmp_path):
    folder = tmp_path / "run-1" / "files"
    folder.mkdir(parents=True)
    (folder / "wandb-summary.json").write_text('{"val_loss": 0.5}')
    (folder / "output.log").write_text(
        "".join(f"Epoch {i}: train loss: {1 / i:.3f}, val loss: {2 / i:.3f}\n" for i in range(1, 9))
    )
    assert len(read_run(tmp_path / "run-1").validation_loss) == 8


def test_a_run_file_without_numbers_is_refused(tmp_path):
    (tmp_path / "x.wandb").write_bytes(framed([part(18, part(1, 1))]))
    with pytest.raises(InputError):
        read_run(tmp_path / "x.wandb")
