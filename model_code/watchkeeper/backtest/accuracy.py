"""How well incidents meet labelled windows.

Recall is the share of the labelled windows in which an anomaly of their series is; a window that a file gives
for every series is one. Precision is the share of the incidents that have an anomaly in a window of its
series; incidents of which no series is labelled are not counted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from watchkeeper.incidents.incident import Incident
from watchkeeper.telemetry.labels import Labels, Window

_MICROSECONDS = 1_000_000
Place = tuple[str, Window]
"""Series, empty where it is for all of them, and window."""


@dataclass(frozen=True)
class Accuracy:
    """Of incidents, by labels."""

    windows: int
    windows_found: int
    judged: int
    """Incidents of which a series is labelled."""
    right: int
    """Those that meet a window."""

    @property
    def recall(self) -> float | None:
        """In [0, 1]; None where there is no window."""
        return self.windows_found / self.windows if self.windows else None

    @property
    def precision(self) -> float | None:
        """In [0, 1]; None where no incident can be judged."""
        return self.right / self.judged if self.judged else None


def accuracy_of(
    incidents: Sequence[Incident], labels: Labels, series: Collection[str], since: int, until: int
) -> Accuracy:
    """Compare incidents with labels.

    Parameters
    ----------
    labels
        By series.
    series
        Of the history.
    since, until
        Seconds since 1970: windows that end before or begin after are not counted.
    """
    wanted = {
        _place(labels, one, window)
        for one in series
        for window in labels.windows_of(one) or ()
        if window[1] >= since * _MICROSECONDS and window[0] < until * _MICROSECONDS
    }
    found: set[Place] = set()
    judged = right = 0
    for incident in incidents:
        met = set(_met(incident, labels))
        found |= met
        right += bool(met)
        judged += any(labels.windows_of(part.series) is not None for part in incident.touched)
    return Accuracy(len(wanted), len(wanted & found), judged, right)


def _met(incident: Incident, labels: Labels) -> Iterator[Place]:
    length = incident.interval_seconds * _MICROSECONDS
    for part in incident.touched:
        for window in labels.windows_of(part.series) or ():
            first, last = window
            for start, count in part.runs:
                begin = start * _MICROSECONDS
                if begin <= last and first < begin + count * length:
                    yield _place(labels, part.series, window)
                    break


def _place(labels: Labels, series: str, window: Window) -> Place:
    return (series if isinstance(labels.windows, dict) else ""), window
