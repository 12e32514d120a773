"""An account as the console finds it: a workload with incidents and scores, one of fraud, one that waits."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

import numpy as np

from lambdas.adapters import clients
from lambdas.adapters.allow_list import AllowList, ListedDevice
from lambdas.adapters.anomaly_table import TableAnomalies
from lambdas.adapters.device_registry import DeviceRegistry
from lambdas.adapters.event_bus import EventBridgeBus
from lambdas.adapters.incident_store import TableIncidents
from lambdas.adapters.model_versions import Approval, ModelVersion
from lambdas.adapters.object_store import ObjectUri, S3ObjectStore
from lambdas.adapters.project_stacks import StackResource
from lambdas.adapters.release_store import TableReleaseStore
from lambdas.adapters.spec_store import packed_spec
from lambdas.adapters.unanswered_store import TableUnanswered
from lambdas.alerting.route_tests import RouteOutcome
from lambdas.backtesting.requests import BacktestRequest
from lambdas.console import handler
from lambdas.console.effects import ConsoleEffects, Fleet
from lambdas.console.page_heads import S3PageHeads
from lambdas.console.steps import Step, steps_of
from lambdas.console.training_runs import Run
from lambdas.costs.used import Counted, Sums
from lambdas.history.effects import S3MergedObjects
from lambdas.history.read_scores import answer_of
from lambdas.incidents.effects import GroupingEffects, LiveReleases
from lambdas.incidents.keeping import take_in
from lambdas.scoring.effects import AnomalyTable
from tests.unit.lambdas.builders import BUCKET, make_evaluation, make_metrics, make_release
from tests.unit.lambdas.conftest import ANOMALIES_TABLE, INCIDENTS_TABLE, REGION, SERIES_TABLE
from tests.unit.lambdas.fakes import FakeLinkKeys, FakePlanStore
from tests.unit.lambdas.fraud_builders import PLAN as FRAUD_PLAN
from tests.unit.lambdas.service_dependencies import Answer
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.anomalies.quality import IntervalCounts, QualityEvent
from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.core import layout
from watchkeeper.core.behaviour import DEVICE, TIMESTAMP
from watchkeeper.core.plan import AlertRoute, MeasurePlan, TimestampPlan
from watchkeeper.core.timestamps import epoch_seconds, format_instant
from watchkeeper.features.contributions import Contribution, Explanation
from watchkeeper.incidents.incident import Incident
from watchkeeper.judgement.promotion import decide_promotion
from watchkeeper.kinds import AnyPlan, anomaly_plan
from watchkeeper.lifecycle.release import Release, StreamModel
from watchkeeper.lifecycle.run import run_id_of, training_run
from watchkeeper.spec import load_workload
from watchkeeper.stream.page import new_page, with_series
from watchkeeper.stream.page_format import to_bytes
from watchkeeper.stream.step import packed
from watchkeeper.telemetry.series import key_of

NOW = datetime(2026, 11, 30, 6, 1, tzinfo=timezone.utc)
BEGIN = datetime(2026, 11, 29, 18, tzinfo=timezone.utc)
STEP = 300
COUNT = 144
STATIONS = ("B-101", "B-104", "B-207")
AIR = "air_quality"
AIR_SPEC = """name: air_quality # Zürich
kind: anomaly
source:
  topic: air/+
  timestamp: {field: time, format: iso8601, timezone: Europe/Zurich}
measures:
  - {field: NO2, name: no2, direction: above, allowed: {upper: 400}}
  - {field: CO, name: co}
dimensions: [station]
interval: 5m
lateness: 10m
detector: {algorithm: watchkeeper}
alerts:
  routes:
    - {channel: operators}
    - channel: on_call
      severity_at_least: 90
      when: [opening]
      only: {series: [{measure: no2}], direction: above}
readers: [acme]
training: {instance_type: ml.m5.large}
"""
AIR_PLAN = anomaly_plan(load_workload(f"{AIR}.yaml", AIR_SPEC).plan())
WAITING_PLAN = dataclasses.replace(AIR_PLAN, workload="water_flow", dimensions=(), readers=())
FLEET_PLAN = dataclasses.replace(
    AIR_PLAN,
    workload="fleet_behaviour",
    timestamp=TimestampPlan(TIMESTAMP, "epoch_milliseconds"),
    measures=(MeasurePlan("messages", "messages_received"),),
    dimensions=(DEVICE,),
)
SERIES = tuple(f"{measure}|station={station}" for measure in ("no2", "co") for station in STATIONS)
UNUSUAL = {
    **{(SERIES[0], at): 84.0 + (at - 100) for at in range(100, 108)},
    **{(SERIES[3], at): 76.0 for at in range(102, 106)},
    (SERIES[2], 20): 72.0,
    **{(SERIES[4], at): 92.0 for at in range(140, 143)},
}
"""Severity of anomalies by series and interval."""
MISSING_CO = QualityEvent(
    workload=AIR,
    signal="missing",
    measure="co",
    began=True,
    interval_start="2026-11-30T05:00:00Z",
    interval_seconds=STEP,
    since="2026-11-30T05:01:12Z",
    share=0.0,
    of=9,
    usual=0.97,
    severity=94.0,
)
GOLDEN = Path(__file__).resolve().parents[2] / "contract" / "pipeline" / "golden" / "water_flow.asl.json"
PACKAGES = f"arn:aws:sagemaker:{REGION}:123456789012:model-package/watchkeeper-air-quality"
DEVICES_TABLE = "devices"
MACHINE = f"arn:aws:states:{REGION}:123456789012:execution:watchkeeper-air-quality-training"


BACKTEST = "20261129090000-0af3c1"
_MORNING = {
    "incident_id": "a1",
    "title": "no2 of unusual level at B-101 since 03:20",
    "opened_at": "2026-11-21T02:20:00Z",
    "last_at": "2026-11-21T02:55:00Z",
    "severity": 72.5,
    "series": 1,
}
_FIGURES = {"anomalies": 9, "incidents": 4, "alerts": 3, "windows": 2, "windows_found": 2}
_A_WEEK = {"anomalies_a_week": 4.5, "incidents_a_week": 2.0, "alerts_a_week": 1.5}
COMPARED: dict[str, Any] = {
    "judged": {"from": "2026-11-15T09:00:00Z", "to": "2026-11-29T09:00:00Z", "weeks": 2.0},
    "history": {"records": 0, "series": 6, "intervals": 48_000},
    "changes": [{"key": "threshold.rarity", "before": "3.75", "after": "5"}],
    "before": {"name": "as deployed", **_FIGURES, **_A_WEEK, "precision": 0.5, "recall": 1.0},
    "after": {**_FIGURES, **_A_WEEK, "alerts": 1, "alerts_a_week": 0.5, "precision": 1.0, "recall": 1.0},
    "incidents": {
        "same": 3,
        "counts": {"changed": 0, "appear": 0, "go": 1},
        "changed": [],
        "appear": [],
        "go": [_MORNING],
    },
    "marks": {
        "before": [
            [1_795_227_600, 1_795_229_700, 72.5, "goes"],
            [1_795_400_000, 1_795_403_600, 91.0, "same"],
        ],
        "after": [[1_795_400_000, 1_795_403_600, 91.0, "same"]],
    },
    "windows": [[1_795_399_000, 1_795_404_000]],
    "max_alerts_per_week": 7.0,
    "notes": [],
}
"""What a backtest found, as `lambdas.backtesting.comparing.result_of` has it."""


def value_of(series: str, at: int) -> tuple[float, float]:
    """Return what was measured in an interval, and what was expected."""
    usual = 40.0 + 8.0 * math.sin(at / 12.0) + 3.0 * SERIES.index(series)
    return usual + (30.0 if (series, at) in UNUSUAL else (at * 7 % 5 - 2) / 4), usual


def event_of(series: str, at: int) -> AnomalyEvent:
    """Return the anomaly of an interval."""
    value, usual = value_of(series, at)
    measure = series.partition("|")[0]
    return AnomalyEvent(
        workload=AIR,
        series=series,
        interval_start=instant(at),
        interval_seconds=STEP,
        observed=value,
        expected=usual,
        lower=usual - 5.0,
        upper=usual + 5.0,
        score=6.0,
        threshold=4.0,
        severity=UNUSUAL[series, at],
        run_id=LIVE.run_id,
        execution_arn=LIVE.execution_arn,
        model_package_arn="",
        contributions=(Contribution("value", measure, 0, 4.0), Contribution("range", measure, None, 2.0)),
        explanation=Explanation("detector"),
    )


def instant(at: int) -> str:
    """Return the start of an interval."""
    return format_instant(BEGIN + timedelta(seconds=at * STEP))


def _started(day: int, name: str) -> Run:
    return Run(
        AIR,
        f"{MACHINE}:{name}",
        "SUCCEEDED",
        datetime(2026, 11, day, 2, tzinfo=timezone.utc),
        datetime(2026, 11, day, 2, 31, tzinfo=timezone.utc),
        {"reason": "schedule"},
    )


OLD, LAST = _started(1, "first"), _started(15, "second")


def run_number(run: Run) -> int:
    """Return the version of its model: two trainings registered one."""
    return [OLD, LAST].index(run) + 1


def versions_of_air() -> list[ModelVersion]:
    """Return two versions that were released, and one whose deployment failed."""
    of_releases = [
        ModelVersion(
            version=number,
            arn=release.model_package_arn,
            approval="approved",
            said=f"Published by {release.execution_arn}",
            created_at=release.released_at,
            run_id=release.run_id,
            artifacts=(f"s3://{BUCKET}/runs/{AIR}/{release.run_id}/detector/model.tar.gz",),
        )
        for number, release in enumerate((FORMER, LIVE), 1)
    ]
    broken = dataclasses.replace(
        of_releases[-1],
        version=3,
        arn=f"{PACKAGES}/3",
        approval="pending",
        said=None,
        created_at="2026-11-22T02:31:00Z",
        run_id=run_id(_started(22, "refused")),
    )
    return [*of_releases, broken]


def _release(run: Run) -> Release:
    names = training_run(
        workload=AIR, bucket=BUCKET, execution_arn=run.execution, started_at=run.started_at, reason="schedule"
    )
    return dataclasses.replace(
        make_release(),
        workload=AIR,
        run_id=names.run_id,
        execution_arn=run.execution,
        endpoint="",
        endpoint_config="",
        model=names.names.model,
        model_package_arn=f"{PACKAGES}/{run_number(run)}",
        metrics={"alerts_per_week": 2.5, "f1": None},
        released_at=format_instant(run.ended_at or run.started_at),
        stream=StreamModel({}, 3.75),
        step_scales=dict.fromkeys(SERIES, 1.0),
    )


LIVE, FORMER = _release(LAST), _release(OLD)


@dataclass
class FakeRuns:
    """`TrainingRuns` of the golden definition."""

    runs: list[Run] = field(default_factory=list)
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Of an execution's history."""

    def listed(self, workload: str, most: int, cursor: str | None) -> tuple[list[Run], str | None]:
        own = [run for run in self.runs if run.workload == workload]
        first = int(cursor or 0)
        return own[first : first + most], str(first + most) if len(own) > first + most else None

    def found(self, workload: str, run_id: str) -> Run | None:
        return next((run for run in self.runs if (run.workload, run.run_id) == (workload, run_id)), None)

    def steps(self, run: Run) -> list[Step]:
        return steps_of(self.events.get(run.execution, ()))

    def definition(self, run: Run) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(GOLDEN.read_text())
        return document

    def start(self, workload: str, document: Mapping[str, Any]) -> Run:
        run = Run(workload, f"{MACHINE}:asked-{len(self.runs)}", "RUNNING", NOW, None, document)
        self.runs.insert(0, run)
        return run


@dataclass
class FakeModels:
    """`ModelVersions` in memory."""

    versions: dict[str, list[ModelVersion]] = field(default_factory=dict)
    """By workload, the oldest first."""

    def listed(self, workload: str, most: int, cursor: str | None) -> tuple[list[ModelVersion], str | None]:
        own, first = self.versions.get(workload, [])[::-1], int(cursor or 0)
        return own[first : first + most], str(first + most) if len(own) > first + most else None

    def found(self, workload: str, version: int) -> ModelVersion | None:
        return next((each for each in self.versions.get(workload, ()) if each.version == version), None)

    def rejected(self, workload: str) -> frozenset[str]:
        own = self.versions.get(workload, ())
        return frozenset(each.arn for each in own if each.approval == "rejected")

    def judge(self, arn: str, *, approved: bool, reason: str) -> None:
        approval: Approval = "approved" if approved else "rejected"
        self.versions = {
            workload: [
                dataclasses.replace(each, approval=approval, said=reason) if each.arn == arn else each
                for each in own
            ]
            for workload, own in self.versions.items()
        }


@dataclass
class FakeRecords:
    """`Records` of a day."""

    counts: dict[str, float] = field(default_factory=dict)

    def workloads(self) -> list[str]:
        return sorted(self.counts)

    def since(self, workloads: Sequence[str], begin: datetime, end: datetime) -> dict[str, float]:
        return {name: self.counts.get(name, 0.0) for name in workloads}


@dataclass
class Connections:
    """The data plane of AWS IoT, which moto has not: which connections were ended."""

    ended: list[str] = field(default_factory=list)

    def delete_connection(self, *, clientId: str) -> None:
        self.ended.append(clientId)


@dataclass(frozen=True)
class BucketScores:
    """`ScoreReader` without a function between."""

    def read(self, request: dict[str, Any]) -> dict[str, Any]:
        return answer_of(S3MergedObjects(clients.s3(), BUCKET), request)


@dataclass(frozen=True)
class FakeSigner:
    """`SignedUrls` that everybody can read."""

    def of(self, key: str) -> str:
        return f"https://bucket.example/{key}?signed"


class World:
    """The function in this account, called as API Gateway calls it."""

    def __init__(self, bus: str) -> None:
        self.plans: dict[str, AnyPlan] = {
            plan.workload: plan for plan in (AIR_PLAN, FRAUD_PLAN, WAITING_PLAN)
        }
        self.moment, self.alarms, self.queue_url = NOW, list[str](), ""
        self.live: str | None = None
        self.link_keys = FakeLinkKeys()
        self.specs = {AIR: AIR_SPEC}
        self.routes_tried: list[str] = []
        self.costs_asked = 0
        self.connections = Connections()
        self.backtests: list[tuple[str, str]] = []
        dynamodb, self.runs = clients.dynamodb(), FakeRuns()
        self.models = FakeModels({AIR: versions_of_air()})
        self.records = FakeRecords({AIR: 5184.0})
        self.effects = ConsoleEffects(
            bucket=BUCKET,
            all_plans=lambda: self.plans,
            page_heads=S3PageHeads(clients.s3(), BUCKET),
            anomalies=TableAnomalies(dynamodb, ANOMALIES_TABLE),
            incidents=TableIncidents(
                dynamodb, INCIDENTS_TABLE, SERIES_TABLE, clock=lambda: self.moment.timestamp()
            ),
            releases=TableReleaseStore(dynamodb, SERIES_TABLE),
            objects=S3ObjectStore(clients.s3()),
            runs=self.runs,
            models=self.models,
            scores=BucketScores(),
            records=self.records,
            alarms_on=lambda: self.alarms,
            parameter=self._parameter,
            signed=FakeSigner(),
            bus=EventBridgeBus(clients.events(), bus),
            link_keys=self.link_keys,
            try_routes=self._try_routes,
            counted=self._counted,
            fleet=Fleet(
                AllowList(dynamodb, DEVICES_TABLE), DeviceRegistry(clients.iot(), lambda: self.connections)
            ),
            send_backtest=lambda workload, backtest: self.backtests.append((workload, backtest)),
            region=REGION,
            now=lambda: self.moment,
        )
        self._fill()

    def _parameter(self, name: str) -> str | None:
        if name == layout.LIVE_PARAMETER:
            return self.live
        text = self.specs.get(name.rpartition("/")[2])
        return None if text is None else packed_spec(text)

    def with_fleet(self) -> None:
        """Let three devices be on the list: A17 has joined and did something, B1 did not, C2 is revoked."""
        clients.dynamodb().create_table(
            TableName=DEVICES_TABLE,
            KeySchema=[{"AttributeName": "serial_number", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "serial_number", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        listed = AllowList(clients.dynamodb(), DEVICES_TABLE)
        for name in ("A17", "B1", "C2"):
            listed.allow(ListedDevice(name, "hall-2"))
        listed.use("A17", "certificate")
        listed.revoke("C2")
        iot, thing = clients.iot(), layout.thing_name("A17")
        for group in (layout.DEVICES, layout.QUARANTINED):
            iot.create_thing_group(thingGroupName=group)
        iot.create_policy(policyName=layout.QUARANTINED, policyDocument=json.dumps({"Statement": []}))
        iot.create_thing(thingName=thing)
        iot.add_thing_to_thing_group(thingGroupName=layout.DEVICES, thingName=thing)
        made = iot.create_keys_and_certificate(setAsActive=True)
        iot.attach_thing_principal(thingName=thing, principal=made["certificateArn"])
        self.plans[FLEET_PLAN.workload] = FLEET_PLAN
        page = with_series(
            new_page(FLEET_PLAN.workload, "", STEP), [key_of("messages", ("device",), (thing,))]
        )
        newest, closed = page.newest.copy(), page.closed_until.copy()
        newest[0], closed[0] = (epoch_seconds(BEGIN), 4.0, 0), epoch_seconds(BEGIN) + STEP
        body = to_bytes(dataclasses.replace(page, newest=newest, closed_until=closed))
        clients.s3().put_object(Bucket=BUCKET, Key=layout.page_key(FLEET_PLAN.workload, ""), Body=body)

    def _counted(self, workloads: Sequence[str], now: datetime) -> Counted:
        self.costs_asked += 1
        rule = StackResource(layout.workload_stack(AIR), "AWS::IoT::TopicRule", layout.topic_rule_name(AIR))
        function = StackResource("WatchkeeperScoring", "AWS::Lambda::Function", "Score")
        sums = Sums(
            float,
            {
                ("AWS/IoT", "TopicMatch", rule.identity): 1e6,
                ("AWS/Lambda", "Invocations", "Score"): 1e6,
                ("AWS/Lambda", "Duration", "Score"): 1e8,
            },
        )
        return Counted((rule, function), sums, {"Score": 0.5}, passed=0.5)

    def _try_routes(self, workload: str, routes: Sequence[AlertRoute]) -> list[RouteOutcome]:
        self.routes_tried += [route.channel for route in routes]
        return [RouteOutcome(route.channel, "email a@example.com", "sent", "look there") for route in routes]

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        role: str | None = "admin",
        tenant: str = "acme",
        **headers: str,
    ) -> Answer:
        path, _, query = path.partition("?")
        claims = {"sub": "subject", "email": "mia@example.com", "custom:tenant": tenant}
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = handler.handle(
            {
                "version": "2.0",
                "routeKey": "ANY /watch/{proxy+}",
                "rawPath": path,
                "rawQueryString": query,
                "queryStringParameters": dict(parse_qsl(query, keep_blank_values=True)) or None,
                "headers": {"content-type": "application/json", **sent},
                "requestContext": {
                    "requestId": "http-1",
                    "stage": "$default",
                    "http": {"method": method, "path": path},
                    "authorizer": {
                        "jwt": {"claims": {**claims, **({"cognito:groups": f"[{role}]"} if role else {})}}
                    },
                },
                "body": body if body is None or isinstance(body, str) else json.dumps(body),
                "isBase64Encoded": False,
            },
            SimpleNamespace(
                function_name="console_api",
                memory_limit_in_mb=1024,
                invoked_function_arn="arn",
                aws_request_id="id",
            ),
        )
        found = {name: str(value) for name, value in answer["headers"].items()}
        return Answer(answer["statusCode"], found, answer["body"])

    def get(self, path: str, **options: Any) -> Any:
        """Return the document that a GET is answered."""
        answer = self.call("GET", path, **options)
        assert answer.status == 200, answer.text
        return answer.document

    def incidents(self) -> list[Incident]:
        """Return the incidents, the oldest first."""
        return self.effects.incidents.between(AIR, 0, epoch_seconds(NOW))

    def _fill(self) -> None:
        releases = TableReleaseStore(clients.dynamodb(), SERIES_TABLE)
        for release in (FORMER, LIVE):
            releases.stage(release)
            releases.publish(release)
        events = [event_of(series, at) for series, at in sorted(UNUSUAL, key=lambda key: key[1])]
        AnomalyTable(clients.dynamodb(), ANOMALIES_TABLE).put(events)
        grouping = GroupingEffects(
            plans=FakePlanStore(self.plans),
            incidents=self.effects.incidents,
            releases=LiveReleases(releases),
            bus=self.effects.bus,
            unanswered=TableUnanswered(clients.dynamodb(), INCIDENTS_TABLE),
        )
        take_in(AIR, events[:1], epoch_seconds(BEGIN) + 20 * STEP, grouping)
        take_in(AIR, events[1:], epoch_seconds(NOW), grouping)
        self._put_page()
        self._put_scores()
        self._put_runs()
        self._put_backtest()

    def _put_page(self) -> None:
        page = with_series(new_page(AIR, "", STEP), SERIES)
        newest, closed = page.newest.copy(), page.closed_until.copy()
        end = epoch_seconds(BEGIN) + COUNT * STEP
        for position, name in enumerate(page.series):
            silent = name == SERIES[5]
            newest[position] = (
                end - (20 if silent else 1) * STEP,
                value_of(name, COUNT - 1)[0],
                int(silent),
            )
            closed[position] = end
        body = to_bytes(dataclasses.replace(page, newest=newest, closed_until=np.array(closed)))
        clients.s3().put_object(Bucket=BUCKET, Key=layout.page_key(AIR, ""), Body=body)

    def _put_scores(self) -> None:
        lines = [
            self._line(series, at) for at in range(COUNT) if not 60 <= at < 63 for series in sorted(SERIES)
        ]
        counts = [self._counts(at) for at in range(COUNT) if not 60 <= at < 63]
        key = layout.scores_key(AIR, "2026-11-29T18", "object", "")
        clients.s3().put_object(Bucket=BUCKET, Key=key, Body=packed(lines, counts, [MISSING_CO]))

    @staticmethod
    def _counts(at: int) -> IntervalCounts:
        missing = 3 if at >= 130 else 0
        return IntervalCounts(
            instant(at),
            objects=1,
            accepted=15,
            late=int(at % 50 == 7),
            duplicated=int(at % 40 == 3),
            refused={"not_a_number": 2} if at == 90 else {},
            new_series=6 if at == 0 else 0,
            devices=3,
            values={"no2": 3, "co": 3 - missing},
            missing={"co": missing} if missing else {},
            scored=6,
            anomalies=sum((series, at) in UNUSUAL for series in SERIES),
            lag_of=15,
            lag_total=15 * 42_000,
            lag_most=61_000,
        )

    @staticmethod
    def _line(series: str, at: int) -> ScoreLine:
        value, usual = value_of(series, at)
        severity = UNUSUAL.get((series, at))
        return ScoreLine(
            workload=AIR,
            series=series,
            interval_start=instant(at),
            value=value,
            expected=usual,
            lower=usual - 5.0,
            upper=usual + 5.0,
            anomaly_score=0.5 if severity is None else 6.0,
            threshold=4.0,
            severity=12.0 if severity is None else severity,
            is_anomaly=severity is not None,
            run_id=LIVE.run_id,
        )

    def _put_backtest(self) -> None:
        request = BacktestRequest(
            workload=AIR,
            backtest_id=BACKTEST,
            who="mia@example.com",
            asked_at="2026-11-29T09:00:00Z",
            days=14,
            text=f"{AIR_SPEC}threshold: {{rule: rarity, rarity: 5}}\n",
            before=AIR_PLAN.to_json(),
            after=AIR_PLAN.to_json(),
            changes=("threshold.rarity",),
            run_id=LIVE.run_id,
            said="{}",
        )
        self.effects.backtests.ask(request)
        self.effects.backtests.keep(request, json.dumps(COMPARED).encode())

    def _put_runs(self) -> None:
        names = training_run(
            workload=AIR, bucket=BUCKET, execution_arn=LAST.execution, started_at=LAST.started_at, reason="x"
        )
        evaluation = make_evaluation(
            names,
            labelled=True,
            candidate=make_metrics(pr_auc=0.71, f1=0.66, precision=0.7, recall=0.62),
            champion=make_metrics(pr_auc=0.64, f1=0.6, precision=0.7, recall=0.5),
            baseline=make_metrics(alerts_per_week=3.0, pr_auc=0.2, f1=0.25),
        )
        decision = dataclasses.asdict(decide_promotion(evaluation, AIR_PLAN.gate))
        objects = S3ObjectStore(clients.s3())
        objects.write(
            ObjectUri.parse(f"{names.uris.evaluation}evaluation.json"), evaluation.to_json().encode()
        )
        for name in ("scores.png", "alerts.png"):
            objects.write(
                ObjectUri.parse(f"{names.uris.evaluation}charts/{name}"), b"\x89PNG " + name.encode()
            )
        output = {"run": names.to_dict(), "decision": decision}
        bad = {"approved": False, "reasons": ["9.50 alerts a week, over the budget of 7."]}
        failed = Run(
            AIR,
            f"{MACHINE}:third",
            "FAILED",
            datetime(2026, 11, 29, 2, tzinfo=timezone.utc),
            datetime(2026, 11, 29, 2, 9, tzinfo=timezone.utc),
            {"reason": "manual"},
            error="InvalidInputError",
            cause='{"errorMessage": "the history has no rows"}',
        )
        rejected = dataclasses.replace(
            _started(22, "refused"), output={"run": names.to_dict(), "decision": bad}
        )
        running = Run(
            AIR, f"{MACHINE}:fourth", "RUNNING", NOW - timedelta(minutes=9), None, {"reason": "manual"}
        )
        self.runs.runs = [running, failed, rejected, dataclasses.replace(LAST, output=output), OLD]
        for run, upto in ((running, "TrainDetector"), (failed, "PrepareHistory"), (LAST, "Deployed")):
            self.runs.events[run.execution] = list(_walk(run, upto))


def _walk(run: Run, last: str) -> Sequence[dict[str, Any]]:
    """Return the events of an execution that goes the usual way, as far as a state."""
    way = (
        *(("OpenRun", "Pass"), ("ValidateInput", "Task"), ("SourcesPresent?", "Choice")),
        *(("PrepareHistory", "Task"), ("TrainPreprocessor", "Task"), ("CreatePreprocessorModel", "Task")),
        *(("TransformTrainingRows", "Task"), ("TrainDetector", "Task"), ("CreateModel", "Task")),
        *(("ScoreHoldback", "Task"), ("ChampionExists?", "Choice"), ("Evaluate", "Task")),
        *(("DecidePromotion", "Task"), ("Approved?", "Choice"), ("RegisterModelPackage", "Task")),
        *(("StageRelease", "Task"), ("PublishRelease", "Task"), ("Deployed", "Succeed")),
    )
    events: list[dict[str, Any]] = []
    for number, (name, kind) in enumerate(way):
        at = run.started_at + timedelta(seconds=60 * number)
        entered = {"type": f"{kind}StateEntered", "timestamp": at, "stateEnteredEventDetails": {"name": name}}
        end = at + timedelta(seconds=50)
        events.append(entered)
        if name == last:
            if run.status == "FAILED":
                failure = {"error": run.error, "cause": run.cause}
                events.append({"type": "TaskFailed", "timestamp": end, "taskFailedEventDetails": failure})
                events.append({"type": "ExecutionFailed", "timestamp": end})
            elif run.status == "SUCCEEDED":
                exited = {"name": name}
                events.append(
                    {"type": f"{kind}StateExited", "timestamp": end, "stateExitedEventDetails": exited}
                )
            break
        events.append(
            {"type": f"{kind}StateExited", "timestamp": end, "stateExitedEventDetails": {"name": name}}
        )
    return events


def run_id(run: Run) -> str:
    """Return the id of a run."""
    return run_id_of(run.execution, run.started_at)
