"""Waiting for what happens by itself."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def until(find: Callable[[], Found], *, what: str, seconds: float = 120.0, every: float = 0.2) -> Found:
    """Return the first truthy result; fail with ``what`` when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (found := find()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:.0f} s")
        time.sleep(every)
    return found
