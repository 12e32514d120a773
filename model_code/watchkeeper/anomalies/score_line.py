"""Score lines: what the scoring loop writes of every closed interval, one JSON object a line."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from typing import Any

from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.anomalies.quality import of_scores
from watchkeeper.core.documents import Document
from watchkeeper.core.timestamps import epoch_seconds, parse_instant

Interval = tuple[str, str]
"""Series key, and start of the interval (ISO 8601, UTC)."""

_OPTIONAL = (
    *("reason", "threshold", "severity", "severity_threshold", "rule"),
    *("confidence", "run_id", "next_threshold", "anomaly"),
)
"""Keys that a line lacks where they say nothing."""


@dataclass(frozen=True)
class ScoreLine(Document, name="score line", sort_keys=False):
    """One interval of one series with its score, or why it has none."""

    workload: str
    series: str
    interval_start: str
    """ISO 8601, UTC."""
    value: float | None
    """None of a series that has said nothing for too long."""
    expected: float | None
    """None where nothing is known of the intervals before."""
    lower: float | None
    """Lower end of the expected band."""
    upper: float | None
    anomaly_score: float | None
    reason: str | None = None
    """Why there is no score."""
    threshold: float | None = None
    """What judged the score."""
    severity: float | None = None
    is_anomaly: bool = False
    rule: str | None = None
    """What decided so in place of the score: a rule of `watchkeeper.judgement.rules`, or `feedback`."""
    confidence: float | None = None
    """Of a series that the model has not seen in training, in [0, 1): it is judged by its own last intervals
    and what is usual for the others."""
    run_id: str | None = None
    """The run whose model gave the score."""
    next_threshold: float | None = None
    """Where a threshold that moves stands for the interval after it."""
    severity_threshold: float | None = None
    """The severity above which it is an anomaly, where people's feedback has moved it."""
    anomaly: AnomalyEvent | None = None

    @property
    def interval(self) -> Interval:
        """What no other line has."""
        return self.series, self.interval_start

    @property
    def start(self) -> int:
        """Start of the interval in seconds since 1970."""
        return epoch_seconds(parse_instant(self.interval_start))

    def to_dict(self) -> dict[str, Any]:
        """Return the line as JSON-ready objects."""
        document = dict(vars(self))
        if self.anomaly is not None:
            document["anomaly"] = self.anomaly.to_dict()
        return {key: value for key, value in document.items() if value is not None or key not in _OPTIONAL}


def lines_of(content: bytes) -> list[ScoreLine]:
    """Read the score lines of an object of scores.

    Raises
    ------
    ContractViolationError
        If a line is not one of this release.
    """
    return list(ScoreLine.from_lines(of_scores(gzip.decompress(content).splitlines())))
