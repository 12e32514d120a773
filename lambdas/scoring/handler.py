"""New telemetry in S3: parse it, close its intervals, have them scored, and say what is anomalous."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.runtime.queue_handler import once, queue_handler
from lambdas.runtime.typed_environment import METRICS_NAMESPACE
from lambdas.scoring.effects import ScoringEffects
from lambdas.scoring.environment import ScoreTelemetryEnvironment
from lambdas.scoring.probing import UnidentifiedModelError
from lambdas.scoring.scoring import ObjectReport, score_object
from lambdas.scoring.telemetry_object import TelemetryObject, announced_object

logger = Logger(service=ScoreTelemetryEnvironment.service)
metrics = Metrics(namespace=METRICS_NAMESPACE, service=ScoreTelemetryEnvironment.service)


@functools.cache
def effects() -> ScoringEffects:
    """Return the effects of this process."""
    return ScoringEffects.in_aws(ScoreTelemetryEnvironment.from_environ())


def handle_message(record: SQSRecord, lambda_context: LambdaContext) -> None:
    """Score the object that one message announces, unless that was done."""
    source = announced_object(record.body)
    table = ScoreTelemetryEnvironment.from_environ().idempotency_table
    once(table, source.object_id, lambda_context, functools.partial(_score, source))


def _score(source: TelemetryObject) -> None:
    try:
        report = score_object(source, effects())
    except UnidentifiedModelError:
        count("unidentified_model", source.workload)
        raise
    logger.info("scored", extra={"object": source.key, **report.to_dict()})
    if report.dropped:
        logger.warning(
            "the workload's interval changed: intervals of the old length are not scored",
            extra={"workload": report.workload, "intervals": report.dropped},
        )
    emit(report, time.time)


def count(name: str, workload: str) -> None:
    """Count one event of a workload."""
    metrics.add_dimension("workload", workload)
    metrics.add_metric(name, MetricUnit.Count, 1)
    metrics.flush_metrics()


def emit(report: ObjectReport, clock: Callable[[], float]) -> None:
    """Write a report's metrics, with the workload as their dimension; the lag also over all workloads."""
    metrics.add_dimension("workload", report.workload)
    for name, count in report.to_dict().items():
        metrics.add_metric(name, MetricUnit.Count, count)
    if report.received_at_milliseconds is None:
        metrics.flush_metrics()
        return
    lag = max(clock() * 1000 - report.received_at_milliseconds, 0.0)
    metrics.add_metric("publish_to_score_lag", MetricUnit.Milliseconds, lag)
    metrics.flush_metrics()
    metrics.add_metric("publish_to_score_lag", MetricUnit.Milliseconds, lag)
    metrics.flush_metrics()


handle = queue_handler(handle_message, ScoreTelemetryEnvironment, ordered=True)
