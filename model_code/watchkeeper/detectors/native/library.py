"""The compiled kernel of this platform, loaded once a process.

An installed package and what runs in the cloud have it beside this module; in a checkout it is under
`build/kernel/`, where the first use compiles it.
"""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.detectors.native.compiling import TARGETS, compile_kernel, library_in, this_platform

PACKED = Path(__file__).parent / "compiled"
"""Where a wheel, a job's archive and a function's bundle have the libraries."""
INT, FLOAT = np.dtype(np.int64), np.dtype(np.float64)
_CHECKOUT = Path(__file__).parents[4]
BUILT = _CHECKOUT / "build" / "kernel"
"""Where a checkout has them."""


class MissingKernelError(InvalidInputError, ImportError):
    """There is no compiled kernel for this platform."""


@functools.cache
def library() -> ctypes.CDLL:
    """Return the kernel of this platform.

    Raises
    ------
    MissingKernelError
        There is none, or none that these sources make, and none can be compiled.
    """
    return ctypes.CDLL(str(_find(this_platform(), PACKED, _CHECKOUT)))


def require_layout(name: str, dtype: np.dtype[np.void]) -> None:
    """Refuse a kernel whose record `name` is not laid out as a dtype is."""
    function = getattr(library(), f"layout_of_{name}")
    function.restype = ctypes.c_char_p
    offsets = ctypes.POINTER(ctypes.c_longlong)()
    names = function(ctypes.byref(offsets)).decode().split()
    fields: Any = dtype.fields
    layout = [*((field, fields[field][1]) for field in fields), ("", dtype.itemsize)]
    if list(zip([*names, ""], offsets[: len(names) + 1], strict=True)) != layout:
        raise ContractViolationError(f"the kernel's record of {name} has other fields than {name.upper()}")


def address(array: npt.NDArray[Any], dtype: np.dtype[Any]) -> ctypes.c_void_p:
    """Return where an array begins, for the kernel: it has to be contiguous and of this dtype."""
    if array.dtype != dtype or not array.flags.c_contiguous:
        raise ContractViolationError(f"{array.dtype} of shape {array.shape} is no contiguous {dtype}")
    return ctypes.c_void_p(array.ctypes.data)


def _find(platform: str, packed: Path, checkout: Path) -> Path:
    if platform not in TARGETS:
        raise MissingKernelError(
            f"the detector's kernel is not built for {platform}: use one of {', '.join(TARGETS)}",
            reason="missing_kernel",
        )
    found = library_in(packed, platform)
    if found.is_file():
        return found
    if not (checkout / "pyproject.toml").is_file():
        raise MissingKernelError(
            f"{found} is missing: install the package again, or build what carries it again",
            reason="missing_kernel",
        )
    try:
        return compile_kernel(platform, checkout / "build" / "kernel")
    except ModuleNotFoundError as error:
        raise MissingKernelError(
            f"the kernel for {platform} is not compiled, and ziglang, which compiles it, is not installed: "
            "run `make setup`",
            reason="missing_kernel",
        ) from error
