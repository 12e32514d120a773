"""Alerts of a workload's routes to webhooks, to Slack, and to event buses.

The queue's message is what the alert topic sends to queues. What a target does not take comes again after
15 s, 1 min, 4 min and then every 15 min for a day, and goes to the dead letters then; targets that took it
get it no more. A target may get an alert twice where the function dies after the target took it: the id of
both is the same. A test of a route is one attempt, and its outcome is written down.

Permissions
-----------
- `secretsmanager:GetSecretValue` on the secrets that the routes name, and `events:PutEvents` on their buses
- `dynamodb:GetItem`, `PutItem`, `UpdateItem`, `DeleteItem` on the idempotency table, and its key
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`; the queue's consumer grants
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import ClassVar

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency.exceptions import BaseError as NotDoneOnceError
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.adapters import clients
from lambdas.adapters.event_bus import EventBridgeBus
from lambdas.adapters.secret_store import SecretsManager
from lambdas.alerting.alert import Delivered, delivered
from lambdas.alerting.outcomes import Outcome, TableOutcomes
from lambdas.alerting.posting import Delivery, HttpPoster
from lambdas.alerting.sample import Sample
from lambdas.alerting.target import Target, Targets
from lambdas.runtime.queue_handler import once, queue_handler
from lambdas.runtime.typed_environment import METRICS_NAMESPACE, TypedEnvironment
from watchkeeper.core.errors import UnavailableError, WatchkeeperError


@dataclass(frozen=True, kw_only=True)
class DeliverAlertEnvironment(TypedEnvironment):
    """What `deliver_alert` is told when it is deployed."""

    service: ClassVar[str] = "deliver_alert"

    targets: str
    """JSON of `lambdas.alerting.target.Targets`."""
    timezone: str
    """IANA name of the zone in which people are told times."""
    idempotency_table: str


logger = Logger(service=DeliverAlertEnvironment.service)
metrics = Metrics(namespace=METRICS_NAMESPACE, service=DeliverAlertEnvironment.service)


@functools.cache
def delivery() -> Delivery:
    """Return how this process delivers."""
    return Delivery(
        poster=HttpPoster.over_network(),
        secrets=SecretsManager(clients.secrets()),
        bus=lambda arn: EventBridgeBus(clients.events(), arn),
        timezone=DeliverAlertEnvironment.from_environ().timezone,
    )


def handle_message(record: SQSRecord, lambda_context: LambdaContext) -> None:
    """Deliver the alert of one message to each of its targets that has not taken it."""
    environment = DeliverAlertEnvironment.from_environ()
    alert = delivered(record.body)
    targets = Targets.from_json(environment.targets).by_channel
    failed: list[str] = []
    for channel in alert.channels:
        if channel not in targets:
            continue  # SNS delivers it
        key = f"delivered#{alert.event.workload}#{channel}#{alert.event.alert_id}"
        action = functools.partial(_deliver, alert, channel, targets[channel], environment)
        try:
            once(environment.idempotency_table, key, lambda_context, action)
        except (WatchkeeperError, NotDoneOnceError) as error:
            logger.exception("not delivered", extra={"alert_id": alert.event.alert_id, "channel": channel})
            failed.append(f"{channel}: {error}")
    if failed:
        _count("deliveries_failed", alert.event.workload, len(failed))
        raise UnavailableError("; ".join(failed))


def _deliver(alert: Delivered, channel: str, target: Target, environment: DeliverAlertEnvironment) -> None:
    if isinstance(alert.event, Sample):
        _try(alert, alert.event, channel, target, environment)
        return
    delivery().attempt(alert, target)
    logger.info("delivered", extra={"alert_id": alert.event.alert_id, "channel": channel})


def _try(
    alert: Delivered, sample: Sample, channel: str, target: Target, environment: DeliverAlertEnvironment
) -> None:
    try:
        outcome = Outcome("delivered", delivery().attempt(alert, target))
    except WatchkeeperError as error:
        outcome = Outcome("refused", str(error))
    TableOutcomes(clients.dynamodb(), environment.idempotency_table).add(sample.test_id, channel, outcome)
    logger.info("tested", extra={"channel": channel, "outcome": outcome.state, "said": outcome.said})


def _count(name: str, workload: str, count: int) -> None:
    metrics.add_dimension("workload", workload)
    metrics.add_metric(name, MetricUnit.Count, count)
    metrics.flush_metrics()


handle = queue_handler(handle_message, DeliverAlertEnvironment)
"""The entry point."""
