"""Who asks about a stack that is at work hears of its end."""

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from localcloud import cloudformation
from localcloud.settings import Settings

FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    found = {"StackStatus": "CREATE_IN_PROGRESS"}
    monkeypatch.setattr(cloudformation, "stack_named", {"app": found}.get)
    return found


def answers(tmp_path: Path, stack: dict[str, Any], *requests: dict[str, str]) -> list[str]:
    """Return the stack's status when each request is answered; it is complete a moment after all are sent."""
    part = cloudformation.CloudFormationPart(Settings(home=tmp_path), lambda: None)

    async def handed_on(*_: Any) -> Any:
        return stack["StackStatus"]

    async def all_of_them() -> list[str]:
        part._hand_on = handed_on
        asked = [
            asyncio.create_task(part.handle_request("POST", "/", FORM, urlencode(request).encode(), {}))
            for request in requests
        ]
        await asyncio.sleep(0.01)
        stack["StackStatus"] = "CREATE_COMPLETE"
        return [await each for each in asked]

    return asyncio.run(all_of_them())


def test_an_answer_about_a_stack_at_work_waits_for_its_end(tmp_path: Path, stack: dict[str, Any]) -> None:
    by_name = {"Action": "DescribeStacks", "StackName": "app"}
    by_id = {**by_name, "StackName": "arn:aws:cloudformation:us-east-1:123456789012:stack/app/1"}

    assert answers(tmp_path, stack, by_name, by_id) == ["CREATE_COMPLETE", "CREATE_COMPLETE"]


@pytest.mark.parametrize(
    "request_of",
    [
        {"Action": "DescribeStacks"},
        {"Action": "DescribeStacks", "StackName": "other"},
        {"Action": "DescribeStackEvents", "StackName": "app"},
    ],
)
def test_other_answers_do_not_wait(tmp_path: Path, stack: dict[str, Any], request_of: dict[str, str]) -> None:
    assert answers(tmp_path, stack, request_of) == ["CREATE_IN_PROGRESS"]


def test_an_answer_waits_no_longer_than_it_may(
    tmp_path: Path, stack: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloudformation, "HELD_SECONDS", 0.0)

    asked = {"Action": "DescribeStacks", "StackName": "app"}
    assert answers(tmp_path, stack, asked) == ["CREATE_IN_PROGRESS"]


@pytest.mark.parametrize("status", ["REVIEW_IN_PROGRESS", "UPDATE_COMPLETE", "ROLLBACK_FAILED"])
def test_what_waits_for_somebody_or_has_ended_is_not_at_work(stack: dict[str, Any], status: str) -> None:
    stack["StackStatus"] = status

    assert not cloudformation.is_at_work("app")
