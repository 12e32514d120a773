"""What the shared stacks give to the stack of each workload.

A workload's stack reads it from their outputs when it is deployed. So no shared stack knows of a workload,
none is kept from changing, as it would be by an export that a workload's stack imports, and they need not be
synthesized for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from aws_cdk import Fn

from pipeline.step import EVERY_STEP


class SharedStack(StrEnum):
    """The stacks that exist once."""

    STORAGE = "WatchkeeperStorage"
    ALERTING = "WatchkeeperAlerting"
    SCORING = "WatchkeeperScoring"
    HISTORY = "WatchkeeperHistory"
    INGESTION = "WatchkeeperIngestion"
    TRAINING = "WatchkeeperTraining"
    SERVICE_TASKS = "WatchkeeperServiceTasks"
    SERVICE = "WatchkeeperService"
    FLEET = "WatchkeeperFleet"
    MONITORING = "WatchkeeperMonitoring"


def _output(stack: SharedStack, name: str) -> str:
    """Make a field whose value the template reads from a stack's output."""
    read: str = field(default_factory=lambda: Fn.get_stack_output(stack.value, name))
    return read


def _function_arns() -> dict[str, str]:
    names = [step.substitution for step in EVERY_STEP]
    return {name: Fn.get_stack_output(SharedStack.TRAINING.value, name) for name in names}


@dataclass(frozen=True, kw_only=True)
class SharedParts:
    """Names and ARNs of what exists once, as a workload's stack reads them."""

    bucket_name: str = _output(SharedStack.STORAGE, "DataBucketName")
    page_bucket_name: str = _output(SharedStack.STORAGE, "PageBucketName")
    data_key_arn: str = _output(SharedStack.STORAGE, "DataKeyArn")
    series_table: str = _output(SharedStack.STORAGE, "SeriesTableName")
    anomalies_table: str = _output(SharedStack.STORAGE, "AnomaliesTableName")
    idempotency_table: str = _output(SharedStack.STORAGE, "IdempotencyTableName")
    alert_bus: str = _output(SharedStack.ALERTING, "AlertBusName")
    """Names of the tables and the bus."""
    alert_topic_arn: str = _output(SharedStack.ALERTING, "AlertTopicArn")
    alert_key_arn: str = _output(SharedStack.ALERTING, "AlertKeyArn")
    undelivered_alerts_arn: str = _output(SharedStack.ALERTING, "UndeliveredAlertsArn")
    """The queue of alerts that SNS, and of digests that the scheduler could not deliver."""
    alert_queue_arn: str = _output(SharedStack.ALERTING, "AlertQueueArn")
    """The queue of `publish_alert`."""
    digest_role_arn: str = _output(SharedStack.ALERTING, "DigestRoleArn")
    delivery_stream_name: str = _output(SharedStack.INGESTION, "DeliveryStreamName")
    topic_rule_role_arn: str = _output(SharedStack.INGESTION, "TopicRuleRoleArn")
    score_queue_arn: str = _output(SharedStack.SCORING, "ScoreQueueArn")
    tick_role_arn: str = _output(SharedStack.SCORING, "TickRoleArn")
    undelivered_telemetry_arn: str = _output(SharedStack.SCORING, "UndeliveredTelemetryArn")
    """The queue of telemetry that EventBridge could not deliver."""
    quarantine_queue_arn: str = _output(SharedStack.FLEET, "QuarantineQueueArn")
    unquarantined_arn: str = _output(SharedStack.FLEET, "UnquarantinedArn")
    """The queue of `quarantine_device`, and that of anomalies which never reached it."""
    schedule_role_arn: str = _output(SharedStack.TRAINING, "ScheduleRoleArn")
    lost_starts_arn: str = _output(SharedStack.TRAINING, "ScheduleDeadLettersArn")
    """The queue of starts that the scheduler could not deliver."""
    function_arns: Mapping[str, str] = field(default_factory=_function_arns)
    """The functions of all workflows by the names of their placeholders."""
