"""Compiles the audit's inner loops when the package is installed or built, where there is a compiler."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_FOLDER = "engine/evidence/dataset/signals"


class KernelHook(BuildHookInterface[Any]):
    """Runs build_kernel.py, and takes what it made into the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before files are collected."""
        if self.target_name != "wheel":
            return
        failed = runpy.run_path(str(Path(self.root) / _FOLDER / "build_kernel.py"))["build_kernel"]()
        if failed:
            self.app.display_warning(f"the audit will be slower, its inner loops were not compiled: {failed}")
            return
        build_data["artifacts"].append(f"{_FOLDER}/kernel.bin")
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
