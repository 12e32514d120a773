"""The alarms on a workload: on its endpoint, its anomalies and its drift; and what all alarms share."""

from __future__ import annotations

import math
from datetime import timedelta

import cdk_monitoring_constructs as monitoring
from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from lambdas.runtime.typed_environment import METRICS_NAMESPACE
from lambdas.scoring.environment import LATE_MILLISECONDS, ScoreTelemetryEnvironment
from lambdas.steps.publish_drift import NDCG_METRIC, PublishDriftEnvironment
from lambdas.watching.watch_telemetry import SILENT_METRIC, WatchTelemetryEnvironment
from watchkeeper.core import layout

PERIOD = Duration.minutes(1)
FRESHNESS_SECONDS = 900
"""Firehose's longest buffering, which AWS advises to watch for; the stream's own is a minute."""
_Beyond = cloudwatch.ComparisonOperator
_Missing = cloudwatch.TreatMissingData


class RollbackAlarms(Construct):
    """Alarms on an endpoint's errors and latency, which SageMaker watches during a deployment.

    The endpoint's one variant keeps its name through every deployment, and its metrics their dimensions.

    Parameters
    ----------
    errors_per_minute
        So many 5xx answers in a minute are too many.
    latency_milliseconds
        Mean latency of the model that is too long.
    topic
        Is told too.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint_name: str,
        errors_per_minute: int,
        latency_milliseconds: int,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        self.errors = _alarm(
            self,
            "Errors",
            f"Endpoint {endpoint_name} answers with 5xx",
            endpoint_metric(endpoint_name, "Invocation5XXErrors", "Sum"),
            (_Beyond.GREATER_THAN_OR_EQUAL_TO_THRESHOLD, errors_per_minute),
            topic,
            twice_in_three=True,
        )
        self.latency = _alarm(
            self,
            "Latency",
            f"Models of {endpoint_name} take over {latency_milliseconds} ms on average",
            endpoint_metric(endpoint_name, "ModelLatency", "Average"),
            # the metric is in microseconds
            (_Beyond.GREATER_THAN_THRESHOLD, 1000 * latency_milliseconds),
            topic,
            twice_in_three=True,
        )


class DriftAlarm(Construct):
    """Tells when the features no longer rank as in training.

    A run without a comparison writes no NDCG: then the alarm stays as it is, until a run compares again.

    Parameters
    ----------
    ndcg_at_least
        An NDCG below it is drift.
    topic
        Is told when it begins and when it ends.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        workload: str,
        ndcg_at_least: float,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        ndcg = cloudwatch.Metric(
            namespace=METRICS_NAMESPACE,
            metric_name=NDCG_METRIC,
            dimensions_map={"workload": workload, "service": PublishDriftEnvironment.service},
            statistic="Minimum",
            period=PERIOD,
        )
        self.drift = _alarm(
            self,
            "Drift",
            f"What {workload} predicts from is no longer what it was at its training",
            ndcg,
            (_Beyond.LESS_THAN_THRESHOLD, ndcg_at_least),
            topic,
            missing=_Missing.IGNORE,
        )


class AnomaliesAlarm(Construct):
    """Tells when a day has more anomalies than the gate allows in a week: an incident, or a model that no
    longer fits.

    Parameters
    ----------
    alerts_per_week
        The gate's budget.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, workload: str, alerts_per_week: float, topic: sns.ITopic
    ) -> None:
        super().__init__(scope, construct_id)
        weekly = math.ceil(alerts_per_week)
        _alarm(
            self,
            "Alarm",
            f"More anomalies of {workload} in a day than its gate allows in a week ({weekly})",
            scoring_metric("anomalies", "Sum", Duration.days(1), workload=workload),
            (_Beyond.GREATER_THAN_THRESHOLD, weekly),
            topic,
        )


class NoRecordsAlarm(Construct):
    """Tells when a workload says nothing: neither a series nor a tick is needed for it.

    Parameters
    ----------
    after
        Without a record for so long, the alarm is on; from the first deployment on.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, workload: str, after: timedelta, topic: sns.ITopic
    ) -> None:
        super().__init__(scope, construct_id)
        # A period is of whole minutes, and beyond a day of an hour: an alarm looks at no longer ones.
        minutes = math.ceil(after.total_seconds() / 60)
        hours = math.ceil(minutes / 60)
        period, periods = (Duration.minutes(minutes), 1) if hours <= 24 else (Duration.hours(1), hours)
        _alarm(
            self,
            "Alarm",
            f"No record of {workload} for {minutes} minutes",
            scoring_metric("records", "Sum", period, workload=workload),
            (_Beyond.LESS_THAN_THRESHOLD, 1),
            topic,
            periods=periods,
            missing=_Missing.BREACHING,
        )


class DeliveryAlarms(Construct):
    """Tell when telemetry that was taken does not become objects: no other alarm would.

    A stream without records has no such metrics, and raises no alarm.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, delivery_stream_name: str, topic: sns.ITopic
    ) -> None:
        super().__init__(scope, construct_id)

        def metric(name: str, statistic: str) -> cloudwatch.Metric:
            return cloudwatch.Metric(
                namespace="AWS/Firehose",
                metric_name=f"DeliveryToS3.{name}",
                dimensions_map={"DeliveryStreamName": delivery_stream_name},
                statistic=statistic,
                period=Duration.minutes(5),
            )

        _alarm(
            self,
            "Freshness",
            "Telemetry waits for more than a quarter of an hour in the delivery stream",
            metric("DataFreshness", "Maximum"),
            (_Beyond.GREATER_THAN_THRESHOLD, FRESHNESS_SECONDS),
            topic,
        )
        _alarm(
            self,
            "Success",
            "The delivery stream cannot write all of its objects of telemetry",
            metric("Success", "Average"),
            (_Beyond.LESS_THAN_THRESHOLD, 1),
            topic,
            twice_in_three=True,
        )


class SilenceAlarm(Construct):
    """Tells when a workload that had telemetry has none: one alarm for all of them.

    The watcher's own failures are errors of its function.
    """

    def __init__(self, scope: Construct, construct_id: str, *, topic: sns.ITopic) -> None:
        super().__init__(scope, construct_id)
        silent = cloudwatch.Metric(
            namespace=METRICS_NAMESPACE,
            metric_name=SILENT_METRIC,
            dimensions_map={"service": WatchTelemetryEnvironment.service},
            statistic="Maximum",
            period=Duration.hours(1),
        )
        _alarm(
            self,
            "Alarm",
            "A workload that had telemetry has none: the log of watch_telemetry says which",
            silent,
            (_Beyond.GREATER_THAN_THRESHOLD, 0),
            topic,
        )


class LagAlarm(Construct):
    """Tells when the scores of some workload come late."""

    def __init__(self, scope: Construct, construct_id: str, *, topic: sns.ITopic) -> None:
        super().__init__(scope, construct_id)
        _alarm(
            self,
            "Alarm",
            "Scores of a workload come five minutes after their telemetry: the dashboard says of which",
            scoring_metric("publish_to_score_lag", "Maximum", Duration.minutes(5)),
            (_Beyond.GREATER_THAN_THRESHOLD, LATE_MILLISECONDS),
            topic,
        )


def scoring_metric(
    name: str, statistic: str, period: Duration, *, workload: str | None = None
) -> cloudwatch.Metric:
    """Return one of the metrics of `score_telemetry`: of a workload, or of all of them where there is one."""
    of_workload = {} if workload is None else {"workload": workload}
    return cloudwatch.Metric(
        namespace=METRICS_NAMESPACE,
        metric_name=name,
        dimensions_map={"service": ScoreTelemetryEnvironment.service, **of_workload},
        statistic=statistic,
        period=period,
    )


def endpoint_metric(
    endpoint_name: str, name: str, statistic: str, label: str | None = None
) -> cloudwatch.Metric:
    """Return one of SageMaker's metrics of an endpoint, such as the `Sum` of `Invocations`."""
    return cloudwatch.Metric(
        namespace="AWS/SageMaker",
        metric_name=name,
        dimensions_map={"EndpointName": endpoint_name, "VariantName": layout.VARIANT},
        statistic=statistic,
        period=PERIOD,
        label=label,
    )


def alarm_defaults(prefix: str, topic: sns.ITopic) -> monitoring.AlarmFactoryDefaults:
    """Return defaults by which an alarm tells the topic when it starts and when it ends."""
    return monitoring.AlarmFactoryDefaults(
        actions_enabled=True,
        alarm_name_prefix=prefix,
        action=monitoring.SnsAlarmActionStrategy(on_alarm_topic=topic, on_ok_topic=topic),
        datapoints_to_alarm=1,
    )


def _alarm(
    scope: Construct,
    construct_id: str,
    description: str,
    metric: cloudwatch.IMetric,
    limit: tuple[cloudwatch.ComparisonOperator, float],
    topic: sns.ITopic,
    *,
    twice_in_three: bool = False,
    periods: int = 1,
    missing: cloudwatch.TreatMissingData = _Missing.NOT_BREACHING,
) -> cloudwatch.Alarm:
    """Make an alarm that tells the topic when a metric is beyond a limit, and when it no longer is."""
    alarm = cloudwatch.Alarm(
        scope,
        construct_id,
        alarm_description=description,
        metric=metric,
        threshold=limit[1],
        comparison_operator=limit[0],
        evaluation_periods=3 if twice_in_three else periods,
        datapoints_to_alarm=2 if twice_in_three else None,
        treat_missing_data=missing,
    )
    alarm.add_alarm_action(actions.SnsAction(topic))
    alarm.add_ok_action(actions.SnsAction(topic))
    return alarm
