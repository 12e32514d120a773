"""A plan in words: what a workload watches, and how."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.core.plan import (
    AlertKind,
    AlertRoute,
    MeasurePlan,
    RouteFilter,
    SeriesSelection,
    WorkloadPlan,
)
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.kinds import AnyPlan

_SPANS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_KINDS: dict[AlertKind, str] = {"incident": "incidents", "data_quality": "data quality"}
_AGGREGATES = {
    "avg": "average",
    "sum": "sum",
    "min": "least",
    "max": "greatest",
    "count": "number",
    "distinct": "number of different values",
}


def span_in_words(seconds: float) -> str:
    """Return a length of time as people say it.

    Examples
    --------
    >>> span_in_words(300), span_in_words(86_400), span_in_words(90)
    ('5 minutes', '1 day', '90 seconds')
    """
    unit, name = next(each for each in _SPANS if seconds % each[0] == 0 or each[0] == 1)
    count = seconds / unit
    return f"{count:g} {name}{'' if count == 1 else 's'}"


def plan_in_words(plan: AnyPlan) -> list[str]:
    """Return what a plan says, a sentence each."""
    if isinstance(plan, WorkloadPlan):
        return list(_telemetry(plan))
    if isinstance(plan, FraudPlan):
        relations = ", ".join(relation.name for relation in plan.relations)
        return [f"Judges transactions by what they share with earlier ones: {relations}."]
    return ["Predicts a column of a table, and says what each prediction is made of."]


def only_in_words(only: RouteFilter) -> str | None:
    """Return what a route is about; None where that is everything."""
    parts = [] if only.kind is None else [_KINDS[only.kind]]
    if only.series:
        parts.append(" or ".join(map(_selection, only.series)))
    if only.side is not None:
        parts.append({"above": "too high", "below": "too low", "silent": "silent"}[only.side])
    if only.hours is not None:
        hours = only.hours
        days = "" if len(hours.days) == 7 else " on " + ", ".join(_DAYS[day] for day in hours.days)
        parts.append(
            f"from {_clock(hours.begin_minute)} to {_clock(hours.end_minute)}{days} {hours.timezone}"
        )
    return "; ".join(parts) or None


def route_name(routes: tuple[AlertRoute, ...], position: int) -> str:
    """Return how a route is called: its channel, with a number where several have it."""
    channel = routes[position].channel
    same = [at for at, route in enumerate(routes) if route.channel == channel]
    return channel if len(same) == 1 else f"{channel}-{same.index(position) + 1}"


def _telemetry(plan: WorkloadPlan) -> Iterator[str]:
    by = f", of each {' and '.join(plan.dimensions)} its own" if plan.dimensions else ""
    numbers = ", ".join(_measure(measure) for measure in plan.measures)
    yield f"Watches, every {span_in_words(plan.interval_seconds)}: {numbers}{by}."
    scored = "in the scoring loop, learning as it goes" if plan.detector.is_streaming else "by an endpoint"
    yield f"Scored by {plan.detector.algorithm}, {scored}; the threshold's rule is {plan.threshold.rule}."
    if plan.lateness_seconds:
        yield f"Readings may be {span_in_words(plan.lateness_seconds)} late."
    if plan.silence is not None:
        yield f"A series that says nothing for {span_in_words(plan.silence.after_seconds)} is an anomaly."
    if plan.quality is not None:
        yield "Tells when records come otherwise than usual: late, twice, off their clock, or not at all."
    gap = plan.incidents.gap(plan.interval_seconds)
    yield f"Anomalies within {span_in_words(gap)} that hang together are one incident."
    yield (
        f"A model may raise {plan.gate.max_alerts_per_week:g} alerts a week, and a series one in "
        f"{span_in_words(plan.alerts.throttle_seconds)}."
    )
    if plan.alerts.link_seconds:
        yield f"Alerts are answered by links, for {span_in_words(plan.alerts.link_seconds)}."
    for mute in plan.alerts.mutes:
        yield f"Muted: {_selection(mute.series)}{f' ({mute.reason})' if mute.reason else ''}."
    for excluded in plan.exclude:
        yield f"Not watched: {_selection(excluded)}."


def _measure(measure: MeasurePlan) -> str:
    named = f"{measure.name}, " if measure.name != measure.field else ""
    return f"{named}the {_AGGREGATES[measure.aggregate]} of {measure.field}"


def _selection(selection: SeriesSelection) -> str:
    parts = [f"{name} {' or '.join(values)}" for name, values in selection.where.items()]
    return ", ".join([selection.measure or "every measure", *parts])


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
