"""What is deployed and watched: workloads by their plans, the state of their series, and their anomalies.

Read by the verbs that tell people what goes on. Nothing here changes anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from cli.specs import name_of
from cli.stacks import STORAGE, Deployment
from lambdas.adapters.anomaly_table import TableAnomalies
from lambdas.adapters.incident_store import TableIncidents
from lambdas.adapters.plan_store import ParameterPlanStore, deployed_plans
from lambdas.adapters.release_store import TableReleaseStore
from lambdas.console.page_heads import S3PageHeads
from lambdas.console.status import Week, open_incidents, week_of
from lambdas.history.effects import S3MergedObjects
from lambdas.history.reading import AT_ONCE, Log, Wanted, read_log, read_series
from lambdas.watching.watch_telemetry import MetricRecords, silent_workloads
from watchkeeper.anomalies.event import AnomalyEvent, anomaly_id
from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import EPOCH, epoch_seconds
from watchkeeper.incidents.incident import Incident
from watchkeeper.incidents.pausing import Pauses
from watchkeeper.kinds import AnyPlan, AnyRelease

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from watchkeeper.stream.health import PageHead


@dataclass(frozen=True)
class Watched:
    """The deployed project of the session's account and region."""

    session: boto3.Session

    @cached_property
    def _deployment(self) -> Deployment:
        return Deployment(self.session)

    @cached_property
    def _storage(self) -> dict[str, str]:
        return self._deployment.outputs(STORAGE)

    @cached_property
    def _s3(self) -> S3Client:
        client: S3Client = self.session.client("s3", config=Config(max_pool_connections=AT_ONCE))
        return client

    @cached_property
    def scores(self) -> S3MergedObjects:
        """The objects of scores."""
        return S3MergedObjects(self._s3, self._storage["DataBucketName"])

    def plans(self) -> dict[str, AnyPlan]:
        """Return the plans of all deployed workloads by name, in alphabetical order."""
        return deployed_plans(self.session.client("ssm"))

    def plan(self, workload: str) -> WorkloadPlan:
        """Return the deployed plan of a workload that watches telemetry.

        Raises
        ------
        InvalidInputError
            If it is not deployed, or of another kind.
        """
        return ParameterPlanStore(self.session.client("ssm")).plan_of(name_of(workload))

    def live_release(self, workload: str) -> AnyRelease | None:
        """Return the release that judges now."""
        return TableReleaseStore(self.session.client("dynamodb"), self._storage["SeriesTableName"]).live(
            workload
        )

    def heads(self, workload: str) -> list[PageHead]:
        """Return the heads of the pages of a workload's shelves."""
        return self._heads.of(workload)

    @cached_property
    def _heads(self) -> S3PageHeads:
        return S3PageHeads(self._s3, self._storage["PageBucketName"])

    def series(self, workload: str) -> list[str]:
        """Return the keys of all series that telemetry has come of."""
        return sorted(name for head in self.heads(workload) for name in head.series)

    def anomalies(
        self,
        workload: str,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        newest_first: bool = True,
    ) -> Iterator[AnomalyEvent]:
        """Yield a workload's anomalies of the intervals that begin from `since` until before `until`."""
        return self._anomaly_table.between(workload, since, until, newest_first=newest_first)

    @cached_property
    def _anomaly_table(self) -> TableAnomalies:
        return TableAnomalies(self.session.client("dynamodb"), self._storage["AnomaliesTableName"])

    @cached_property
    def _incidents(self) -> TableIncidents:
        return TableIncidents(self.session.client("dynamodb"), self._deployment.incidents_table)

    def incidents(self, workload: str, since: datetime, until: datetime) -> list[Incident]:
        """Return a workload's incidents that began from `since` until before `until`, the oldest first."""
        return self._incidents.between(workload, epoch_seconds(since), epoch_seconds(until) - 1)

    def week(self, plan: WorkloadPlan, until: datetime) -> Week:
        """Return what happened in the seven days up to a time."""
        return week_of(self._anomaly_table, self._incidents, plan, until)

    def pauses(self, workload: str) -> Pauses:
        """Return when nothing is told of a workload, or of its series."""
        return self._incidents.pauses(workload)

    def open_incidents(self, workload: str) -> int:
        """Return how many incidents are not over."""
        return open_incidents(self._incidents, workload)

    def silent(self, now: datetime) -> list[str]:
        """Return the workloads that had telemetry and have had none for too long."""
        records = MetricRecords(self.session.client("cloudwatch"))
        return silent_workloads(records, ParameterPlanStore(self.session.client("ssm")), now)

    def anomaly_plans(self, workload: str | None) -> dict[str, WorkloadPlan]:
        """Return the plans of the workloads that watch telemetry, or of the one that is named; see `plan`."""
        if workload is not None:
            plan = self.plan(workload)
            return {plan.workload: plan}
        return {name: plan for name, plan in self.plans().items() if isinstance(plan, WorkloadPlan)}

    def anomaly(self, beginning: str, workload: str | None = None) -> AnomalyEvent:
        """Return the anomaly of an id, of which the beginning is enough where no other has it.

        An incident's id stands for the anomaly that opened it.

        Raises
        ------
        InvalidInputError
            If there is none, or several.
        """
        plans = self.anomaly_plans(workload)
        incident = self._incidents.find(beginning) if beginning else None
        if incident is not None and incident.workload in plans:
            beginning = anomaly_id(incident.workload, incident.opened_by, incident.opened_at)
        found = [event for name in plans for event in self._anomaly_table.beginning(name, beginning)]
        if len(found) != 1:
            said = ", ".join(event.anomaly_id for event in found[:10])
            raise InvalidInputError(
                f"anomaly {beginning!r}: {len(found)} have an id that begins so: {said}"
                if found
                else f"anomaly {beginning!r}: there is none; `watchkeeper anomalies` lists them"
            )
        return found[0]

    def lines(self, workload: str, series: str, since: datetime, until: datetime) -> list[ScoreLine]:
        """Return the scored intervals of a series in the order of time."""
        return read_series(self.scores, Wanted(workload, series, since, until))

    def log(self, workload: str, since: datetime, until: datetime) -> Log:
        """Return how telemetry came in the intervals that begin from `since` until before `until`."""
        return read_log(self.scores, Wanted(workload, None, since, until))


def known_series(watched: Watched, plan: WorkloadPlan, series: str) -> str:
    """Return the key of a series: what was given, or the one series whose key has it in it.

    Raises
    ------
    InvalidInputError
        If there is no such series, or there are several; names some.
    """
    keys = watched.series(plan.workload)
    if series in keys:
        return series
    near = [key for key in keys if series in key]
    if len(near) == 1:
        return near[0]
    shown = near or keys
    listed = ", ".join(shown[:10]) + (f" and {len(shown) - 10:,} more" if len(shown) > 10 else "")
    said = f"{len(near):,} series have it in their key" if near else "there is no such series"
    raise InvalidInputError(
        f"series {series!r} of workload {plan.workload}: {said}: {listed or 'no telemetry has come yet'}"
    )


def newest_of(watched: Watched, plan: WorkloadPlan, series: str) -> datetime:
    """Return the end of a series' last closed interval.

    Raises
    ------
    InvalidInputError
        If it has none yet.
    """
    for head in watched.heads(plan.workload):
        if series in head.series:
            closed = int(head.closed_until[head.series.index(series)])
            if closed > 0:
                return EPOCH + timedelta(seconds=closed)
    raise InvalidInputError(f"no interval of {series!r} of workload {plan.workload} has closed yet")
