"""The alarms on one workload's model, those that take back a deployment and those of its drift monitor; and
what all alarms have in common."""

from __future__ import annotations

import cdk_monitoring_constructs as monitoring
from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from lambdas.runtime.typed_environment import METRICS_NAMESPACE
from lambdas.steps.publish_drift import NDCG_METRIC, PublishDriftEnvironment
from watchkeeper.core import layout

PERIOD = Duration.minutes(1)
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
    """Tells when the features no longer rank as in training, and when the monitor itself fails.

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
        state_machine: sfn.IStateMachine,
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
        self.failed = _alarm(
            self,
            "Failed",
            f"The attribution drift monitor of {workload} fails",
            state_machine.metric_failed(period=PERIOD, statistic="Sum"),
            (_Beyond.GREATER_THAN_THRESHOLD, 0),
            topic,
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
        evaluation_periods=3 if twice_in_three else 1,
        datapoints_to_alarm=2 if twice_in_three else None,
        treat_missing_data=missing,
    )
    alarm.add_alarm_action(actions.SnsAction(topic))
    alarm.add_ok_action(actions.SnsAction(topic))
    return alarm
