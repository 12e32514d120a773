"""What belongs to one workload alone, as a stack of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

from aws_cdk import CfnOutput, Stack, Tags
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.bundles import Bundles
from infra.constructs.alarms import AnomaliesAlarm, DeliveryAlarms, NoRecordsAlarm, RollbackAlarms
from infra.constructs.behaviour_rules import BehaviourRules, QuarantineRule
from infra.constructs.digest_schedule import DigestSchedule
from infra.constructs.folder_source import FolderSource
from infra.constructs.model_code import ModelCode
from infra.constructs.package_group import PackageGroup
from infra.constructs.plan_parameter import PlanParameter, SpecParameter
from infra.constructs.processing_job import ProcessingJob
from infra.constructs.route_delivery import RouteDelivery
from infra.constructs.route_subscription import RouteSubscription
from infra.constructs.sagemaker_role import SageMakerRole
from infra.constructs.scheduled_source import ScheduledSource
from infra.constructs.spark_stream import SparkStream, StreamPlaces
from infra.constructs.telemetry_rule import TelemetryRule
from infra.constructs.telemetry_stream import TelemetryStream
from infra.constructs.tick_schedule import TickSchedule
from infra.constructs.topic_rule import TopicRule, topic_rule_role
from infra.constructs.training_schedule import TrainingSchedule
from infra.constructs.training_workflow import TrainingWorkflow
from infra.definition_images import images_of
from infra.drift import DriftMonitor
from infra.naming import WORKLOAD_TAG, pascal_name
from infra.permissions import permit, publish_alerts
from infra.sharing import SharedParts
from infra.training_permissions import (
    adoption_permissions,
    explain_permissions,
    job_permissions,
    model_permissions,
    workflow_permissions,
)
from lambdas.alerting.digest import DigestDue
from lambdas.alerting.target import Target, Targets
from pipeline.packaging import PROCESSING_SCRIPT, SPARK_SCRIPT
from pipeline.step import EVERY_STEP
from pipeline.substitutions import Substitution, placeholder
from watchkeeper.core import layout
from watchkeeper.spec import (
    AnomalyWorkload,
    DeviceBehaviourWorkload,
    FraudWorkload,
    RegressionWorkload,
    Subscription,
    WorkloadSpec,
)
from watchkeeper.spec.alerting import Route
from watchkeeper.spec.detection import RegisteredDetector
from watchkeeper.spec.explaining import Drift
from watchkeeper.spec.feeds import KinesisStream
from watchkeeper.spec.receiving import Slack, Webhook
from watchkeeper.spec.scale import SparkScale

OUTCOMES = ("deployed", "rejected", "failed")
"""How the training workflow says that a run ended: `pipeline.endings`."""


class WorkloadStack(Stack):
    """A workload's plan, models, training workflow and alarms; its telemetry's rules; who hears of it.

    It is named by the workload (`layout.workload_stack`).

    Parameters
    ----------
    text
        Of the workload's file, for people.
    shared
        What exists once, in stacks that this one must wait for.
    """

    def __init__(
        self,
        scope: Construct,
        spec: WorkloadSpec,
        *,
        text: str,
        bundles: Bundles,
        shared: SharedParts,
        **stack_options: Any,
    ) -> None:
        super().__init__(scope, layout.workload_stack(spec.name), **stack_options)
        SpecParameter(self, "Spec", workload=spec.name, text=text)
        self._shared = shared
        self._bucket = s3.Bucket.from_bucket_name(self, "Data", shared.bucket_name)
        self._key = kms.Key.from_key_arn(self, "DataKey", shared.data_key_arn)
        self._topic = sns.Topic.from_topic_arn(self, "Alerts", shared.alert_topic_arn)
        self._train(spec, bundles)
        match spec:
            case AnomalyWorkload():
                self._ingest(spec, bundles)
                self._tell_of_anomalies(spec, bundles)
            case RegressionWorkload():
                self._tell_of_trainings(spec.name, spec.notifications)
                if spec.explain.drift is not None:
                    self._watch_for_drift(spec, spec.explain.drift, bundles)
            case FraudWorkload():
                ProcessingJob(
                    self,
                    "Processing",
                    workload=spec.name,
                    processing=spec.processing,
                    wheel=bundles.stream,
                    script=PROCESSING_SCRIPT,
                    bucket=self._bucket,
                    key=self._key,
                )
                self._tell_of_anomalies(spec, bundles)
        Tags.of(self).add(WORKLOAD_TAG, spec.name)

    def _train(self, spec: WorkloadSpec, bundles: Bundles) -> None:
        definition = bundles.definition(spec)
        text = definition.read_text()
        plan = PlanParameter(self, "Plan", plan=spec.plan())
        group = PackageGroup(
            self,
            "PackageGroup",
            name=layout.endpoint_name(spec.name),
            description=f"Models of workload {spec.name}",
        ).model_package_group_name
        code, told_code = self._code(spec, bundles)
        images = images_of(json.loads(text))
        job_role = self._job_role(spec, images, code)
        serving, alarm_arns, roles = self._serve(spec, images)
        steps = [step for step in EVERY_STEP if placeholder(step.substitution) in text]
        functions = {step.substitution: self._shared.function_arns[step.substitution] for step in steps}
        known: dict[str, str] = {
            **functions,
            Substitution.PARTITION: self.partition,
            **told_code,
            Substitution.KMS_KEY_ARN: self._shared.data_key_arn,
            Substitution.NOTIFICATION_TOPIC_ARN: self._shared.alert_topic_arn,
            Substitution.JOB_ROLE_ARN: job_role.role_arn,
            Substitution.MODEL_PACKAGE_GROUP_NAME: group,
            **serving,
        }
        workflow = TrainingWorkflow(
            self,
            "Workflow",
            name=layout.state_machine_name(spec.name, "training"),
            key=self._key,
            definition=definition,
            substitutions={name: value for name, value in known.items() if placeholder(name) in text},
            purpose=f"Trains, judges and deploys the model of {spec.name}",
        )
        # The definition insists on its plan.
        workflow.node.add_dependency(plan)
        permit(
            workflow.role,
            *workflow_permissions(
                self,
                workload=spec.name,
                kind="streaming" if spec.is_streaming else spec.kind,
                functions=list(functions.values()),
                roles=[job_role, *roles],
                package_group=layout.endpoint_name(spec.name),
                bucket=self._bucket,
                key=self._key,
                alarm_arns=alarm_arns,
            ),
            *publish_alerts(self._shared.alert_topic_arn, self._shared.alert_key_arn),
        )
        if spec.training.schedule is not None:
            TrainingSchedule(
                self,
                "Schedule",
                state_machine_arn=workflow.state_machine.state_machine_arn,
                expression=spec.training.schedule,
                role_arn=self._shared.schedule_role_arn,
                lost_starts_arn=self._shared.lost_starts_arn,
            )
        CfnOutput(self, "StateMachineArn", value=workflow.state_machine.state_machine_arn)
        CfnOutput(self, "ModelPackageGroup", value=group)

    def _code(self, spec: WorkloadSpec, bundles: Bundles) -> tuple[list[ModelCode], dict[str, str]]:
        """Return the archives that the workload's jobs run, and what the definition is told of them."""
        model = ModelCode(self, "ModelCode", archive=bundles.model)
        archives = [model]
        told: dict[str, str] = {
            Substitution.MODEL_CODE_URI: model.uri,
            Substitution.MODEL_CODE_ARCHIVE_NAME: model.name,
        }
        if _analyses(spec):
            analysis = ModelCode(self, "AnalysisCode", archive=bundles.analysis)
            archives.append(analysis)
            told[Substitution.ANALYSIS_CODE_URI] = analysis.uri
        if isinstance(spec, FraudWorkload):
            fraud = ModelCode(self, "FraudCode", archive=bundles.fraud)
            archives.append(fraud)
            told[Substitution.FRAUD_CODE_URI] = fraud.uri
            told[Substitution.FRAUD_CODE_ARCHIVE_NAME] = fraud.name
        return archives, told

    def _serve(
        self, spec: WorkloadSpec, images: Sequence[str]
    ) -> tuple[dict[str, str], list[str] | None, list[iam.Role]]:
        """Make what an endpoint's deployments need.

        Returns
        -------
        substitutions, alarm_arns, roles
            Nothing of a workload without an endpoint.
        """
        if spec.endpoint is None:
            return {}, None, []
        alarms = RollbackAlarms(
            self,
            "Rollback",
            endpoint_name=layout.endpoint_name(spec.name),
            errors_per_minute=spec.endpoint.rollback.server_errors_per_minute,
            latency_milliseconds=spec.endpoint.rollback.latency_milliseconds,
            topic=self._topic,
        )
        alarm_arns = [alarms.errors.alarm_arn, alarms.latency.alarm_arn]
        role = SageMakerRole(self, "Models", images=images).role
        permit(
            role,
            *model_permissions(
                self, workload=spec.name, bucket=self._bucket, key=self._key, alarm_arns=alarm_arns
            ),
        )
        substitutions: dict[str, str] = {
            Substitution.MODEL_ROLE_ARN: role.role_arn,
            Substitution.ENDPOINT_ERRORS_ALARM_NAME: alarms.errors.alarm_name,
            Substitution.ENDPOINT_LATENCY_ALARM_NAME: alarms.latency.alarm_name,
        }
        return substitutions, alarm_arns, [role]

    def _job_role(self, spec: WorkloadSpec, images: Sequence[str], code: Sequence[ModelCode]) -> iam.Role:
        # of a fraud workload, Spark reads the history; the jobs read what it makes of it
        sources = [] if isinstance(spec, FraudWorkload) else [layout.history_prefix(spec.name)]
        if isinstance(spec, AnomalyWorkload):
            sources.append(layout.raw_prefix(spec.name))
        role = SageMakerRole(self, "Jobs", images=images).role
        permit(
            role,
            *(permission for archive in code for permission in archive.reading()),
            *job_permissions(self, workload=spec.name, sources=sources, bucket=self._bucket, key=self._key),
        )
        if isinstance(spec, AnomalyWorkload) and isinstance(spec.detector, RegisteredDetector):
            permit(role, *adoption_permissions(self, bucket=self._bucket))
        if isinstance(spec, RegressionWorkload) and _explains(spec):
            permit(role, *explain_permissions(self, spec.plan().explain, workload=spec.name))
        return role

    def _ingest(self, spec: AnomalyWorkload, bundles: Bundles) -> None:
        shared = self._shared
        if isinstance(spec, DeviceBehaviourWorkload):
            self._watch_devices(spec)
        elif spec.source.topic is not None:
            stream_name, role_arn = self._delivered_by(spec)
            TopicRule(
                self,
                "Topic",
                workload=spec.name,
                topic=spec.source.topic,
                delivery_stream_name=stream_name,
                bucket_name=shared.bucket_name,
                role_arn=role_arn,
            )
        elif spec.source.kinesis is not None:
            self._own_stream(spec, spec.source.kinesis)
        elif spec.source.scheduled is not None and spec.source.offset is not None:
            ScheduledSource(
                self,
                "Source",
                code=bundles.history,
                spec=spec,
                asked=spec.source.scheduled,
                offset=spec.source.offset,
                bucket=self._bucket,
                key=self._key,
                undelivered_arn=shared.undelivered_telemetry_arn,
                topic=self._topic,
            )
        elif spec.source.folders is not None:
            FolderSource(
                self,
                "Folders",
                code=bundles.history,
                workload=spec.name,
                folders=spec.source.folders,
                bucket=self._bucket,
                key=self._key,
                undelivered_arn=shared.undelivered_telemetry_arn,
                topic=self._topic,
            )
        if isinstance(spec.scale, SparkScale):
            self._score_in_spark(spec.name, spec.scale, bundles)
        else:
            TelemetryRule(
                self,
                "Telemetry",
                workload=spec.name,
                bucket_name=shared.bucket_name,
                queue_arn=shared.score_queue_arn,
                undelivered_arn=shared.undelivered_telemetry_arn,
                message_group=spec.name,
            )
            TickSchedule(
                self,
                "Tick",
                plan=spec.plan(),
                queue_arn=shared.score_queue_arn,
                role_arn=shared.tick_role_arn,
                undelivered_arn=shared.undelivered_telemetry_arn,
            )
        if spec.silence is not None:
            NoRecordsAlarm(self, "Silence", workload=spec.name, after=spec.silence.after, topic=self._topic)
        AnomaliesAlarm(
            self,
            "Anomalies",
            workload=spec.name,
            alerts_per_week=spec.gate.max_alerts_per_week,
            topic=self._topic,
        )

    def _watch_devices(self, spec: DeviceBehaviourWorkload) -> None:
        stream_name, role_arn = self._delivered_by(spec)
        BehaviourRules(
            self,
            "Behaviour",
            workload=spec.name,
            behaviours=[each.name for each in spec.behaviours],
            metrics=bool(spec.metrics),
            delivery_stream_name=stream_name,
            bucket_name=self._shared.bucket_name,
            role_arn=role_arn,
        )
        if spec.mitigation is not None:
            QuarantineRule(
                self,
                "Quarantine",
                workload=spec.name,
                quarantine=spec.mitigation.quarantine,
                bus_name=self._shared.alert_bus,
                queue_arn=self._shared.quarantine_queue_arn,
                undelivered_arn=self._shared.unquarantined_arn,
            )

    def _delivered_by(self, spec: AnomalyWorkload) -> tuple[str, str]:
        """Return the delivery stream of the telemetry, and the ARN of the role that may write to it."""
        if spec.delivery.partitioned:
            return self._shared.delivery_stream_name, self._shared.topic_rule_role_arn
        stream = self._own_stream(spec)
        role = topic_rule_role(
            self, "TopicRules", stream_arn=stream.attr_arn, bucket=self._bucket, key=self._key
        )
        return stream.ref, role.role_arn

    def _own_stream(
        self, spec: AnomalyWorkload, source: KinesisStream | None = None
    ) -> firehose.CfnDeliveryStream:
        """Make the delivery stream of this workload alone, and the alarms on it."""
        stream = TelemetryStream(
            self,
            "Delivery",
            bucket=self._bucket,
            key=self._key,
            buffer_seconds=spec.delivery.buffer_seconds,
            workload=spec.name,
            source=source,
        ).stream
        DeliveryAlarms(self, "Delivered", delivery_stream_name=stream.ref, topic=self._topic)
        return stream

    def _score_in_spark(self, workload: str, scale: SparkScale, bundles: Bundles) -> None:
        shared = self._shared
        stream = SparkStream(
            self,
            "Stream",
            workload=workload,
            scale=scale,
            wheel=bundles.stream,
            script=SPARK_SCRIPT,
            places=StreamPlaces(
                bucket=self._bucket,
                key=self._key,
                pages=s3.Bucket.from_bucket_name(self, "Pages", shared.page_bucket_name),
                series_table=shared.series_table,
                anomalies_table=shared.anomalies_table,
                alert_bus=shared.alert_bus,
                undelivered_arn=shared.undelivered_telemetry_arn,
            ),
            topic=self._topic,
        )
        CfnOutput(self, "StreamJobName", value=layout.stream_job_name(workload))
        CfnOutput(self, "StreamQueueUrl", value=stream.work.queue.queue_url)
        CfnOutput(self, "StreamDeadLetterQueueUrl", value=stream.work.dead_letters.queue_url)

    def _tell_of_anomalies(self, spec: AnomalyWorkload | FraudWorkload, bundles: Bundles) -> None:
        channels: dict[tuple[str, str], list[str]] = {}
        for route in spec.alerts.routes:
            if route.subscription is not None:  # SNS keeps one subscription of an endpoint
                whom = (route.subscription.protocol, route.subscription.endpoint)
                channels.setdefault(whom, []).append(route.channel)
            if route.digest is not None:
                DigestSchedule(
                    self,
                    f"Digest{pascal_name(route.channel)}",
                    due=DigestDue(spec.name, route.channel),
                    minute=route.digest,
                    timezone=spec.timezone,
                    queue_arn=self._shared.alert_queue_arn,
                    role_arn=self._shared.digest_role_arn,
                    undelivered_arn=self._shared.undelivered_alerts_arn,
                )
        for (protocol, endpoint), routes in channels.items():
            wanted = Subscription(protocol=cast("Any", protocol), endpoint=endpoint)
            self._subscribe(f"Route{pascal_name(routes[0])}", spec.name, wanted, routes=routes)
        targets = {route.channel: target_of(route) for route in spec.alerts.routes}
        delivered = {channel: target for channel, target in targets.items() if target is not None}
        if delivered:
            RouteDelivery(
                self,
                "AlertDelivery",
                code=bundles.functions,
                workload=spec.name,
                targets=Targets(delivered),
                timezone=spec.timezone,
                topic=self._topic,
                undelivered_arn=self._shared.undelivered_alerts_arn,
                idempotency=dynamodb.Table.from_table_name(
                    self, "Idempotency", self._shared.idempotency_table
                ),
                key=self._key,
            )

    def _tell_of_trainings(self, workload: str, subscriptions: Sequence[Subscription]) -> None:
        for number, wanted in enumerate(subscriptions, start=1):
            self._subscribe(f"Trainings{number}", workload, wanted, outcome=OUTCOMES)

    def _subscribe(self, name: str, workload: str, wanted: Subscription, **attributes: Sequence[str]) -> None:
        RouteSubscription(
            self,
            name,
            topic_arn=self._shared.alert_topic_arn,
            workload=workload,
            attributes=attributes,
            protocol=wanted.protocol,
            endpoint=wanted.endpoint,
            undelivered_arn=self._shared.undelivered_alerts_arn,
        )

    def _watch_for_drift(self, spec: RegressionWorkload, drift: Drift, bundles: Bundles) -> None:
        monitor = DriftMonitor(
            self,
            "Drift",
            workload=spec.name,
            drift=drift,
            definition=bundles.drift_definition(spec, drift),
            analysis_code=ModelCode(self, "DriftCode", archive=bundles.analysis),
            shared=self._shared,
            bucket=self._bucket,
            key=self._key,
            topic=self._topic,
        )
        CfnOutput(self, "DriftStateMachineArn", value=monitor.state_machine_arn)


def target_of(route: Route) -> Target | None:
    """Return where Watchkeeper delivers a route's alerts itself; None where SNS does, or nobody."""
    match route:
        case Route(webhook=Webhook() as webhook):
            return Target("webhook", webhook.url, webhook.secret, webhook.format)
        case Route(slack=Slack() as slack):
            return Target("slack", secret=slack.secret)
        case Route(event_bus=str() as bus_arn):
            return Target("event_bus", bus_arn=bus_arn)
    return None


def _explains(spec: WorkloadSpec) -> bool:
    return isinstance(spec, RegressionWorkload) and spec.explain.engine != "none"


def _analyses(spec: WorkloadSpec) -> bool:
    return isinstance(spec, RegressionWorkload) and spec.explain.engine == "watchkeeper"
