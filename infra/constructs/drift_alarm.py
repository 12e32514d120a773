"""The alarms of the attribution drift monitor."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from lambdas.runtime.typed_environment import METRICS_NAMESPACE
from lambdas.steps.publish_drift import NDCG_METRIC, PublishDriftEnvironment

PERIOD = Duration.minutes(1)


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
        self.drift = cloudwatch.Alarm(
            self,
            "Drift",
            alarm_description=f"What {workload} predicts from is no longer what it was at its training",
            metric=cloudwatch.Metric(
                namespace=METRICS_NAMESPACE,
                metric_name=NDCG_METRIC,
                dimensions_map={"workload": workload, "service": PublishDriftEnvironment.service},
                statistic="Minimum",
                period=PERIOD,
            ),
            threshold=ndcg_at_least,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.IGNORE,
        )
        self.failed = cloudwatch.Alarm(
            self,
            "Failed",
            alarm_description=f"The attribution drift monitor of {workload} fails",
            metric=state_machine.metric_failed(period=PERIOD, statistic="Sum"),
            threshold=0,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        for alarm in (self.drift, self.failed):
            alarm.add_alarm_action(actions.SnsAction(topic))
            alarm.add_ok_action(actions.SnsAction(topic))
