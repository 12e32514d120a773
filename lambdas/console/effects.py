"""What `console_api` reads and changes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Protocol

import boto3
from botocore.config import Config

from lambdas.adapters import clients
from lambdas.adapters.alarms import alarms_on
from lambdas.adapters.alert_subscriptions import SnsSubscribers
from lambdas.adapters.allow_list import AllowList
from lambdas.adapters.anomaly_table import TableAnomalies
from lambdas.adapters.device_registry import DeviceRegistry
from lambdas.adapters.errors import translated
from lambdas.adapters.event_bus import EventBridgeBus, EventBus
from lambdas.adapters.incident_store import IncidentStore, TableIncidents
from lambdas.adapters.model_versions import ModelVersions, SageMakerModelVersions
from lambdas.adapters.object_store import ObjectStore, S3ObjectStore
from lambdas.adapters.plan_store import GivenPlans, deployed_plans, parameter_text
from lambdas.adapters.release_store import ReleaseStore, TableReleaseStore
from lambdas.adapters.score_reader import FunctionScoreReader, ScoreReader
from lambdas.adapters.secret_store import LinkKeys, SecretLinkKeys
from lambdas.adapters.spec_store import unpacked_spec
from lambdas.alerting.outcomes import TableOutcomes
from lambdas.alerting.route_tests import RouteOutcome, RouteTesting, try_routes
from lambdas.backtesting.requests import BacktestAsked, Backtests
from lambdas.console.environment import NO_FLEET, ConsoleApiEnvironment
from lambdas.console.page_heads import S3PageHeads
from lambdas.console.releases import go_back
from lambdas.console.remembering import Remembered
from lambdas.console.signing import SignedUrls, Signer
from lambdas.console.status import Week, open_count, week_of
from lambdas.console.training_runs import StepFunctionsRuns, TrainingRuns
from lambdas.incidents.responding import respond_of_workload
from lambdas.runtime.threads import ForEach, in_threads
from lambdas.watching.watch_telemetry import MetricRecords, Records, silent_workloads
from watchkeeper.core import layout
from watchkeeper.core.plan import AlertRoute, WorkloadPlan
from watchkeeper.incidents.pausing import NO_PAUSES, Pauses
from watchkeeper.kinds import AnyPlan, AnyRelease
from watchkeeper.lifecycle.release import Release
from watchkeeper.stream.health import PageHead

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from lambdas.costs.used import Counted

PLANS_SECONDS, METRICS_SECONDS, WEEK_SECONDS, BOOKS_SECONDS, RELEASES_SECONDS = 30.0, 60.0, 60.0, 1.0, 5.0
"""So long what was asked for is good."""
COSTS_SECONDS = 900.0
"""CloudWatch is paid by the metric that is asked for, and what a month costs moves slowly."""
FOREVER_SECONDS = float("inf")


def _now() -> datetime:
    return datetime.now(timezone.utc)


class TryRoutes(Protocol):
    """`lambdas.alerting.route_tests.try_routes` of the deployed project."""

    def __call__(self, workload: str, routes: Sequence[AlertRoute]) -> list[RouteOutcome]:
        """Send a sample to each route, and tell what became of it."""


class Heads(Protocol):
    """Heads of pages."""

    def of(self, workload: str) -> list[PageHead]:
        """Return those of a workload."""


@dataclass(frozen=True)
class Fleet:
    """Where devices are."""

    listed: AllowList
    registry: DeviceRegistry


@dataclass(frozen=True)
class ConsoleEffects:
    """Everything outside of `console_api`. It is what `lambdas.console.status.Watching` asks for."""

    bucket: str
    all_plans: Callable[[], dict[str, AnyPlan]]
    page_heads: Heads
    anomalies: TableAnomalies
    incidents: IncidentStore
    releases: ReleaseStore
    objects: ObjectStore
    runs: TrainingRuns
    models: ModelVersions
    scores: ScoreReader
    records: Records
    alarms_on: Callable[[], list[str]]
    parameter: Callable[[str], str | None]
    signed: SignedUrls
    bus: EventBus
    link_keys: LinkKeys
    try_routes: TryRoutes
    counted: Callable[[Sequence[str], datetime], Counted]
    """What has been used since the month began, with the endpoints of these workloads."""
    fleet: Fleet | None
    """None where none is deployed."""
    send_backtest: Callable[[str, str], None]
    """Tell `run_backtest` of a workload's backtest."""
    region: str
    now: Callable[[], datetime] = _now
    for_each: ForEach = in_threads
    measured: Remembered[dict[str, Any]] = field(default_factory=lambda: Remembered(FOREVER_SECONDS))
    """Metrics by run, of runs whose evaluation is over."""
    months: Remembered[Any] = field(default_factory=lambda: Remembered(COSTS_SECONDS))
    """What the month has used: `lambdas.console.costs`."""
    _plans: Remembered[dict[str, AnyPlan]] = field(default_factory=lambda: Remembered(PLANS_SECONDS))
    _lives: Remembered[AnyRelease | None] = field(default_factory=lambda: Remembered(RELEASES_SECONDS))
    _weeks: Remembered[Week] = field(default_factory=lambda: Remembered(WEEK_SECONDS))
    _metrics: Remembered[dict[str, float]] = field(default_factory=lambda: Remembered(METRICS_SECONDS))
    _names: Remembered[list[str]] = field(default_factory=lambda: Remembered(METRICS_SECONDS))
    _texts: Remembered[str | None] = field(default_factory=lambda: Remembered(PLANS_SECONDS))
    _pauses: Remembered[dict[str, Pauses]] = field(default_factory=lambda: Remembered(BOOKS_SECONDS))
    _counts: Remembered[dict[str, int]] = field(default_factory=lambda: Remembered(BOOKS_SECONDS))

    @classmethod
    def in_aws(cls, environment: ConsoleApiEnvironment) -> ConsoleEffects:
        """Return the effects in AWS."""
        dynamodb, ssm = clients.dynamodb(), clients.ssm()
        bus = EventBridgeBus(clients.events(), environment.alert_bus)
        testing = RouteTesting(
            bus,
            TableOutcomes(dynamodb, environment.idempotency_table),
            SnsSubscribers(
                clients.sns(),
                clients.sqs(),
                environment.alert_topic_arn,
                environment.undelivered_alerts_arn,
            ),
        )
        return cls(
            bucket=environment.data_bucket,
            all_plans=lambda: deployed_plans(ssm),
            page_heads=S3PageHeads(clients.s3(), environment.page_bucket),
            anomalies=TableAnomalies(dynamodb, environment.anomalies_table),
            incidents=TableIncidents(dynamodb, environment.incidents_table, environment.series_table),
            releases=TableReleaseStore(dynamodb, environment.series_table),
            objects=S3ObjectStore(clients.s3()),
            runs=StepFunctionsRuns(clients.stepfunctions(), environment.state_machines),
            models=SageMakerModelVersions(clients.sagemaker(), environment.model_packages),
            scores=FunctionScoreReader(clients.functions(), environment.read_scores_function),
            records=MetricRecords(clients.cloudwatch()),
            alarms_on=lambda: alarms_on(clients.cloudwatch()),
            parameter=lambda name: parameter_text(ssm, name),
            signed=Signer(_signing_client(), environment.data_bucket),
            link_keys=SecretLinkKeys(clients.secrets(), environment.link_key),
            bus=bus,
            try_routes=lambda workload, routes: try_routes(workload, routes, testing),
            counted=_counted,
            fleet=None
            if environment.devices_table == NO_FLEET
            else Fleet(
                AllowList(dynamodb, environment.devices_table),
                DeviceRegistry(clients.iot(), clients.iot_data),
            ),
            send_backtest=lambda workload, backtest_id: _send(
                environment.backtest_queue_url, BacktestAsked(workload, backtest_id)
            ),
            region=os.environ.get("AWS_REGION", ""),
        )

    @property
    def backtests(self) -> Backtests:
        """What backtests were asked for, and what came of them."""
        return Backtests(self.objects, self.bucket, self.now)

    def plans(self) -> dict[str, AnyPlan]:
        """Return the plans of all deployed workloads by name."""
        return self._plans.get("all", self.all_plans)

    def live_release(self, workload: str) -> AnyRelease | None:
        """Return the release that judges now."""
        return self._lives.get(workload, lambda: self.releases.live(workload))

    def go_back(self, release: Release) -> None:
        """Let an earlier release judge again."""
        go_back(self.releases, self.bus, release, self.now())
        self._lives.forget(release.workload)

    def heads(self, workload: str) -> list[PageHead]:
        """Return the heads of a workload's pages."""
        return self.page_heads.of(workload)

    def week(self, plan: WorkloadPlan, until: datetime) -> Week:
        """Return what happened in the seven days up to a time."""
        return self._weeks.get(plan.workload, lambda: week_of(self.anomalies, self.incidents, plan, until))

    def pauses(self, workload: str) -> Pauses:
        """Return when nothing is told of a workload, or of its series."""
        return self._pauses.get("all", self.incidents.all_pauses).get(workload, NO_PAUSES)

    def change_pauses(self, workload: str, change: Callable[[Pauses], Pauses]) -> Pauses:
        """Change the pauses of a workload, and return them as they are now."""
        after = respond_of_workload(self.incidents, workload, change)
        self._pauses.forget("all")
        return after

    def open_incidents(self, workload: str) -> int:
        """Return how many incidents are not over."""
        return self.open_incidents_by_workload().get(workload, 0)

    def open_incidents_by_workload(self) -> dict[str, int]:
        """Return the same of all that had one."""
        return self._counts.get(
            "all",
            lambda: {
                name: open_count(self.incidents, name, book) for name, book in self.incidents.books().items()
            },
        )

    def alarms(self) -> list[str]:
        """Return the alarms that are on."""
        return self._names.get("alarms", self.alarms_on)

    def silent(self, plans: dict[str, AnyPlan]) -> list[str]:
        """Return the workloads that had telemetry and have none now."""
        return self._names.get(
            "silent", lambda: silent_workloads(self.records, GivenPlans(plans), self.now())
        )

    def live_parameter(self, name: str) -> str | None:
        """Return where events are published; None where nothing is live."""
        return self._texts.get(name, lambda: self.parameter(name))

    def spec_text(self, workload: str) -> str | None:
        """Return the text of a workload's file as it was deployed; None where it is not kept."""
        kept = self.parameter(layout.spec_parameter(workload))
        return None if kept is None else unpacked_spec(kept)

    def records_of_day(self, workloads: Sequence[str]) -> dict[str, float]:
        """Return how many records of each workload were scored in the last 24 hours."""
        now = self.now()
        return self._metrics.get(
            tuple(workloads), lambda: self.records.since(workloads, now - timedelta(days=1), now)
        )


def _counted(workloads: Sequence[str], now: datetime) -> Counted:
    from lambdas.costs.used import counted  # it knows workload files, whose types take long to load

    asked = clients.cloudformation(), clients.cloudwatch(), clients.functions()
    return counted(*asked, workloads, now)


def _send(queue_url: str, asked: BacktestAsked) -> None:
    with translated(f"send to {queue_url}"):
        clients.sqs().send_message(QueueUrl=queue_url, MessageBody=asked.to_json())


def _signing_client() -> S3Client:
    client: S3Client = boto3.client(
        "s3", config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
    )
    return client
