"""Measures what this machine can do: GPU, its memory, bfloat16, CPU cores; asks the driver, never imports torch."""

from __future__ import annotations

import itertools
import os
import re
from pathlib import Path
from typing import Any

from knowledge.records import Evidence, Fact, Measured, Unknown

_BF16_SINCE = 8
"""Major compute capability from which a GPU multiplies bfloat16 natively (NVIDIA, CUDA C++ Programming Guide)."""
_GIB = 2**30
_NAMES = ("machine.gpu", "machine.gpus", "machine.gpu_memory_gib", "machine.bf16", "machine.accelerator")
_ACCELERATORS = (
    "rtx-2080-ti", "rtx-3080", "rtx-3090", "rtx-4080", "rtx-4090",
    "l40s", "a100", "h100", "a10", "a30", "v100", "t4", "l4",
)  # fmt: skip
"""GPUs whose speed the tables know; the driver writes them as words of its name, `NVIDIA A100-SXM4-40GB`."""


def measure_machine() -> Measured:
    """Return the facts about the first GPU that a training child would see, how many there are, and the CPU cores."""
    cores = Measured((Fact("machine.cpu_cores", len(os.sched_getaffinity(0)), "machine"),))
    return cores + _gpu()


def _gpu() -> Measured:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None and visible.split(",")[0].strip() in ("", "-1"):
        return _none("CUDA_VISIBLE_DEVICES hides every GPU")
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        if _device_files():
            return _unknown(f"there is an NVIDIA device, and its driver does not answer: {error}")
        return _none(f"no NVIDIA driver: {error}")
    try:
        if pynvml.nvmlDeviceGetCount() == 0:
            return _none("the NVIDIA driver reports no GPU")
        first = _first(pynvml, visible)
        return _device(pynvml, first, _alike(pynvml, first, visible))
    except pynvml.NVMLError as error:
        return _unknown(f"the NVIDIA driver refuses an answer: {error}")
    finally:
        pynvml.nvmlShutdown()


def _first(pynvml: Any, visible: str | None) -> Any:
    """Return the handle of the device that CUDA calls 0; `visible` holds numbers or UUIDs."""
    return _handle(pynvml, visible.split(",")[0].strip() if visible else "0")


def _handle(pynvml: Any, chosen: str) -> Any:
    if chosen.isdigit():
        return pynvml.nvmlDeviceGetHandleByIndex(int(chosen))
    return pynvml.nvmlDeviceGetHandleByUUID(chosen)


def _alike(pynvml: Any, first: Any, visible: str | None) -> int:
    """Return how many visible GPUs have at least the memory of the first: the smallest one says what can be divided."""
    count = pynvml.nvmlDeviceGetCount()
    chosen = [one.strip() for one in visible.split(",")] if visible else [str(index) for index in range(count)]
    # CUDA sees nothing from the first wrong name on.
    seen = itertools.takewhile(lambda one: one not in ("", "-1") and (not one.isdigit() or int(one) < count), chosen)
    least = int(pynvml.nvmlDeviceGetMemoryInfo(first).total)
    memories = [int(pynvml.nvmlDeviceGetMemoryInfo(_handle(pynvml, one)).total) for one in seen]
    return max(1, sum(memory >= least for memory in memories))


def _device(pynvml: Any, handle: Any, gpus: int) -> Measured:
    name = pynvml.nvmlDeviceGetName(handle)
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle).total / _GIB
    major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
    evidence = (Evidence(f"{name}, compute capability {major}.{minor}"),)
    known = accelerator_of(name)
    which = Fact("machine.accelerator", known, "machine", evidence=evidence) if known else None
    return Measured(
        (
            *((which,) if which else ()),
            Fact("machine.gpu", True, "machine", evidence=evidence),
            Fact("machine.gpus", gpus, "machine", evidence=evidence),
            Fact("machine.gpu_memory_gib", memory, "machine", evidence=evidence),
            Fact("machine.bf16", major >= _BF16_SINCE, "machine", evidence=evidence),
        ),
        () if which else (Unknown("machine.accelerator", f"{name} is none of the GPUs whose speed is known"),),
    )


def accelerator_of(name: str) -> str | None:
    """Return which of the GPUs with a known speed the driver's name means, or None; a laptop's is another one."""
    words = re.split(r"[\s_-]+", name.lower())
    if {"laptop", "max", "super", "mobile"} & set(words) or ("ti" in words and "2080" not in words):
        return None
    if "h200" in words:
        return "h100"
    return next((known for known in _ACCELERATORS if set(known.split("-")) <= set(words)), None)


def _none(reason: str) -> Measured:
    """No GPU, and certain of it; whether the CPU computes in bfloat16 is not asked here."""
    evidence = (Evidence(reason),)
    facts = (
        Fact("machine.gpu", False, "machine", evidence=evidence),
        Fact("machine.gpus", 0, "machine", evidence=evidence),
        Fact("machine.gpu_memory_gib", 0.0, "machine", evidence=evidence),
    )
    return Measured(facts, (Unknown("machine.bf16", f"judged for GPUs only; {reason}"),))


def _unknown(reason: str) -> Measured:
    return Measured(unknown=tuple(Unknown(name, reason) for name in _NAMES))


def _device_files() -> bool:
    """Whether the kernel shows an NVIDIA device; then a silent driver proves nothing."""
    return any(Path("/dev").glob("nvidia[0-9]*")) or Path("/proc/driver/nvidia/gpus").is_dir()
