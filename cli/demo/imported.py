"""A demo of a detector of another service: its template becomes the workload, and its bucket goes on."""

from __future__ import annotations

from pathlib import Path

import boto3

from watchkeeper.command.importing import import_detectors
from watchkeeper.core.errors import InvalidInputError

IMPORTED = {"plant_air": Path(__file__).with_name("lookout_detector.json")}
"""By the workload that `watchkeeper import` makes of it: a template of Lookout for Metrics, made for this."""


def imported(workload: str, folder: Path, bucket: str) -> Path:
    """Make the workload's file of its template, and return where it is.

    Parameters
    ----------
    folder
        Where it is written.
    bucket
        The one with the folders of intervals.
    """
    import_detectors([IMPORTED[workload]], folder=folder, parameter=[f"Bucket={bucket}"], force=True)
    return folder / f"{workload}.yaml"


def announcing_bucket(session: boto3.Session, laptop: bool) -> str:
    """Make the bucket that other programs would write to, which tells EventBridge of its files.

    Raises
    ------
    InvalidInputError
        In an account of AWS: nothing would remove the bucket there.
    """
    if not laptop:
        raise InvalidInputError(
            f"the demos {', '.join(IMPORTED)} make a bucket, and so run on the laptop only: --stage laptop"
        )
    account = session.client("sts").get_caller_identity()["Account"]
    s3, bucket = session.client("s3"), f"plant-air-{account}"
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    return bucket
