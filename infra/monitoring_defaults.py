"""What all alarms have in common."""

from __future__ import annotations

import cdk_monitoring_constructs as monitoring
from aws_cdk import aws_sns as sns


def alarm_defaults(prefix: str, topic: sns.ITopic) -> monitoring.AlarmFactoryDefaults:
    """Return defaults by which an alarm tells the topic when it starts and when it ends."""
    return monitoring.AlarmFactoryDefaults(
        actions_enabled=True,
        alarm_name_prefix=prefix,
        action=monitoring.SnsAlarmActionStrategy(on_alarm_topic=topic, on_ok_topic=topic),
        datapoints_to_alarm=1,
    )
