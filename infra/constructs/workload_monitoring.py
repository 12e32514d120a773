"""What an operator sees of one workload, and when it wakes someone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cdk_monitoring_constructs as monitoring
from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.constructs.alarms import RollbackAlarms, alarm_defaults, endpoint_metric
from infra.constructs.work_queue import WorkQueue
from infra.naming import pascal_name
from lambdas.runtime.typed_environment import METRICS_NAMESPACE
from lambdas.scoring.environment import ScoreTelemetryEnvironment
from watchkeeper.core import layout

LAG_MILLISECONDS = 300_000
"""A record waits a minute in the delivery stream's buffer; five minutes mean that scoring falls behind."""


@dataclass(frozen=True)
class Scoring:
    """What is watched of a workload whose telemetry is scored."""

    alerts_per_week: float
    """The gate's budget."""
    work: WorkQueue
    """The queue of all workloads' telemetry."""


class WorkloadMonitoring(Construct):
    """A dashboard of the workload's endpoint, scoring and training, and alarms on scoring and training.

    Parameters
    ----------
    rollback
        The endpoint's own alarms, shown on the dashboard.
    scoring
        None for a workload that takes no telemetry.
    topic
        Where alarms go.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        workload: str,
        state_machine: sfn.IStateMachine,
        rollback: RollbackAlarms,
        scoring: Scoring | None,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        self._workload = workload
        self.dashboard_name = f"{Stack.of(self).stack_name}-{pascal_name(workload)}"
        facade = monitoring.MonitoringFacade(
            self,
            "Facade",
            dashboard_factory=monitoring.DefaultDashboardFactory(
                self, "Dashboards", dashboard_name_prefix=self.dashboard_name
            ),
            alarm_factory_defaults=alarm_defaults(self.dashboard_name, topic),
        )
        facade.add_large_header(f"Watchkeeper: {workload}")
        self._show_endpoint(facade, rollback)
        if scoring is not None:
            self._watch_scoring(facade, scoring.alerts_per_week)
        self._watch_training(facade, state_machine)
        if scoring is not None:
            facade.monitor_sqs_queue_with_dlq(
                queue=scoring.work.queue,
                dead_letter_queue=scoring.work.dead_letters,
                human_readable_name="Queue of telemetry objects (all workloads)",
                alarm_friendly_name="ScoreQueue",
            )

    def _show_endpoint(self, facade: monitoring.MonitoringFacade, rollback: RollbackAlarms) -> None:
        name = layout.endpoint_name(self._workload)
        facade.monitor_custom(
            human_readable_name=f"Endpoint {name}",
            alarm_friendly_name="Endpoint",
            metric_groups=[
                monitoring.CustomMetricGroup(
                    title="Requests", metrics=[endpoint_metric(name, "Invocations", "Sum", label="Requests")]
                ),
                monitoring.CustomMetricGroup(
                    title="Errors",
                    metrics=[
                        endpoint_metric(name, "Invocation4XXErrors", "Sum", label="4xx"),
                        endpoint_metric(name, "Invocation5XXErrors", "Sum", label="5xx"),
                    ],
                ),
                monitoring.CustomMetricGroup(
                    title="Latency (µs)",
                    metrics=[
                        endpoint_metric(name, "ModelLatency", "Average", label="Model"),
                        endpoint_metric(name, "OverheadLatency", "Average", label="Overhead"),
                    ],
                ),
            ],
        )
        facade.add_widget(
            cloudwatch.AlarmStatusWidget(
                alarms=[rollback.errors, rollback.latency], title="Rollback alarms", width=24
            )
        )

    def _watch_scoring(self, facade: monitoring.MonitoringFacade, alerts_per_week: float) -> None:
        a_day, five_minutes = Duration.days(1), Duration.minutes(5)
        weekly = math.ceil(alerts_per_week)
        facade.monitor_custom(
            human_readable_name="Scoring",
            alarm_friendly_name="Scoring",
            metric_groups=[
                monitoring.CustomMetricGroup(
                    title="From publishing to score (ms)",
                    metrics=[
                        monitoring.CustomMetricWithAlarm(
                            metric=self._metric("publish_to_score_lag", "p95", five_minutes),
                            alarm_friendly_name="Lag",
                            add_alarm={
                                "Warning": _above(
                                    LAG_MILLISECONDS,
                                    "Scores come more than five minutes after their telemetry.",
                                )
                            },
                        )
                    ],
                ),
                monitoring.CustomMetricGroup(
                    title="Anomalies a day",
                    metrics=[
                        monitoring.CustomMetricWithAlarm(
                            metric=self._metric("anomalies", "Sum", a_day),
                            alarm_friendly_name="Anomalies",
                            add_alarm={
                                "Warning": _above(
                                    weekly,
                                    f"More anomalies in a day than the gate allows in a week ({weekly}): "
                                    "an incident, or a model that no longer fits.",
                                )
                            },
                        )
                    ],
                ),
                monitoring.CustomMetricGroup(
                    title="Records and intervals",
                    metrics=[
                        self._metric(name, "Sum", five_minutes)
                        for name in ("records", "quarantined", "intervals_scored", "intervals_without_score")
                    ],
                ),
            ],
        )

    def _watch_training(self, facade: monitoring.MonitoringFacade, state_machine: sfn.IStateMachine) -> None:
        none = monitoring.ErrorCountThreshold(max_error_count=0, datapoints_to_alarm=1)
        facade.monitor_step_function(
            state_machine=state_machine,
            human_readable_name="Training",
            alarm_friendly_name="Training",
            add_failed_execution_count_alarm={"Warning": none},
            add_timed_out_execution_count_alarm={"Warning": none},
        )

    def _metric(self, name: str, statistic: str, period: Duration) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=METRICS_NAMESPACE,
            metric_name=name,
            dimensions_map={"service": ScoreTelemetryEnvironment.service, "workload": self._workload},
            statistic=statistic,
            period=period,
            label=name,
        )


def _above(threshold: float, description: str) -> monitoring.CustomThreshold:
    return monitoring.CustomThreshold(
        threshold=threshold,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        treat_missing_data_override=cloudwatch.TreatMissingData.NOT_BREACHING,
        additional_description=description,
        datapoints_to_alarm=1,
    )
