"""Third-party packages unpacked beside our code, for the platform that will load them."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.images import SKLEARN
from watchkeeper.core.errors import UnavailableError

_PLATFORM_TAGS = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")
_NEVER_VENDORED = re.compile(
    r"(^|/)(__pycache__|tests|sample_data)/|/mpl-data/fonts/(afm|pdfcorefonts)/|^bin/|\.pyc$|\.pyi$|^\.lock$"
    # what an installer writes about itself or about the wheel's platform differs between machines
    r"|\.dist-info/(RECORD|WHEEL|INSTALLER|REQUESTED|direct_url\.json|uv_cache\.json)$"
)
_COMPILED = re.compile(r"\.(so|pyd|dylib|dll)(\.|$)")


@dataclass(frozen=True)
class Target:
    """Who will load the packages."""

    name: str
    python: str
    """Such as `3.12`."""
    linux: Literal["x86_64", "aarch64"] | None
    """Wheels for Linux with glibc on this processor; None for the machine at hand."""


SAGEMAKER = Target("sagemaker", SKLEARN.python, linux="x86_64")
"""The pre-built SKLearn image."""
LAMBDA = Target("lambda", "3.14", linux="aarch64")
"""The runtime and processor of `infra.constructs.python_function`."""
GLUE = Target("glue", "3.11", linux="x86_64")
"""Glue 5.1."""
HERE = Target(f"here-{sysconfig.get_platform()}", f"{sys.version_info[0]}.{sys.version_info[1]}", linux=None)
"""The interpreter that runs this program, and the machine that it runs on."""


def vendor(requirements: Path, target: Target, destination: Path, *, pure: bool = False) -> None:
    """Unpack the wheels of a complete list of pinned packages.

    Parameters
    ----------
    requirements
        Every package that is needed, pinned; nothing is resolved.
    target
        Who will load them.
    destination
        Folder to put them in; it is made.
    pure
        Leave compiled modules out: packages that have them as accelerators work without.

    Raises
    ------
    UnavailableError
        If the installer fails, for example because the package index cannot be reached.
    """
    with tempfile.TemporaryDirectory() as scratch:
        installed = Path(scratch)
        command = _install_command(requirements, target, installed)
        result = subprocess.run(
            command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        if result.returncode:
            raise UnavailableError(
                f"packages of {requirements} cannot be installed: {' '.join(command)} ended with "
                f"{result.returncode}:\n{result.stdout[-2000:]}"
            )
        copy_files(installed, destination, lambda path: not _left_out(path, pure=pure))


def copy_files(source: Path, destination: Path, wanted: Callable[[str], bool]) -> None:
    """Copy the files of a folder whose relative path is wanted; content only, no dates and no modes."""
    for path in sorted(source.rglob("*")):
        relative = path.relative_to(source)
        if path.is_file() and wanted(relative.as_posix()):
            (destination / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, destination / relative)


def _left_out(path: str, *, pure: bool) -> bool:
    return bool(_NEVER_VENDORED.search(path)) or (pure and bool(_COMPILED.search(path)))


def _install_command(requirements: Path, target: Target, destination: Path) -> list[str]:
    common = ["--quiet", "--no-deps", "--only-binary", ":all:", "--target", str(destination)]
    if importlib.util.find_spec("uv") is not None:
        platform = ["--python-platform", f"{target.linux}-manylinux_2_28"] if target.linux else []
        return [
            *(sys.executable, "-m", "uv", "pip", "install", *common, "-r", str(requirements)),
            *("--python", sys.executable, "--python-version", target.python, *platform),
        ]
    tags = [f"{tag}_{target.linux}" for tag in _PLATFORM_TAGS] if target.linux else []
    platform = [part for tag in tags for part in ("--platform", tag)]
    return [
        *(sys.executable, "-m", "pip", "install", *common, "-r", str(requirements)),
        *("--disable-pip-version-check", "--no-compile", "--python-version", target.python, *platform),
    ]
