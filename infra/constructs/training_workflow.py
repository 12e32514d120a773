"""The training workflow of one workload as a state machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.permissions import TRACE, Permission, assumed_by, permit, policy_of

EVENT_RULES = (
    "StepFunctionsGetEventsForSageMakerTrainingJobsRule",
    "StepFunctionsGetEventsForSageMakerTransformJobsRule",
    "StepFunctionsGetEventsForSageMakerProcessingJobsRule",
)
"""Step Functions makes these rules in the account and learns from them when a job has ended."""

LOG_GROUPS = "/aws/vendedlogs/states/"
"""Before the names of the workflows' log groups."""


class TrainingWorkflow(Construct):
    """A state machine with every event logged and traced; the stack grants what its states call.

    Parameters
    ----------
    definition
        File in the Amazon States Language, with `${Name}` where a deployment's value belongs.
    substitutions
        The value of each name.
    name
        The state machine's; None lets CloudFormation make one.
    jobs
        Whether its states wait for jobs of SageMaker.
    key
        Encrypts the log, which has the data of executions; its policy lets CloudWatch Logs use it for groups
        below `LOG_GROUPS`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        definition: Path,
        substitutions: Mapping[str, str],
        purpose: str,
        key: kms.IKey,
        name: str | None = None,
        jobs: bool = True,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        log_group = logs.LogGroup(
            self,
            "Log",
            # Under this prefix delivery needs no entry for each group in the account's resource policy, whose
            # size is limited to some ten groups.
            log_group_name=f"{LOG_GROUPS}{self.node.path}",
            encryption_key=key,
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.role = iam.Role(self, "Role", assumed_by=assumed_by(self, "states"))
        permit(
            self.role,
            TRACE,
            Permission(
                actions=[
                    "logs:CreateLogDelivery",
                    "logs:DeleteLogDelivery",
                    "logs:DescribeLogGroups",
                    "logs:DescribeResourcePolicies",
                    "logs:GetLogDelivery",
                    "logs:ListLogDeliveries",
                    "logs:PutResourcePolicy",
                    "logs:UpdateLogDelivery",
                ],
                resources=["*"],
                reason="CloudWatch Logs has no resource to name where a service delivers logs.",
            ),
        )
        if jobs:
            rules = [
                stack.format_arn(service="events", resource="rule", resource_name=rule)
                for rule in EVENT_RULES
            ]
            hears = ["events:DescribeRule", "events:PutRule", "events:PutTargets"]
            permit(self.role, Permission(actions=hears, resources=rules))
        self.state_machine = sfn.StateMachine(
            self,
            "StateMachine",
            state_machine_name=name,
            definition_body=sfn.DefinitionBody.from_file(str(definition)),
            definition_substitutions=dict(substitutions),
            comment=purpose,
            role=self.role.without_policy_updates(),
            logs=sfn.LogOptions(destination=log_group, level=sfn.LogLevel.ALL, include_execution_data=True),
            tracing_enabled=True,
        )
        self.state_machine.node.add_dependency(policy_of(self.role))
