"""What `fraud_api` reads and changes."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Protocol

from lambdas.adapters import clients
from lambdas.adapters.event_bus import EventBridgeBus, EventBus
from lambdas.adapters.plan_store import ParameterPlanStore, PlanStore
from lambdas.adapters.release_store import ReleaseStore, TableReleaseStore
from lambdas.fraud.endpoint import FraudEndpoint, SageMakerFraudEndpoint
from lambdas.fraud.environment import FraudApiEnvironment
from lambdas.fraud.simulations import Simulations, TableSimulations
from lambdas.fraud.store import TransactionStore
from lambdas.fraud.stores import store_of
from lambdas.runtime.threads import ForEach, in_threads
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.fraud.release import FraudRelease

RELEASE_CACHE_SECONDS = 30.0


def _now() -> datetime:
    return datetime.now(timezone.utc)


class Releases(Protocol):
    """Models of workloads that may answer."""

    def live(self, workload: str) -> FraudRelease | None:
        """Return the one that is published."""

    def with_threshold(self, workload: str, threshold: float) -> FraudRelease | None:
        """Return the newest that has a threshold, published or not yet."""


@dataclass
class RememberedReleases:
    """`Releases` of the series table; a new one takes effect within `RELEASE_CACHE_SECONDS`, the first at
    once."""

    store: ReleaseStore
    clock: Callable[[], float] = time.monotonic
    _live: dict[str, tuple[float, FraudRelease]] = field(default_factory=dict)
    _by_threshold: dict[tuple[str, float], FraudRelease] = field(default_factory=dict)

    def live(self, workload: str) -> FraudRelease | None:
        read_at, release = self._live.get(workload, (float("-inf"), None))
        if release is not None and self.clock() - read_at < RELEASE_CACHE_SECONDS:
            return release
        found = self.store.live(workload)
        if not isinstance(found, FraudRelease):
            return None
        self._live[workload] = self.clock(), found
        return found

    def with_threshold(self, workload: str, threshold: float) -> FraudRelease | None:
        key = workload, threshold
        if key not in self._by_threshold:
            for release in self.store.staged(workload):
                if isinstance(release, FraudRelease):
                    self._by_threshold[workload, release.threshold] = release
        return self._by_threshold.get(key)


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

    simulations: Simulations | None = None
    """None where none is started."""

    @classmethod
    def in_aws(cls, environment: FraudApiEnvironment) -> FraudEffects:
        """Return the effects in AWS."""
        table = environment.transactions_table
        simulations = TableSimulations(
            clients.dynamodb(), clients.stepfunctions(), table, environment.simulator_arn
        )
        found = fraud_effects(table, environment.series_table, environment.alert_bus)
        return dataclasses.replace(found, simulations=simulations)


def fraud_effects(table: str, series_table: str, bus: str) -> FraudEffects:
    """Return what deciding needs, in AWS."""
    return FraudEffects(
        plans=ParameterPlanStore(clients.ssm()),
        releases=RememberedReleases(TableReleaseStore(clients.dynamodb(), series_table)),
        store_of=lambda plan: store_of(plan, table=table),
        endpoint=SageMakerFraudEndpoint(clients.sagemaker_runtime()),
        bus=EventBridgeBus(clients.events(), bus),
    )
