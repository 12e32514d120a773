"""The function that answers for transactions of all fraud workloads, and what it may do."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import Stack
from aws_cdk import aws_events as events
from constructs import Construct

from infra.constructs.python_function import PythonFunction
from infra.constructs.training_workflow import TrainingWorkflow
from infra.permissions import Permission, of_workloads, permit, read_plans, use_key, use_table
from infra.storage import StorageStack
from lambdas.fraud.environment import FraudApiEnvironment
from lambdas.fraud.simulating.environment import SimulateTransactionsEnvironment
from lambdas.fraud.transaction_index import BY_ARRIVAL
from pipeline.substitutions import Substitution

PREFIX = "/fraud"
"""Paths that begin so go to it."""
SIMULATE_SECONDS = 900
"""Lambda's longest; a call ends before, and the machine makes the next one."""
MEMORY_MB = 1769
"""At this size Lambda gives a whole processor."""


class FraudApi(Construct):
    """`fraud_api` with its role, and the machine that simulates transactions.

    Parameters
    ----------
    code
        Its bundle.
    simulator
        File with the machine in the Amazon States Language.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Path,
        simulator: Path,
        storage: StorageStack,
        alert_bus: events.IEventBus,
        timeout_seconds: int,
    ) -> None:
        super().__init__(scope, construct_id)
        transactions, series = storage.transactions, storage.series
        simulate = PythonFunction(
            self,
            "Simulate",
            code=code,
            environment=SimulateTransactionsEnvironment(
                transactions_table=transactions.table_name,
                series_table=series.table_name,
                alert_bus=alert_bus.event_bus_name,
            ),
            purpose="Sends transactions of a generated world",
            memory_mb=MEMORY_MB,
            timeout_seconds=SIMULATE_SECONDS,
        )
        self.simulate = simulate.function
        machine = TrainingWorkflow(
            self,
            "Simulator",
            definition=simulator,
            substitutions={
                Substitution.PARTITION: Stack.of(self).partition,
                Substitution.SIMULATE_FUNCTION_ARN: simulate.function.function_arn,
            },
            purpose="Sends transactions of a generated world through a fraud workload",
            key=storage.key,
            jobs=False,
        )
        permit(
            machine.role,
            Permission(actions=["lambda:InvokeFunction"], resources=[simulate.function.function_arn]),
        )
        simulator_arn = machine.state_machine.state_machine_arn
        made = PythonFunction(
            self,
            "Api",
            code=code,
            environment=FraudApiEnvironment(
                transactions_table=transactions.table_name,
                series_table=series.table_name,
                alert_bus=alert_bus.event_bus_name,
                simulator_arn=simulator_arn,
            ),
            purpose="Answers whether transactions are fraud",
            memory_mb=MEMORY_MB,
            timeout_seconds=timeout_seconds,
        )
        self.function = made.function
        for role in (made.role, simulate.role):
            permit(role, *self._deciding(storage, alert_bus))
        permit(
            made.role,
            Permission(actions=["states:StartExecution"], resources=[simulator_arn]),
        )

    def _deciding(self, storage: StorageStack, alert_bus: events.IEventBus) -> tuple[Permission, ...]:
        """Return what deciding needs."""
        transactions, series = storage.transactions, storage.series
        return (
            use_table(transactions, "BatchGetItem", "PutItem", "UpdateItem", "Query"),
            Permission(
                actions=["dynamodb:Query"], resources=[f"{transactions.table_arn}/index/{BY_ARRIVAL}"]
            ),
            use_table(series, "GetItem", "Query"),
            use_key(storage.key, "dynamodb"),
            *of_workloads(self, "endpoint", "InvokeEndpoint"),
            Permission(actions=["events:PutEvents"], resources=[alert_bus.event_bus_arn]),
            read_plans(self),
        )
