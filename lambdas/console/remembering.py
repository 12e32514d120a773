"""Answers of AWS that are good for a while: each process asks again only after that."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Value = TypeVar("Value")


@dataclass
class Remembered(Generic[Value]):
    """Values by key, each good for some seconds."""

    seconds: float
    clock: Callable[[], float] = time.monotonic
    most: int = 1000
    """When so many are there, all are forgotten."""
    _values: dict[Hashable, tuple[float, Value]] = field(default_factory=dict)

    def get(self, key: Hashable, ask: Callable[[], Value]) -> Value:
        """Return what is remembered, or asked for now."""
        found = self._values.get(key)
        if found is not None and self.clock() - found[0] < self.seconds:
            return found[1]
        value = ask()
        if len(self._values) >= self.most:
            self._values.clear()
        self._values[key] = self.clock(), value
        return value

    def forget(self, key: Hashable) -> None:
        """Ask again next time."""
        self._values.pop(key, None)
