"""Alerts of one route to its webhook, to Slack, or to an event bus.

The queue's message is what the alert topic sends to queues. What the target does not take comes again after
15 s, 1 min, 4 min and then every 15 min for a day, and goes to the dead letters then. A target may get an
alert twice where the function dies after the target took it: the id of both is the same.

Permissions
-----------
- `secretsmanager:GetSecretValue` on the secret that the route names, or `events:PutEvents` on the bus
- `dynamodb:GetItem`, `PutItem`, `UpdateItem`, `DeleteItem` on the idempotency table, and its key
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`; the queue's consumer grants
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import ClassVar

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.adapters import clients
from lambdas.adapters.event_bus import EventBridgeBus
from lambdas.adapters.secret_store import SecretsManager
from lambdas.alerting.alert import Delivered, delivered
from lambdas.alerting.posting import Delivery, HttpPoster
from lambdas.alerting.target import Target
from lambdas.runtime.queue_handler import once, queue_handler
from lambdas.runtime.typed_environment import TypedEnvironment


@dataclass(frozen=True, kw_only=True)
class DeliverAlertEnvironment(TypedEnvironment):
    """What `deliver_alert` is told when it is deployed."""

    service: ClassVar[str] = "deliver_alert"

    channel: str
    target: str
    """JSON of `lambdas.alerting.target.Target`."""
    timezone: str
    """IANA name of the zone in which people are told times."""
    idempotency_table: str


logger = Logger(service=DeliverAlertEnvironment.service)


@functools.cache
def delivery() -> Delivery:
    """Return how this process delivers."""
    environment = DeliverAlertEnvironment.from_environ()
    return Delivery(
        poster=HttpPoster.over_network(),
        secrets=SecretsManager(clients.secrets()),
        bus=EventBridgeBus(clients.events(), Target.from_json(environment.target).bus_arn),
        timezone=environment.timezone,
    )


def handle_message(record: SQSRecord, lambda_context: LambdaContext) -> None:
    """Deliver the alert of one message, unless that was done."""
    environment = DeliverAlertEnvironment.from_environ()
    alert = delivered(record.body)
    key = f"delivered#{alert.event.workload}#{environment.channel}#{alert.event.alert_id}"
    once(environment.idempotency_table, key, lambda_context, functools.partial(_deliver, alert, environment))


def _deliver(alert: Delivered, environment: DeliverAlertEnvironment) -> None:
    delivery().attempt(alert, Target.from_json(environment.target))
    logger.info("delivered", extra={"alert_id": alert.event.alert_id, "channel": environment.channel})


handle = queue_handler(handle_message, DeliverAlertEnvironment)
"""The entry point."""
