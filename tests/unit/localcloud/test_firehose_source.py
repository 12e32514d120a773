"""A delivery stream that reads a data stream: what is put there is buffered, as its role."""

import asyncio
import base64
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from ministack.services import firehose as ministack_firehose
from ministack.services import kinesis

from localcloud.authorization.authority import AccessDeniedError
from localcloud.authorization.needs import Need, Place
from localcloud.firehose.part import FirehosePart
from localcloud.seams import firehose
from localcloud.seams.cloudformation import resource_handlers
from localcloud.seams.gateway import service_handlers
from localcloud.seams.responses import request_scope
from localcloud.settings import Settings

STREAM = "presses"
ROLE = "arn:aws:iam::123456789012:role/stream"
KIND = "AWS::KinesisFirehose::DeliveryStream"


class RefusedError(AccessDeniedError):
    """A refusal without a request."""

    def __init__(self, text: str) -> None:
        Exception.__init__(self, text)


class FakeAuthority:
    """Lets a role do what is not refused."""

    def __init__(self, refused: Sequence[str] = ()) -> None:
        self.place = Place("123456789012", "us-east-1")
        self.refused = refused
        self.asked: list[str] = []

    def assume(self, service: str, role: str, name: str, source: str) -> str:
        return role

    def require(self, caller: str, needs: Sequence[Need]) -> None:
        self.asked += [need.action for need in needs]
        refused = [need.action for need in needs if need.action in self.refused]
        if refused:
            raise RefusedError(f"{caller} may not {refused[0]}")


@pytest.fixture(autouse=True)
def _restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("_create_delivery_stream", "ingest_from_kinesis_source"):
        monkeypatch.setattr(ministack_firehose, name, getattr(ministack_firehose, name))
    for name in ("CreateDeliveryStream", "UpdateDestination"):
        monkeypatch.setitem(firehose.handlers, name, firehose.handlers[name])
    monkeypatch.setitem(service_handlers, "firehose", service_handlers["firehose"])
    monkeypatch.setitem(resource_handlers[KIND], "update", resource_handlers[KIND]["update"])
    with request_scope("123456789012", "us-east-1"):
        yield
        ministack_firehose.reset()
        kinesis.reset()


def request(arn: str, **changes: Any) -> dict[str, Any]:
    return {
        "DeliveryStreamName": "delivery",
        "DeliveryStreamType": "KinesisStreamAsSource",
        "KinesisStreamSourceConfiguration": {"KinesisStreamARN": arn, "RoleARN": ROLE},
        "ExtendedS3DestinationConfiguration": {"BucketARN": "arn:aws:s3:::lake", "RoleARN": ROLE},
        **changes,
    }


def installed(home: Path, authority: FakeAuthority) -> tuple[FirehosePart, str]:
    part = FirehosePart(Settings(home=home), authority, lambda call: call())  # type: ignore[arg-type]
    part.install()
    kinesis._create_stream({"StreamName": STREAM, "ShardCount": 1})
    stream = kinesis._streams[STREAM]
    stream["StreamStatus"] = "ACTIVE"
    return part, str(stream["StreamARN"])


def made(request: dict[str, Any]) -> str:
    status, _, body = firehose.handlers["CreateDeliveryStream"](request)
    return "" if status == 200 else str(json.loads(body)["message"])


async def put(*texts: bytes) -> None:
    for text in texts:
        data = base64.b64encode(text).decode()
        kinesis._put_record({"StreamName": STREAM, "PartitionKey": "a", "Data": data})


def buffered(home: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted((home / "firehose").rglob("*")) if file.is_file())


def test_what_is_put_into_the_data_stream_is_buffered_on_disk(tmp_path: Path) -> None:
    authority = FakeAuthority()
    part, arn = installed(tmp_path, authority)
    assert made(request(arn)) == ""
    asyncio.run(put(b'{"load": 1}', b'{"load": 2}'))
    part.shutdown()
    found = buffered(tmp_path)
    assert found.index(b'{"load": 1}') < found.index(b'{"load": 2}')
    assert set(authority.asked) == {
        *("kinesis:DescribeStream", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards")
    }


def test_a_role_that_may_not_read_makes_no_stream_and_gets_no_records(tmp_path: Path) -> None:
    authority = FakeAuthority()
    part, arn = installed(tmp_path, authority)
    assert made(request(arn)) == ""
    authority.refused = ("kinesis:GetRecords",)
    assert "may not kinesis:GetRecords" in made(request(arn, DeliveryStreamName="another"))
    asyncio.run(put(b'{"load": 1}'))
    part.shutdown()
    assert b"load" not in buffered(tmp_path)


def test_what_firehose_refuses_of_such_a_stream_is_refused(tmp_path: Path) -> None:
    _, arn = installed(tmp_path, FakeAuthority())
    assert "not found" in made(request(f"{arn}s"))
    encrypted = {"DeliveryStreamEncryptionConfigurationInput": {"KeyType": "AWS_OWNED_CMK"}}
    assert "the data stream encrypts" in made(request(arn, **encrypted))
    assert "MSKAsSource is not supported" in made(request(arn, DeliveryStreamType="MSKAsSource"))
    assert made(request(arn)) == ""
    body = json.dumps({"DeliveryStreamName": "delivery", "Record": {"Data": ""}}).encode()
    headers = {"x-amz-target": "Firehose_20150804.PutRecord"}
    status, _, answer = asyncio.run(service_handlers["firehose"]("POST", "/", headers, body, {}))
    assert status == 400
    assert b"not permitted on KinesisStreamAsSource" in answer
