"""Telemetry of one workload from a bucket in which other programs write a folder for each interval."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.constructs.telemetry_fetcher import TelemetryFetcher, read_folders
from infra.constructs.telemetry_rule import TelemetryRule
from infra.permissions import permit
from lambdas.sources.fetch_telemetry import FetchTelemetryEnvironment
from watchkeeper.spec.feeds import Folders


class FolderSource(TelemetryFetcher):
    """Rule, queue, function and alarms.

    The bucket is the user's: it must send its events to EventBridge, which is a setting of the bucket, and
    lie in the region of the deployment.

    Parameters
    ----------
    undelivered_arn
        The queue that keeps the events which could not be delivered.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Path,
        workload: str,
        folders: Folders,
        bucket: s3.IBucket,
        key: kms.IKey,
        undelivered_arn: str,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            code=code,
            workload=workload,
            environment=FetchTelemetryEnvironment(
                workload=workload, folders=folders.path, data_bucket=bucket.bucket_name
            ),
            purpose=f"Fetches the files of {workload} from the bucket in which they are written",
            bucket=bucket,
            key=key,
            topic=topic,
        )
        permit(self.fetch.role, *read_folders(self, folders, versions=True))
        files = TelemetryRule(
            self,
            "Files",
            workload=workload,
            bucket_name=folders.bucket,
            prefix=folders.folder_path.prefix,
            queue_arn=self.work.queue.queue_arn,
            undelivered_arn=undelivered_arn,
            message_group=workload,
        )
        self.work.queue.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.work.queue.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": files.rule.attr_arn}},
            )
        )
