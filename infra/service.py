"""The anomaly service: its HTTP API, who may call it, and what closes a task that died."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aws_cdk import ArnFormat, CfnOutput, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_ssm as ssm
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.alerting import AlertingStack
from infra.bundles import Bundles
from infra.constructs.backtesting import Backtesting
from infra.constructs.console_api import PREFIX as CONSOLE_PREFIX
from infra.constructs.console_api import ConsoleApi
from infra.constructs.event_subscription import EventSubscription, ended_badly
from infra.constructs.fraud_api import PREFIX as FRAUD_PREFIX
from infra.constructs.fraud_api import FraudApi
from infra.constructs.python_function import PythonFunction
from infra.constructs.service_http_api import ServiceHttpApi
from infra.constructs.user_directory import ServiceClient
from infra.constructs.work_queue import WorkQueue
from infra.permissions import (
    Permission,
    list_keys,
    of_workloads,
    permit,
    read_objects,
    read_plans,
    use_key,
    use_table,
    write_encrypted_objects,
    write_objects,
)
from infra.settings import Settings
from infra.storage import StorageStack
from lambdas.console.access import ANSWERS
from lambdas.service_api.environment import ServiceApiEnvironment
from lambdas.steps.close_task import CloseTaskEnvironment
from watchkeeper.core.layout import ANSWERS_PARAMETER
from watchkeeper.service.request_item import BY_CREATION
from watchkeeper.service.tasks import Task
from watchkeeper.service.tenant_files import TENANTS

API_TIMEOUT_SECONDS = 29
"""API Gateway gives up after 30."""
API_MEMORY_MB = 1024
CLOSING_TIMEOUT_SECONDS = 60
CLOSING_CONCURRENCY = 2


class ServiceStack(Stack):
    """API Gateway, its function, and the closing of tasks.

    Parameters
    ----------
    state_machines
        The workflow of each task.
    read_scores
        Reads the scores of workloads.
    alerting
        As of `ConsoleApi`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        bundles: Bundles,
        storage: StorageStack,
        state_machines: Mapping[Task, sfn.StateMachine],
        read_scores: lambda_.IFunction,
        alerting: AlertingStack,
        **stack_options: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack_options)
        bucket, requests = storage.bucket, storage.requests
        self._requests, self._key = requests, storage.key
        self._machines = state_machines
        self.service_api = PythonFunction(
            self,
            "ServiceApi",
            code=bundles.api,
            environment=ServiceApiEnvironment(
                data_bucket=bucket.bucket_name,
                requests_table=requests.table_name,
                train_state_machine_arn=state_machines[Task.TRAIN].state_machine_arn,
                valid_state_machine_arn=state_machines[Task.VALID].state_machine_arn,
                infer_state_machine_arn=state_machines[Task.INFER].state_machine_arn,
                most_open_tasks=str(settings.service_open_tasks),
                read_scores_function=read_scores.function_name,
            ),
            purpose="Answers the anomaly service's HTTP requests",
            memory_mb=API_MEMORY_MB,
            timeout_seconds=API_TIMEOUT_SECONDS,
        )
        own = f"{TENANTS}/*"
        permit(
            self.service_api.role,
            read_objects(self, bucket, own),
            write_objects(self, bucket, own),
            list_keys(bucket),
            use_table(requests, "GetItem", "PutItem", "UpdateItem"),
            Permission(actions=["dynamodb:Query"], resources=[f"{requests.table_arn}/index/{BY_CREATION}"]),
            write_encrypted_objects(storage.key),
            use_key(storage.key, "dynamodb"),
            Permission(
                actions=["states:StartExecution"],
                resources=[machine.state_machine_arn for machine in state_machines.values()],
            ),
            # The service authorization reference has packages as what `ListModelPackages` is checked against,
            # policies in AWS's guide name the group, too.
            *of_workloads(self, "model-package-group", "ListModelPackages"),
            *of_workloads(self, "model-package", "ListModelPackages", "DescribeModelPackage"),
            Permission(actions=["lambda:InvokeFunction"], resources=[read_scores.function_arn]),
            read_plans(self),
        )
        self.fraud_api = FraudApi(
            self,
            "Fraud",
            code=bundles.fraud_api,
            simulator=bundles.simulator_definition,
            storage=storage,
            alert_bus=alerting.bus,
            timeout_seconds=API_TIMEOUT_SECONDS,
        )
        self.backtesting = Backtesting(self, "Backtests", code=bundles.backtesting, storage=storage)
        self.console_api = ConsoleApi(
            self,
            "Console",
            code=bundles.console_api,
            storage=storage,
            alerting=alerting,
            read_scores=read_scores,
            has_fleet=settings.fleet == "on",
            backtests=self.backtesting.work.queue,
            timeout_seconds=API_TIMEOUT_SECONDS,
        )
        self.parts = {FRAUD_PREFIX: self.fraud_api.function, CONSOLE_PREFIX: self.console_api.function}
        """Functions that answer for paths of their own, by prefix."""
        client = ServiceClient(self, "Callers", pool=storage.users).client
        self.http = ServiceHttpApi(
            self,
            "Http",
            function=self.service_api.function,
            parts=self.parts,
            pool=storage.users,
            client=client,
            cors_origins=settings.service_cors_origins,
            public_documents=settings.service_documents == "public",
            by_signature={ANSWERS: self.console_api.function},
        )
        ssm.StringParameter(
            self,
            "AnswerPage",
            parameter_name=ANSWERS_PARAMETER,
            description="Where links of alerts lead",
            string_value=f"{settings.service_address or self.http.api.api_endpoint}{ANSWERS}",
        )
        self.work = WorkQueue(self, "Ended", handled_within_seconds=CLOSING_TIMEOUT_SECONDS)
        self.close_task = self._closing(bundles.functions)

        CfnOutput(self, "ServiceUrl", value=self.http.api.api_endpoint)
        CfnOutput(self, "UserPoolClientId", value=client.user_pool_client_id)
        CfnOutput(self, "ServiceApiFunctionName", value=self.service_api.function.function_name)
        CfnOutput(self, "FraudApiFunctionName", value=self.fraud_api.function.function_name)
        CfnOutput(self, "ConsoleApiFunctionName", value=self.console_api.function.function_name)
        CfnOutput(self, "CloseTaskFunctionName", value=self.close_task.function.function_name)

    def _closing(self, code: Path) -> PythonFunction:
        arns = [machine.state_machine_arn for machine in self._machines.values()]
        EventSubscription(
            self,
            "EndedBadly",
            bus=None,
            pattern=ended_badly(arns),
            work=self.work,
            purpose="Executions of the anomaly service that did not succeed, to close_task",
        )
        function = PythonFunction(
            self,
            "CloseTask",
            code=code,
            environment=CloseTaskEnvironment(requests_table=self._requests.table_name),
            purpose="Closes the requests of executions that were stopped, timed out or failed",
            timeout_seconds=CLOSING_TIMEOUT_SECONDS,
        )
        permit(
            function.role,
            use_table(self._requests, "UpdateItem"),
            use_key(self._key, "dynamodb"),
            Permission(
                actions=["states:DescribeExecution"],
                resources=[
                    self.format_arn(
                        service="states",
                        resource="execution",
                        resource_name=f"{_exported_name(machine)}:*",
                        arn_format=ArnFormat.COLON_RESOURCE_NAME,
                    )
                    for machine in self._machines.values()
                ],
                reason="An execution's name is made when it starts.",
            ),
        )
        function.consume(self.work, max_concurrency=CLOSING_CONCURRENCY)
        return function


def _exported_name(machine: sfn.StateMachine) -> str:
    """Return the name as another stack imports it: only so does the acknowledgement match the finding."""
    name: str = Stack.of(machine).export_value(machine.state_machine_name)
    return name
