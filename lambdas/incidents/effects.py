"""What `group_anomalies` reads and writes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from lambdas.adapters import clients
from lambdas.adapters.event_bus import EventBridgeBus, EventBus
from lambdas.adapters.incident_store import IncidentStore, TableIncidents
from lambdas.adapters.plan_store import CACHE_SECONDS, ParameterPlanStore, PlanStore
from lambdas.adapters.release_store import ReleaseStore, TableReleaseStore
from lambdas.adapters.unanswered_store import TableUnanswered, UnansweredStore
from lambdas.incidents.environment import GroupAnomaliesEnvironment
from lambdas.runtime.retrying import Pause, pause_with_jitter
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.incidents.causes import Surroundings
from watchkeeper.lifecycle.release import Release


@dataclass
class LiveReleases:
    """Live releases of workloads, read again after `CACHE_SECONDS`."""

    store: ReleaseStore
    clock: Callable[[], float] = time.monotonic
    _cache: dict[str, tuple[float, Release | None]] = field(default_factory=dict)
    _around: dict[str, tuple[tuple[str, str], Surroundings]] = field(default_factory=dict)
    """By workload: run and time zone, and what they say. It takes its series apart once, not each batch."""

    def of(self, workload: str) -> Release | None:
        """Return the live release; None while there is none."""
        found = self._cache.get(workload)
        if found is None or self.clock() - found[0] >= CACHE_SECONDS:
            live = self.store.live(workload)
            found = self._cache[workload] = (self.clock(), live if isinstance(live, Release) else None)
        return found[1]

    def around(self, plan: WorkloadPlan) -> Surroundings:
        """Return what the live release and the plan know beside an incident."""
        release, timezone = self.of(plan.workload), plan.timestamp.timezone
        if release is None:
            return Surroundings(timezone=timezone)
        made_of = (release.run_id, timezone)
        known = self._around.get(plan.workload)
        if known is None or known[0] != made_of:
            known = (made_of, Surroundings(release.census, release.relations, timezone))
            self._around[plan.workload] = known
        return known[1]


@dataclass(frozen=True)
class GroupingEffects:
    """Everything outside of `group_anomalies`."""

    plans: PlanStore
    incidents: IncidentStore
    releases: LiveReleases
    bus: EventBus
    unanswered: UnansweredStore
    pause: Pause = pause_with_jitter

    @classmethod
    def in_aws(cls, environment: GroupAnomaliesEnvironment) -> GroupingEffects:
        """Return the effects in AWS."""
        return cls(
            plans=ParameterPlanStore(clients.ssm()),
            incidents=TableIncidents(clients.dynamodb(), environment.incidents_table),
            releases=LiveReleases(TableReleaseStore(clients.dynamodb(), environment.series_table)),
            bus=EventBridgeBus(clients.events(), environment.alert_bus),
            unanswered=TableUnanswered(clients.dynamodb(), environment.incidents_table),
        )
