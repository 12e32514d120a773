"""The anomaly service's front door: an HTTP API with tokens, limits and an access log."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import cast

from aws_cdk import Acknowledgment, ArnFormat, Duration, RemovalPolicy, Stack, Validations
from aws_cdk import aws_apigatewayv2 as apigwv2
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk.aws_apigatewayv2_authorizers import HttpJwtAuthorizer
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration
from constructs import Construct

PUBLIC_PATHS = ("/openapi.json", "/docs")
"""What the service can do is told to everyone."""
REQUESTS_A_SECOND, BURST = 50, 100
PART_REQUESTS_A_SECOND, PART_BURST = 500, 1000
"""Of a part of the API with a function of its own, which is asked for each transaction."""
_LOGGED = {
    "request_id": "$context.requestId",
    "time": "$context.requestTime",
    "ip": "$context.identity.sourceIp",
    "subject": "$context.authorizer.claims.sub",
    "method": "$context.httpMethod",
    "path": "$context.path",
    "status": "$context.status",
    "response_bytes": "$context.responseLength",
    "latency_milliseconds": "$context.responseLatency",
    "integration_milliseconds": "$context.integrationLatency",
    "error": "$context.error.message",
    "authorizer_error": "$context.authorizer.error",
}


class ServiceHttpApi(Construct):
    """Every path goes to one function, but those of parts; all but the public ones need a token of the pool.

    Parameters
    ----------
    parts
        Functions by the prefix, such as `/fraud`, of the paths that go to them.
    cors_origins
        Origins of browsers that may call; none by default.
    public_documents
        Whether the OpenAPI document and its page answer without a token.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function: lambda_.IFunction,
        parts: Mapping[str, lambda_.IFunction],
        pool: cognito.IUserPool,
        client: cognito.IUserPoolClient,
        cors_origins: Sequence[str],
        public_documents: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        log_group = logs.LogGroup(
            self,
            "AccessLog",
            # Under this prefix delivery needs no entry in the account's resource policy.
            log_group_name=f"/aws/vendedlogs/apis/{self.node.path}",
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.api = apigwv2.HttpApi(
            self,
            "Api",
            description="Watchkeeper: the anomaly service",
            create_default_stage=False,
            cors_preflight=_cors(cors_origins) if cors_origins else None,
        )
        stage = apigwv2.HttpStage(
            self,
            "Stage",
            http_api=self.api,
            stage_name="$default",
            auto_deploy=True,
            detailed_metrics_enabled=True,
            throttle=apigwv2.ThrottleSettings(rate_limit=REQUESTS_A_SECOND, burst_limit=BURST),
        )
        cast(
            apigwv2.CfnStage, stage.node.default_child
        ).access_log_settings = apigwv2.CfnStage.AccessLogSettingsProperty(
            destination_arn=stack.format_arn(
                service="logs",
                resource="log-group",
                resource_name=log_group.log_group_name,
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            ),
            format=json.dumps(_LOGGED),
        )
        integration = HttpLambdaIntegration("Function", function)
        issuer = f"https://cognito-idp.{stack.region}.{stack.url_suffix}/{pool.user_pool_id}"
        authorizer = HttpJwtAuthorizer(
            "Token",
            issuer,
            jwt_audience=[client.user_pool_client_id],
            identity_source=["$request.header.Authorization"],
        )
        apigwv2.HttpRoute(
            self,
            "Everything",
            http_api=self.api,
            route_key=apigwv2.HttpRouteKey.DEFAULT,
            integration=integration,
            authorizer=authorizer,
        )
        if cors_origins:
            # A preflight has no token: without a route of its own it would meet the authorizer of $default.
            preflight = apigwv2.HttpRoute(
                self,
                "Preflight",
                http_api=self.api,
                route_key=apigwv2.HttpRouteKey.with_("/{proxy+}", apigwv2.HttpMethod.OPTIONS),
                integration=integration,
                authorizer=apigwv2.HttpNoneAuthorizer(),
            )
            Validations.of(preflight).acknowledge(
                Acknowledgment(
                    id="AwsSolutions-APIG4",
                    reason="Browsers send a preflight unsigned; API Gateway answers it itself, without data.",
                )
            )
        described = [("", integration)]
        limits: dict[str, object] = {}
        for prefix, part in parts.items():
            name = prefix.strip("/").capitalize()
            to_part = HttpLambdaIntegration(f"{name}Function", part)
            described.append((prefix, to_part))
            route = apigwv2.HttpRoute(
                self,
                name,
                http_api=self.api,
                route_key=apigwv2.HttpRouteKey.with_(f"{prefix}/{{proxy+}}", apigwv2.HttpMethod.ANY),
                integration=to_part,
                authorizer=authorizer,
            )
            stage.node.add_dependency(route)  # the stage's settings name it
            limits[f"ANY {prefix}/{{proxy+}}"] = {
                "ThrottlingRateLimit": PART_REQUESTS_A_SECOND,
                "ThrottlingBurstLimit": PART_BURST,
                "DetailedMetricsEnabled": True,
            }
        cast(apigwv2.CfnStage, stage.node.default_child).route_settings = limits
        public = [(f"{prefix}{path}", where) for prefix, where in described for path in PUBLIC_PATHS]
        for path, where in public if public_documents else ():
            route = apigwv2.HttpRoute(
                self,
                "Public" + "".join(map(str.capitalize, path.partition(".")[0].strip("/").split("/"))),
                http_api=self.api,
                route_key=apigwv2.HttpRouteKey.with_(path, apigwv2.HttpMethod.GET),
                integration=where,
                authorizer=apigwv2.HttpNoneAuthorizer(),
            )
            Validations.of(route).acknowledge(
                Acknowledgment(
                    id="AwsSolutions-APIG4",
                    reason="The OpenAPI document and its page have no data; they are read before signing in.",
                )
            )


def _cors(origins: Sequence[str]) -> apigwv2.CorsPreflightOptions:
    return apigwv2.CorsPreflightOptions(
        allow_origins=list(origins),
        allow_methods=[apigwv2.CorsHttpMethod.GET, apigwv2.CorsHttpMethod.POST],
        allow_headers=["Authorization", "Content-Type"],
        expose_headers=["Location", "Retry-After"],
        max_age=Duration.hours(1),
    )
