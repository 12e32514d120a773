"""What `fraud_api` reads and changes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Protocol

from lambdas.adapters import clients
from lambdas.adapters.event_bus import EventBridgeBus, EventBus
from lambdas.adapters.plan_store import ParameterPlanStore, PlanStore
from lambdas.adapters.release_store import ReleaseStore, TableReleaseStore
from lambdas.fraud.dynamo_store import DynamoTransactionStore
from lambdas.fraud.endpoint import FraudEndpoint, SageMakerFraudEndpoint
from lambdas.fraud.environment import FraudApiEnvironment
from lambdas.fraud.store import TransactionStore
from lambdas.runtime.threads import ForEach, in_threads
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.fraud.release import FraudRelease
from watchkeeper.kinds import AnyRelease

RELEASE_CACHE_SECONDS = 30.0


def _now() -> datetime:
    return datetime.now(timezone.utc)


class Releases(Protocol):
    """Models of workloads that may answer."""

    def live(self, workload: str) -> FraudRelease | None:
        """Return the one that is published."""

    def of_run(self, workload: str, run_id: str) -> FraudRelease | None:
        """Return that of a training run: a model may answer shortly before it is published."""


@dataclass
class RememberedReleases:
    """`Releases` of the series table; a new one takes effect within `RELEASE_CACHE_SECONDS`, the first at
    once."""

    store: ReleaseStore
    clock: Callable[[], float] = time.monotonic
    _known: dict[tuple[str, str], tuple[float, FraudRelease]] = field(default_factory=dict)

    def live(self, workload: str) -> FraudRelease | None:
        return self._remembered(workload, "", lambda: self.store.live(workload))

    def of_run(self, workload: str, run_id: str) -> FraudRelease | None:
        return self._remembered(workload, run_id, lambda: self.store.of_run(workload, run_id))

    def _remembered(
        self, workload: str, run_id: str, read: Callable[[], AnyRelease | None]
    ) -> FraudRelease | None:
        read_at, release = self._known.get((workload, run_id), (float("-inf"), None))
        if release is not None and self.clock() - read_at < RELEASE_CACHE_SECONDS:
            return release
        found = read()
        if not isinstance(found, FraudRelease):
            return None
        self._known[workload, run_id] = self.clock(), found
        return found


@dataclass(frozen=True)
class FraudEffects:
    """Everything outside of `fraud_api`."""

    plans: PlanStore
    releases: Releases
    store_of: Callable[[FraudPlan], TransactionStore]
    endpoint: FraudEndpoint
    bus: EventBus
    now: Callable[[], datetime] = _now
    for_each: ForEach = in_threads

    @classmethod
    def in_aws(cls, environment: FraudApiEnvironment) -> FraudEffects:
        """Return the effects in AWS."""
        table = environment.transactions_table
        return cls(
            plans=ParameterPlanStore(clients.ssm()),
            releases=RememberedReleases(TableReleaseStore(clients.dynamodb(), environment.series_table)),
            store_of=lambda plan: DynamoTransactionStore(clients.dynamodb(), table, plan),
            endpoint=SageMakerFraudEndpoint(clients.sagemaker_runtime()),
            bus=EventBridgeBus(clients.events(), environment.alert_bus),
        )
