"""numba where it is installed; the same Python, slower, where it is not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

try:
    import numba
except ImportError:
    HAVE_NUMBA = False
else:
    HAVE_NUMBA = True

_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"reassoc", "nsz", "contract", "nnan", "ninf"},
}


def compiled_reassociating(function: Function) -> Function:
    """Compile, and let sums be reordered for vector instructions: equal to about 1e-15, not to the bit.

    For finite numbers only.
    """
    if not HAVE_NUMBA:
        return function
    try:
        result: Function = numba.njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:  # no folder for the cache is writable, as in a read-only container
        result = numba.njit(**_OPTIONS)(function)
    # numba looks only at the function's own file, but compiles in what it calls in other files: code that it
    # kept would outlive a change there.
    kept = getattr(getattr(result, "_cache", None), "_cache_file", None)
    if kept is not None:
        kept._source_stamp = _STAMP
    return result


def _stamp(folder: Path) -> str:
    """Return what identifies the content of all modules under a folder."""
    content = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        content.update(path.read_bytes())
    return content.hexdigest()


_STAMP = _stamp(Path(__file__).parent)
