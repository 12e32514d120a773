"""The buckets that hold data and pages, and the one for their access logs; what every bucket of ours has."""

from __future__ import annotations

from typing import Any, cast

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from watchkeeper.core import layout

RAW_DAYS = 365
INFREQUENT_AFTER_DAYS = 30
REFUSED_DAYS = 90
CAPTURE_DAYS = 30
DRIFT_DAYS = 365
QUERY_DAYS = 7
"""Of results of queries that are sources: what they say is under `raw/`."""
BACKTEST_DAYS = 30
SCORE_DAYS = 90
"""Of scores as they were written: merged ones are kept for a year."""
MERGED_HOUR_DAYS = 7
MERGED_DAY_DAYS = 365
NONCURRENT_DAYS = 30
ACCESS_LOG_DAYS = 90
UNFINISHED_UPLOAD_DAYS = 7


class DataBucket(Construct):
    """An encrypted, versioned, logged bucket that tells EventBridge of each new object.

    `history/` and `runs/` are kept without end: the one is the user's, the other has the models that serve.

    Parameters
    ----------
    key
        Encrypts the objects.
    """

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey) -> None:
        super().__init__(scope, construct_id)
        self.access_log: s3.IBucket = private_bucket(
            self,
            "AccessLog",
            versioned=True,
            lifecycle_rules=[
                housekeeping(versioned=True),
                s3.LifecycleRule(id="access-log", expiration=Duration.days(ACCESS_LOG_DAYS)),
            ],
        )
        bucket = private_bucket(
            self,
            "Objects",
            key=key,
            versioned=True,
            server_access_logs_bucket=self.access_log,
            server_access_logs_prefix="data/",
            lifecycle_rules=[
                housekeeping(versioned=True),
                s3.LifecycleRule(
                    id=layout.RAW,
                    prefix=f"{layout.RAW}/",
                    transitions=[
                        s3.Transition(
                            storage_class=s3.StorageClass.INFREQUENT_ACCESS,
                            transition_after=Duration.days(INFREQUENT_AFTER_DAYS),
                        )
                    ],
                    expiration=Duration.days(RAW_DAYS),
                ),
                _expiry(layout.RAW_ERRORS, REFUSED_DAYS),
                _expiry(layout.QUARANTINE, REFUSED_DAYS),
                _expiry(layout.CAPTURES, CAPTURE_DAYS),
                _expiry(layout.DRIFT, DRIFT_DAYS),
                _expiry(layout.QUERIES, QUERY_DAYS),
                _expiry(layout.BACKTESTS, BACKTEST_DAYS),
                _expiry(layout.SCORES, SCORE_DAYS),
                _expiry(layout.SCORES_BY_HOUR, MERGED_HOUR_DAYS),
                _expiry(layout.SCORES_BY_DAY, MERGED_DAY_DAYS),
            ],
        )
        # The L2 property for this makes a custom resource; the bucket's own property needs none.
        cast(
            s3.CfnBucket, bucket.node.default_child
        ).notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(
                event_bridge_enabled=True
            )
        )
        self.bucket: s3.IBucket = bucket


class PageBucket(Construct):
    """An encrypted, logged bucket of the scoring loop's pages, without versions.

    A page is written with every object of telemetry that its shelf has readings in: what versions of a day
    would take is hundreds of times what the pages do. A page is its shelf's only state, so it never expires.

    Parameters
    ----------
    key
        Encrypts the objects.
    access_log
        Gets the log.
    """

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey, access_log: s3.IBucket) -> None:
        super().__init__(scope, construct_id)
        self.bucket: s3.IBucket = private_bucket(
            self,
            "Objects",
            key=key,
            versioned=False,
            server_access_logs_bucket=access_log,
            server_access_logs_prefix="pages/",
            lifecycle_rules=[
                housekeeping(versioned=False),
            ],
        )


def private_bucket(
    scope: Construct,
    construct_id: str,
    *,
    key: kms.IKey | None = None,
    removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    object_ownership: s3.ObjectOwnership = s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
    **own: Any,
) -> s3.Bucket:
    """Make a bucket that is closed to the public, over TLS only; if not told otherwise it outlives its stack.

    Parameters
    ----------
    key
        Encrypts the objects; without it S3's own does, which alone fits a bucket that S3 writes its logs to.
    """
    return s3.Bucket(
        scope,
        construct_id,
        encryption=s3.BucketEncryption.S3_MANAGED if key is None else s3.BucketEncryption.KMS,
        encryption_key=key,
        bucket_key_enabled=None if key is None else True,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=object_ownership,
        enforce_ssl=True,
        removal_policy=removal_policy,
        **own,
    )


def housekeeping(*, versioned: bool) -> s3.LifecycleRule:
    """Return the rule that removes what nobody lists: unfinished uploads, and versions of before."""
    return s3.LifecycleRule(
        id="housekeeping",
        abort_incomplete_multipart_upload_after=Duration.days(UNFINISHED_UPLOAD_DAYS),
        noncurrent_version_expiration=Duration.days(NONCURRENT_DAYS) if versioned else None,
    )


def _expiry(prefix: str, days: int) -> s3.LifecycleRule:
    return s3.LifecycleRule(id=prefix, prefix=f"{prefix}/", expiration=Duration.days(days))
