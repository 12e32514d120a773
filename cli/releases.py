"""The release that serves now."""

from __future__ import annotations

import boto3

from cli.failures import StepFailedError
from cli.stacks import STORAGE, Deployment
from watchkeeper.release import Release, live_key


def live_release(session: boto3.Session, deployment: Deployment, workload: str) -> Release:
    """Return a workload's published release.

    Raises
    ------
    StepFailedError
        If no model serves.
    """
    key = {name: {"S": value} for name, value in live_key(workload).items()}
    table = deployment.output(STORAGE, "SeriesTableName")
    item = session.client("dynamodb").get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
    if item is None:
        raise StepFailedError(f"no model serves workload {workload}: run `watchkeeper train {workload}`")
    return Release.from_json(item["document"]["S"])
