"""A small app with the resource types of the product's stacks, for the local cloud's contract tests."""

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_iot as iot
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as scheduler_targets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_ssm as ssm
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

FUNCTIONS = Path(__file__).parent / "functions"


class Stateful(cdk.Stack):
    """Bucket, key, tables and queues."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.key = kms.Key(self, "Key", enable_key_rotation=True, removal_policy=cdk.RemovalPolicy.DESTROY)
        self.key.add_alias("localcloud-contract")
        self.bucket = s3.Bucket(
            self,
            "Data",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            versioned=True,
            enforce_ssl=True,
            event_bridge_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            lifecycle_rules=[s3.LifecycleRule(expiration=cdk.Duration.days(90))],
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.table = dynamodb.TableV2(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
            time_to_live_attribute="expires_at",
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.plain_table = dynamodb.Table(
            self,
            "PlainTable",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute="expiration",
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        for name, value in {
            "BucketName": self.bucket.bucket_name,
            "TableName": self.table.table_name,
            "PlainTableName": self.plain_table.table_name,
        }.items():
            cdk.CfnOutput(self, name, value=value)


class Flow(cdk.Stack):
    """Ingestion, events, functions, a state machine, alarms."""

    def __init__(self, scope: Construct, construct_id: str, *, stateful: Stateful) -> None:
        super().__init__(scope, construct_id)
        self.stateful = stateful
        self.dead_letters = sqs.Queue(self, "DeadLetters", enforce_ssl=True)
        self.work = sqs.Queue(
            self,
            "Work",
            visibility_timeout=cdk.Duration.seconds(2),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=2),
        )
        environment = {"BUCKET": stateful.bucket.bucket_name, "TABLE": stateful.table.table_name}
        worker = self._function("Worker", "worker.handle", environment)
        stateful.table.grant_read_write_data(worker)
        worker.add_event_source(
            sources.SqsEventSource(self.work, batch_size=5, report_batch_item_failures=True)
        )
        self._function(
            "Failing", "failing.handle", {}, on_failure=destinations.SqsDestination(self.dead_letters)
        )
        events.Rule(
            self,
            "Objects",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [stateful.bucket.bucket_name]},
                    "object": {"key": [{"prefix": "raw/"}]},
                },
            ),
            targets=[targets.SqsQueue(self.work)],
        )
        bus = events.EventBus(self, "Bus")
        events.Rule(
            self,
            "Anomalies",
            event_bus=bus,
            event_pattern=events.EventPattern(source=["contract"]),
            targets=[targets.LambdaFunction(worker)],
        )
        topic, inbox = self._alerts()
        machine = self._machine(worker)
        self._ingestion()
        self._watch(worker, topic)
        self._schedule(machine)
        ssm.StringParameter(self, "Plan", parameter_name="/localcloud/contract/plan", string_value="{}")
        for name, value in {
            "WorkUrl": self.work.queue_url,
            "DeadLettersUrl": self.dead_letters.queue_url,
            "WorkerName": worker.function_name,
            "BusName": bus.event_bus_name,
            "TopicArn": topic.topic_arn,
            "InboxUrl": inbox.queue_url,
            "MachineArn": machine.state_machine_arn,
        }.items():
            cdk.CfnOutput(self, name, value=value)

    def _function(
        self,
        name: str,
        handler: str,
        environment: dict[str, str],
        on_failure: lambda_.IDestination | None = None,
    ) -> lambda_.Function:
        group = logs.LogGroup(
            self,
            f"{name}Logs",
            retention=logs.RetentionDays.ONE_WEEK,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        return lambda_.Function(
            self,
            name,
            runtime=lambda_.Runtime.PYTHON_3_11,
            code=lambda_.Code.from_asset(str(FUNCTIONS)),
            handler=handler,
            timeout=cdk.Duration.seconds(10),
            environment=environment,
            log_group=group,
            tracing=lambda_.Tracing.ACTIVE,
            retry_attempts=0,
            on_failure=on_failure,
        )

    def _alerts(self) -> tuple[sns.Topic, sqs.Queue]:
        topic = sns.Topic(self, "Alerts", master_key=self.stateful.key, enforce_ssl=True)
        inbox = sqs.Queue(self, "Inbox")
        topic.add_subscription(
            subscriptions.SqsSubscription(
                inbox,
                raw_message_delivery=True,
                filter_policy={
                    "routes": sns.SubscriptionFilter.string_filter(allowlist=["pager"]),
                    "severity": sns.SubscriptionFilter.numeric_filter(greater_than_or_equal_to=50),
                },
            )
        )
        return topic, inbox

    def _machine(self, worker: lambda_.Function) -> stepfunctions.StateMachine:
        definition = """{"StartAt": "Pause", "States": {
            "Pause": {"Type": "Wait", "SecondsPath": "$.wait_seconds", "Next": "Work"},
            "Work": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
                     "Parameters": {"FunctionName": "${worker}", "Payload.$": "$"}, "OutputPath": "$.Payload",
                     "Catch": [{"ErrorEquals": ["WorkError"], "Next": "Rejected"}], "End": true},
            "Rejected": {"Type": "Fail", "Error": "Rejected", "Cause": "WorkError was caught"}}}"""
        machine = stepfunctions.StateMachine(
            self,
            "Machine",
            definition_body=stepfunctions.DefinitionBody.from_string(definition),
            definition_substitutions={"worker": worker.function_arn},
            tracing_enabled=True,
            logs=stepfunctions.LogOptions(
                destination=logs.LogGroup(self, "MachineLogs", removal_policy=cdk.RemovalPolicy.DESTROY),
                level=stepfunctions.LogLevel.ALL,
            ),
        )
        worker.grant_invoke(machine)
        return machine

    def _ingestion(self) -> None:
        role = iam.Role(self, "DeliveryRole", assumed_by=iam.ServicePrincipal("firehose.amazonaws.com"))
        self.stateful.bucket.grant_read_write(role)
        parameter = firehose.CfnDeliveryStream.ProcessorParameterProperty
        processor = firehose.CfnDeliveryStream.ProcessorProperty
        stream = firehose.CfnDeliveryStream(
            self,
            "Delivery",
            delivery_stream_type="DirectPut",
            extended_s3_destination_configuration=firehose.CfnDeliveryStream.ExtendedS3DestinationConfigurationProperty(
                bucket_arn=self.stateful.bucket.bucket_arn,
                role_arn=role.role_arn,
                prefix="raw/!{partitionKeyFromQuery:workload}/!{timestamp:yyyy/MM/dd/HH}/",
                error_output_prefix="raw-errors/!{firehose:error-output-type}/",
                buffering_hints=firehose.CfnDeliveryStream.BufferingHintsProperty(
                    interval_in_seconds=60, size_in_m_bs=64
                ),
                compression_format="GZIP",
                dynamic_partitioning_configuration=firehose.CfnDeliveryStream.DynamicPartitioningConfigurationProperty(
                    enabled=True
                ),
                processing_configuration=firehose.CfnDeliveryStream.ProcessingConfigurationProperty(
                    enabled=True,
                    processors=[
                        processor(
                            type="MetadataExtraction",
                            parameters=[
                                parameter(
                                    parameter_name="MetadataExtractionQuery",
                                    parameter_value="{workload: .workload}",
                                ),
                                parameter(parameter_name="JsonParsingEngine", parameter_value="JQ-1.6"),
                            ],
                        ),
                        processor(
                            type="AppendDelimiterToRecord",
                            parameters=[parameter(parameter_name="Delimiter", parameter_value="\\n")],
                        ),
                    ],
                ),
            ),
        )
        rule_role = iam.Role(self, "RuleRole", assumed_by=iam.ServicePrincipal("iot.amazonaws.com"))
        rule_role.add_to_policy(
            iam.PolicyStatement(actions=["firehose:PutRecord"], resources=[stream.attr_arn])
        )
        self.stateful.bucket.grant_put(rule_role)
        action = iot.CfnTopicRule.ActionProperty
        iot.CfnTopicRule(
            self,
            "Rule",
            rule_name="contract_readings",
            topic_rule_payload=iot.CfnTopicRule.TopicRulePayloadProperty(
                sql="SELECT *, topic(2) AS device, timestamp() AS received_at, 'contract' AS workload "
                "FROM 'telemetry/+/readings'",
                aws_iot_sql_version="2016-03-23",
                actions=[
                    action(
                        firehose=iot.CfnTopicRule.FirehoseActionProperty(
                            delivery_stream_name=stream.ref, role_arn=rule_role.role_arn
                        )
                    )
                ],
                error_action=action(
                    s3=iot.CfnTopicRule.S3ActionProperty(
                        bucket_name=self.stateful.bucket.bucket_name,
                        key="rule-errors/${topic()}/${timestamp()}",
                        role_arn=rule_role.role_arn,
                    )
                ),
            ),
        )
        iot.CfnPolicy(
            self,
            "DevicePolicy",
            policy_name="localcloud-contract",
            policy_document={
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"},
                    {
                        "Effect": "Allow",
                        "Action": "iot:Publish",
                        "Resource": [
                            self.format_arn(service="iot", resource="topic", resource_name=name)
                            for name in ("telemetry/*", "$aws/rules/contract_readings/*")
                        ],
                    },
                ],
            },
        )
        iot.CfnThing(self, "Device", thing_name="localcloud-contract")
        cdk.CfnOutput(self, "StreamName", value=stream.ref)

    def _watch(self, worker: lambda_.Function, topic: sns.Topic) -> None:
        alarm = worker.metric_errors(period=cdk.Duration.minutes(1)).create_alarm(
            self, "Errors", threshold=1, evaluation_periods=1
        )
        alarm.add_alarm_action(actions.SnsAction(topic))
        cloudwatch.CompositeAlarm(self, "Any", alarm_rule=cloudwatch.AlarmRule.any_of(alarm))
        dashboard = cloudwatch.Dashboard(self, "Dashboard")
        dashboard.add_widgets(cloudwatch.GraphWidget(title="calls", left=[worker.metric_invocations()]))

    def _schedule(self, machine: stepfunctions.StateMachine) -> None:
        group = scheduler.ScheduleGroup(self, "Schedules")
        scheduler.Schedule(
            self,
            "Nightly",
            schedule=scheduler.ScheduleExpression.cron(minute="0", hour="3"),
            target=scheduler_targets.StepFunctionsStartExecution(
                machine, input=scheduler.ScheduleTargetInput.from_object({"wait_seconds": 0})
            ),
            schedule_group=group,
        )


# CDK's built-in check of templates takes most of a synthesis; the local cloud is what judges these.
app = cdk.App(builtin_cloud_formation_validation=False)
Flow(app, "ContractFlow", stateful=Stateful(app, "ContractStateful"))
app.synth()
