"""`watchkeeper models` and `watchkeeper approve`: the models of the registry, and which may serve."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import boto3
import typer
from rich.table import Table

from cli.stacks import STORAGE, Deployment
from lambdas.adapters.model_versions import APPROVALS, Approval
from watchkeeper.command.screen import console, done, say
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import format_instant
from watchkeeper.service.job_names import PACKAGE_GROUP
from watchkeeper.service.request_item import Attribute, item_key
from watchkeeper.service.tasks import request_key_id

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True)
class ServiceModel:
    """One version of the anomaly service's models."""

    version: int
    arn: str
    approval: Approval
    created_at: str
    tenant: str
    request: str
    algorithm: str


def models() -> None:
    """List the models of the anomaly service. A workload serves one with `detector.algorithm: registered`."""
    session = boto3.Session()
    requests = Deployment(session).output(STORAGE, "RequestsTableName")
    items = session.client("dynamodb")
    table = Table()
    for column in ("version", "approval", "algorithm", "F1 held out", "tenant", "request", "created"):
        table.add_column(column, overflow="fold")
    for model in service_models(session):
        f1 = held_out_f1(items, requests, model)
        table.add_row(
            str(model.version),
            model.approval,
            model.algorithm,
            "" if f1 is None else f"{f1:.3f}",
            model.tenant,
            model.request,
            model.created_at,
        )
    if table.row_count:
        console.print(table)
    else:
        say("the anomaly service has no models yet: train one by POST /anomaly_detection/train/")


def approve(
    version: Annotated[int, typer.Argument(help="Version of a model of the anomaly service.", min=1)],
) -> None:
    """Let workloads serve a model of the anomaly service."""
    session = boto3.Session()
    found = next(service_models(session, version), None)
    if found is None:
        raise InvalidInputError(
            f"version {version}: the anomaly service has no such model; `watchkeeper models` lists them"
        )
    session.client("sagemaker").update_model_package(
        ModelPackageArn=found.arn, ModelApprovalStatus="Approved"
    )
    done(f"version {version}, {found.algorithm} of {found.tenant}, may serve")
    say(f"in a workload: detector: {{algorithm: registered, version: {version}}}")


def service_models(session: boto3.Session, version: int | None = None) -> Iterator[ServiceModel]:
    """Yield the service's models, the newest first; with a version, that one only."""
    client = session.client("sagemaker")
    pages = client.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=PACKAGE_GROUP, SortBy="CreationTime", SortOrder="Descending"
    )
    for page in pages:
        for summary in page["ModelPackageSummaryList"]:
            if version in (None, summary["ModelPackageVersion"]):
                yield _described(client.describe_model_package(ModelPackageName=summary["ModelPackageArn"]))


def held_out_f1(items: DynamoDBClient, table: str, model: ServiceModel) -> float | None:
    """Return F1 on the rows that a model's search never saw; None without labels, or if it is forgotten."""
    request = request_key_id(model.tenant, model.request)
    key = {name: {"S": value} for name, value in item_key(model.tenant, request).items()}
    item: Any = items.get_item(TableName=table, Key=key).get("Item", {})
    measures = json.loads(item.get(Attribute.METRICS.value, {}).get("S", "{}"))
    found = measures.get("held_out", {}).get("f1")
    return None if found is None else float(found)


def _described(package: Any) -> ServiceModel:
    properties = package.get("CustomerMetadataProperties", {})
    return ServiceModel(
        version=package["ModelPackageVersion"],
        arn=package["ModelPackageArn"],
        approval=APPROVALS[package["ModelApprovalStatus"]],
        created_at=format_instant(package["CreationTime"].replace(microsecond=0)),
        tenant=properties.get("tenant", ""),
        request=properties.get("request", ""),
        algorithm=properties.get("algorithm", ""),
    )
