"""AWS for the adapters' tests: moto in this process, and no network."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import aws_xray_sdk.core  # noqa: F401  opens a socket when it is imported: before there is no network
import boto3
import pytest
from moto import mock_aws
from pytest_socket import disable_socket, enable_socket

from lambdas.adapters import clients
from lambdas.adapters.incident_store import BY_ID
from tests.unit.lambdas.builders import BUCKET

REGION = "us-east-1"
SERIES_TABLE = "series"
ANOMALIES_TABLE = "anomalies"
IDEMPOTENCY_TABLE = "idempotency"
INCIDENTS_TABLE = "incidents"


@pytest.fixture(autouse=True)
def _no_network() -> Iterator[None]:
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """An account with the project's bucket, tables, bus, topic and a queue that listens to both.

    Clients are those of `clients`, made once: moto answers them in every test anew.
    """
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        _create_stores()
        yield Account()


@functools.cache
def sqs() -> Any:
    """Client of the queue that listens."""
    return boto3.client("sqs")


class Account(SimpleNamespace):
    """What has names of its own: made when it is asked for, since most tests do not."""

    bus = property(lambda self: self._listened["bus"])
    topic_arn = property(lambda self: self._listened["topic_arn"])
    queue_url = property(lambda self: self._listened["queue_url"])

    @functools.cached_property
    def _listened(self) -> dict[str, str]:
        return _create_listener()


def _create_stores() -> None:
    clients.s3().create_bucket(Bucket=BUCKET)
    for table in (SERIES_TABLE, ANOMALIES_TABLE):
        _create_table(table, "pk", "sk")
    _create_table(IDEMPOTENCY_TABLE, "id")
    create_incidents_table(INCIDENTS_TABLE)


def _create_listener() -> dict[str, str]:
    queue_url = sqs().create_queue(QueueName="listener")["QueueUrl"]
    queue_arn = sqs().get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    events = clients.events()
    events.create_event_bus(Name="alerts")
    events.put_rule(Name="all", EventBusName="alerts", EventPattern='{"source": ["watchkeeper"]}')
    events.put_targets(Rule="all", EventBusName="alerts", Targets=[{"Id": "queue", "Arn": queue_arn}])
    sns = clients.sns()
    topic_arn = sns.create_topic(Name="alerts")["TopicArn"]
    sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue_arn)
    return {"queue_url": queue_url, "topic_arn": topic_arn, "bus": "alerts"}


def create_incidents_table(name: str) -> None:
    """Make a table of incidents."""
    _create_table(name, "pk", "sk", {BY_ID: ("incident_id", "sk")})


def _create_table(
    name: str,
    partition_key: str,
    sort_key: str | None = None,
    indexes: dict[str, tuple[str, str]] | None = None,
) -> None:
    def schema(partition: str, sort: str | None) -> list[Any]:
        keys = [{"AttributeName": partition, "KeyType": "HASH"}]
        return [*keys, {"AttributeName": sort, "KeyType": "RANGE"}] if sort else keys

    names = {partition_key, *filter(None, [sort_key]), *itertools.chain(*(indexes or {}).values())}
    more: Any = {
        "GlobalSecondaryIndexes": [
            {
                "IndexName": index,
                "KeySchema": schema(*keys),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
            for index, keys in (indexes or {}).items()
        ]
    }
    clients.dynamodb().create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in sorted(names)],
        KeySchema=schema(partition_key, sort_key),
        BillingMode="PAY_PER_REQUEST",
        **(more if indexes else {}),
    )
