"""A full disk: what is refused and how, what goes on, and that a failed snapshot is told and tried again."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localcloud.disk import DamagedStateError, Disk, reads, refusal, writes
from localcloud.firehose.journal import Journal
from localcloud.persistence import PersistencePart, require_readable
from localcloud.sagemaker.kinds import MODEL
from localcloud.sagemaker.store import Store
from localcloud.settings import Settings

GB = 2**30


def disk(home: Path, free: int) -> Disk:
    return Disk(Settings(home=home), lambda path: free)


def asked(target: str = "", content_type: str = "") -> dict[str, str]:
    return {"x-amz-target": target, "content-type": content_type}


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "expected"),
    [
        ("POST", "/", asked("DynamoDB_20120810.PutItem"), b"{}", True),
        ("POST", "/", asked("DynamoDB_20120810.GetItem"), b"{}", False),
        ("POST", "/", asked("DynamoDB_20120810.DeleteItem"), b"{}", False),
        ("POST", "/", asked("AmazonSQS.SendMessage"), b"{}", True),
        ("POST", "/", asked("AmazonSQS.ReceiveMessage"), b"{}", False),
        ("POST", "/", asked("AmazonSSM.PutParameter"), b"{}", True),
        ("PUT", "/bucket/key", asked(), b"content", True),
        ("GET", "/bucket/key", asked(), b"", False),
        ("DELETE", "/bucket/key", asked(), b"", False),
        ("POST", "/", asked("", "application/x-www-form-urlencoded"), b"Action=Publish&Message=x", True),
        ("POST", "/", asked("", "application/x-www-form-urlencoded"), b"Action=ListTopics", False),
        ("POST", "/endpoints/e/invocations", asked(), b"1", False),
    ],
)
def test_what_makes_or_changes_something_needs_room(
    method: str, path: str, headers: dict[str, str], body: bytes, expected: bool
) -> None:
    assert writes(method, path, headers, body) is expected


@pytest.mark.parametrize(
    ("method", "headers", "body", "expected"),
    [
        ("GET", asked(), b"", True),
        ("POST", asked("AWSStepFunctions.DescribeExecution"), b"{}", True),
        ("POST", asked("", "application/x-www-form-urlencoded"), b"Action=DescribeStacks", True),
        ("POST", asked("AmazonSQS.ReceiveMessage"), b"{}", False),  # nobody else is given it for a while
        ("POST", asked("DynamoDB_20120810.DeleteItem"), b"{}", False),
        ("POST", asked("", "application/x-www-form-urlencoded"), b"Action=DeleteStack", False),
        ("DELETE", asked(), b"", False),
        ("PUT", asked(), b"content", False),
    ],
)
def test_who_only_looks_changes_nothing(
    method: str, headers: dict[str, str], body: bytes, expected: bool
) -> None:
    assert reads(method, headers, body) is expected


def answer_of(home: Path, free: int, body: bytes, service: str = "dynamodb") -> tuple[int, Any, list[bytes]]:
    taken: list[bytes] = []

    async def handler(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
        taken.append(body)
        return 200, {}, b"{}"

    guarded = disk(home, free).guarded(service, handler)
    status, _, answer = asyncio.run(guarded("POST", "/", asked("DynamoDB_20120810.PutItem"), body, {}))
    return status, answer, taken


def test_a_request_beyond_the_reserve_is_refused_before_the_service_sees_it(tmp_path: Path) -> None:
    assert answer_of(tmp_path, GB, b"{}")[::2] == (200, [b"{}"])

    status, answer, taken = answer_of(tmp_path, 1000, b"{}")
    assert (status, taken) == (503, [])
    assert json.loads(answer)["__type"] == "ServiceUnavailable"
    assert "1,000 bytes free" in json.loads(answer)["message"]

    room = Settings(home=tmp_path).free_bytes
    assert answer_of(tmp_path, room + 10, b"x" * 11)[0] == 503  # itself it would not fit


def test_each_protocol_is_refused_in_its_own_form() -> None:
    assert b"<Code>ServiceUnavailable</Code>" in refusal("s3", {}, "full & gone")[2]
    assert b"full &amp; gone" in refusal("s3", {}, "full & gone")[2]
    query = refusal("sns", asked("", "application/x-www-form-urlencoded"), "full")
    assert query[2].startswith(b"<ErrorResponse>")
    assert refusal("lambda", {}, "full")[1]["x-amzn-errortype"] == "ServiceUnavailable"


def persistence(home: Path) -> tuple[PersistencePart, Disk]:
    found = disk(home, GB)
    return PersistencePart(Settings(home=home, persistence_interval_seconds=0.01), found), found


def test_a_snapshot_that_cannot_be_written_refuses_and_the_next_one_that_can_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part, found = persistence(tmp_path)
    tried, full, saved = threading.Event(), threading.Event(), threading.Event()
    full.set()

    def save(states: dict[str, Any]) -> None:
        tried.set()
        if full.is_set():
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(part, "_save", save)

    async def scenario() -> None:
        await part.start()
        part.when_saved(saved.set)
        await until(lambda: found.failure is not None)
        assert "No space left on device" in str(found.full())
        assert part.status()["disk"]["refuses_writes"] is not None
        assert not saved.is_set()  # nobody is told that it is on disk
        full.clear()
        await until(lambda: found.failure is None and saved.is_set())
        assert found.full() is None

    asyncio.run(scenario())
    part._stopping = True
    part.touch()


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not within 20 s")


def test_a_damaged_file_is_named_with_the_place_and_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "sqs.json").write_text("{}")
    require_readable(tmp_path)

    for damage in ('{"a": ', "", "[]", "\0\0\0"):
        (tmp_path / "dynamodb.json").write_text(damage)
        with pytest.raises(DamagedStateError, match=r"dynamodb\.json is damaged .*reset --yes"):
            require_readable(tmp_path)


def test_a_record_that_does_not_fit_hides_none_that_follow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path)
    journal.append([b"first"])
    write = os.write

    def half(descriptor: int, content: Any) -> int:
        write(descriptor, bytes(content)[:6])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", half)
        with pytest.raises(OSError, match="No space"):
            journal.append([b"second"])
    journal.append([b"third"])

    segment = journal.close_segment()
    assert segment is not None
    assert list(segment.records()) == [b"first", b"third"]


def test_the_state_of_sagemaker_is_written_when_there_is_room_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "state.json", region="us-east-1", account="123456789012")
    store.add(MODEL, "m", {"ModelName": "m"})
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", _no_room)
        with pytest.raises(OSError, match="No space"):
            store.write()

    store.write()
    assert "m" in json.loads(store.path.read_text())["resources"]["Model"]

    store.path.write_text('{"resources": ')
    damaged = Store(store.path, region="us-east-1", account="123456789012")
    with pytest.raises(DamagedStateError, match=r"state\.json is damaged"):
        damaged.start()


def _no_room(descriptor: int) -> None:
    raise OSError(28, "No space left on device")
