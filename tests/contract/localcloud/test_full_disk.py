"""A laptop without room refuses, says so, and keeps what it acknowledged; damaged state is not emptiness."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.contract.localcloud.cloud import Cloud, running_cloud

NO_RETRY = Config(retries={"total_max_attempts": 1})


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state of a cloud that was ended."""
    folder = tmp_path_factory.mktemp("ended") / "home"
    with running_cloud(folder) as cloud:
        cloud.client("s3").create_bucket(Bucket="bucket")
        cloud.client("s3").put_object(Bucket="bucket", Key="kept", Body=b"1")
        cloud.client("sqs").create_queue(QueueName="q")
        cloud.client("ssm").put_parameter(Name="/kept", Value="1", Type="String")
    return folder


def test_writing_services_refuse_like_full_ones_and_keep_what_they_acknowledged(home: Path) -> None:
    with running_cloud(home, LOCALCLOUD_FREE_BYTES=str(10**18)) as cloud:
        queue = cloud.client("sqs").get_queue_url(QueueName="q")["QueueUrl"]
        s3, sqs, ssm, dynamodb = (
            cloud.client(service, NO_RETRY) for service in ("s3", "sqs", "ssm", "dynamodb")
        )
        for attempt in (
            lambda: s3.put_object(Bucket="bucket", Key="lost", Body=b"1"),
            lambda: sqs.send_message(QueueUrl=queue, MessageBody="lost"),
            lambda: ssm.put_parameter(Name="/lost", Value="1", Type="String"),
            lambda: dynamodb.create_table(
                TableName="lost",
                KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            ),
        ):
            with pytest.raises(ClientError, match="bytes free") as refused:
                attempt()
            assert refused.value.response["Error"]["Code"] == "ServiceUnavailable"
        with urllib.request.urlopen(f"{cloud.settings.endpoint_url}/_localcloud/status") as answer:
            assert "bytes free" in json.load(answer)["disk"]["refuses_writes"]
        assert cloud.client("s3").get_object(Bucket="bucket", Key="kept")["Body"].read() == b"1"
        assert cloud.client("ssm").get_parameter(Name="/kept")["Parameter"]["Value"] == "1"


def test_a_damaged_state_is_not_taken_for_an_empty_one(home: Path) -> None:
    damaged = home / "state/ssm.json"
    content = damaged.read_bytes()
    damaged.write_bytes(content[: len(content) // 2])

    refused = Cloud(home).run("up", "--detach", "--quiet", check=False)

    assert refused.returncode != 0
    said = " ".join(refused.stderr.split())
    assert "ssm.json is damaged" in said
    assert "Traceback" not in said
    assert damaged.read_bytes() == content[: len(content) // 2]
    damaged.write_bytes(content)
    with running_cloud(home) as cloud:
        assert cloud.client("ssm").get_parameter(Name="/kept")["Parameter"]["Value"] == "1"
