"""Labels of series: what people marked, and what they said of incidents, as one list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from lambdas.adapters.incident_store import IncidentStore
from lambdas.console.documents.labels import LabelItem
from lambdas.console.effects import ConsoleEffects
from lambdas.http.problems import INVALID_REQUEST, ServiceProblemError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import epoch_seconds, format_instant
from watchkeeper.incidents.feedback import Label, Verdict

SERIES_NOT_FOUND = "series_not_found"
MOST_SECONDS = 31 * 86_400
"""Of one label."""


@dataclass(frozen=True)
class WantedLabels:
    """Which labels."""

    series: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def takes(self, one: LabelItem) -> bool:
        """Tell whether a label is one of them, with some of its stretch."""
        return (
            self.series in (None, one.series)
            and (self.since is None or one.end > format_instant(self.since))
            and (self.until is None or one.start < format_instant(self.until))
        )


def listed(
    store: IncidentStore, workload: str, wanted: WantedLabels, limit: int, after: Sequence[str] | None
) -> tuple[list[LabelItem], list[str] | None]:
    """Return labels, the latest stretch first, and the place of the last, where there are more.

    Parameters
    ----------
    after
        Where the part before ended.
    """
    every = [*map(item_of, store.labels(workload)), *_of_verdicts(store.verdicts(workload))]
    found = sorted(filter(wanted.takes, every), key=_place, reverse=True)
    if after is not None:
        found = [each for each in found if _place(each) < list(after)]
    return found[:limit], _place(found[limit - 1]) if len(found) > limit else None


def label_of(
    plan: WorkloadPlan,
    effects: ConsoleEffects,
    series: str,
    times: tuple[datetime, datetime],
    who: str,
    note: str | None,
) -> Label:
    """Return the label of a stretch, its ends moved outwards to limits of intervals.

    Raises
    ------
    ServiceProblemError
        If there is no such series, or the stretch is none, too long, or not over.
    """
    if not any(series in head.series for head in effects.heads(plan.workload)):
        raise ServiceProblemError(
            SERIES_NOT_FOUND, f"workload {plan.workload} has no series {series[:200]!r}"
        )
    step, now = plan.interval_seconds, effects.now()
    begin, end = epoch_seconds(times[0]), epoch_seconds(times[1])
    start, stop = begin // step * step, -(-end // step) * step
    if begin >= end or stop - start > MOST_SECONDS:
        raise ServiceProblemError(
            INVALID_REQUEST,
            f"`start` must be before `end`, by at most {MOST_SECONDS // 86_400} days: "
            f"{format_instant(begin)} to {format_instant(end)}",
        )
    if times[1] > now:
        raise ServiceProblemError(INVALID_REQUEST, "`end` is still to come: label what is over")
    return Label(plan.workload, series, start, stop, step, format_instant(now), who, note)


def item_of(label: Label) -> LabelItem:
    """Return a label as it is shown."""
    return LabelItem(
        label=label.label_id,
        source="label",
        what="real",
        series=label.series,
        start=format_instant(label.start),
        end=format_instant(label.end),
        at=label.at,
        who=label.who,
        note=label.note,
    )


def _of_verdicts(verdicts: Sequence[Verdict]) -> Iterator[LabelItem]:
    for verdict in verdicts:
        for mark in verdict.marks:
            for start, count in mark.runs:
                yield LabelItem(
                    label=verdict.incident_id,
                    source="verdict",
                    what=verdict.what,
                    series=mark.series,
                    start=format_instant(start),
                    end=format_instant(start + count * verdict.interval_seconds),
                    at=verdict.at,
                    who=verdict.who,
                    note=verdict.note,
                )


def _place(one: LabelItem) -> list[str]:
    return [one.start, one.series, one.source, one.label]
