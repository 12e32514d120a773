"""What `publish_alert` reads and writes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from lambdas.adapters import clients
from lambdas.adapters.errors import CONDITION_FAILED, translated, unless
from lambdas.adapters.incident_store import IncidentStore, TableIncidents
from lambdas.adapters.plan_store import ParameterPlanStore, PlanStore, parameter_text
from lambdas.adapters.secret_store import LinkKeys, SecretLinkKeys
from lambdas.adapters.unanswered_store import TableUnanswered, UnansweredStore
from lambdas.alerting.alert import Alert, Claims
from lambdas.alerting.environment import PublishAlertEnvironment
from lambdas.alerting.formats import Announced
from lambdas.alerting.outcomes import Outcomes, TableOutcomes
from lambdas.runtime.retrying import MAX_ATTEMPTS, Pause, pause_with_jitter
from watchkeeper.core.errors import UnavailableError
from watchkeeper.core.layout import ANSWERS_PARAMETER
from watchkeeper.incidents.incident import Incident

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sns import SNSClient

CLAIMS_DAYS = 30
"""Claims are kept so long after the last one, and for at least two throttle times."""

TOLD_DAYS = 400
"""As long as incidents are kept."""

_SECONDS_PER_DAY = 86_400


class Throttle(Protocol):
    """Claims of series and channels."""

    def claim(self, event: Announced, channel: str, throttle_seconds: int) -> bool:
        """Tell whether the channel is told; see `lambdas.alerting.alert`."""


class ToldChannels(Protocol):
    """Which channels were told of an incident."""

    def add(self, incident: Incident, channels: Sequence[str]) -> None:
        """Remember channels; again changes nothing."""

    def of(self, incident: Incident) -> set[str]:
        """Return the channels that were told of it, under its id or a former one."""


class AlertTopic(Protocol):
    """Where alerts are published."""

    def publish(self, alert: Alert) -> None:
        """Publish once."""


@dataclass(frozen=True)
class TableThrottle:
    """`Throttle` in the idempotency table: an item a series and channel, under an optimistic lock."""

    client: DynamoDBClient
    table: str
    clock: Callable[[], float] = time.time
    pause: Pause = pause_with_jitter

    def claim(self, event: Announced, channel: str, throttle_seconds: int) -> bool:
        key = f"throttle#{event.workload}#{channel}#{event.series}"
        for attempt in range(MAX_ATTEMPTS):
            claims, seen = self._read(key)
            changed = claims.with_claim(event.alert_id, event.at, throttle_seconds)
            if changed == claims or self._write(key, changed, seen, throttle_seconds):
                return changed.holds(event.alert_id)
            self.pause(attempt)
        raise UnavailableError(f"{key} changed {MAX_ATTEMPTS} times while it was to be written")

    def _read(self, key: str) -> tuple[Claims, str | None]:
        with translated(f"read {key}"):
            response = self.client.get_item(TableName=self.table, Key={"id": {"S": key}}, ConsistentRead=True)
        item = response.get("Item")
        if item is None:
            return Claims(), None
        document = item["claims"]["S"]
        return Claims.from_json(document), document

    def _write(self, key: str, claims: Claims, seen: str | None, throttle_seconds: int) -> bool:
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(id)"}
        if seen is not None:
            condition = {
                "ConditionExpression": "claims = :seen",
                "ExpressionAttributeValues": {":seen": {"S": seen}},
            }
        keep_seconds = max(CLAIMS_DAYS * _SECONDS_PER_DAY, 2 * throttle_seconds)
        item: dict[str, Any] = {
            "id": {"S": key},
            "claims": {"S": claims.to_json()},
            "expiration": {"N": str(int(self.clock()) + keep_seconds)},
        }
        written = unless(
            CONDITION_FAILED,
            f"write {key}",
            lambda: self.client.put_item(TableName=self.table, Item=item, **condition),
        )
        return written is not None


@dataclass(frozen=True)
class TableToldChannels:
    """`ToldChannels` in the idempotency table: an item an incident."""

    client: DynamoDBClient
    table: str
    clock: Callable[[], float] = time.time

    def add(self, incident: Incident, channels: Sequence[str]) -> None:
        key = self._key(incident.workload, incident.incident_id)
        with translated(f"write {key}"):
            self.client.update_item(
                TableName=self.table,
                Key={"id": {"S": key}},
                UpdateExpression="ADD channels :channels SET expiration = :expiration",
                ExpressionAttributeValues={
                    ":channels": {"SS": sorted(channels)},
                    ":expiration": {"N": str(int(self.clock()) + TOLD_DAYS * _SECONDS_PER_DAY)},
                },
            )

    def of(self, incident: Incident) -> set[str]:
        found: set[str] = set()
        for incident_id in (incident.incident_id, *incident.former_ids):
            key = self._key(incident.workload, incident_id)
            with translated(f"read {key}"):
                response = self.client.get_item(
                    TableName=self.table, Key={"id": {"S": key}}, ConsistentRead=True
                )
            found.update(response.get("Item", {}).get("channels", {}).get("SS", []))
        return found

    def _key(self, workload: str, incident_id: str) -> str:
        return f"told#{workload}#{incident_id}"


@dataclass(frozen=True)
class SnsAlertTopic:
    """`AlertTopic` in SNS."""

    client: SNSClient
    topic_arn: str

    def publish(self, alert: Alert) -> None:
        with translated(f"publish on {self.topic_arn}"):
            self.client.publish(
                TopicArn=self.topic_arn,
                Subject=alert.subject,
                MessageStructure="json",
                Message=json.dumps(alert.messages),
                MessageAttributes={
                    "workload": {"DataType": "String", "StringValue": alert.workload},
                    "severity": {"DataType": "Number", "StringValue": f"{alert.severity:.6g}"},
                    "routes": {"DataType": "String.Array", "StringValue": json.dumps(alert.channels)},
                    **{
                        name: {"DataType": "String.Array", "StringValue": json.dumps(values)}
                        for name, values in alert.places.items()
                    },
                },
            )


@dataclass(frozen=True)
class AlertEffects:
    """Everything outside of `publish_alert`."""

    plans: PlanStore
    throttle: Throttle
    told: ToldChannels
    incidents: IncidentStore
    unanswered: UnansweredStore
    outcomes: Outcomes
    topic: AlertTopic
    dashboard: str
    """URL of the dashboard."""
    link_keys: LinkKeys
    answer_page: Callable[[], str | None]
    """Returns the address of the page behind links of alerts; None where there is none."""

    @classmethod
    def in_aws(cls, environment: PublishAlertEnvironment) -> AlertEffects:
        """Return the effects in AWS."""
        return cls(
            plans=ParameterPlanStore(clients.ssm()),
            throttle=TableThrottle(clients.dynamodb(), environment.idempotency_table),
            told=TableToldChannels(clients.dynamodb(), environment.idempotency_table),
            incidents=TableIncidents(clients.dynamodb(), environment.incidents_table),
            unanswered=TableUnanswered(clients.dynamodb(), environment.incidents_table),
            outcomes=TableOutcomes(clients.dynamodb(), environment.idempotency_table),
            topic=SnsAlertTopic(clients.sns(), environment.alert_topic_arn),
            dashboard=environment.dashboard_url,
            link_keys=SecretLinkKeys(clients.secrets(), environment.link_key),
            answer_page=lambda: parameter_text(clients.ssm(), ANSWERS_PARAMETER),
        )
