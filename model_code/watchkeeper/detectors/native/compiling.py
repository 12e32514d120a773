"""Compile the kernel for every platform from any machine, by the C compiler in the package `ziglang`.

`python compiling.py FOLDER [PLATFORM …]` compiles for some platforms, or for all. It needs nothing of this
package, so that a wheel's build can run it.
"""

from __future__ import annotations

import hashlib
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCES = Path(__file__).parent
TARGETS = {
    "linux-x86_64": ("x86_64-linux-gnu.2.26", ".so"),
    "linux-aarch64": ("aarch64-linux-gnu.2.26", ".so"),
    "macos-arm64": ("aarch64-macos.11.0", ".dylib"),
    "macos-x86_64": ("x86_64-macos.11.0", ".dylib"),
    "windows-x86_64": ("x86_64-windows-gnu -mno-stack-arg-probe", ".dll"),
}
"""How the compiler is told of each platform, and how a library's name ends there."""
_FLAGS = (
    *("-std=c11", "-O3", "-shared", "-fPIC", "-fvisibility=hidden", "-g0", "-s"),
    *("-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror"),
    # of no library, so that one serves every version of the platform's own
    *("-nostdlib", "-fno-builtin", "-fno-math-errno"),
    # neither fused nor reordered: every platform gives the same numbers
    *("-ffp-contract=off", "-fno-fast-math"),
)


def this_platform() -> str:
    """Return the platform at hand as `TARGETS` has it, also if it is none of them."""
    system = {"darwin": "macos", "win32": "windows"}.get(sys.platform, sys.platform)
    machine = platform.machine().lower()
    return f"{system}-{'x86_64' if machine == 'amd64' else machine}"


def library_in(folder: Path, target: str) -> Path:
    """Return where a folder of libraries has the one of a platform that these sources make."""
    return folder / _digest_of_sources() / f"{target}{TARGETS[target][1]}"


def compile_kernel(target: str, folder: Path) -> Path:
    """Return the library of a platform; it is compiled unless the folder has it.

    Raises
    ------
    ModuleNotFoundError
        The compiler is not installed.
    RuntimeError
        It refuses the sources.
    """
    finished = library_in(folder.absolute(), target)
    if finished.is_file():
        return finished
    import ziglang

    finished.parent.mkdir(parents=True, exist_ok=True)
    compiler = Path(ziglang.__file__).with_name("zig.exe" if sys.platform == "win32" else "zig")
    with tempfile.TemporaryDirectory(dir=finished.parent) as scratch:
        command: list[str | Path] = [
            compiler,
            "cc",
            "-target",
            *TARGETS[target][0].split(),
            *_FLAGS,
            "-o",
            finished.name,
            *_files("*.c"),
        ]
        done = subprocess.run(command, check=False, cwd=scratch, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"the kernel does not compile for {target}:\n{done.stderr}")
        (Path(scratch) / finished.name).replace(finished)  # in one step: another process may compile it too
    return finished


def _digest_of_sources() -> str:
    digest = hashlib.sha256()
    for path in [Path(__file__), *_files("*.h"), *_files("*.c")]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _files(pattern: str) -> list[Path]:
    return sorted(SOURCES.glob(pattern))


if __name__ == "__main__":
    for name in sys.argv[2:] or TARGETS:
        compile_kernel(name, Path(sys.argv[1]))
