"""Anomalies from the alert bus become incidents; a schedule's message closes those that are over, and asks
for those that nobody has answered.

The messages of a batch are taken in together: what ten thousand series say at once is one incident, which
is written once a batch and not ten thousand times. A message that cannot be read fails alone; one of a
workload that cannot be written fails with the others of that workload, and comes again.
"""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from lambdas.incidents.effects import GroupingEffects
from lambdas.incidents.environment import GroupAnomaliesEnvironment
from lambdas.incidents.keeping import ask_for_answers, close_quiet, take_in
from lambdas.runtime.queue_handler import batch_handler
from lambdas.runtime.typed_environment import METRICS_NAMESPACE
from watchkeeper.anomalies.event import EVENT_DETAIL_TYPE, AnomalyEvent
from watchkeeper.core.errors import InvalidInputError, WatchkeeperError
from watchkeeper.core.timestamps import epoch_seconds, parse_instant
from watchkeeper.incidents.notice import DETAIL_TYPES
from watchkeeper.incidents.progress import Change
from watchkeeper.telemetry.series import parse_series_key

QUIET_DETAIL_TYPE = "Scheduled Event"
"""What the schedule's event is: `time` says when it was scheduled for."""

logger = Logger(service=GroupAnomaliesEnvironment.service)
metrics = Metrics(namespace=METRICS_NAMESPACE, service=GroupAnomaliesEnvironment.service)


@functools.cache
def effects() -> GroupingEffects:
    """Return the effects of this process."""
    return GroupingEffects.in_aws(GroupAnomaliesEnvironment.from_environ())


def handle_batch(records: Sequence[SQSRecord]) -> Collection[str]:
    """Take the anomalies of a batch in, workload by workload; return the ids of the messages that failed."""
    anomalies: dict[str, list[tuple[SQSRecord, AnomalyEvent]]] = defaultdict(list)
    ticks: list[tuple[SQSRecord, int]] = []
    failed: set[str] = set()
    for record in records:
        try:
            found = read(record.body)
        except WatchkeeperError:
            logger.exception("not an anomaly", extra={"message_id": record.message_id})
            failed.add(record.message_id)
            continue
        if isinstance(found, AnomalyEvent):
            anomalies[found.workload].append((record, found))
        else:
            ticks.append((record, found))
    for workload, messages in anomalies.items():
        arrived = max(int(record.attributes.sent_timestamp or 0) for record, _ in messages) // 1000
        try:
            _log(workload, take_in(workload, [event for _, event in messages], arrived, effects()))
        except WatchkeeperError:
            logger.exception("anomalies were not taken in", extra={"workload": workload})
            failed |= {record.message_id for record, _ in messages}
    if ticks:
        now = max(time for _, time in ticks)
        try:
            _log(None, close_quiet(now, effects()))
            asked = ask_for_answers(now, effects())  # after that: what is over needs no answer
        except WatchkeeperError:
            logger.exception("incidents were not closed, or answers not asked for")
            failed |= {record.message_id for record, _ in ticks}
        else:
            if asked:
                logger.info("asked for answers", extra={"count": asked})
    return failed


def read(message: str) -> AnomalyEvent | int:
    """Read EventBridge's event of an anomaly, or the time of one of the schedule, in seconds since 1970.

    Raises
    ------
    InvalidInputError
        If the message is something else.
    """
    try:
        envelope: dict[str, Any] = json.loads(message)
        detail_type = envelope["detail-type"]
        if detail_type == QUIET_DETAIL_TYPE:
            return epoch_seconds(parse_instant(envelope["time"]))
        if detail_type == EVENT_DETAIL_TYPE:
            event = AnomalyEvent.from_dict(envelope["detail"])
            parse_series_key(event.series)  # one that is none must not hold up the others
            return event
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(
            f"not an event of the alert bus: {error!r} in {message[:200]!r}", reason="bad_event"
        ) from error
    raise InvalidInputError(
        f"event of type {detail_type!r}, expected {EVENT_DETAIL_TYPE!r} or {QUIET_DETAIL_TYPE!r}",
        reason="bad_event",
    )


def _log(workload: str | None, change: Change) -> None:
    if not change.incidents:
        return
    told = {
        what: [each.incident.incident_id for each in change.notices if each.what == what]
        for what in DETAIL_TYPES
    }
    logger.info("incidents", extra={"workload": workload, "changed": len(change.incidents), "told": told})
    if workload is not None and told["opened"]:
        metrics.add_dimension("workload", workload)
        metrics.add_metric("incidents_opened", MetricUnit.Count, len(told["opened"]))
        metrics.flush_metrics()


handle = batch_handler(handle_batch, GroupAnomaliesEnvironment)
