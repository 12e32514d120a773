"""The alarms that take back a deployment."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from watchkeeper.core import layout

PERIOD = Duration.minutes(1)


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
        self.errors = cloudwatch.Alarm(
            self,
            "Errors",
            alarm_description=f"Endpoint {endpoint_name} answers with 5xx",
            metric=endpoint_metric(endpoint_name, "Invocation5XXErrors", "Sum"),
            threshold=errors_per_minute,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=3,
            datapoints_to_alarm=2,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        self.latency = cloudwatch.Alarm(
            self,
            "Latency",
            alarm_description=f"Models of {endpoint_name} take over {latency_milliseconds} ms on average",
            metric=endpoint_metric(endpoint_name, "ModelLatency", "Average"),
            threshold=1000 * latency_milliseconds,  # the metric is in microseconds
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=3,
            datapoints_to_alarm=2,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        for alarm in (self.errors, self.latency):
            alarm.add_alarm_action(actions.SnsAction(topic))
            alarm.add_ok_action(actions.SnsAction(topic))


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
