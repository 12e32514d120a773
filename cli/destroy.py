"""`watchkeeper destroy`: remove what the workflow made, then the stacks; the data only with a second key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import boto3
import typer

from cli.deploy import Deployer, Stage
from cli.retained import Retained, retained_of
from watchkeeper.command.screen import done, say
from watchkeeper.core import layout
from watchkeeper.core.errors import InvalidInputError

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

TAG = "watchkeeper:workload"


@dataclass(frozen=True)
class MadeByWorkflow:
    """What executions of the workflow have made in SageMaker, outside of any stack."""

    client: SageMakerClient

    def remove(self) -> Iterator[str]:
        """Remove endpoints, then configurations, then models, and name each."""
        for name, arn in self._named("list_endpoints", "Endpoints", "Endpoint"):
            if self._is_ours(arn):
                self.client.delete_endpoint(EndpointName=name)
                yield f"endpoint {name}"
        for name, arn in self._named("list_endpoint_configs", "EndpointConfigs", "EndpointConfig"):
            if self._is_ours(arn):
                self.client.delete_endpoint_config(EndpointConfigName=name)
                yield f"endpoint configuration {name}"
        for name, arn in self._named("list_models", "Models", "Model"):
            if self._is_ours(arn):
                self.client.delete_model(ModelName=name)
                yield f"model {name}"

    def remove_packages(self, group: str) -> Iterator[str]:
        """Remove the model packages of a group; they have the group's tags and none of their own."""
        pages = self.client.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
        found = [package["ModelPackageArn"] for page in pages for package in page["ModelPackageSummaryList"]]
        for arn in found:
            self.client.delete_model_package(ModelPackageName=arn)
            yield f"model package {arn.rpartition('model-package/')[2]}"

    def _named(self, operation: str, collection: str, kind: str) -> list[tuple[str, str]]:
        pages = self.client.get_paginator(operation).paginate(NameContains=layout.PREFIX)  # type: ignore[call-overload]
        return [(item[f"{kind}Name"], item[f"{kind}Arn"]) for page in pages for item in page[collection]]

    def _is_ours(self, arn: str) -> bool:
        return any(tag["Key"] == TAG for tag in self.client.list_tags(ResourceArn=arn)["Tags"])


def destroy(
    stage: Annotated[Stage, typer.Option(help="The stage that was deployed.")] = Stage.AWS,
    delete_data: Annotated[bool, typer.Option(help="Remove buckets, tables and keys as well.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove everything but the data; with --delete-data and --yes, the data too."""
    if delete_data and not yes:
        raise InvalidInputError("--delete-data removes telemetry and models for good: confirm it with --yes")
    if not yes and not typer.confirm("Remove all endpoints, models and stacks of Watchkeeper?"):
        raise typer.Exit(1)
    session = boto3.Session()
    retained = retained_of(session)
    made = MadeByWorkflow(session.client("sagemaker"))
    for what in made.remove():
        done(f"removed {what}")
    for group in _package_groups(session):
        for what in made.remove_packages(group):
            done(f"removed {what}")
    Deployer(session, stage).destroy()
    done("all stacks are removed")
    _finish(session, retained, delete_data)


def _finish(session: boto3.Session, retained: Retained, delete_data: bool) -> None:
    if delete_data:
        for what in retained.delete(session):
            done(f"removed {what}")
        return
    for what in retained.names():
        say(f"left: {what}")
    if retained.names():
        say("remove it too with `watchkeeper destroy --delete-data --yes`")


def _package_groups(session: boto3.Session) -> list[str]:
    client = session.client("sagemaker")
    groups = []
    for page in client.get_paginator("list_model_package_groups").paginate(NameContains=layout.PREFIX):
        groups += [group["ModelPackageGroupName"] for group in page["ModelPackageGroupSummaryList"]]
    return groups
