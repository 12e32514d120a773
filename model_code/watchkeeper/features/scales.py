"""How each series is centred and scaled before it becomes features; fitted in
`watchkeeper.features.matrix`."""

from __future__ import annotations

from dataclasses import dataclass

from watchkeeper.telemetry.series import known_of


@dataclass(frozen=True)
class SeriesScale:
    """How one series is scaled, in its measure's unit."""

    center: float
    scale: float
    difference_scale: float


@dataclass(frozen=True)
class Scales:
    """Fitted scales of every series of the training part, and the median ones of each measure."""

    series: dict[str, SeriesScale]
    measures: dict[str, SeriesScale]

    def knows(self, name: str | None) -> bool:
        """Whether training has seen a series. One that it has not seen has a level of its own: a row of it is
        centred on the median of its own window."""
        return name is None or name in self.series

    def of(self, name: str | None) -> SeriesScale:
        """Return a series' scale; of an unknown series of a known measure, the measure's.

        Raises
        ------
        InvalidInputError
            If the measure is unknown, or the row names no series and the model has several (reason
            `bad_series`).
        """
        return known_of(name, self.series, self.measures)
