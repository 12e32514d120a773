"""What an operator sees: one dashboard, on which a workload is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.constructs.alarms import endpoint_metric, scoring_metric
from infra.constructs.work_queue import WorkQueue
from lambdas.runtime.typed_environment import METRICS_NAMESPACE
from lambdas.scoring.environment import ScoreTelemetryEnvironment
from watchkeeper.core import layout

DASHBOARD = "Watchkeeper"
"""Its name."""
FIVE_MINUTES, DAY = Duration.minutes(5), Duration.days(1)
EVERY = "all"
"""What the graphs show of before a workload is chosen: nothing is called so."""
THIRD = 8
"""Width of a graph, of 24."""


class WorkloadsDashboard(Construct):
    """One dashboard of all workloads, whatever their number: a dashboard has its price each month.

    Its graphs find the workloads by search, so it stays as it is when one is added.
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, score_queue: WorkQueue) -> None:
        super().__init__(scope, construct_id)
        service = f'service="{ScoreTelemetryEnvironment.service}"'
        workload = _choice("workload", "Workload", f"{{{METRICS_NAMESPACE},service,workload}} {service}")
        endpoint = _choice(
            "EndpointName",
            "Endpoint",
            f'{{AWS/SageMaker,EndpointName,VariantName}} MetricName="Invocations" "{layout.PREFIX}"',
        )
        dashboard = cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=name,
            variables=[workload, endpoint],
            default_interval=Duration.days(1),
        )
        dashboard.add_widgets(
            _found("Lag of late workloads (ms)", _scoring("publish_to_score_lag"), "p95", FIVE_MINUTES),
            _found("Anomalies a day by workload", _scoring("anomalies"), "Sum", DAY),
            _graph(
                "Queue of telemetry objects",
                [
                    score_queue.queue.metric_approximate_age_of_oldest_message(label="Oldest (s)"),
                    score_queue.queue.metric_approximate_number_of_messages_visible(label="Waiting"),
                    score_queue.dead_letters.metric_approximate_number_of_messages_visible(label="Dead"),
                ],
            ),
        )
        dashboard.add_widgets(
            *(_found(title, _scoring(metric), "Sum", DAY) for title, metric in _ALERTING.items())
        )
        dashboard.add_widgets(
            *(_found(title, _runs(metric), "Sum", DAY) for title, metric in _RUNS.items()), _endpoints()
        )
        dashboard.add_widgets(cloudwatch.TextWidget(markdown="# The chosen workload", width=24, height=1))
        dashboard.add_widgets(
            _graph(
                "Records and intervals",
                [
                    scoring_metric(each, "Sum", FIVE_MINUTES, workload=EVERY)
                    for each in ("records", "quarantined", "intervals_scored", "intervals_without_score")
                ],
            ),
            _graph(
                "Answers",
                [
                    endpoint_metric(EVERY, "Invocations", "Sum", label="Requests"),
                    endpoint_metric(EVERY, "Invocation4XXErrors", "Sum", label="4xx"),
                    endpoint_metric(EVERY, "Invocation5XXErrors", "Sum", label="5xx"),
                ],
            ),
            _graph(
                "Latency (µs)",
                [
                    endpoint_metric(EVERY, "ModelLatency", "Average", label="Model"),
                    endpoint_metric(EVERY, "OverheadLatency", "Average", label="Overhead"),
                ],
            ),
        )


_ALERTING = {
    "Incidents opened a day by workload": "incidents_opened",
    "Alerts a day by workload": "alerts_published",
    "Deliveries that failed a day by workload": "deliveries_failed",
}
_RUNS = {"Trainings that failed": "ExecutionsFailed", "Trainings that succeeded": "ExecutionsSucceeded"}


def _choice(dimension: str, label: str, search: str) -> cloudwatch.DashboardVariable:
    return cloudwatch.DashboardVariable(
        id=dimension,
        type=cloudwatch.VariableType.PROPERTY,
        value=dimension,
        input_type=cloudwatch.VariableInputType.SELECT,
        label=label,
        visible=True,
        values=cloudwatch.Values.from_search(search, dimension),
    )


def _scoring(metric: str) -> str:
    return f'{{{METRICS_NAMESPACE},service,workload}} MetricName="{metric}"'


def _runs(metric: str) -> str:
    return f'{{AWS/States,StateMachineArn}} MetricName="{metric}" "{layout.PREFIX}"'


def _endpoints() -> cloudwatch.GraphWidget:
    search = f'{{AWS/SageMaker,EndpointName,VariantName}} MetricName="Invocation5XXErrors" "{layout.PREFIX}"'
    return _found("Endpoints that answer with 5xx", search, "Sum", FIVE_MINUTES)


def _found(title: str, search: str, statistic: str, period: Duration) -> cloudwatch.GraphWidget:
    expression = f"SEARCH('{search}', '{statistic}', {int(period.to_seconds())})"
    return _graph(title, [cloudwatch.MathExpression(expression=expression, label="", period=period)])


def _graph(title: str, metrics: Sequence[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=THIRD)
