"""Labelled anomalies: which intervals are inside of a labelled window."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import EPOCH, parse_instant

Window = tuple[datetime, datetime]


@dataclass(frozen=True)
class Labels:
    """Windows for all series, or for each by its key; both ends of a window are in it."""

    every: tuple[Window, ...] = ()
    by_series: tuple[tuple[str, tuple[Window, ...]], ...] = ()

    def windows(self, series: str) -> tuple[Window, ...]:
        """Return a series' windows."""
        return self.every + dict(self.by_series).get(series, ())

    def is_anomalous(self, series: str, start: int, seconds: int) -> bool:
        """Whether an interval, which begins `start` seconds after 1970, meets a window."""
        return any(
            start <= (last - EPOCH).total_seconds() and (first - EPOCH).total_seconds() < start + seconds
            for first, last in self.windows(series)
        )


def read_labels(path: Path) -> Labels:
    """Read `[[start, end], …]`, or `{series: [[start, end], …]}`.

    Raises
    ------
    InvalidInputError
        If the file is not there, or is not of that form.
    """
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8-sig"))
        if isinstance(document, dict):
            return Labels(by_series=tuple((series, _windows(item)) for series, item in document.items()))
        return Labels(every=_windows(document))
    except OSError as error:
        raise InvalidInputError(f"{path}: {error.strerror}") from error
    except (ValueError, TypeError, AttributeError, InvalidInputError) as error:
        raise InvalidInputError(f"{path}: labels are a list of [start, end] in ISO 8601: {error}") from error


def _windows(items: Sequence[Sequence[str]]) -> tuple[Window, ...]:
    return tuple((parse_instant(first), parse_instant(last)) for first, last in items)
