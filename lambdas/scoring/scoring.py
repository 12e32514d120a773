"""Scoring one object of telemetry, from its lines to anomalies."""

from __future__ import annotations

from dataclasses import dataclass

from lambdas.adapters.object_store import ObjectUri
from lambdas.scoring.effects import ScoringEffects
from lambdas.scoring.shelves import Delivery
from lambdas.scoring.telemetry_object import TelemetryObject
from watchkeeper.core import layout
from watchkeeper.stream.object_lines import quarantine_document, sort_lines
from watchkeeper.stream.step import Tally
from watchkeeper.stream.tick_message import Tick


@dataclass(frozen=True)
class ObjectReport:
    """What became of an object."""

    workload: str
    records: int
    quarantined: int
    tally: Tally
    received_at_milliseconds: int | None
    dropped: int = 0
    """Intervals of the length that the plan had before."""

    def to_dict(self) -> dict[str, int]:
        """Return the counts by the name of their metric."""
        return {
            "records": self.records,
            "quarantined": self.quarantined,
            "intervals_scored": self.tally.intervals_scored,
            "intervals_without_score": self.tally.intervals_without_score,
            "anomalies": self.tally.anomalies,
            "anomalies_unexplained": self.tally.anomalies_unexplained,
            "intervals_dropped": self.dropped,
        }


def close_by_tick(tick: Tick, effects: ScoringEffects, *, again: bool) -> ObjectReport:
    """Close what has ended by a tick's time, score it, and tell silence.

    Parameters
    ----------
    again
        Whether the tick was delivered before.

    Raises
    ------
    InvalidInputError, UnavailableError, ContractViolationError
        As `score_object`.
    """
    plan = effects.plans.plan_of(tick.workload)
    applied = Delivery.of_tick(tick, plan, effects, again=again).apply()
    for failure in applied.failures:
        raise failure
    return ObjectReport(plan.workload, 0, 0, applied.tally, None)


def score_object(source: TelemetryObject, effects: ScoringEffects) -> ObjectReport:
    """Take an object in, quarantine what is refused, and score what is closed.

    Raises
    ------
    InvalidInputError
        If its workload is not deployed.
    UnavailableError
        If something does not answer, or too many intervals wait: the object must come again.
    ContractViolationError
        If the endpoint's answer or a stored document is not what it should be.
    """
    plan = effects.plans.plan_of(source.workload)
    lines = sort_lines(effects.objects.read(ObjectUri(source.bucket, source.key), source.version_id), plan)
    if lines.refused:
        uri = ObjectUri(effects.bucket, layout.quarantine_key(plan.workload, source.key))
        effects.objects.write(uri, quarantine_document(source.source, lines.refused))
    applied = Delivery(lines.readings(plan), source.source, plan, effects).apply()
    for failure in applied.failures:
        raise failure
    return ObjectReport(
        workload=plan.workload,
        records=len(lines.accepted) - applied.late_lines,
        quarantined=len(lines.refused) + applied.late_lines,
        tally=applied.tally,
        received_at_milliseconds=lines.received_at_milliseconds,
        dropped=applied.dropped,
    )
