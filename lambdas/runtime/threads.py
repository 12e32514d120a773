"""Several requests at a time."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from lambdas.adapters.clients import POOL_THREADS

Item = TypeVar("Item")
Result = TypeVar("Result")


class ForEach(Protocol):
    """A way to call a function with each of several items."""

    def __call__(self, function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """Return the results in the items' order. All are called; the first error is raised after that."""


def in_threads(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """`ForEach` with `POOL_THREADS` threads; a single item needs none."""
    if len(items) < 2:
        return [function(item) for item in items]
    futures = [_pool().submit(function, item) for item in items]
    errors = [future.exception() for future in futures]
    for error in errors:
        if error is not None:
            raise error
    return [future.result() for future in futures]


def all_of(for_each: ForEach, *asks: Callable[[], Any]) -> list[Any]:
    """Return what several questions of different kinds are answered, asked at a time."""
    return for_each(lambda ask: ask(), asks)


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=POOL_THREADS)
