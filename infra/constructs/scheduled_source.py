"""Telemetry of one workload from what is asked for it after each interval."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.constructs.telemetry_fetcher import TelemetryFetcher, decrypt_of, read_folders
from infra.permissions import (
    Permission,
    assumed_by,
    list_keys,
    objects,
    permit,
    read_objects,
    write_objects,
)
from lambdas.sources.due import due_message
from lambdas.sources.fetch_due import FetchDueEnvironment
from watchkeeper.core import layout
from watchkeeper.core.layout import short_hash
from watchkeeper.spec import AnomalyWorkload
from watchkeeper.spec.feeds import AthenaQuery, CloudWatch, Folders, Reads
from watchkeeper.telemetry.feeds import feed_to_json

RETRY_SECONDS = 3600
_CATALOG = ("Database", "Table", "Tables", "Partition", "Partitions")
"""What Athena gets of the Data Catalog."""


def schedule_after(interval: timedelta, offset: timedelta) -> str:
    """Return the expression of a schedule that fires so long after the end of each interval, in UTC.

    Parameters
    ----------
    interval
        Whole minutes that divide an hour, or whole hours that divide a day.

    Examples
    --------
    >>> schedule_after(timedelta(minutes=5), timedelta(minutes=12))
    'cron(2/5 * * * ? *)'
    >>> schedule_after(timedelta(hours=6), timedelta(minutes=90))
    'cron(30 1/6 * * ? *)'
    """
    minutes, late = int(interval.total_seconds() // 60), -(-int(offset.total_seconds()) // 60)
    if minutes <= 60:
        return f"cron({late % minutes}/{minutes} * * * ? *)"
    hours = minutes // 60
    return f"cron({late % 60} {late // 60 % hours}/{hours} * * ? *)"


class ScheduledSource(TelemetryFetcher):
    """Schedule, queue, function and alarms.

    A message says the time that it was scheduled for, and so what it asks for, however late it is handled.

    Parameters
    ----------
    undelivered_arn
        The queue of messages that the scheduler could not deliver.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Path,
        spec: AnomalyWorkload,
        asked: CloudWatch | AthenaQuery | Folders,
        offset: timedelta,
        bucket: s3.IBucket,
        key: kms.IKey,
        undelivered_arn: str,
        topic: sns.ITopic,
    ) -> None:
        workload, place = spec.name, spec.source.place
        super().__init__(
            scope,
            construct_id,
            code=code,
            workload=workload,
            environment=FetchDueEnvironment(
                workload=workload,
                feed=feed_to_json(asked.feed()),
                offset_seconds=str(int(offset.total_seconds())),
                data_bucket=bucket.bucket_name,
            ),
            purpose=f"Asks the {place} of {workload} for the intervals that have ended",
            bucket=bucket,
            key=key,
            topic=topic,
        )
        permit(self.fetch.role, *self._reading(workload, asked, bucket))
        role = iam.Role(self, "Scheduled", assumed_by=assumed_by(self, "scheduler"))
        permit(
            role,
            Permission(actions=["sqs:SendMessage"], resources=[self.work.queue.queue_arn, undelivered_arn]),
        )
        schedule = scheduler.CfnSchedule(
            self,
            "Schedule",
            description=f"Asks for the telemetry of {workload} after each interval",
            schedule_expression=schedule_after(spec.interval, offset),
            schedule_expression_timezone="UTC",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            state="ENABLED",
            target=scheduler.CfnSchedule.TargetProperty(
                arn=self.work.queue.queue_arn,
                role_arn=role.role_arn,
                input=due_message(workload, "<aws.scheduler.scheduled-time>"),
                sqs_parameters=scheduler.CfnSchedule.SqsParametersProperty(message_group_id=workload),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=undelivered_arn),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=RETRY_SECONDS
                ),
            ),
        )
        schedule.node.add_dependency(role)

    def _reading(
        self, workload: str, asked: CloudWatch | AthenaQuery | Folders, bucket: s3.IBucket
    ) -> list[Permission]:
        raw = layout.raw_prefix(workload)
        match asked:
            case Folders():
                return read_folders(self, asked, versions=False)
            case CloudWatch():
                return [
                    list_keys(bucket, raw),
                    Permission(
                        actions=["cloudwatch:ListMetrics", "cloudwatch:GetMetricData"],
                        resources=["*"],
                        reason="CloudWatch has no resource to name where metrics are read.",
                    ),
                ]
            case AthenaQuery():
                return [
                    *self._querying(asked),
                    *self._results(workload, bucket),
                    list_keys(bucket, raw, layout.queries_prefix(workload)),
                    *(permission for place in asked.reads for permission in self._files(place)),
                    *decrypt_of(self, "s3", asked.kms_key),
                ]

    def _querying(self, asked: AthenaQuery) -> list[Permission]:
        stack = Stack.of(self)

        def arn(service: str, resource: str, name: str | None = None) -> str:
            return stack.format_arn(service=service, resource=resource, resource_name=name)

        return [
            Permission(
                actions=["athena:StartQueryExecution", "athena:GetQueryExecution"],
                resources=[arn("athena", "workgroup", asked.workgroup)],
            ),
            Permission(
                actions=[f"glue:Get{what}" for what in _CATALOG],
                resources=[
                    arn("glue", "catalog"),
                    arn("glue", "database", asked.database),
                    arn("glue", "table", f"{asked.database}/*"),
                ],
                reason="Which tables of the database are read, the query says.",
            ),
        ]

    def _results(self, workload: str, bucket: s3.IBucket) -> list[Permission]:
        results = f"{layout.queries_prefix(workload)}*"
        return [
            write_objects(self, bucket, results, in_parts=True),
            read_objects(self, bucket, results),
            Permission(
                actions=["s3:ListMultipartUploadParts"],
                resources=objects(self, bucket, results),
                reason="Athena makes the names of results.",
            ),
            Permission(actions=["s3:GetBucketLocation"], resources=[bucket.bucket_arn]),
        ]

    def _files(self, place: Reads) -> list[Permission]:
        name = f"Reads{short_hash(f'{place.bucket}/{place.prefix}', 8)}"
        source = s3.Bucket.from_bucket_name(self, name, place.bucket)
        return [
            read_objects(self, source, f"{place.prefix}*"),
            list_keys(source, *([place.prefix] if place.prefix else [])),
            Permission(actions=["s3:GetBucketLocation"], resources=[source.bucket_arn]),
        ]
