"""Which series a selection takes: the one rule of what is left out and of what raises no alert."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from watchkeeper.core.plan import MutePlan, SeriesSelection, WorkloadPlan
from watchkeeper.telemetry.series import parse_series_key


def selects(selection: SeriesSelection, measure: str, dimensions: Mapping[str, str]) -> bool:
    """Tell whether a selection takes the series of a measure at these dimension values.

    Examples
    --------
    >>> press = SeriesSelection(where={"machine": ("press_1", "press_2")})
    >>> selects(press, "pressure", {"machine": "press_2", "hall": "A"})
    True
    """
    return selection.measure in (None, measure) and all(
        dimensions.get(name) in values for name, values in selection.where.items()
    )


def is_excluded(plan: WorkloadPlan, measure: str, dimensions: Mapping[str, str]) -> bool:
    """Tell whether a plan leaves a series out."""
    return not selects(plan.where, measure, dimensions) or any(
        selects(one, measure, dimensions) for one in plan.exclude
    )


def is_watched(plan: WorkloadPlan, series: str) -> bool:
    """Tell whether a series key is one of a plan: its measure, its dimensions, and not left out."""
    key = parse_series_key(series)
    return (
        any(measure.name == key.measure for measure in plan.measures)
        and tuple(name for name, _ in key.dimensions) == plan.dimensions
        and not is_excluded(plan, key.measure, dict(key.dimensions))
    )


def mute_of(series: str, at: int, mutes: Iterable[MutePlan]) -> MutePlan | None:
    """Return what keeps an anomaly from raising an alert, if anything does.

    Parameters
    ----------
    series
        Its key.
    at
        The beginning of its interval, in seconds since 1970.
    """
    key = parse_series_key(series)
    dimensions = dict(key.dimensions)
    holds = (one for one in mutes if at < one.until and selects(one.series, key.measure, dimensions))
    return next(holds, None)
