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
from lambdas.scoring.environment import LATE_MILLISECONDS, ScoreTelemetryEnvironment
from lambdas.scoring.probing import UnidentifiedModelError
from lambdas.scoring.scoring import ObjectReport, close_by_tick, score_object
from lambdas.scoring.telemetry_object import TelemetryObject, announced_object
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.stream.step import Tally
from watchkeeper.stream.tick_message import Tick, tick_of

logger = Logger(service=ScoreTelemetryEnvironment.service)
ONLY_LOGGED = frozenset({"intervals_scored"})
LAG = "publish_to_score_lag"
metrics = Metrics(namespace=METRICS_NAMESPACE, service=ScoreTelemetryEnvironment.service)


@functools.cache
def effects() -> ScoringEffects:
    """Return the effects of this process."""
    return ScoringEffects.in_aws(ScoreTelemetryEnvironment.from_environ())


def handle_message(record: SQSRecord, lambda_context: LambdaContext) -> None:
    """Score the object that one message announces, unless that was done; or do what a tick asks for."""
    tick = tick_of(record.body)
    if tick is not None:
        _close(tick, again=int(record.attributes.approximate_receive_count) > 1)
        return
    source = announced_object(record.body)
    table = ScoreTelemetryEnvironment.from_environ().idempotency_table
    once(table, source.object_id, lambda_context, functools.partial(_score, source))


def _close(tick: Tick, *, again: bool) -> None:
    try:
        report = _counted(tick.workload, lambda: close_by_tick(tick, effects(), again=again))
    except InvalidInputError as error:  # the workload was removed since
        logger.warning("a tick for nobody", extra={"workload": tick.workload, "problem": str(error)})
        return
    if report.tally != Tally():
        logger.info("closed by a tick", extra={"time": tick.source.object_id, **report.to_dict()})
        emit(report, time.time)


def _counted(workload: str, action: Callable[[], ObjectReport]) -> ObjectReport:
    try:
        return action()
    except UnidentifiedModelError:
        count("unidentified_model", workload)
        raise


def _score(source: TelemetryObject) -> None:
    report = _counted(source.workload, lambda: score_object(source, effects()))
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
    """Write a report's metrics, with the workload as their dimension, and the lag over all workloads.

    A metric is paid for in each hour in which it is written: what did not happen is not counted as 0, what
    happens all the time is in the log, and the lag is that of its workload only where it is late.
    """
    milliseconds = report.received_at_milliseconds
    lag = None if milliseconds is None else max(clock() * 1000 - milliseconds, 0.0)
    counts = {name: count for name, count in report.to_dict().items() if count and name not in ONLY_LOGGED}
    late = lag if lag is not None and lag > LATE_MILLISECONDS else None
    if counts or late:
        metrics.add_dimension("workload", report.workload)
        for name, count in counts.items():
            metrics.add_metric(name, MetricUnit.Count, count)
        if late:
            metrics.add_metric(LAG, MetricUnit.Milliseconds, late)
        metrics.flush_metrics()
    if lag is not None:
        metrics.add_metric(LAG, MetricUnit.Milliseconds, lag)
        metrics.flush_metrics()


handle = queue_handler(handle_message, ScoreTelemetryEnvironment, ordered=True)
