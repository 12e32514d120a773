"""The fleet's stack: what a device, a claim and a quarantined device may do, and who joins."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.infra.conftest import ROOT, synthesize
from tests.infra.templates import Templates, flat
from watchkeeper.core import layout

STACK = "WatchkeeperFleet"
POLICY_CHARACTERS = 2048
"""What AWS IoT takes of a policy, white space not counted."""


def statements_of(templates: Templates, policy: str) -> list[dict[str, Any]]:
    found = [
        each.properties["PolicyDocument"]["Statement"]
        for each in templates.resources("AWS::IoT::Policy", stack=STACK)
        if each.properties["PolicyName"] == policy
    ]
    (statements,) = found
    return list(statements)


def resources_of(statements: list[dict[str, Any]], action: str) -> list[str]:
    """Return what statements are about that have an action, without the beginning of the ARN."""
    found = []
    for statement in statements:
        actions, named = statement["Action"], statement["Resource"]
        if action in ([actions] if isinstance(actions, str) else actions):
            found += named if isinstance(named, list) else [named]
    return [flat(each).partition("<AWS::AccountId>:")[2] for each in found]


def test_a_device_has_its_own_topics_and_connects_as_its_thing(templates: Templates) -> None:
    statements = statements_of(templates, layout.DEVICE_POLICY)
    thing = "${iot:Connection.Thing.ThingName}"
    provisioning = [
        "topic/$aws/certificates/create/*",
        "topic/$aws/provisioning-templates/watchkeeper-device/provision/*",
    ]

    assert resources_of(statements, "iot:Connect") == [f"client/{thing}"]
    assert statements[0]["Condition"] == {"Bool": {"iot:Connection.Thing.IsAttached": "true"}}
    assert resources_of(statements, "iot:Publish") == [
        f"topic/devices/{thing}/*",
        f"topic/$aws/rules/watchkeeper_*/devices/{thing}/*",
        *provisioning,
    ]
    assert resources_of(statements, "iot:Receive") == [f"topic/devices/{thing}/commands/*", *provisioning]


def test_a_claim_may_ask_to_join_and_nothing_else(templates: Templates) -> None:
    statements = statements_of(templates, layout.CLAIM_POLICY)
    asked = ["$aws/certificates/create/*", "$aws/provisioning-templates/watchkeeper-device/provision/*"]

    assert resources_of(statements, "iot:Connect") == ["client/watchkeeper-claim-*"]
    assert resources_of(statements, "iot:Publish") == [f"topic/{each}" for each in asked]
    assert resources_of(statements, "iot:Receive") == [f"topic/{each}" for each in asked]
    assert resources_of(statements, "iot:Subscribe") == [f"topicfilter/{each}" for each in asked]


def test_a_quarantined_device_is_denied_everything(templates: Templates) -> None:
    (statement,) = statements_of(templates, layout.QUARANTINED)

    assert (statement["Effect"], statement["Resource"]) == ("Deny", "*")
    assert {"iot:Connect", "iot:Publish", "iot:Subscribe", "iot:Receive"} <= set(statement["Action"])


@pytest.mark.parametrize("policy", [layout.DEVICE_POLICY, layout.CLAIM_POLICY, layout.QUARANTINED])
def test_policies_are_as_short_as_aws_iot_wants(templates: Templates, policy: str) -> None:
    statements = [
        {**each, "Resource": [flat(one) for one in named]}
        for each in statements_of(templates, policy)
        for named in [each["Resource"] if isinstance(each["Resource"], list) else [each["Resource"]]]
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    longest = document.replace("<AWS::Region>", "ap-southeast-1").replace("<AWS::AccountId>", "1" * 12)

    assert len("".join(longest.split())) < POLICY_CHARACTERS


def test_the_list_decides_who_joins_and_a_new_certificate_keeps_the_groups(templates: Templates) -> None:
    template = templates.one("AWS::IoT::ProvisioningTemplate", stack=STACK).properties
    permission = templates.one("AWS::Lambda::Permission", stack=STACK, having="Hook").properties
    body = json.loads(template["TemplateBody"])

    assert "AllowJoining" in str(template["PreProvisioningHook"]["TargetArn"])
    assert flat(permission["SourceArn"]).endswith(":provisioningtemplate/watchkeeper-device")
    thing = body["Resources"]["thing"]
    assert thing["Properties"]["ThingGroups"] == ["watchkeeper-devices"]
    assert thing["OverrideSettings"]["ThingGroups"] == "DO_NOTHING"
    assert body["Resources"]["policy"]["Properties"] == {"PolicyName": layout.DEVICE_POLICY}


def test_a_rotation_is_told_by_the_certificate_of_who_tells_it(templates: Templates) -> None:
    payload = templates.one("AWS::IoT::TopicRule", stack=STACK).properties["TopicRulePayload"]

    assert payload["Sql"] == (
        "SELECT topic(2) AS thing, principal() AS certificate_id FROM 'devices/+/rotated' "
        "WHERE topic(2) = clientid()"
    )


@pytest.fixture(scope="module")
def watching(tmp_path_factory: pytest.TempPathFactory, cdk_context: dict[str, Any]) -> Templates:
    """The stack of a workload that watches devices, synthesized alone."""
    folder = tmp_path_factory.mktemp("behaviour")
    (folder / "workloads").mkdir()
    shutil.copy(ROOT / "docs" / "examples" / f"{WATCHING}.yaml", folder / "workloads")
    outdir: Path = folder / "cdk.out"
    synthesize(folder / "workloads", outdir, cdk_context, shared=False)
    return Templates.read(outdir)


WATCHING = "fleet_behaviour"


def test_each_behaviour_is_seen_by_a_rule(watching: Templates) -> None:
    rules = {
        each.properties["RuleName"].removeprefix(f"watchkeeper_{WATCHING}_"): each.properties[
            "TopicRulePayload"
        ]
        for each in watching.resources("AWS::IoT::TopicRule")
    }

    assert {name: payload["Sql"].partition(" FROM ")[2] for name, payload in rules.items()} == {
        "messages": "'devices/#' WHERE topic(2) = clientid()",
        "commands": "'devices/+/commands/#'",
        "connected": "'$aws/events/presence/connected/+'",
        "refused": "'$aws/events/presence/connect_failed/+'",
        "disconnected": "'$aws/events/presence/disconnected/+'",
        "unauthorized": "'$aws/events/presence/disconnected/+' WHERE disconnectReason = 'AUTH_ERROR'",
        "metrics": "'devices/+/metrics' WHERE topic(2) = clientid()",
    }
    for payload in rules.values():
        assert f"'{WATCHING}' AS workload" in payload["Sql"]
        assert "newuuid() AS record_id" in payload["Sql"]
        assert "S3" in payload["ErrorAction"]


def test_the_anomalies_that_are_wanted_reach_the_quarantine(watching: Templates) -> None:
    rule = watching.one("AWS::Events::Rule", stack="Watchkeeper-fleet-behaviour", having="Quarantine")

    assert rule.properties["EventPattern"]["detail"] == {
        "workload": [WATCHING],
        "severity": [{"numeric": [">=", 90]}],
        "series": [{"prefix": "messages_sent|"}, {"prefix": "authorization_failures|"}],
    }
    (target,) = rule.properties["Targets"]
    told = target["Arn"]["Fn::GetStackOutput"]
    assert (told["StackName"], told["OutputName"]) == (STACK, "QuarantineQueueArn")
