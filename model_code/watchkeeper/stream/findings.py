"""Anomalies before their events are written: what is explained of them."""

from __future__ import annotations

import collections
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from watchkeeper.features.contributions import Contribution, ExplainedScore, Explanation
from watchkeeper.lifecycle.release import Release
from watchkeeper.telemetry.context import ContextRow
from watchkeeper.telemetry.series import parse_series_key


@dataclass(frozen=True)
class Finding:
    """An interval that is an anomaly: its score is above the threshold that judged it, or a rule says so."""

    series: str
    row: ContextRow
    score: float
    threshold: float
    severity: float
    release: Release | None
    """None where no model judges it yet."""
    confidence: float | None = None
    """Of a series that the model has not seen in training; see `watchkeeper.judgement.acquaintance`."""
    outside: str | None = None
    """The allowed range that the value is outside of, where its score says nothing of it."""

    @property
    def by_rule(self) -> bool:
        """Whether a rule says what it is made of, and no model is to be asked."""
        return self.confidence is not None or self.outside is not None

    @property
    def key(self) -> tuple[str, int]:
        """Series and interval."""
        return self.series, self.row.interval_start


@dataclass(frozen=True)
class Reasons:
    """What an event says beyond its score."""

    explained: ExplainedScore
    also_anomalous: dict[str, float]
    """Severity by measure; see `AnomalyEvent`."""


def explained_by_rule(found: Finding) -> ExplainedScore:
    """Return what the score of a series is made of that the model has not seen, or of a value that is not
    allowed: of the value alone."""
    measure = parse_series_key(found.series).measure
    if found.outside is not None:
        reason = f"the value is outside its allowed range, {found.outside}"
        return ExplainedScore(
            (Contribution("allowed", measure, 0, found.score),), Explanation("rule", reason=reason)
        )
    return ExplainedScore((Contribution("value", measure, 0, found.score),), Explanation("rule"))


def also_anomalous(findings: Iterable[Finding]) -> dict[tuple[str, int], dict[str, float]]:
    """Return, by each finding's key, the severities of the other measures of its dimensions and interval."""
    together: dict[object, dict[str, float]] = collections.defaultdict(dict)
    places = {}
    for found in findings:
        key = parse_series_key(found.series)
        place = (key.dimensions, found.row.interval_start)
        places[found.key] = (place, key.measure)
        together[place][key.measure] = found.severity
    return {
        key: {name: severity for name, severity in sorted(together[place].items()) if name != measure}
        for key, (place, measure) in places.items()
    }


def reasons_by_rule(findings: Collection[Finding]) -> dict[tuple[str, int], Reasons]:
    """Return what is said of findings that rules decided."""
    also = also_anomalous(findings)
    return {found.key: Reasons(explained_by_rule(found), also[found.key]) for found in findings}
