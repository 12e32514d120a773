"""The topic that alerts, alarms and reports of the training workflow go to."""

from __future__ import annotations

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct


class AlertTopic(Construct):
    """An SNS topic under a key of its own, to which alarms and budgets of this account may publish."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.key: kms.IKey = kms.Key(
            self,
            "Key",
            description="Watchkeeper: messages of the alert topic",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.topic: sns.ITopic = sns.Topic(self, "Topic", master_key=self.key, enforce_ssl=True)
        senders = [iam.ServicePrincipal(f"{each}.amazonaws.com") for each in ("cloudwatch", "budgets")]
        own_account = {"StringEquals": {"aws:SourceAccount": Stack.of(self).account}}
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=senders,
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions=own_account,
            )
        )
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=senders,
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],  # in a key's policy this is the key itself
                conditions=own_account,
            )
        )
