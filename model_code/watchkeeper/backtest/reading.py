"""What of a plan decides which intervals there are: versions that share it have the same history."""

from __future__ import annotations

from watchkeeper.core.plan import WorkloadPlan


def reading_of(plan: WorkloadPlan) -> dict[str, object]:
    """Return all that decides what intervals with records there are, by the key of the workload's file."""
    return {
        "source.timestamp": plan.timestamp,
        "source.where": plan.where,
        "source.record_id": plan.record_id_field,
        "measures": tuple((one.name, one.field, one.aggregate) for one in plan.measures),
        "interval": plan.interval_seconds,
        "dimensions": plan.dimensions,
        "exclude": plan.exclude,
        "history": plan.dialect,
        "history.max_refused_share": plan.max_refused_share,
    }


def closing_of(plan: WorkloadPlan) -> dict[str, object]:
    """Return the same of closed intervals, those that are filled included."""
    return {
        **reading_of(plan),
        "measures.missing": tuple((one.name, one.fill) for one in plan.measures),
        "history.window": plan.history_seconds,
        "lateness": plan.lateness_seconds,
    }
