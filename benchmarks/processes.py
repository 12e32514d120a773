"""Work in a process of its own: the memory of a process never goes down."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def in_a_process(function: Callable[..., Result], *arguments: object) -> Result:
    """Call a function in a new process and return what it returns."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)
