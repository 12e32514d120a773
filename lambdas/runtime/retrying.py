"""Waiting between attempts."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

MAX_ATTEMPTS = 8

_FIRST_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 1.0

Pause = Callable[[int], None]
"""Waits after the given number of failed attempts."""


def pause_with_jitter(attempts: int) -> None:
    """Wait a random time below a limit that doubles with each attempt, from 20 ms to 1 s."""
    time.sleep(random.uniform(0.0, min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempts)))
