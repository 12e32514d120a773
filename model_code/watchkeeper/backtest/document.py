"""What a comparison says, as one document: what the table, the Markdown, the JSON and the console show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from watchkeeper.backtest.accuracy import Accuracy, accuracy_of
from watchkeeper.backtest.comparison import Fate, Pair, paired
from watchkeeper.backtest.outcome import Outcome
from watchkeeper.core.documents import plain
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import format_instant
from watchkeeper.incidents.incident import Incident
from watchkeeper.telemetry.labels import Window


@dataclass(frozen=True)
class Judged:
    """One version: what it says, and what it costs."""

    outcome: Outcome
    alerts: int
    """That would have gone out, over all channels."""
    accuracy: Accuracy | None
    """None without labels."""
    month_usd: float | None
    """Of the workload in use; list prices. None where nobody knows them."""

    @property
    def figures(self) -> dict[str, float | None]:
        """What is compared, by name; None where it is not known."""
        outcome, accuracy = self.outcome, self.accuracy
        return {
            "anomalies_a_week": len(outcome.anomalies) / outcome.weeks,
            "incidents_a_week": len(outcome.incidents) / outcome.weeks,
            "alerts_a_week": self.alerts / outcome.weeks,
            "precision": None if accuracy is None else accuracy.precision,
            "recall": None if accuracy is None else accuracy.recall,
            "month_usd": self.month_usd,
            "scoring_seconds": outcome.scoring_seconds,
            "judging_seconds": outcome.judging_seconds,
        }

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        outcome, accuracy = self.outcome, self.accuracy
        counts: dict[str, Any] = {
            "anomalies": len(outcome.anomalies),
            "incidents": len(outcome.incidents),
            "alerts": self.alerts,
        }
        if accuracy is not None:
            counts |= {"windows": accuracy.windows, "windows_found": accuracy.windows_found}
            counts |= {"incidents_judged": accuracy.judged, "incidents_right": accuracy.right}
        threshold = plain(outcome.release.threshold)
        return {"name": outcome.version.name, **counts, **self.figures, "threshold": threshold}


@dataclass(frozen=True)
class Mark:
    """An incident as a chart has it."""

    opened: int
    """Seconds since 1970, as the next."""
    last: int
    severity: float
    fate: Fate


@dataclass(frozen=True)
class Comparison:
    """Two versions over one history."""

    before: Judged
    after: Judged
    pairs: tuple[Pair, ...]
    changes: tuple[tuple[str, str, str], ...]
    """Keys of the plan that differ, with the value of each version."""
    records: int
    series: int
    intervals: int
    notes: tuple[str, ...] = ()

    def of(self, fate: str) -> list[Pair]:
        """Return the pairs of one fate."""
        return [pair for pair in self.pairs if pair.fate == fate]

    def marks(self) -> tuple[list[Mark], list[Mark]]:
        """Return the incidents of both versions, each in the order of its pairs."""
        sides: tuple[list[Mark], list[Mark]] = ([], [])
        for pair in self.pairs:
            for marks, incidents in zip(sides, (pair.before, pair.after), strict=True):
                marks += [Mark(each.opened, each.last, each.severity, pair.fate) for each in incidents]
        return sides

    def windows(self) -> list[Window]:
        """Return the labelled windows that touch the judged time, of any series."""
        outcome = self.after.outcome
        labels = outcome.version.labels
        if labels is None:
            return []
        found = {window for series in outcome.version.history for window in labels.windows_of(series) or ()}
        since, until = outcome.since * 1_000_000, outcome.until * 1_000_000
        return [window for window in sorted(found) if window[1] >= since and window[0] < until]

    @property
    def judged(self) -> tuple[str, str, float]:
        """Beginning and end of the judged time, and how many weeks it is."""
        outcome = self.after.outcome
        return format_instant(outcome.since), format_instant(outcome.until), outcome.weeks

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        since, until, weeks = self.judged
        return {
            "workload": self.after.outcome.version.plan.workload,
            "judged": {"from": since, "to": until, "weeks": weeks},
            "history": {"records": self.records, "series": self.series, "intervals": self.intervals},
            "changes": [{"key": key, "before": old, "after": new} for key, old, new in self.changes],
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "incidents": {
                "same": len(self.of("same")),
                "changed": [
                    {"before": _told(pair.before), "after": _told(pair.after)} for pair in self.of("changed")
                ],
                "appear": [one for pair in self.of("appears") for one in _told(pair.after)],
                "go": [one for pair in self.of("goes") for one in _told(pair.before)],
            },
            "notes": list(self.notes),
        }


def compared(
    before: Judged, after: Judged, *, records: int, series: int, intervals: int, notes: Sequence[str]
) -> Comparison:
    """Compare two versions.

    Parameters
    ----------
    records, series, intervals
        Of the history, as the later version takes it.
    """
    plans = (before.outcome.version.plan, after.outcome.version.plan)
    return Comparison(
        before,
        after,
        paired(before.outcome.incidents, after.outcome.incidents),
        tuple(_differences(*plans)),
        records,
        series,
        intervals,
        tuple(notes),
    )


def judged(outcome: Outcome, alerts: int, month_usd: float | None) -> Judged:
    """Return a version with what its labels say of it."""
    version, accuracy = outcome.version, None
    if version.labels is not None:
        accuracy = accuracy_of(
            outcome.incidents, version.labels, version.history, outcome.since, outcome.until
        )
    return Judged(outcome, alerts, accuracy, month_usd)


def _told(incidents: Sequence[Incident]) -> list[dict[str, Any]]:
    return [
        {
            "incident_id": each.incident_id,
            "title": each.title,
            "opened_at": each.opened_at,
            "last_at": each.last_at,
            "severity": round(each.severity, 1),
            "series": len(each.touched),
        }
        for each in incidents
    ]


def _differences(before: WorkloadPlan, after: WorkloadPlan) -> list[tuple[str, str, str]]:
    old, new = _flat(plain(before), ""), _flat(plain(after), "")
    return [
        (key, old.get(key, "not there"), new.get(key, "not there"))
        for key in dict.fromkeys([*old, *new])
        if old.get(key) != new.get(key)
    ]


def _flat(part: Any, path: str) -> dict[str, str]:
    """Return the leaves of a document by their path."""
    if isinstance(part, dict):
        inside = [(f"{path}.{name}" if path else str(name), each) for name, each in part.items()]
    elif isinstance(part, list | tuple):
        inside = [(f"{path}[{_name(each, at)}]", each) for at, each in enumerate(part)]
    else:
        return {path: "none" if part is None else str(part)}
    return {name: value for where, each in inside for name, value in _flat(each, where).items()}


def _name(part: Any, at: int) -> str:
    return str(part["name"]) if isinstance(part, dict) and "name" in part else str(at)
