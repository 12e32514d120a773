"""Live events: an Event API of AppSync, who may listen, and what publishes."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from aws_cdk import ArnFormat, RemovalPolicy, Stack
from aws_cdk import aws_appsync as appsync
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from infra.constructs.event_subscription import EventSubscription
from infra.constructs.python_function import PythonFunction
from infra.constructs.work_queue import WorkQueue
from infra.permissions import Permission, assumed_by, permit, policy_of, read_plans
from lambdas.live.channels import NAMESPACE
from lambdas.live.events import RUN_DETAIL_TYPE
from lambdas.live.let_subscribe import LetSubscribeEnvironment
from lambdas.live.publish_live import PublishLiveEnvironment
from watchkeeper.anomalies.event import EVENT_SOURCE
from watchkeeper.core import layout
from watchkeeper.fraud.decided import DECIDED_DETAIL_TYPE
from watchkeeper.incidents.summary import CHANGED_DETAIL_TYPE
from watchkeeper.lifecycle.published import PUBLISHED_DETAIL_TYPE

TIMEOUT_SECONDS = 30
CONCURRENCY = 2
API_NAME = "watchkeeper-live"
_HANDLER = "let_subscribe"
_USERS, _KEYS = appsync.AppSyncAuthorizationType.USER_POOL, appsync.AppSyncAuthorizationType.IAM


class LiveEvents(Construct):
    """Users of the pool listen, each to what `let_subscribe` lets it; `publish_live` alone publishes.

    Parameters
    ----------
    code
        Bundle with `lambdas.live`.
    pool
        Whose users may connect.
    bus
        The alert bus.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Path,
        pool: cognito.IUserPool,
        bus: events.IEventBus,
    ) -> None:
        super().__init__(scope, construct_id)
        self._code, self._bus = code, bus
        cognito_config = appsync.AppSyncCognitoConfig(user_pool=pool)
        self.api = appsync.EventApi(
            self,
            "Api",
            api_name=API_NAME,
            authorization_config=appsync.EventApiAuthConfig(
                auth_providers=[
                    appsync.AppSyncAuthProvider(authorization_type=_USERS, cognito_config=cognito_config),
                    appsync.AppSyncAuthProvider(authorization_type=_KEYS),
                ],
                connection_auth_mode_types=[_USERS],
                default_publish_auth_mode_types=[_KEYS],
                default_subscribe_auth_mode_types=[_USERS],
            ),
        )
        self._keep_log()
        self.let_subscribe = PythonFunction(
            self,
            "LetSubscribe",
            code=code,
            environment=LetSubscribeEnvironment(),
            purpose="Decides who may hear which channel",
            timeout_seconds=TIMEOUT_SECONDS,
        )
        namespace = self._namespace(self.let_subscribe.function)
        self.work = WorkQueue(self, "Work", handled_within_seconds=TIMEOUT_SECONDS)
        self._subscribe()
        self.publish_live = self._publishing()
        self.publish_live.function.node.add_dependency(namespace)
        ssm.StringParameter(
            self,
            "Address",
            parameter_name=layout.LIVE_PARAMETER,
            description="Hosts at which live events are published and heard",
            string_value=Stack.of(self).to_json_string(
                {"http": self.api.http_dns, "realtime": self.api.realtime_dns}
            ),
        )

    def _keep_log(self) -> None:
        """Let AppSync write its log: EventApi's own way takes a custom resource, and a managed policy."""
        group = logs.LogGroup(
            self,
            "Log",
            log_group_name=f"/aws/appsync/apis/{self.api.api_id}",
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=RemovalPolicy.DESTROY,
        )
        arn = Stack.of(self).format_arn(
            service="logs",
            resource="log-group",
            resource_name="/aws/appsync/apis/*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        role = iam.Role(self, "LogRole", assumed_by=assumed_by(self, "appsync"))
        permit(
            role,
            Permission(
                actions=["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
                resources=[arn],
                reason="The log group has the API's id, and AppSync checks the role before there is an id.",
            ),
        )
        made = cast(appsync.CfnApi, self.api.node.default_child)
        made.add_property_override(
            "EventConfig.LogConfig", {"CloudWatchLogsRoleArn": role.role_arn, "LogLevel": "ERROR"}
        )
        made.node.add_dependency(policy_of(role))
        group.node.add_dependency(self.api)

    def _namespace(self, function: lambda_.IFunction) -> appsync.CfnChannelNamespace:
        """Make the one namespace, whose subscriptions the function decides about."""
        role = iam.Role(self, "Caller", assumed_by=assumed_by(self, "appsync"))
        permit(role, Permission(actions=["lambda:InvokeFunction"], resources=[function.function_arn]))
        source = appsync.CfnDataSource(
            self,
            "Function",
            api_id=self.api.api_id,
            name=_HANDLER,
            type="AWS_LAMBDA",
            lambda_config=appsync.CfnDataSource.LambdaConfigProperty(
                lambda_function_arn=function.function_arn
            ),
            service_role_arn=role.role_arn,
        )
        source.node.add_dependency(policy_of(role))
        made = appsync.CfnChannelNamespace
        namespace = appsync.CfnChannelNamespace(
            self,
            "Namespace",
            api_id=self.api.api_id,
            name=NAMESPACE,
            handler_configs=made.HandlerConfigsProperty(
                on_subscribe=made.HandlerConfigProperty(
                    behavior="DIRECT",
                    integration=made.IntegrationProperty(
                        data_source_name=_HANDLER,
                        lambda_config=made.LambdaConfigProperty(invoke_type="REQUEST_RESPONSE"),
                    ),
                )
            ),
        )
        namespace.add_resource_dependency(source)
        return namespace

    def _subscribe(self) -> None:
        """Put what is told into the queue."""
        EventSubscription(
            self,
            "Incidents",
            bus=self._bus,
            work=self.work,
            pattern=events.EventPattern(
                source=[EVENT_SOURCE], detail_type=[CHANGED_DETAIL_TYPE, PUBLISHED_DETAIL_TYPE]
            ),
            purpose="Changes of incidents, and releases, to publish_live",
        )
        EventSubscription(
            self,
            "Frauds",
            bus=self._bus,
            work=self.work,
            pattern=events.EventPattern(
                source=[EVENT_SOURCE], detail_type=[DECIDED_DETAIL_TYPE], detail={"flag": [True]}
            ),
            purpose="Flagged transactions to publish_live",
        )
        machines = Stack.of(self).format_arn(
            service="states",
            resource="stateMachine",
            resource_name=f"{layout.PREFIX}-*-training",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        EventSubscription(
            self,
            "Runs",
            bus=None,
            pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=[RUN_DETAIL_TYPE],
                detail={"stateMachineArn": [{"wildcard": machines}]},
            ),
            work=self.work,
            purpose="Trainings that begin and end to publish_live",
        )

    def _publishing(self) -> PythonFunction:
        made = PythonFunction(
            self,
            "PublishLive",
            code=self._code,
            environment=PublishLiveEnvironment(events_host=self.api.http_dns),
            purpose="Publishes live events to the channels of who may hear them",
            timeout_seconds=TIMEOUT_SECONDS,
        )
        permit(
            made.role,
            Permission(
                actions=["appsync:EventPublish"],
                resources=[f"{self.api.api_arn}/channelNamespace/{NAMESPACE}"],
            ),
            read_plans(self),
        )
        made.consume(self.work, max_concurrency=CONCURRENCY)
        return made
