"""The alarms that take back a deployment."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

PERIOD = Duration.minutes(1)


class RollbackAlarms(Construct):
    """Alarms on an endpoint's errors and latency, over all its variants.

    Every release is a variant with a name of its own, and SageMaker has no metric of the endpoint as a whole,
    so the alarms query Metrics Insights by the endpoint's name. SageMaker watches them during a deployment.

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
            metric=endpoint_metric(endpoint_name, "SUM(Invocation5XXErrors)", label="5xx errors"),
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
            metric=endpoint_metric(endpoint_name, "AVG(ModelLatency)", label="Model latency (µs)"),
            threshold=1000 * latency_milliseconds,  # the metric is in microseconds
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=3,
            datapoints_to_alarm=2,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        for alarm in (self.errors, self.latency):
            alarm.add_alarm_action(actions.SnsAction(topic))
            alarm.add_ok_action(actions.SnsAction(topic))


def endpoint_metric(endpoint_name: str, selection: str, *, label: str) -> cloudwatch.MathExpression:
    """Return a metric over all variants of an endpoint, such as `SUM(Invocations)`."""
    return cloudwatch.MathExpression(
        expression=(
            f'SELECT {selection} FROM SCHEMA("AWS/SageMaker", EndpointName, VariantName) '  # noqa: S608  CloudWatch
            f"WHERE EndpointName = '{endpoint_name}'"
        ),
        using_metrics={},
        period=PERIOD,
        label=label,
    )
