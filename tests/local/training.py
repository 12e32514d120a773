"""Executions of the training workflow, as its users see them."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from cli.stacks import Deployment
from tests.local.histories import History
from tests.local.laptop import Laptop
from tests.local.waiting import until
from watchkeeper.core import layout

SECONDS = 240.0


@dataclass(frozen=True)
class Ended:
    """How an execution ended."""

    status: str
    error: str
    cause: str
    states: list[str]
    """Names of the states in the order of their beginning; a state of a loop is there once."""
    output: dict[str, Any]


def upload(laptop: Laptop, workload: str, history: History) -> None:
    """Make a history the workload's only one."""
    s3, prefix = laptop.client("s3"), layout.history_prefix(workload)
    for key in laptop.keys(prefix):
        s3.delete_object(Bucket=laptop.bucket, Key=key)
    s3.put_object(Bucket=laptop.bucket, Key=f"{prefix}history.csv", Body=history.csv().encode())
    if history.labels:
        labels = json.dumps(history.labels).encode()
        s3.put_object(Bucket=laptop.bucket, Key=f"{prefix}labels.json", Body=labels)


def start(laptop: Laptop, workload: str, **execution_input: str) -> str:
    """Start an execution and return its ARN."""
    machine = Deployment(laptop.session).state_machine_arn(workload)
    started = laptop.client("stepfunctions").start_execution(
        stateMachineArn=machine, input=json.dumps(execution_input)
    )
    arn: str = started["executionArn"]
    return arn


def ended(laptop: Laptop, arn: str) -> Ended:
    """Wait for the end of an execution."""
    states = laptop.client("stepfunctions")
    found = until(
        lambda: (now := states.describe_execution(executionArn=arn))["status"] != "RUNNING" and now,
        what=f"the end of {arn}",
        seconds=SECONDS,
    )
    return Ended(
        found["status"],
        found.get("error", ""),
        found.get("cause", ""),
        entered(laptop, arn),
        json.loads(found.get("output") or "{}"),
    )


def train(laptop: Laptop, workload: str, **execution_input: str) -> Ended:
    """Run the training workflow to its end."""
    return ended(laptop, start(laptop, workload, **execution_input))


def champion(laptop: Laptop, workload: str, history: History) -> None:
    """See that a model of the history serves; train one if none does."""
    if laptop.live(workload) is None:
        upload(laptop, workload, history)
        outcome = train(laptop, workload)
        assert (outcome.status, outcome.cause) == ("SUCCEEDED", "")
        assert outcome.output["decision"]["approved"], outcome.output["decision"]["reasons"]


def until_entered(laptop: Laptop, arn: str, name: str) -> None:
    """Wait until an execution is in, or past, a state."""

    def there() -> bool:
        status = laptop.client("stepfunctions").describe_execution(executionArn=arn)
        if name in entered(laptop, arn):
            return True
        assert status["status"] == "RUNNING", f"it ended before {name}: {status.get('cause')}"
        return False

    until(there, what=f"state {name}", seconds=SECONDS, every=0.1)


def entered(laptop: Laptop, arn: str) -> list[str]:
    """Return the names of the states that an execution has entered."""
    return entered_in(events(laptop, arn))


def entered_in(history: Iterable[dict[str, Any]]) -> list[str]:
    """Return the names of the states in a history, in the order of their beginning, each once."""
    details = (event.get("stateEnteredEventDetails") for event in history)
    return list(dict.fromkeys(found["name"] for found in details if found))


def run_of(laptop: Laptop, arn: str) -> dict[str, Any]:
    """Return the run of an execution: its names and locations, from its history."""
    for event in events(laptop, arn):
        details = event.get("stateExitedEventDetails", {})
        if details.get("name") == "ValidateInput":
            run: dict[str, Any] = json.loads(details["output"])["run"]
            return run
    raise AssertionError(f"{arn} has not left ValidateInput")


def events(laptop: Laptop, arn: str) -> Iterator[dict[str, Any]]:
    """Return the events of an execution's history."""
    pages = laptop.client("stepfunctions").get_paginator("get_execution_history")
    for page in pages.paginate(executionArn=arn):
        yield from page["events"]


def made_by(laptop: Laptop, run: dict[str, Any]) -> list[str]:
    """Return what there is in SageMaker of what a run makes, jobs not counted."""
    client, names = laptop.client("sagemaker"), run["names"]
    models = [
        model["ModelName"]
        for name in (names["model"], names["preprocessor_model"])
        for model in client.list_models(NameContains=name)["Models"]
    ]
    configurations = client.list_endpoint_configs(NameContains=names["endpoint_config"])["EndpointConfigs"]
    return models + [found["EndpointConfigName"] for found in configurations]
