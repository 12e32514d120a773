"""What the shared stacks give to the stack of each workload.

A workload's stack reads it from their outputs when it is deployed. So no shared stack knows of a workload,
and none is kept from changing, as it would be by an export that a workload's stack imports.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import CfnOutput, Fn, Stack


def output(owner: Stack, name: str, value: str) -> str:
    """Add an output to a stack and return what the template of another stack reads it by."""
    CfnOutput(owner, name, value=value)
    return Fn.get_stack_output(owner.stack_name, name)


@dataclass(frozen=True, kw_only=True)
class SharedParts:
    """Names and ARNs of what exists once, as a workload's stack reads them."""

    bucket_name: str
    page_bucket_name: str
    data_key_arn: str
    alert_topic_arn: str
    alert_key_arn: str
    undelivered_alerts_arn: str
    """The queue of alerts that SNS could not deliver."""
    delivery_stream_name: str
    topic_rule_role_arn: str
    series_table: str
    anomalies_table: str
    idempotency_table: str
    alert_bus: str
    """Names of the tables and the bus."""
    score_queue_arn: str
    tick_role_arn: str
    undelivered_telemetry_arn: str
    """The queue of telemetry that EventBridge could not deliver."""
    function_arns: Mapping[str, str]
    """The functions of all workflows by the names of their placeholders."""
    schedule_role_arn: str
    lost_starts_arn: str
    """The queue of starts that the scheduler could not deliver."""
