"""The fleet: how devices join, what each may do, and whose certificate ends."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_iot as iot
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.constructs.python_function import PythonFunction
from infra.constructs.topic_rule import SQL_VERSION
from infra.constructs.work_queue import WorkQueue, let_rules_of_workloads_send
from infra.permissions import (
    CERTIFICATES_REASON,
    DEVICES_REASON,
    Permission,
    assumed_by,
    permit,
    policy_of,
    use_key,
    use_table,
)
from lambdas.fleet.allow_joining import AllowJoiningEnvironment
from lambdas.fleet.joining import SERIAL_NUMBER, SITE
from lambdas.fleet.quarantine_device import QuarantineDeviceEnvironment
from lambdas.fleet.retire_certificates import RetireCertificatesEnvironment
from watchkeeper.core import layout

HOOK_SECONDS = 5
"""AWS IoT waits no longer for a provisioning hook."""
QUARANTINE_SECONDS = 30
THING = "${iot:Connection.Thing.ThingName}"
"""In a policy: the thing that is connected, whose certificate it must be."""


class FleetStack(Stack):
    """What all devices share: groups, policies, the provisioning template with its hook, and rotation.

    Parameters
    ----------
    devices
        Table of those that may join.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function_code: Path,
        devices: dynamodb.ITable,
        idempotency: dynamodb.ITable,
        alert_bus: events.IEventBus,
        data_key: kms.IKey,
        **stack_options: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack_options)
        group = iot.CfnThingGroup(
            self, "Devices", thing_group_name=layout.DEVICES, thing_group_properties=_about("The fleet")
        )
        quarantine = iot.CfnThingGroup(
            self,
            "Quarantine",
            thing_group_name=layout.QUARANTINED,
            thing_group_properties=_about("Devices that may do nothing until they are restored"),
        )
        policies = [
            self._policy("DevicePolicy", layout.DEVICE_POLICY, list(self._of_a_device())),
            self._policy("ClaimPolicy", layout.CLAIM_POLICY, list(self._of_a_claim())),
            self._policy("QuarantinePolicy", layout.QUARANTINED, [_denial()]),
        ]
        self.allow_joining = PythonFunction(
            self,
            "AllowJoining",
            code=function_code,
            environment=AllowJoiningEnvironment(devices_table=devices.table_name),
            purpose="Looks a device up in the list before it joins the fleet",
            timeout_seconds=HOOK_SECONDS,
            memory_mb=1024,  # a cold start, too, must answer in time
        )
        permit(
            self.allow_joining.role,
            use_table(devices, "GetItem", "UpdateItem"),
            use_key(data_key, "dynamodb"),
            self._use_devices("iot:ListThingPrincipals"),
        )
        template = self._template(group)
        template.node.add_dependency(*policies, quarantine)
        self.retire_certificates = PythonFunction(
            self,
            "RetireCertificates",
            code=function_code,
            environment=RetireCertificatesEnvironment(),
            purpose="Ends a device's former certificates once it has a new one",
        )
        permit(
            self.retire_certificates.role,
            self._use_devices("iot:ListThingPrincipals"),
            self._use_certificates(
                "iot:DescribeCertificate",
                "iot:UpdateCertificate",
                "iot:DetachPolicy",
                "iot:DetachThingPrincipal",
                "iot:DeleteCertificate",
            ),
            Permission(
                actions=["iot:ListAttachedPolicies"],
                resources=["*"],
                reason="AWS IoT has no resource to name here.",
            ),
        )
        self._when_rotated()
        self._quarantine(function_code, quarantine, alert_bus, idempotency, data_key)
        CfnOutput(self, "ProvisioningTemplateName", value=template.ref)
        CfnOutput(self, "AllowJoiningFunctionName", value=self.allow_joining.function.function_name)

    def _policy(self, construct_id: str, name: str, statements: Sequence[dict[str, Any]]) -> iot.CfnPolicy:
        document = {"Version": "2012-10-17", "Statement": statements}
        return iot.CfnPolicy(self, construct_id, policy_name=name, policy_document=document)

    def _of_a_device(self) -> Iterator[dict[str, Any]]:
        """A device connects as its thing, publishes and hears its own topics, and renews its certificate."""
        yield {
            "Effect": "Allow",
            "Action": "iot:Connect",
            "Resource": self._arn("client", THING),
            "Condition": {"Bool": {"iot:Connection.Thing.IsAttached": "true"}},
        }
        own = layout.device_topic(THING, "*")
        ingest = layout.basic_ingest_topic("*", own)
        yield {
            "Effect": "Allow",
            "Action": "iot:Publish",
            "Resource": [self._arn("topic", own), self._arn("topic", ingest)],
        }
        told = layout.device_topic(THING, f"{layout.COMMANDS}/*")
        yield {"Effect": "Allow", "Action": "iot:Subscribe", "Resource": self._arn("topicfilter", told)}
        yield {"Effect": "Allow", "Action": "iot:Receive", "Resource": self._arn("topic", told)}
        yield from self._provisioning()

    def _of_a_claim(self) -> Iterator[dict[str, Any]]:
        """Who has the claim may ask for a certificate, and do nothing else."""
        yield {
            "Effect": "Allow",
            "Action": "iot:Connect",
            "Resource": self._arn("client", layout.claim_client("*")),
        }
        yield from self._provisioning()

    def _provisioning(self) -> Iterator[dict[str, Any]]:
        """Ask for a certificate and a thing, and hear; a document has 2,048 characters at most."""
        named = [
            "$aws/certificates/create/*",
            f"$aws/provisioning-templates/{layout.PROVISIONING_TEMPLATE}/provision/*",
        ]
        yield {
            "Effect": "Allow",
            "Action": ["iot:Publish", "iot:Receive"],
            "Resource": [self._arn("topic", each) for each in named],
        }
        yield {
            "Effect": "Allow",
            "Action": "iot:Subscribe",
            "Resource": [self._arn("topicfilter", each) for each in named],
        }

    def _template(self, group: iot.CfnThingGroup) -> iot.CfnProvisioningTemplate:
        role = iam.Role(self, "Provisioning", assumed_by=assumed_by(self, "iot"))
        permit(
            role,
            self._use_devices(
                "iot:CreateThing",
                "iot:DescribeThing",
                "iot:UpdateThing",
                "iot:ListThingGroupsForThing",
                "iot:AddThingToThingGroup",
            ),
            Permission(
                actions=["iot:AddThingToThingGroup", "iot:DescribeThingGroup"], resources=[group.attr_arn]
            ),
            self._use_certificates(
                "iot:DescribeCertificate",
                "iot:UpdateCertificate",
                "iot:AttachPolicy",
                "iot:AttachThingPrincipal",
            ),
            Permission(actions=["iot:GetPolicy"], resources=[self._arn("policy", layout.DEVICE_POLICY)]),
        )
        permission = lambda_.CfnPermission(
            self,
            "Hook",
            action="lambda:InvokeFunction",
            function_name=self.allow_joining.function.function_arn,
            principal="iot.amazonaws.com",
            source_account=self.account,
            source_arn=self._arn("provisioningtemplate", layout.PROVISIONING_TEMPLATE),
        )
        template = iot.CfnProvisioningTemplate(
            self,
            "Joining",
            template_name=layout.PROVISIONING_TEMPLATE,
            template_type="FLEET_PROVISIONING",
            description="A device that is on the list joins the fleet",
            enabled=True,
            provisioning_role_arn=role.role_arn,
            pre_provisioning_hook=iot.CfnProvisioningTemplate.ProvisioningHookProperty(
                payload_version="2020-04-01", target_arn=self.allow_joining.function.function_arn
            ),
            template_body=json.dumps(_template_body()),
        )
        template.node.add_dependency(group, permission, policy_of(role))
        return template

    def _when_rotated(self) -> None:
        """A device says by its new certificate that it has it: the rule gives the function both."""
        rule = iot.CfnTopicRule(
            self,
            "Rotated",
            rule_name=f"{layout.PREFIX}_rotated",
            topic_rule_payload=iot.CfnTopicRule.TopicRulePayloadProperty(
                description="Devices that have a new certificate",
                aws_iot_sql_version=SQL_VERSION,
                sql=(
                    "SELECT topic(2) AS thing, principal() AS certificate_id "  # noqa: S608  IoT SQL
                    f"FROM '{layout.device_topic('+', 'rotated')}' WHERE topic(2) = clientid()"
                ),
                actions=[
                    iot.CfnTopicRule.ActionProperty(
                        lambda_=iot.CfnTopicRule.LambdaActionProperty(
                            function_arn=self.retire_certificates.function.function_arn
                        )
                    )
                ],
            ),
        )
        lambda_.CfnPermission(
            self,
            "RotatedRule",
            action="lambda:InvokeFunction",
            function_name=self.retire_certificates.function.function_arn,
            principal="iot.amazonaws.com",
            source_account=self.account,
            source_arn=rule.attr_arn,
        )

    def _quarantine(
        self,
        code: Path,
        group: iot.CfnThingGroup,
        bus: events.IEventBus,
        idempotency: dynamodb.ITable,
        data_key: kms.IKey,
    ) -> None:
        """Anomalies of behaviour, by the rules of workloads that want it, quarantine their device."""
        self.work = WorkQueue(self, "Anomalies", handled_within_seconds=QUARANTINE_SECONDS)
        for queue in (self.work.queue, self.work.dead_letters):
            let_rules_of_workloads_send(queue, of_a_bus=True)
        self.quarantine_device = PythonFunction(
            self,
            "QuarantineDevice",
            code=code,
            environment=QuarantineDeviceEnvironment(
                alert_bus=bus.event_bus_name, idempotency_table=idempotency.table_name
            ),
            purpose="Quarantines the device whose behaviour is an anomaly",
            timeout_seconds=QUARANTINE_SECONDS,
        )
        permit(
            self.quarantine_device.role,
            self._use_devices("iot:AddThingToThingGroup", "iot:DescribeThing"),
            Permission(
                actions=["iot:AddThingToThingGroup", "iot:AttachPolicy", "iot:DescribeThingGroup"],
                resources=[group.attr_arn],
            ),
            Permission(
                actions=["iot:DeleteConnection"],
                resources=[self._arn("client", layout.thing_name("*"))],
                reason=DEVICES_REASON,
            ),
            Permission(actions=["events:PutEvents"], resources=[bus.event_bus_arn]),
            use_table(idempotency, "GetItem", "PutItem", "UpdateItem", "DeleteItem"),
            use_key(data_key, "dynamodb"),
        )
        self.quarantine_device.consume(self.work, max_concurrency=2)
        CfnOutput(self, "QuarantineQueueArn", value=self.work.queue.queue_arn)
        CfnOutput(self, "UnquarantinedArn", value=self.work.dead_letters.queue_arn)

    def _use_devices(self, *actions: str) -> Permission:
        return Permission(
            actions=actions, resources=[self._arn("thing", layout.thing_name("*"))], reason=DEVICES_REASON
        )

    def _use_certificates(self, *actions: str) -> Permission:
        return Permission(actions=actions, resources=[self._arn("cert", "*")], reason=CERTIFICATES_REASON)

    def _arn(self, kind: str, name: str) -> str:
        return self.format_arn(service="iot", resource=kind, resource_name=name)


def _about(description: str) -> iot.CfnThingGroup.ThingGroupPropertiesProperty:
    return iot.CfnThingGroup.ThingGroupPropertiesProperty(thing_group_description=description)


def _denial() -> dict[str, Any]:
    """Of all that a policy of AWS IoT can allow a device, nothing."""
    actions = ("Connect", "Publish", "Subscribe", "Receive", "RetainPublish")
    shadows = ("GetThingShadow", "UpdateThingShadow", "DeleteThingShadow")
    return {"Effect": "Deny", "Action": [f"iot:{each}" for each in (*actions, *shadows)], "Resource": "*"}


def _template_body() -> dict[str, Any]:
    """The template of https://docs.aws.amazon.com/iot/latest/developerguide/provision-template.html.

    One thing a serial number, and its site as the list has it. A device that has another certificate keeps
    its groups: else it would leave the quarantine by that.
    """
    serial_number, certificate = {"Ref": SERIAL_NUMBER}, {"Ref": "AWS::IoT::Certificate::Id"}
    return {
        "Parameters": {
            SERIAL_NUMBER: {"Type": "String"},
            SITE: {"Type": "String"},
            "AWS::IoT::Certificate::Id": {"Type": "String"},
        },
        "Resources": {
            "thing": {
                "Type": "AWS::IoT::Thing",
                "OverrideSettings": {"AttributePayload": "MERGE", "ThingGroups": "DO_NOTHING"},
                "Properties": {
                    "ThingName": {"Fn::Join": ["", [layout.thing_name(""), serial_number]]},
                    "AttributePayload": {"serial_number": serial_number, "site": {"Ref": SITE}},
                    "ThingGroups": [layout.DEVICES],
                },
            },
            "certificate": {
                "Type": "AWS::IoT::Certificate",
                "Properties": {"CertificateId": certificate, "Status": "Active"},
            },
            "policy": {"Type": "AWS::IoT::Policy", "Properties": {"PolicyName": layout.DEVICE_POLICY}},
        },
    }
