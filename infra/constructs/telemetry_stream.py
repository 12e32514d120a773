"""The delivery stream that turns single telemetry records into objects."""

from __future__ import annotations

from aws_cdk import Acknowledgment, RemovalPolicy, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.permissions import (
    Permission,
    assumed_by,
    objects,
    permit,
    policy_of,
    write_encrypted_objects,
)
from watchkeeper.core import layout
from watchkeeper.spec.feeds import KinesisStream

BUFFER_MEGABYTES = 64  # the least that dynamic partitioning allows
RETRY_SECONDS = 300
ARRIVAL = "year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/"
LOG_STREAM = "delivery"


class TelemetryStream(Construct):
    """GZIP objects of JSON lines under `raw/`, by workload and arrival time.

    The stream that workloads share is partitioned by the field `workload`; a record that is no JSON or has
    none goes to `raw-errors/`. The stream of one workload has its name in the prefix.

    Parameters
    ----------
    workload
        The one whose stream it is; None: the shared one.
    source
        A data stream that records are read from; None: they are put.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bucket: s3.IBucket,
        key: kms.IKey,
        buffer_seconds: int,
        workload: str | None = None,
        source: KinesisStream | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        raw = layout.raw_prefix("!{partitionKeyFromQuery:workload}" if workload is None else workload)
        written = f"{layout.RAW}/*" if workload is None else f"{raw}*"
        log_group = logs.LogGroup(
            self, "Log", retention=logs.RetentionDays.ONE_MONTH, removal_policy=RemovalPolicy.DESTROY
        )
        log_stream = logs.LogStream(
            self,
            "LogStream",
            log_group=log_group,
            log_stream_name=LOG_STREAM,
            removal_policy=RemovalPolicy.DESTROY,
        )
        role = iam.Role(self, "Role", assumed_by=assumed_by(self, "firehose"))
        permit(
            role,
            Permission(
                actions=["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
                resources=[bucket.bucket_arn],
            ),
            Permission(
                actions=["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
                resources=objects(self, bucket, written, f"{layout.RAW_ERRORS}/*"),
                reason="Firehose makes object keys at run time.",
            ),
            write_encrypted_objects(key),
            Permission(actions=["logs:PutLogEvents"], resources=[log_group.log_group_arn]),
        )
        if source is not None:
            permit(role, *_read_stream(self, source))
        self.stream = firehose.CfnDeliveryStream(
            self,
            "Stream",
            delivery_stream_type="DirectPut" if source is None else "KinesisStreamAsSource",
            # of a data stream, what waits is encrypted there
            delivery_stream_encryption_configuration_input=firehose.CfnDeliveryStream.DeliveryStreamEncryptionConfigurationInputProperty(
                key_type="AWS_OWNED_CMK"
            )
            if source is None
            else None,
            kinesis_stream_source_configuration=None
            if source is None
            else firehose.CfnDeliveryStream.KinesisStreamSourceConfigurationProperty(
                kinesis_stream_arn=source.stream, role_arn=role.role_arn
            ),
            extended_s3_destination_configuration=firehose.CfnDeliveryStream.ExtendedS3DestinationConfigurationProperty(
                bucket_arn=bucket.bucket_arn,
                role_arn=role.role_arn,
                prefix=f"{raw}{ARRIVAL}",
                error_output_prefix=f"{layout.RAW_ERRORS}/!{{firehose:error-output-type}}/{ARRIVAL}",
                buffering_hints=firehose.CfnDeliveryStream.BufferingHintsProperty(
                    interval_in_seconds=buffer_seconds, size_in_m_bs=BUFFER_MEGABYTES
                ),
                compression_format="GZIP",
                dynamic_partitioning_configuration=_partitioned() if workload is None else None,
                processing_configuration=firehose.CfnDeliveryStream.ProcessingConfigurationProperty(
                    enabled=True,
                    processors=[
                        *([_by_workload()] if workload is None else []),
                        _processor("AppendDelimiterToRecord", Delimiter="\\n"),
                    ],
                ),
                cloud_watch_logging_options=firehose.CfnDeliveryStream.CloudWatchLoggingOptionsProperty(
                    enabled=True,
                    log_group_name=log_group.log_group_name,
                    log_stream_name=log_stream.log_stream_name,
                ),
            ),
        )
        if source is not None:
            Validations.of(self.stream).acknowledge(
                Acknowledgment(
                    id="AwsSolutions-KDF1",
                    reason="What waits is in the data stream: Firehose takes no encryption beside it.",
                )
            )
        # Firehose tries the role when the stream is made.
        self.stream.node.add_dependency(policy_of(role))


def _read_stream(scope: Construct, source: KinesisStream) -> list[Permission]:
    """What Firehose documents for a data stream as source; the key only for what is of this stream."""
    verbs = ("DescribeStream", "GetShardIterator", "GetRecords", "ListShards")
    permissions = [
        Permission(actions=[f"kinesis:{verb}" for verb in verbs], resources=[source.stream]),
    ]
    if source.kms_key is not None:
        stack = Stack.of(scope)
        permissions.append(
            Permission(
                actions=["kms:Decrypt"],
                resources=[source.kms_key],
                conditions={
                    "StringEquals": {
                        "kms:ViaService": f"kinesis.{stack.region}.{stack.url_suffix}",
                        "kms:EncryptionContext:aws:kinesis:arn": source.stream,
                    }
                },
            )
        )
    return permissions


def _partitioned() -> firehose.CfnDeliveryStream.DynamicPartitioningConfigurationProperty:
    return firehose.CfnDeliveryStream.DynamicPartitioningConfigurationProperty(
        enabled=True,
        retry_options=firehose.CfnDeliveryStream.RetryOptionsProperty(duration_in_seconds=RETRY_SECONDS),
    )


def _by_workload() -> firehose.CfnDeliveryStream.ProcessorProperty:
    return _processor(
        "MetadataExtraction", MetadataExtractionQuery="{workload:.workload}", JsonParsingEngine="JQ-1.6"
    )


def _processor(kind: str, **parameters: str) -> firehose.CfnDeliveryStream.ProcessorProperty:
    return firehose.CfnDeliveryStream.ProcessorProperty(
        type=kind,
        parameters=[
            firehose.CfnDeliveryStream.ProcessorParameterProperty(parameter_name=name, parameter_value=value)
            for name, value in parameters.items()
        ],
    )
