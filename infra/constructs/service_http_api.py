"""The anomaly service's front door: an HTTP API with tokens, limits and an access log."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
SIGNED_REQUESTS_A_SECOND, SIGNED_BURST = 5, 20
"""Of a path that a signature is enough for: of people who follow a link, and of who guesses one."""
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
    by_signature
        Functions by the one path of theirs that asks for a signature in the address, and for no token.
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
        by_signature: Mapping[str, lambda_.IFunction],
    ) -> None:
        super().__init__(scope, construct_id)
        self.api, stage = _front_door(self, "Watchkeeper: the anomaly service", cors_origins)
        integration = HttpLambdaIntegration("Function", function)
        authorizer = _tokens_of(self, pool, client)
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
        for prefix, part in parts.items():
            to_part = _part_integration(prefix, part)
            described.append((prefix, to_part))
            _add_part(self, self.api, stage, prefix, to_part, authorizer)
        signed = list(self._add_signed(stage, by_signature))
        _limit(
            stage, {**_limits_of(parts), **dict.fromkeys(signed, (SIGNED_REQUESTS_A_SECOND, SIGNED_BURST))}
        )
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

    def _add_signed(
        self, stage: apigwv2.HttpStage, functions: Mapping[str, lambda_.IFunction]
    ) -> Iterator[str]:
        """Add the routes of paths that ask for a signature; return their keys."""
        for path, function in functions.items():
            for method in (apigwv2.HttpMethod.GET, apigwv2.HttpMethod.POST):
                name = f"{method.value.capitalize()}{path.rpartition('/')[2].capitalize()}"
                route = apigwv2.HttpRoute(
                    self,
                    name,
                    http_api=self.api,
                    route_key=apigwv2.HttpRouteKey.with_(path, method),
                    integration=HttpLambdaIntegration(f"{name}Function", function),
                    authorizer=apigwv2.HttpNoneAuthorizer(),
                )
                stage.node.add_dependency(route)  # the stage's settings name it
                Validations.of(route).acknowledge(
                    Acknowledgment(
                        id="AwsSolutions-APIG4",
                        reason="A link in an alert is followed without a sign-in; the function checks its "
                        "signature, and answers five requests a second.",
                    )
                )
                yield f"{method.value} {path}"


class BrowserHttpApi(Construct):
    """The parts of the API behind a front door of their own, for a page that is served under the same name.

    Parameters
    ----------
    parts
        As of `ServiceHttpApi`.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, parts: Mapping[str, lambda_.IFunction]
    ) -> None:
        super().__init__(scope, construct_id)
        self._parts = parts
        self.api, self._stage = _front_door(self, "Watchkeeper: what the console's page asks", ())
        _limit(self._stage, _limits_of(parts))

    def take_tokens_of(self, pool: cognito.IUserPool, client: cognito.IUserPoolClient) -> None:
        """Answer requests with a token of the client, which may only be known when the API's name is."""
        authorizer = _tokens_of(self, pool, client)
        for prefix, part in self._parts.items():
            _add_part(self, self.api, self._stage, prefix, _part_integration(prefix, part), authorizer)


def _front_door(
    scope: Construct, description: str, cors_origins: Sequence[str]
) -> tuple[apigwv2.HttpApi, apigwv2.HttpStage]:
    """Make an HTTP API and its one stage, with limits and an access log."""
    stack = Stack.of(scope)
    log_group = logs.LogGroup(
        scope,
        "AccessLog",
        # Under this prefix delivery needs no entry in the account's resource policy.
        log_group_name=f"/aws/vendedlogs/apis/{scope.node.path}",
        retention=logs.RetentionDays.THREE_MONTHS,
        removal_policy=RemovalPolicy.DESTROY,
    )
    api = apigwv2.HttpApi(
        scope,
        "Api",
        description=description,
        create_default_stage=False,
        cors_preflight=_cors(cors_origins) if cors_origins else None,
    )
    stage = apigwv2.HttpStage(
        scope,
        "Stage",
        http_api=api,
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
    return api, stage


def _tokens_of(
    scope: Construct, pool: cognito.IUserPool, client: cognito.IUserPoolClient
) -> HttpJwtAuthorizer:
    stack = Stack.of(scope)
    return HttpJwtAuthorizer(
        "Token",
        f"https://cognito-idp.{stack.region}.{stack.url_suffix}/{pool.user_pool_id}",
        jwt_audience=[client.user_pool_client_id],
        identity_source=["$request.header.Authorization"],
    )


def _part_integration(prefix: str, part: lambda_.IFunction) -> HttpLambdaIntegration:
    return HttpLambdaIntegration(f"{_part_name(prefix)}Function", part)


def _add_part(
    scope: Construct,
    api: apigwv2.HttpApi,
    stage: apigwv2.HttpStage,
    prefix: str,
    integration: HttpLambdaIntegration,
    authorizer: HttpJwtAuthorizer,
) -> None:
    route = apigwv2.HttpRoute(
        scope,
        _part_name(prefix),
        http_api=api,
        route_key=apigwv2.HttpRouteKey.with_(f"{prefix}/{{proxy+}}", apigwv2.HttpMethod.ANY),
        integration=integration,
        authorizer=authorizer,
    )
    stage.node.add_dependency(route)  # the stage's settings name it


def _limits_of(parts: Iterable[str]) -> dict[str, tuple[int, int]]:
    return {f"ANY {prefix}/{{proxy+}}": (PART_REQUESTS_A_SECOND, PART_BURST) for prefix in parts}


def _limit(stage: apigwv2.HttpStage, limits: Mapping[str, tuple[int, int]]) -> None:
    """Set how many requests a second, and at once, routes of a stage take, by their keys."""
    cast(apigwv2.CfnStage, stage.node.default_child).route_settings = {
        route: {
            "ThrottlingRateLimit": a_second,
            "ThrottlingBurstLimit": burst,
            "DetailedMetricsEnabled": True,
        }
        for route, (a_second, burst) in limits.items()
    }


def _part_name(prefix: str) -> str:
    return prefix.strip("/").capitalize()


def _cors(origins: Sequence[str]) -> apigwv2.CorsPreflightOptions:
    return apigwv2.CorsPreflightOptions(
        allow_origins=list(origins),
        allow_methods=[apigwv2.CorsHttpMethod.GET, apigwv2.CorsHttpMethod.POST],
        allow_headers=["Authorization", "Content-Type"],
        expose_headers=["Location", "Retry-After"],
        max_age=Duration.hours(1),
    )
