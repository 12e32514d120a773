"""What every Glue job of ours has: its files as assets, the encryption of what it writes, its logs."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import AssetStaging, FileAssetPackaging, Stack
from aws_cdk import aws_glue as glue
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.permissions import Permission
from watchkeeper.core import layout

GLUE_VERSION = "5.1"
"""Spark 3.5.6 and Python 3.11."""


class CodeAsset(Construct):
    """A file in the assets' bucket, under a key that ends in the file's own name: pip reads a wheel's."""

    def __init__(self, scope: Construct, construct_id: str, *, file: Path) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        staging = AssetStaging(self, "Staging", source_path=str(file))
        location = stack.synthesizer.add_file_asset(
            file_name=staging.relative_staged_path(stack),
            packaging=FileAssetPackaging.FILE,
            source_hash=file.stem if file.suffix == ".whl" else staging.asset_hash,
        )
        self.uri: str = location.s3_object_url
        self.object_arn = f"arn:{stack.partition}:s3:::{location.bucket_name}/{location.object_key}"


def job_encryption(scope: Construct, *, name: str, key: kms.IKey) -> glue.CfnSecurityConfiguration:
    """Return the security configuration of a job: what it writes and logs has the key."""
    mode = glue.CfnSecurityConfiguration
    return glue.CfnSecurityConfiguration(
        scope,
        "Encryption",
        name=name,
        encryption_configuration=mode.EncryptionConfigurationProperty(
            cloud_watch_encryption=mode.CloudWatchEncryptionProperty(
                cloud_watch_encryption_mode="SSE-KMS", kms_key_arn=key.key_arn
            ),
            job_bookmarks_encryption=mode.JobBookmarksEncryptionProperty(
                job_bookmarks_encryption_mode="CSE-KMS", kms_key_arn=key.key_arn
            ),
            s3_encryptions=[mode.S3EncryptionProperty(s3_encryption_mode="SSE-KMS", kms_key_arn=key.key_arn)],
        ),
    )


def write_job_logs(scope: Construct) -> Permission:
    """Write the logs of a job."""
    return Permission(
        actions=[
            "logs:AssociateKmsKey",
            "logs:CreateLogGroup",
            "logs:CreateLogStream",
            "logs:PutLogEvents",
        ],
        resources=[Stack.of(scope).format_arn(service="logs", resource=f"log-group:{layout.STREAM_LOGS}*")],
        reason="Glue names the log groups and streams of jobs itself.",
    )
