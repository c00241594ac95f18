"""The machine's facts: certain where the driver answers or is not there, unknown with a reason where it is silent."""

import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from engine.evidence import machine
from engine.evidence.machine import accelerator_of, measure_machine
from knowledge.loader import load_knowledge
from knowledge.records import Fact, Measured


class Refused(Exception):  # noqa: N818
    """Stands in for pynvml.NVMLError."""


def driver(count: int = 1, capability: tuple[int, int] = (9, 0), *, silent: bool = False) -> SimpleNamespace:
    def init() -> None:
        if silent:
            raise Refused("Driver Not Loaded")

    return SimpleNamespace(
        NVMLError=Refused,
        nvmlInit=init,
        nvmlShutdown=lambda: None,
        nvmlDeviceGetCount=lambda: count,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetHandleByUUID=lambda uuid: uuid,
        nvmlDeviceGetName=lambda handle: f"GPU {handle}",
        nvmlDeviceGetMemoryInfo=lambda handle: SimpleNamespace(total=24 * 2**30),
        nvmlDeviceGetCudaComputeCapability=lambda handle: capability,
    )


def with_driver(monkeypatch: pytest.MonkeyPatch, fake: SimpleNamespace, visible: str | None = None) -> Measured:
    monkeypatch.setitem(sys.modules, "pynvml", fake)  # type: ignore[arg-type]
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    return measure_machine()


def values(measured: Measured) -> dict[str, Any]:
    return {fact.name: fact.value for fact in measured.facts}


@pytest.mark.parametrize(("capability", "bf16"), [((7, 5), False), ((8, 0), True), ((9, 0), True)])
def test_a_gpu_is_measured(monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], bf16: bool) -> None:
    found = values(with_driver(monkeypatch, driver(capability=capability)))

    assert found["machine.gpu"] is True
    assert found["machine.gpu_memory_gib"] == 24
    assert found["machine.gpus"] == 1
    assert found["machine.bf16"] is bf16


def test_the_first_visible_gpu_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = with_driver(monkeypatch, driver(count=4), visible="2,3")

    fact: Fact = next(fact for fact in measured.facts if fact.name == "machine.gpu")
    assert fact.evidence[0].text == "GPU 2, compute capability 9.0"


@pytest.mark.parametrize(
    ("visible", "gpus"), [(None, 4), ("2,3", 2), ("3", 1), ("GPU-a,GPU-b", 2), ("0,-1,1", 1), ("0,9", 1)]
)
def test_the_visible_gpus_are_counted(monkeypatch: pytest.MonkeyPatch, visible: str | None, gpus: int) -> None:
    assert values(with_driver(monkeypatch, driver(count=4), visible))["machine.gpus"] == gpus


def test_smaller_gpus_beside_the_first_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = driver(count=3)
    fake.nvmlDeviceGetMemoryInfo = lambda handle: SimpleNamespace(total=(24, 8, 48)[handle] * 2**30)
    monkeypatch.setattr(fake, "nvmlDeviceGetHandleByIndex", int)

    assert values(with_driver(monkeypatch, fake))["machine.gpus"] == 2


@pytest.mark.parametrize("visible", ["", "-1"])
def test_a_hidden_gpu_is_none(monkeypatch: pytest.MonkeyPatch, visible: str) -> None:
    found = values(with_driver(monkeypatch, driver(), visible=visible))

    assert (found["machine.gpu"], found["machine.gpus"], found["machine.gpu_memory_gib"]) == (False, 0, 0)


def test_without_a_driver_and_a_device_there_is_certainly_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_device_files", lambda: False)

    measured = with_driver(monkeypatch, driver(silent=True))

    assert values(measured)["machine.gpu"] is False
    assert [item.name for item in measured.unknown] == ["machine.bf16"]


def test_a_device_with_a_silent_driver_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_device_files", lambda: True)

    measured = with_driver(monkeypatch, driver(silent=True))

    assert "machine.gpu" not in values(measured)
    assert {item.name for item in measured.unknown} == {
        "machine.gpu",
        "machine.gpus",
        "machine.gpu_memory_gib",
        "machine.bf16",
        "machine.accelerator",
    }
    assert all("Driver Not Loaded" in item.reason for item in measured.unknown)


def test_the_vocabulary_admits_every_fact() -> None:
    vocabulary = load_knowledge().vocabulary
    measured = measure_machine()

    assert values(measured)["machine.cpu_cores"] == len(os.sched_getaffinity(0))
    for fact in measured.facts:
        assert vocabulary.admit(fact).name == fact.name
    assert all(item.name in vocabulary for item in measured.unknown)


def test_torch_is_not_imported() -> None:
    code = "import sys; from engine.evidence import machine; machine.measure_machine(); print('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("NVIDIA A100-SXM4-40GB", "a100"),
        ("Tesla T4", "t4"),
        ("Tesla V100-SXM2-16GB", "v100"),
        ("NVIDIA H200", "h100"),
        ("NVIDIA H100 PCIe", "h100"),
        ("NVIDIA L4", "l4"),
        ("NVIDIA L40S", "l40s"),
        ("NVIDIA A10", "a10"),
        ("NVIDIA A10G", None),
        ("NVIDIA GeForce RTX 4090", "rtx-4090"),
        ("NVIDIA GeForce RTX 2080 Ti", "rtx-2080-ti"),
        ("NVIDIA GeForce RTX 3080 Ti", None),
        ("NVIDIA GeForce RTX 3080 Laptop GPU", None),
        ("NVIDIA GeForce RTX 4080 SUPER", None),
        ("NVIDIA GeForce GTX 1660", None),
    ],
)
def test_a_gpu_is_known_by_the_words_of_its_name(name: str, known: str | None) -> None:
    assert accelerator_of(name) == known


def test_every_known_gpu_is_in_the_vocabulary() -> None:
    assert set(load_knowledge().vocabulary.entry("machine.accelerator").values) == set(machine._ACCELERATORS)
