"""`labels.json`: the windows in which a user knows of anomalies."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import epoch_microseconds, parse_instant

LABELS_NAME = "labels.json"
_MICROSECONDS = 1_000_000

Window = tuple[int, int]
"""First and last labelled instant, both included, in microseconds since 1970."""


@dataclass(frozen=True)
class Labels:
    """Labelled windows: those of every series, or of each series by its key."""

    windows: tuple[Window, ...] | dict[str, tuple[Window, ...]]

    def of(self, series: str, interval_start: int, interval_seconds: int) -> bool | None:
        """Return whether an interval touches a labelled window; None for a series without labels.

        Parameters
        ----------
        interval_start
            Seconds since 1970.
        """
        windows = self.windows.get(series) if isinstance(self.windows, dict) else self.windows
        if windows is None:
            return None
        start, end = interval_start * _MICROSECONDS, (interval_start + interval_seconds) * _MICROSECONDS
        return any(first < end and last >= start for first, last in windows)


def read_labels(path: Path) -> Labels | None:
    """Read `labels.json`: `[[start, end], ...]`, or `{"series key": [[start, end], ...]}`.

    Returns
    -------
    Labels or None
        None where the file does not exist.

    Raises
    ------
    InvalidInputError
        If the file is something else; names the window.
    """
    if not path.exists():
        return None
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise InvalidInputError(f"{path.name} is not JSON: {error}", reason="bad_labels") from error
    if isinstance(document, dict):
        return Labels(
            {series: _windows(windows, path, f"[{series!r}]") for series, windows in document.items()}
        )
    return Labels(_windows(document, path, ""))


def _windows(document: Any, path: Path, where: str) -> tuple[Window, ...]:
    if not isinstance(document, list):
        raise InvalidInputError(
            f"{path.name}{where}: expected a list of [start, end] pairs, got {type(document).__name__}",
            reason="bad_labels",
        )
    return tuple(_window(pair, f"{path.name}{where}[{index}]") for index, pair in enumerate(document))


def _window(pair: Any, where: str) -> Window:
    if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(end, str) for end in pair):
        raise InvalidInputError(f"{where}: expected [start, end], two ISO 8601 instants", reason="bad_labels")
    try:
        first, last = (epoch_microseconds(parse_instant(end)) for end in pair)
    except InvalidInputError as error:
        raise InvalidInputError(f"{where}: {error}", reason="bad_labels") from error
    if last < first:
        raise InvalidInputError(f"{where}: it ends before it begins", reason="bad_labels")
    return first, last
