"""Labelled anomalies: the windows in which a user knows of anomalies, and what that says of an interval.

A file of labels is JSON: a list for every series, or an object with a list for each series by its key or, as
NAB has it, for each file of telemetry by its path. In a list is a window `[start, end]`, or a point, the text
of one instant. A series that the object does not name has no labels: nothing is known of it.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import EPOCH, epoch_microseconds, format_instant, parse_instant
from watchkeeper.telemetry.cells import names_shown, shown
from watchkeeper.telemetry.decoding import TextFile, open_file

LABELS_NAME = "labels.json"
_MICROSECONDS = 1_000_000

Window = tuple[int, int]
"""First and last labelled instant, both included, in microseconds since 1970."""


@dataclass(frozen=True)
class Labels:
    """Labelled windows: those of every series, or of each series by its key."""

    windows: tuple[Window, ...] | dict[str, tuple[Window, ...]]
    name: str = LABELS_NAME
    """What messages call the file."""

    def windows_of(self, series: str) -> tuple[Window, ...] | None:
        """Return a series' windows; None for a series without labels."""
        return self.windows.get(series) if isinstance(self.windows, dict) else self.windows

    def instants_of(self, series: str) -> list[tuple[datetime, datetime]]:
        """Return the first and the last instant of each of a series' windows; aware, UTC."""
        return [
            (EPOCH + timedelta(microseconds=first), EPOCH + timedelta(microseconds=last))
            for first, last in self.windows_of(series) or ()
        ]

    def of(self, series: str, interval_start: int, interval_seconds: int) -> bool | None:
        """Return whether an interval touches a labelled window; None for a series without labels.

        Parameters
        ----------
        interval_start
            Seconds since 1970.
        """
        windows = self.windows_of(series)
        if windows is None:
            return None
        start, end = interval_start * _MICROSECONDS, (interval_start + interval_seconds) * _MICROSECONDS
        return any(first < end and last >= start for first, last in windows)

    def fitted(
        self,
        starts: Mapping[str, Sequence[int]],
        interval_seconds: int,
        files: Mapping[str, Collection[str]] | None = None,
        within: tuple[int | None, int | None] = (None, None),
    ) -> tuple[Labels, str]:
        """Return the labels by series, and what of them meets no reading.

        Parameters
        ----------
        starts
            Starts of the intervals that have readings, in order, by series key.
        files
            Names of the files that a series is in, by its key: for labels by file.
        within
            Seconds since 1970 between which readings were looked at, the end not included; None is no limit.
            A window outside of them is not expected to meet one.

        Returns
        -------
        labels : Labels
        unmet : str
            A sentence; empty where every window meets a reading.

        Raises
        ------
        InvalidInputError
            If no window meets a reading (reason `labels_without_readings`): names the series and the time
            that they have.
        """
        labels = self._by_series(files or {})
        windows = [
            (series, window)
            for series in (starts if isinstance(labels.windows, tuple) else labels.windows)
            for window in labels.windows_of(series) or ()
        ]
        met = {
            window if isinstance(labels.windows, tuple) else (series, window)
            for series, window in windows
            if _meets(window, starts.get(series, ()), interval_seconds)
        }
        expected = [
            window if isinstance(labels.windows, tuple) else (series, window)
            for series, window in windows
            if _overlaps(window, *within)
        ]
        wanted = set(expected)
        if wanted and not met:
            raise InvalidInputError(
                f"{self.name}: none of {len(wanted)} windows meets a reading; the first is "
                f"{_first(windows)}; {_extent(starts, interval_seconds)}",
                reason="labels_without_readings",
            )
        unmet = len(wanted) - len(met)
        said = f"{self.name}: {unmet} of {len(wanted)} windows meet no reading" if unmet else ""
        return labels, said

    def _by_series(self, files: Mapping[str, Collection[str]]) -> Labels:
        if not isinstance(self.windows, dict):
            return self
        by_file = {_file_stem(key): windows for key, windows in self.windows.items() if _is_file(key)}
        windows = dict(self.windows)
        for series, names in files.items():
            found = [by_file[stem] for stem in map(_file_stem, names) if stem in by_file]
            if found and series not in windows:
                windows[series] = tuple(window for item in found for window in item)
        matched = {_file_stem(name) for names in files.values() for name in names}
        return replace(
            self,
            windows={
                key: item
                for key, item in windows.items()
                if not (_is_file(key) and _file_stem(key) in matched and key not in files)
            },
        )


def with_feedback(
    labels: Labels | None, said: Labels, starts: Mapping[str, Sequence[int]], interval_seconds: int
) -> tuple[Labels | None, dict[str, int]]:
    """Add what people said of incidents to labels, as far as it meets readings.

    Where nothing else is labelled, all else counts as no anomaly, of every series: alerts outside of what was
    real count against a budget, as all do without labels.

    Parameters
    ----------
    labels
        By series, or for all of them: those that a user has.
    said
        By series: windows of what was real.
    starts, interval_seconds
        As of `Labels.fitted`.

    Returns
    -------
    Labels or None
        As they were where nothing that was said meets a reading.
    dict of int
        How many `windows` of how many `series` were added, and how many meet no reading (`without_reading`).
    """
    given = said.windows if isinstance(said.windows, dict) else dict.fromkeys(starts, said.windows)
    met = {}
    for series, windows in given.items():
        found = tuple(one for one in windows if _meets(one, starts.get(series, ()), interval_seconds))
        if found:
            met[series] = found
    count = sum(map(len, met.values()))
    counts = {"windows": count, "series": len(met)}
    counts["without_reading"] = sum(map(len, given.values())) - count
    if not met:
        return labels, counts
    known = () if labels is None else labels.windows
    before = known if isinstance(known, dict) else dict.fromkeys(starts, known)
    more = {series: (*before.get(series, ()), *windows) for series, windows in met.items()}
    return replace(labels or said, windows={**before, **more}), counts


def read_labels(path: Path) -> Labels:
    """Read a file of labels.

    Raises
    ------
    InvalidInputError
        If the file is something else (reason `bad_labels`) or is not there; names the window.
    """
    with open_file(path) as stream:
        text = "".join(TextFile(stream, path.name, "json_array").read_text())
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise InvalidInputError(
            f"{path.name} is not JSON{where}: write [[start, end], ...], or such a list for each series",
            reason="bad_labels",
        ) from error
    if isinstance(document, dict):
        windows = {
            series: _windows(items, path.name, f"[{shown(series)}]") for series, items in document.items()
        }
        return Labels(windows, path.name)
    return Labels(_windows(document, path.name, ""), path.name)


def _windows(document: Any, name: str, where: str) -> tuple[Window, ...]:
    if not isinstance(document, list):
        raise InvalidInputError(
            f"{name}{where}: expected a list of [start, end] pairs or of instants, got {shown(document)}",
            reason="bad_labels",
        )
    return tuple(_window(item, f"{name}{where}[{index}]") for index, item in enumerate(document))


def _window(item: Any, where: str) -> Window:
    pair = [item, item] if isinstance(item, str) else item
    if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(end, str) for end in pair):
        raise InvalidInputError(
            f"{where}: expected [start, end] or one instant, in ISO 8601, got {shown(item)}",
            reason="bad_labels",
        )
    try:
        first, last = (epoch_microseconds(parse_instant(end)) for end in pair)
    except InvalidInputError as error:
        raise InvalidInputError(f"{where}: {error}", reason="bad_labels") from error
    if last < first:
        raise InvalidInputError(f"{where}: it ends before it begins", reason="bad_labels")
    return first, last


def _is_file(key: str) -> bool:
    return "." in PurePosixPath(key).name


def _file_stem(name: str) -> str:
    return PurePosixPath(name).name.partition(".")[0]


def _overlaps(window: Window, start: int | None, end: int | None) -> bool:
    first, last = window
    return (start is None or last >= start * _MICROSECONDS) and (end is None or first < end * _MICROSECONDS)


def _meets(window: Window, starts: Sequence[int], interval_seconds: int) -> bool:
    first, last = window
    at = bisect_left(starts, first // _MICROSECONDS - interval_seconds + 1)
    return at < len(starts) and starts[at] * _MICROSECONDS <= last


def _first(windows: Iterable[tuple[str, Window]]) -> str:
    series, (first, last) = min(windows, key=lambda item: item[1])
    begin, end = (format_instant(moment // _MICROSECONDS) for moment in (first, last))
    return f"{begin} to {end} of {shown(series)}"


def _extent(starts: Mapping[str, Sequence[int]], interval_seconds: int) -> str:
    if not any(starts.values()):
        return "there is no reading"
    begin = format_instant(min(of_series[0] for of_series in starts.values() if of_series))
    end = format_instant(max(of_series[-1] for of_series in starts.values() if of_series) + interval_seconds)
    return f"the series are {names_shown(sorted(starts))}, from {begin} to {end}"
