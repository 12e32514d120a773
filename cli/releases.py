"""The release that serves now."""

from __future__ import annotations

import boto3

from cli.failures import StepFailedError
from cli.stacks import STORAGE, Deployment
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.kinds import AnyRelease, release_from_json
from watchkeeper.lifecycle.release import Release, live_key


def live_release(session: boto3.Session, deployment: Deployment, workload: str) -> AnyRelease:
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
    return release_from_json(item["document"]["S"])


def live_detector(session: boto3.Session, deployment: Deployment, workload: str) -> Release:
    """Return the published release of a workload that watches telemetry; see `live_release`.

    Raises
    ------
    InvalidInputError
        If what serves is of another kind: the workload has changed since.
    """
    release = live_release(session, deployment, workload)
    if isinstance(release, Release):
        return release
    raise InvalidInputError(f"workload {workload}: the model that serves is a {release.kind}; train it again")
