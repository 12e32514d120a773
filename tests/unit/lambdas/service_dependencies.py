"""The anomaly service's effects in a test: moto's bucket and table; workflows and models that remember."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

from lambdas.adapters import clients
from lambdas.adapters.object_store import ObjectUri
from lambdas.service_api import handler, routes
from lambdas.service_api.effects import ServiceEffects
from lambdas.service_api.request_table import DynamoRequestTable
from lambdas.service_api.tenant_bucket import S3TenantBucket
from tests.unit.lambdas.builders import BUCKET
from watchkeeper.core.errors import InvalidInputError, UnavailableError
from watchkeeper.core.plan import AlertPlan, TimestampPlan, WorkloadPlan
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.service.request_item import BY_CREATION
from watchkeeper.service.tasks import Task, execution_name

TABLE = "requests"
MOST_OPEN_TASKS = 20
FEATURES = b"time,load,flow\n2024-01-01T00:00:00Z,1,2\n2024-01-01T00:05:00Z,3,4\n"
LABELS = b"label\n0\n1\n"


@dataclass
class RememberedWorkflows:
    """`Workflows` that starts nothing."""

    started: dict[str, str] = field(default_factory=dict)
    attempts: int = 0
    broken: bool = False

    def execution_arn(self, task: Task, request: str) -> str:
        return f"arn:aws:states:us-east-1:123456789012:execution:{task.value}:{execution_name(task, request)}"

    def start(self, task: Task, request: str, document: str) -> None:
        self.attempts += 1
        if self.broken:
            raise UnavailableError("Step Functions does not answer")
        self.started.setdefault(execution_name(task, request), document)


@dataclass
class RememberedModels:
    """`ModelRegistry` of a dictionary."""

    uris: dict[tuple[str, int | None], ObjectUri] = field(default_factory=dict)

    def model_uri(self, workload: str, version: int | None) -> ObjectUri | None:
        return self.uris.get((workload, version))


@dataclass
class ReadablePlans:
    """`PlanStore` of the workloads that name readers."""

    readers: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def plan_of(self, workload: str) -> WorkloadPlan:
        if workload not in self.readers:
            raise InvalidInputError(f"workload {workload} is not deployed")
        return WorkloadPlan(workload, TimestampPlan("at"), (), 300, readers=self.readers[workload])

    def fraud_plan_of(self, workload: str) -> FraudPlan:
        raise NotImplementedError

    def any_plan_of(self, workload: str) -> Any:
        raise NotImplementedError

    def alerts_of(self, workload: str) -> AlertPlan:
        raise NotImplementedError

    def deployed_plan_of(self, workload: str, digest: str) -> WorkloadPlan:
        raise NotImplementedError


@dataclass
class RememberedScores:
    """`ScoreReader` of some lines of a series."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)

    def read(self, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(request)
        found = [each for each in self.lines if each["interval_start"] >= request["since"]]
        more = found[request["limit"] :]
        return {"scores": found[: request["limit"]], "next": more[0]["interval_start"] if more else None}


@dataclass
class Clock:
    """A second passes with each look."""

    moment: datetime = datetime(2026, 1, 1, tzinfo=timezone.utc)

    def now(self) -> datetime:
        self.moment += timedelta(seconds=1)
        return self.moment


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def document(self) -> Any:
        return json.loads(self.text)

    @property
    def problem(self) -> str:
        assert self.headers["Content-Type"] == "application/problem+json", self.text
        document = self.document
        assert document["status"] == self.status
        assert document["instance"] == "http-1"
        return str(document["type"].removeprefix("urn:watchkeeper:problem:"))


class Service:
    """The function, called as API Gateway calls it."""

    def __init__(self) -> None:
        create_table()
        self.workflows, self.models = RememberedWorkflows(), RememberedModels()
        self.bucket = S3TenantBucket(clients.s3(), clients.s3(), BUCKET)
        self.table = DynamoRequestTable(clients.dynamodb(), TABLE)
        self.clock = Clock()
        self.plans, self.scores = ReadablePlans(), RememberedScores()
        self.effects = ServiceEffects(
            files=self.bucket,
            requests=self.table,
            workflows=self.workflows,
            models=self.models,
            plans=self.plans,
            scores=self.scores,
            most_open_tasks=MOST_OPEN_TASKS,
            now=self.clock.now,
        )

    def put(self, key: str, body: bytes = FEATURES, tenant: str = "acme") -> None:
        clients.s3().put_object(Bucket=BUCKET, Key=f"tenants/{tenant}/{key}", Body=body)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        tenant: str | None = "acme",
        content_type: str | None = "application/json",
        claims: dict[str, str] | None = None,
    ) -> Answer:
        path, _, query = path.partition("?")
        claims = claims if claims is not None else {"sub": "subject", "custom:tenant": tenant or ""}
        answer = handler.handle(
            {
                "version": "2.0",
                "routeKey": "$default",
                "rawPath": path,
                "rawQueryString": query,
                "queryStringParameters": dict(parse_qsl(query)) or None,
                "headers": {"content-type": content_type} if content_type else {},
                "requestContext": {
                    "requestId": "http-1",
                    "stage": "$default",
                    "http": {"method": method, "path": path},
                    "authorizer": {"jwt": {"claims": claims}},
                },
                "body": body if body is None or isinstance(body, str) else json.dumps(body),
                "isBase64Encoded": False,
            },
            SimpleNamespace(  # type: ignore[arg-type]  # as much of a context as the handler reads
                function_name="service_api",
                memory_limit_in_mb=512,
                invoked_function_arn="arn",
                aws_request_id="id",
            ),
        )
        headers = {name: str(value) for name, value in answer["headers"].items()}
        return Answer(answer["statusCode"], headers, answer["body"])

    def use(self, monkeypatch: Any) -> None:
        monkeypatch.setattr(routes, "effects", lambda: self.effects)


def create_table() -> None:
    """Make the requests table."""
    texts = ("pk", "sk", "created_at")
    clients.dynamodb().create_table(
        TableName=TABLE,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in texts],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": BY_CREATION,
                "KeySchema": [
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "created_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
