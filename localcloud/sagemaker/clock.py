"""The time in documents."""

import time


def now() -> float:
    """Return seconds since the epoch to the millisecond, the precision of AWS's answers."""
    return round(time.time(), 3)
