"""What a device may do by the policies of its certificate and of its thing's groups."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.services import iot as ministack_iot

from localcloud.iot_devices import _policies_allow
from localcloud.seams.responses import request_scope

ACCOUNT, REGION = "111122223333", "eu-west-1"
ARN = f"arn:aws:iot:{REGION}:{ACCOUNT}"
CERTIFICATE = "ab" * 32


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    with request_scope(ACCOUNT, REGION):
        ministack_iot._certificates[CERTIFICATE] = {
            "certificateId": CERTIFICATE,
            "certificateArn": f"{ARN}:cert/{CERTIFICATE}",
            "attachedThings": [f"{ARN}:thing/pump"],
            "attachedPolicies": [],
        }
        ministack_iot._create_thing("pump", {})
        ministack_iot._create_thing_group("site", {})
        ministack_iot._create_thing_group("hall", {"parentGroupName": "site"})
        yield
        ministack_iot.reset()


def attach(target: str, effect: str, action: str, resource: str) -> None:
    name = f"{effect}-{target.rpartition('/')[2]}"[:100]
    statement = {"Effect": effect, "Action": action, "Resource": f"{ARN}:{resource}"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    ministack_iot._create_policy(name, {"policyDocument": document})
    ministack_iot._change_policy_target(name, target, attach=True)


def join(group: str) -> None:
    asyncio.run(ministack_iot._add_thing_to_group({"thingGroupName": group, "thingName": "pump"}))


def allowed(*, resource: str = "topic/devices/pump/x", client: str = "pump") -> bool:
    context: dict[str, Any] = ministack_iot._mqtt_policy_context(ACCOUNT, REGION, CERTIFICATE, client)
    return _policies_allow(ACCOUNT, REGION, CERTIFICATE, context, "iot:Publish", resource)


def test_nothing_is_allowed_without_a_policy() -> None:
    assert not allowed()


def test_a_policy_names_the_thing_that_is_connected() -> None:
    attach(
        f"{ARN}:cert/{CERTIFICATE}",
        "Allow",
        "iot:Publish",
        "topic/devices/${iot:Connection.Thing.ThingName}/*",
    )

    assert allowed()
    assert not allowed(resource="topic/devices/other/x")
    assert not allowed(client="other")


@pytest.mark.parametrize("group", ["site", "hall"])
def test_policies_of_groups_and_of_those_above_count(group: str) -> None:
    attach(f"{ARN}:thinggroup/site", "Allow", "iot:Publish", "topic/devices/*")
    assert not allowed()

    join(group)

    assert allowed()
    assert not allowed(client="other")  # of which no thing is in the group


def test_a_denial_of_a_group_wins() -> None:
    attach(f"{ARN}:cert/{CERTIFICATE}", "Allow", "iot:Publish", "topic/devices/*")
    attach(f"{ARN}:thinggroup/site", "Deny", "iot:Publish", "topic/*")
    assert allowed()

    join("site")

    assert not allowed()
