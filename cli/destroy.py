"""`watchkeeper destroy`: remove what the workflows made, then the stacks; the data only with a second key.

What is busy is waited for, what cannot be removed is passed over, and the end says what is left and why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import boto3
import typer

from cli.failures import StepFailedError
from cli.fleet.removing import remove_fleet
from cli.removal import BusyError, Patience, Removal
from cli.retained import retained_of
from cli.stack_removal import Stacks
from watchkeeper.command.screen import complain, done, say
from watchkeeper.core import layout
from watchkeeper.core.errors import InvalidInputError

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

TAG = "watchkeeper:workload"
AT_WORK = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})
"""States in which SageMaker deletes no endpoint."""


@dataclass(frozen=True)
class MadeByWorkflow:
    """What executions of the workflows have made in SageMaker, outside of any stack."""

    client: SageMakerClient
    patience: Patience = field(default_factory=Patience)
    workload: str | None = None
    """Of which workload; of all without."""

    def remove(self) -> Iterator[Removal]:
        """Remove endpoints, then configurations, then models, then packages; tell of each."""
        for name, arn in self._named("list_endpoints", "Endpoints", "Endpoint"):
            if self._is_ours(arn):
                yield from self._removed(f"endpoint {name}", partial(self._delete_endpoint, name))
        for name, arn in self._named("list_endpoint_configs", "EndpointConfigs", "EndpointConfig"):
            if self._is_ours(arn):
                delete = partial(self.client.delete_endpoint_config, EndpointConfigName=name)
                yield from self._removed(f"endpoint configuration {name}", delete)
        for name, arn in self._named("list_models", "Models", "Model"):
            if self._is_ours(arn):
                yield from self._removed(f"model {name}", partial(self.client.delete_model, ModelName=name))
        for name, arn in self._named(
            "list_model_package_groups", "ModelPackageGroupSummaryList", "ModelPackageGroup"
        ):
            if self.workload is None or self._is_ours(arn):
                yield from self.remove_packages(name)

    def remove_packages(self, group: str) -> Iterator[Removal]:
        """Remove the model packages of a group; they have the group's tags and none of their own."""
        pages = self.client.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
        found = [package["ModelPackageArn"] for page in pages for package in page["ModelPackageSummaryList"]]
        for arn in found:
            delete = partial(self.client.delete_model_package, ModelPackageName=arn)
            yield from self._removed(f"model package {arn.rpartition('model-package/')[2]}", delete)

    def _removed(self, what: str, action: Callable[[], object]) -> Iterator[Removal]:
        removal = self.patience.remove(what, action)
        if removal is not None:
            yield removal

    def _delete_endpoint(self, name: str) -> None:
        status = self.client.describe_endpoint(EndpointName=name)["EndpointStatus"]
        if status in AT_WORK:
            raise BusyError(f"it is {status}")
        self.client.delete_endpoint(EndpointName=name)

    def _named(self, operation: str, collection: str, kind: str) -> list[tuple[str, str]]:
        pages = self.client.get_paginator(operation).paginate(NameContains=layout.PREFIX)  # type: ignore[call-overload]
        return [(item[f"{kind}Name"], item[f"{kind}Arn"]) for page in pages for item in page[collection]]

    def _is_ours(self, arn: str) -> bool:
        tags = self.client.list_tags(ResourceArn=arn)["Tags"]
        return any(tag["Key"] == TAG and self.workload in (None, tag["Value"]) for tag in tags)


def delete_endpoint_logs(session: boto3.Session, workload: str | None = None) -> Iterator[Removal]:
    """Delete the log groups of the endpoints of a workload, or of all, which no stack has."""
    client = session.client("logs")
    prefix = (
        f"{layout.ENDPOINT_LOGS}/{layout.PREFIX}-"
        if workload is None
        else layout.endpoint_log_group(workload)
    )
    pages = client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
    names = [group["logGroupName"] for page in pages for group in page["logGroups"]]
    for name in [each for each in names if workload is None or each == prefix]:
        removed = Patience(seconds=0).remove(
            f"log group {name}", partial(client.delete_log_group, logGroupName=name)
        )
        if removed is not None:
            yield removed


def stop_executions(session: boto3.Session, state_machines: list[str]) -> Iterator[Removal]:
    """Stop what runs: it would make models and endpoints while these are removed."""
    client = session.client("stepfunctions")
    for machine in state_machines:
        pages = client.get_paginator("list_executions").paginate(
            stateMachineArn=machine, statusFilter="RUNNING"
        )
        for arn in [execution["executionArn"] for page in pages for execution in page["executions"]]:
            stopped = Patience(seconds=0).remove(
                f"execution {arn.rpartition(':')[2]}",
                partial(client.stop_execution, executionArn=arn, cause="watchkeeper destroy"),
            )
            if stopped is not None:
                yield stopped


def destroy(
    workload: Annotated[
        str | None, typer.Option(help="End this workload alone; what it has measured and scored stays.")
    ] = None,
    delete_data: Annotated[bool, typer.Option(help="Remove buckets, tables and keys as well.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove everything but the data; with --delete-data and --yes, the data too. Or end one workload."""
    if delete_data and workload is not None:
        raise InvalidInputError(
            f"--delete-data removes what all workloads share: leave it out, or --workload {workload}"
        )
    if delete_data and not yes:
        raise InvalidInputError("--delete-data removes telemetry and models for good: confirm it with --yes")
    session = boto3.Session()
    stacks = Stacks(session)
    if workload is not None:
        stacks = replace(stacks, only=_stack_of(workload, stacks))
    what = "all endpoints, models and stacks of Watchkeeper" if workload is None else f"workload {workload}"
    if not yes and not typer.confirm(f"Remove {what}?"):
        raise typer.Exit(1)
    left = [removal for removal in _removals(session, stacks, workload, delete_data) if not _told(removal)]
    if left:
        for removal in left:
            complain(f"left: {removal.what}: {removal.reason}")
        raise StepFailedError(f"{len(left)} of what was to be removed is left: run `destroy` again")
    if workload is not None:
        say(f"kept: what {workload} has measured and scored, which a deployment of it goes on with")
    elif not delete_data:
        for kept in retained_of(session).names():
            say(f"kept: {kept}")


def _stack_of(workload: str, stacks: Stacks) -> str:
    name, known = layout.workload_stack(workload), stacks.names()
    if name not in known:
        begin = layout.workload_stack("")
        others = ", ".join(sorted(each.removeprefix(begin) for each in known if each.startswith(begin)))
        raise InvalidInputError(
            f"--workload {workload}: there is no stack {name}; deployed are: {others or 'none'}"
        )
    return name


def _removals(
    session: boto3.Session, stacks: Stacks, workload: str | None, delete_data: bool
) -> Iterator[Removal]:
    retained = retained_of(session)
    yield from stop_executions(session, stacks.resources("AWS::StepFunctions::StateMachine"))
    yield from MadeByWorkflow(session.client("sagemaker"), workload=workload).remove()
    yield from delete_endpoint_logs(session, workload)
    if workload is None:
        yield from remove_fleet(session)
    yield from stacks.remove()
    if delete_data:
        yield from retained.delete(session)


def _told(removal: Removal) -> bool:
    """Show what is removed, and say whether it is."""
    if removal.reason is None:
        done(f"removed {removal.what}")
    return removal.reason is None
