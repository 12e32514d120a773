"""What `pyproject.toml` cannot say: the wheel has the detector's kernel, compiled for every platform."""

from __future__ import annotations

import runpy
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

KERNEL = Path("watchkeeper/detectors/native")


class BuildWithKernel(build_py):
    """Build the package with its kernel; a checkout, which is installed editable, has it elsewhere."""

    def run(self) -> None:
        """Copy the modules, then compile beside them."""
        super().run()
        if self.editable_mode:
            return
        sources = Path(__file__).resolve().parent / "model_code" / KERNEL
        compiling = runpy.run_path(str(sources / "compiling.py"))
        for target in compiling["TARGETS"]:
            compiling["compile_kernel"](target, Path(self.build_lib) / KERNEL / "compiled")


setup(cmdclass={"build_py": BuildWithKernel})
