"""Simulations of workloads: at most one at a time, kept beside the graphs, and ended by their own time.

| pk | sk | attributes |
| --- | --- | --- |
| `simulator` | workload | `run`; what is asked of it, and how far it is: the fields of `Simulation` |

Whoever starts one takes the item; the run that has it works until its time is over or somebody stops it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from lambdas.adapters.errors import CONDITION_FAILED, translated, unless
from watchkeeper.core.errors import WatchkeeperError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_stepfunctions import SFNClient

FIRST_DAY = 60
"""Of the world: the days before are what a model is trained on."""
_PARTITION = "simulator"


@dataclass(frozen=True)
class Simulation:
    """What is asked of a run, and how far it is."""

    run: str
    rate: float
    """Transactions a second."""
    fraud_share: float
    started_at: int
    until: int
    day: int
    """Of the world, that comes next."""
    sent: int = 0
    flagged: int = 0
    stopped: bool = False
    error: str | None = None

    def is_running(self, now: float) -> bool:
        """Tell whether it goes on."""
        return not self.stopped and now < self.until


class Simulations(Protocol):
    """Simulations by workload."""

    def of(self, workload: str) -> Simulation | None:
        """Return the last one; None before the first."""

    def start(self, workload: str, wanted: Simulation, now: int) -> Simulation | None:
        """Begin one and return it; None where one runs."""

    def stop(self, workload: str) -> None:
        """End the one that runs; it stops with its next transactions."""

    def went_on(self, workload: str, run: str, sent: int, flagged: int, day: int) -> Simulation | None:
        """Count what a run has sent, and return how it stands; None where it is no more the last one."""

    def failed(self, workload: str, run: str, error: str) -> None:
        """End a run that cannot go on."""


@dataclass(frozen=True)
class TableSimulations:
    """`Simulations` in DynamoDB; the machine that runs them is started and not waited for.

    Parameters
    ----------
    machine
        Its ARN; empty where nothing is started.
    """

    client: DynamoDBClient
    executions: SFNClient
    table: str
    machine: str = ""

    def of(self, workload: str) -> Simulation | None:
        with translated(f"read the simulation of {workload}"):
            found = self.client.query(
                TableName=self.table,
                KeyConditionExpression="pk = :pk AND sk = :sk",
                ExpressionAttributeValues={":pk": {"S": _PARTITION}, ":sk": {"S": workload}},
                ConsistentRead=True,
            )
        return _read(found["Items"][0]) if found["Items"] else None

    def start(self, workload: str, wanted: Simulation, now: int) -> Simulation | None:
        values = {
            ":run": {"S": wanted.run},
            ":rate": {"N": repr(wanted.rate)},
            ":share": {"N": repr(wanted.fraud_share)},
            ":started": {"N": str(wanted.started_at)},
            ":until": {"N": str(wanted.until)},
            ":day": {"N": str(wanted.day)},
            ":zero": {"N": "0"},
            ":no": {"BOOL": False},
            ":yes": {"BOOL": True},
            ":now": {"N": str(now)},
        }
        begun = self._updated(
            workload,
            "SET #run = :run, rate = :rate, fraud_share = :share, started_at = :started, #until = :until, "
            "stopped = :no, sent = :zero, flagged = :zero, #day = if_not_exists(#day, :day) REMOVE #error",
            "attribute_not_exists(pk) OR stopped = :yes OR #until < :now",
            values,
            {"#run": "run", "#until": "until", "#day": "day", "#error": "error"},
        )
        if begun is not None:
            document = json.dumps({"workload": workload, "run": wanted.run})
            try:
                unless(
                    ("ExecutionAlreadyExists",),  # of the same request, whose answer was lost
                    f"start {self.machine}",
                    lambda: self.executions.start_execution(
                        stateMachineArn=self.machine, name=wanted.run, input=document
                    ),
                )
            except WatchkeeperError as error:
                self.failed(workload, wanted.run, str(error))
                raise
        return begun

    def stop(self, workload: str) -> None:
        self._updated(workload, "SET stopped = :yes", "attribute_exists(pk)", {":yes": {"BOOL": True}}, {})

    def went_on(self, workload: str, run: str, sent: int, flagged: int, day: int) -> Simulation | None:
        return self._updated(
            workload,
            "SET #day = :day ADD sent :sent, flagged :flagged",
            "#run = :run",
            {
                ":day": {"N": str(day)},
                ":sent": {"N": str(sent)},
                ":flagged": {"N": str(flagged)},
                ":run": {"S": run},
            },
            {"#day": "day", "#run": "run"},
        )

    def failed(self, workload: str, run: str, error: str) -> None:
        values = {":yes": {"BOOL": True}, ":error": {"S": error[:1000]}, ":run": {"S": run}}
        names = {"#error": "error", "#run": "run"}
        self._updated(workload, "SET stopped = :yes, #error = :error", "#run = :run", values, names)

    def _updated(
        self, workload: str, update: str, condition: str, values: dict[str, Any], names: dict[str, str]
    ) -> Simulation | None:
        options: dict[str, Any] = {"ExpressionAttributeNames": names} if names else {}
        answer = unless(
            CONDITION_FAILED,
            f"write the simulation of {workload}",
            lambda: self.client.update_item(
                TableName=self.table,
                Key={"pk": {"S": _PARTITION}, "sk": {"S": workload}},
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
                **options,
            ),
        )
        return None if answer is None else _read(answer["Attributes"])


def _read(item: Any) -> Simulation:
    return Simulation(
        run=item["run"]["S"],
        rate=float(item["rate"]["N"]),
        fraud_share=float(item["fraud_share"]["N"]),
        started_at=int(item["started_at"]["N"]),
        until=int(item["until"]["N"]),
        day=int(item["day"]["N"]),
        sent=int(item["sent"]["N"]),
        flagged=int(item["flagged"]["N"]),
        stopped=item["stopped"]["BOOL"],
        error=item["error"]["S"] if "error" in item else None,
    )
