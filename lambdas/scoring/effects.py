"""What `score_telemetry` reads and writes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from lambdas.adapters import clients
from lambdas.adapters.endpoint import Endpoint, SageMakerEndpoint
from lambdas.adapters.errors import translated
from lambdas.adapters.event_bus import EventBridgeBus
from lambdas.adapters.object_store import ObjectStore, S3ObjectStore
from lambdas.adapters.plan_store import ParameterPlanStore, PlanStore
from lambdas.adapters.release_store import TableReleaseStore
from lambdas.runtime.retrying import MAX_ATTEMPTS, Pause, pause_with_jitter
from lambdas.runtime.threads import ForEach, in_threads
from lambdas.scoring.adopting import Adopting
from lambdas.scoring.earlier_states import EarlierStates, TableStates
from lambdas.scoring.environment import ScoreTelemetryEnvironment
from lambdas.scoring.explaining import Explainers
from lambdas.scoring.pages import PageStore, S3PageStore, SplitShelves
from lambdas.scoring.probing import ReleaseCache
from watchkeeper.anomalies.event import EVENT_DETAIL_TYPE, AnomalyEvent
from watchkeeper.anomalies.quality import QUALITY_DETAIL_TYPE, QualityEvent
from watchkeeper.core.errors import UnavailableError
from watchkeeper.stream.placement import SHELF_SERIES

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient

ANOMALY_DAYS = 400

_SECONDS_PER_DAY = 86_400
_WRITE_ITEMS = 25

Clock = Callable[[], float]


class AnomalySink(Protocol):
    """Where anomalies go."""

    def put(self, events: Sequence[AnomalyEvent]) -> None:
        """Take anomalies. To give the same ones again changes nothing in the end."""


@dataclass(frozen=True)
class AnomalyTable:
    """`AnomalySink` in the anomalies table. Keys are made from the event: a repetition replaces itself."""

    client: DynamoDBClient
    table: str
    clock: Clock = time.time
    pause: Pause = pause_with_jitter

    def put(self, events: Sequence[AnomalyEvent]) -> None:
        for first in range(0, len(events), _WRITE_ITEMS):
            requests: Any = [
                {"PutRequest": {"Item": self._item(event)}} for event in events[first : first + _WRITE_ITEMS]
            ]
            for attempt in range(MAX_ATTEMPTS):
                with translated("write anomalies"):
                    response = self.client.batch_write_item(RequestItems={self.table: requests})
                requests = response.get("UnprocessedItems", {}).get(self.table, [])
                if not requests:
                    break
                self.pause(attempt)
            else:
                raise UnavailableError(
                    f"{len(requests)} anomalies were not written in {MAX_ATTEMPTS} attempts"
                )

    def _item(self, event: AnomalyEvent) -> dict[str, Any]:
        return {
            "pk": {"S": event.workload},
            "sk": {"S": event.sort_key},
            "anomaly_id": {"S": event.anomaly_id},
            "series": {"S": event.series},
            "severity": {"N": repr(event.severity)},
            "document": {"S": event.to_json()},
            "expires_at": _expiry(self.clock, ANOMALY_DAYS),
        }


@dataclass(frozen=True)
class AlertBus:
    """`AnomalySink` on EventBridge. Who reads from the bus removes repetitions by anomaly id."""

    client: EventBridgeClient
    bus: str
    pause: Pause = pause_with_jitter

    def put(self, events: Sequence[AnomalyEvent]) -> None:
        bus = EventBridgeBus(self.client, self.bus, self.pause)
        bus.put(EVENT_DETAIL_TYPE, [event.to_json() for event in events])


class QualitySink(Protocol):
    """Where what is unusual goes of how telemetry comes."""

    def put(self, events: Sequence[QualityEvent]) -> None:
        """Take events. To give the same ones again changes nothing in the end."""


@dataclass(frozen=True)
class QualityBus:
    """`QualitySink` on EventBridge: nothing is kept of it beside the scores."""

    client: EventBridgeClient
    bus: str
    pause: Pause = pause_with_jitter

    def put(self, events: Sequence[QualityEvent]) -> None:
        bus = EventBridgeBus(self.client, self.bus, self.pause)
        bus.put(QUALITY_DETAIL_TYPE, [event.to_json() for event in events])


@dataclass(frozen=True)
class ScoringEffects:
    """Everything outside of `score_telemetry`."""

    bucket: str
    plans: PlanStore
    objects: ObjectStore
    pages: PageStore
    earlier: EarlierStates
    releases: ReleaseCache
    endpoint: Endpoint
    explainers: Explainers
    adopting: Adopting
    anomalies: AnomalySink
    alerts: AnomalySink
    quality: QualitySink
    for_each: ForEach = in_threads
    pause: Pause = pause_with_jitter
    splits: SplitShelves = field(default_factory=SplitShelves)
    shelf_series: int = SHELF_SERIES

    def publish(self, events: Sequence[AnomalyEvent]) -> None:
        """Keep anomalies and tell them; again changes nothing in the end."""
        if events:
            self.anomalies.put(events)
            self.alerts.put(events)

    @classmethod
    def in_aws(cls, environment: ScoreTelemetryEnvironment) -> ScoringEffects:
        """Return the effects in AWS."""
        dynamodb = clients.dynamodb()
        objects = S3ObjectStore(clients.s3())
        endpoint = SageMakerEndpoint(clients.sagemaker_runtime())
        return cls(
            bucket=environment.data_bucket,
            plans=ParameterPlanStore(clients.ssm()),
            objects=objects,
            pages=S3PageStore(clients.s3(), environment.page_bucket),
            earlier=TableStates(dynamodb, environment.series_table),
            releases=ReleaseCache(TableReleaseStore(dynamodb, environment.series_table)),
            endpoint=endpoint,
            explainers=Explainers(objects, endpoint),
            adopting=Adopting(objects, environment.data_bucket),
            anomalies=AnomalyTable(dynamodb, environment.anomalies_table),
            alerts=AlertBus(clients.events(), environment.alert_bus),
            quality=QualityBus(clients.events(), environment.alert_bus),
        )


def _expiry(clock: Clock, days: int) -> dict[str, Any]:
    return {"N": str(int(clock()) + days * _SECONDS_PER_DAY)}
