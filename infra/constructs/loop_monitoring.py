"""Alarms on what all workloads share: queues, functions, the delivery stream and the service's API."""

from __future__ import annotations

import cdk_monitoring_constructs as monitoring
from aws_cdk import Duration
from aws_cdk import aws_apigatewayv2 as apigwv2
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.alarms import alarm_defaults
from infra.constructs.work_queue import WorkQueue

QUEUE_AGE_SECONDS = 300
API_LATENCY_MILLISECONDS = 5000


class LoopMonitoring(Construct):
    """Alarms, without a dashboard of their own: the graphs are on every workload's.

    Parameters
    ----------
    topic
        Where alarms go.
    """

    def __init__(self, scope: Construct, construct_id: str, *, prefix: str, topic: sns.ITopic) -> None:
        super().__init__(scope, construct_id)
        self._facade = monitoring.MonitoringFacade(
            self,
            "Facade",
            dashboard_factory=monitoring.DefaultDashboardFactory(
                self, "Dashboards", dashboard_name_prefix=prefix, create_dashboard=False
            ),
            alarm_factory_defaults=alarm_defaults(prefix, topic),
        )

    def watch_queue(self, name: str, work: WorkQueue) -> None:
        """Tell when messages wait too long, and when one could not be handled."""
        self._facade.monitor_sqs_queue_with_dlq(
            queue=work.queue,
            dead_letter_queue=work.dead_letters,
            alarm_friendly_name=name,
            add_queue_max_message_age_alarm={
                "Warning": monitoring.MaxMessageAgeThreshold(max_age_in_seconds=QUEUE_AGE_SECONDS)
            },
            add_dead_letter_queue_max_size_alarm={
                "Critical": monitoring.MaxMessageCountThreshold(max_message_count=0)
            },
        )

    def watch_dead_letters(self, name: str, dead_letters: sqs.IQueue) -> None:
        """Tell when there is a dead letter."""
        self._facade.monitor_sqs_queue(
            queue=dead_letters,
            alarm_friendly_name=name,
            add_queue_max_size_alarm={"Critical": monitoring.MaxMessageCountThreshold(max_message_count=0)},
        )

    def watch_function(self, name: str, function: lambda_.IFunction) -> None:
        """Tell when a function fails as a whole or is throttled."""
        self._facade.monitor_lambda_function(
            lambda_function=function,
            alarm_friendly_name=name,
            add_fault_count_alarm={"Warning": monitoring.ErrorCountThreshold(max_error_count=0)},
            add_throttles_count_alarm={"Warning": monitoring.ErrorCountThreshold(max_error_count=0)},
        )

    def watch_api(self, name: str, api: apigwv2.IHttpApi) -> None:
        """Tell when an HTTP API fails or is slow."""
        self._facade.monitor_api_gateway_v2_http_api(
            api=api,
            alarm_friendly_name=name,
            add5xx_count_alarm={"Warning": monitoring.ErrorCountThreshold(max_error_count=0)},
            add_latency_p99_alarm={
                "Warning": monitoring.LatencyThreshold(
                    max_latency=Duration.millis(API_LATENCY_MILLISECONDS), datapoints_to_alarm=3
                )
            },
        )

    def watch_stream(self, name: str, delivery_stream_name: str) -> None:
        """Tell when the delivery stream refuses records."""
        self._facade.monitor_kinesis_firehose(
            delivery_stream_name=delivery_stream_name,
            alarm_friendly_name=name,
            add_records_throttled_alarm={
                "Warning": monitoring.RecordsThrottledThreshold(max_records_throttled_threshold=0)
            },
        )
