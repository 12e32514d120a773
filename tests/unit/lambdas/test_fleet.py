"""Who joins the fleet, whose certificate ends, and who is quarantined: against moto's IoT and tables."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import cast

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.adapters import clients
from lambdas.adapters.allow_list import AllowList, ListedDevice
from lambdas.adapters.device_registry import DeviceRegistry
from lambdas.fleet.allow_joining import handle
from lambdas.fleet.joining import JoinRequest, decide
from lambdas.fleet.retire_certificates import retire_others
from tests.unit.lambdas.console_world import Connections
from tests.unit.lambdas.test_handlers_of_queues import Context
from watchkeeper.core import layout
from watchkeeper.core.errors import InvalidInputError

TABLE = "devices"
THING = layout.thing_name("A17")


@pytest.fixture
def listed(aws: SimpleNamespace) -> AllowList:
    clients.dynamodb().create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "serial_number", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "serial_number", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return AllowList(clients.dynamodb(), TABLE)


@pytest.fixture
def connections() -> Connections:
    return Connections()


@pytest.fixture
def registry(aws: SimpleNamespace, connections: Connections) -> DeviceRegistry:
    iot = clients.iot()
    for group in (layout.DEVICES, layout.QUARANTINED):
        iot.create_thing_group(thingGroupName=group)
    for policy in (layout.DEVICE_POLICY, layout.QUARANTINED):
        document = {"Version": "2012-10-17", "Statement": []}
        iot.create_policy(policyName=policy, policyDocument=json.dumps(document))
    iot.create_thing(thingName=THING)
    iot.add_thing_to_thing_group(thingGroupName=layout.DEVICES, thingName=THING)
    return DeviceRegistry(iot, lambda: connections)


def certificate() -> str:
    """Give the device one more certificate."""
    made = clients.iot().create_keys_and_certificate(setAsActive=True)
    clients.iot().attach_thing_principal(thingName=THING, principal=made["certificateArn"])
    clients.iot().attach_policy(policyName=layout.DEVICE_POLICY, target=made["certificateArn"])
    return str(made["certificateId"])


def claimed(certificate_id: str, serial_number: str = "A17") -> JoinRequest:
    return JoinRequest("claim", certificate_id, layout.claim_client(serial_number), serial_number)


def test_a_listed_device_joins_once_and_may_ask_again_for_the_same_certificate(
    listed: AllowList, registry: DeviceRegistry
) -> None:
    listed.allow(ListedDevice("A17", "north"))

    assert decide(claimed("first"), listed, registry) == ListedDevice("A17", "north", "joined", "first")
    assert decide(claimed("first"), listed, registry) is not None
    assert decide(claimed("second"), listed, registry) is None


def test_a_device_that_is_not_on_the_list_is_refused(listed: AllowList, registry: DeviceRegistry) -> None:
    assert decide(claimed("first", "B1"), listed, registry) is None


def test_a_device_that_was_revoked_joins_only_when_it_is_allowed_again(
    listed: AllowList, registry: DeviceRegistry
) -> None:
    device = ListedDevice("A17", "north")
    listed.allow(device)
    decide(claimed("first"), listed, registry)
    listed.revoke("A17")

    assert decide(claimed("first"), listed, registry) is None
    assert listed.allow(device) is False
    assert decide(claimed("second"), listed, registry) is None
    assert listed.allow(device, again=True) is True
    assert decide(claimed("second"), listed, registry) is not None


def test_another_certificate_is_for_who_holds_one_of_the_thing(
    listed: AllowList, registry: DeviceRegistry
) -> None:
    listed.allow(ListedDevice("A17", "north"))
    decide(claimed("first"), listed, registry)
    held = certificate()

    assert decide(JoinRequest(held, "next", THING, "A17"), listed, registry) is not None
    assert decide(JoinRequest("foreign", "next", THING, "A17"), listed, registry) is None
    assert decide(JoinRequest(None, "next", THING, "A17"), listed, registry) is None


@pytest.mark.parametrize(("serial_number", "site"), [("a b", "north"), ("", "north"), ("A17", "north pole")])
def test_what_cannot_name_a_thing_or_be_its_attribute_is_not_listed(serial_number: str, site: str) -> None:
    with pytest.raises(InvalidInputError, match=r"letters, digits"):
        ListedDevice(serial_number, site)


def test_the_hook_answers_as_aws_iot_wants(listed: AllowList, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEVICES_TABLE", TABLE)
    listed.allow(ListedDevice("A17", "north"))
    event = {
        "claimCertificateId": "claim",
        "certificateId": "first",
        "certificatePem": "-",
        "templateArn": "arn:aws:iot:us-east-1:123456789012:provisioningtemplate/watchkeeper-device",
        "clientId": layout.claim_client("A17"),
        "parameters": {"SerialNumber": "A17", "Site": "said by the device"},
    }

    assert handle(event, cast(LambdaContext, Context())) == {
        "allowProvisioning": True,
        "parameterOverrides": {"Site": "north"},
    }
    assert handle({**event, "parameters": {}}, cast(LambdaContext, Context())) == {"allowProvisioning": False}


def test_the_former_certificates_end_when_the_new_one_is_in_use(registry: DeviceRegistry) -> None:
    former, new = certificate(), certificate()

    assert retire_others(registry, THING, new) == [former]
    assert registry.certificates(THING) == [new]
    assert retire_others(registry, THING, new) == []


def test_a_certificate_that_is_not_the_things_ends_none(registry: DeviceRegistry) -> None:
    held = certificate()

    assert retire_others(registry, THING, "of another") == []
    assert registry.certificates(THING) == [held]


def test_a_quarantined_device_is_in_the_group_that_denies_and_loses_its_connection(
    registry: DeviceRegistry, connections: Connections
) -> None:
    registry.quarantine(THING)
    registry.quarantine(THING)

    device = registry.device(THING)
    assert device is not None
    assert device.quarantined
    assert connections.ended == [THING, THING]
    group = clients.iot().describe_thing_group(thingGroupName=layout.QUARANTINED)["thingGroupArn"]
    attached = clients.iot().list_attached_policies(target=group)["policies"]
    assert [policy["policyName"] for policy in attached] == [layout.QUARANTINED]

    registry.restore(THING)
    device = registry.device(THING)
    assert device is not None
    assert not device.quarantined
