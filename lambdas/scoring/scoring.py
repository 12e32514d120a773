"""Scoring one object of telemetry, from its lines to anomalies.

A crash between any two effects is healed by the object's next delivery, or by the next object of the series:
what is closed waits in the state's outbox, objects and items have names that come from the telemetry, and the
outbox is emptied last.
"""

from __future__ import annotations

from dataclasses import dataclass

from lambdas.adapters.object_store import ObjectUri
from lambdas.scoring.effects import ScoringEffects
from lambdas.scoring.merging import merge_object
from lambdas.scoring.outboxes import Tally, score_outboxes, write_dropped
from lambdas.scoring.telemetry_object import (
    TelemetryObject,
    late_lines,
    quarantine_document,
    sort_lines,
)
from watchkeeper.core import layout
from watchkeeper.stream.series_state import Dropped
from watchkeeper.telemetry.records import by_series


@dataclass(frozen=True)
class ObjectReport:
    """What became of an object."""

    workload: str
    records: int
    quarantined: int
    tally: Tally
    received_at_milliseconds: int | None
    dropped: tuple[Dropped, ...] = ()
    """Of each series whose interval the plan has changed."""

    def to_dict(self) -> dict[str, int]:
        """Return the counts by the name of their metric."""
        return {
            "records": self.records,
            "quarantined": self.quarantined,
            "intervals_scored": self.tally.intervals_scored,
            "intervals_without_score": self.tally.intervals_without_score,
            "anomalies": self.tally.anomalies,
            "anomalies_unexplained": self.tally.anomalies_unexplained,
            "intervals_dropped": sum(item.open_intervals + len(item.outbox) for item in self.dropped),
        }


def score_object(source: TelemetryObject, effects: ScoringEffects) -> ObjectReport:
    """Merge an object into the states of its series, quarantine what is refused, and score what is closed.

    Raises
    ------
    InvalidInputError
        If its workload is not deployed.
    UnavailableError
        If something does not answer, or too many intervals of a series wait: the object must come again.
    ContractViolationError
        If the endpoint's answer or a stored document is not what it should be.
    """
    plan = effects.plans.plan_of(source.workload)
    lines = sort_lines(effects.objects.read(ObjectUri(source.bucket, source.key), source.version_id), plan)
    groups = by_series((line.record for line in lines.accepted), plan)

    def keep(dropped: Dropped) -> None:
        write_dropped(dropped, plan, effects)

    merges = merge_object(
        groups, source.object_id, plan, effects.states, effects.for_each, effects.pause, keep
    )
    late = late_lines(lines, set().union(*(merge.late_record_ids for merge in merges)))
    refusals = [*lines.refused, *late]
    if refusals:
        uri = ObjectUri(effects.bucket, layout.quarantine_key(plan.workload, source.key))
        effects.objects.write(uri, quarantine_document(source, refusals))
    tally = score_outboxes([merge.stored for merge in merges], plan, effects)
    for merge in merges:
        if merge.behind is not None:
            raise merge.behind
    return ObjectReport(
        workload=plan.workload,
        records=len(lines.accepted) - len(late),
        quarantined=len(refusals),
        tally=tally,
        received_at_milliseconds=lines.received_at_milliseconds,
        dropped=tuple(merge.dropped for merge in merges if merge.dropped),
    )
