"""AppSync Events as programs and pages meet it: publish over HTTP, listen over a WebSocket."""

from __future__ import annotations

import io
import json
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from tests.contract.localcloud.cloud import Cloud, eventually, running_cloud
from tests.contract.localcloud.websocket import SUBPROTOCOL, RefusedError, WebSocketClient

ACCOUNT = "arn:aws:iam::123456789012:root"
PASSWORD = "a Password of 2026!"
HANDLER = """
def handle(event, context):
    channel, claims = event["info"]["channel"], event["identity"]["claims"]
    assert event["info"]["operation"] == "SUBSCRIBE" and event["events"] is None
    if channel["segments"][-1] == "broken":
        raise RuntimeError("on purpose")
    if channel["segments"][1:] != [claims["custom:tenant"]]:
        return {"error": f"{claims['custom:tenant']} may not hear {channel['path']}"}
    return None
"""


def template(pool: str, function: str, caller: str) -> dict[str, Any]:
    def modes(*kinds: str) -> list[dict[str, str]]:
        return [{"AuthType": kind} for kind in kinds]

    cognito = {"UserPoolId": pool, "AwsRegion": "us-east-1"}
    return {
        "Resources": {
            "Api": {
                "Type": "AWS::AppSync::Api",
                "Properties": {
                    "Name": "contract",
                    "EventConfig": {
                        "AuthProviders": [
                            {"AuthType": "AMAZON_COGNITO_USER_POOLS", "CognitoConfig": cognito},
                            {"AuthType": "AWS_IAM"},
                        ],
                        "ConnectionAuthModes": modes("AMAZON_COGNITO_USER_POOLS"),
                        "DefaultPublishAuthModes": modes("AWS_IAM"),
                        "DefaultSubscribeAuthModes": modes("AMAZON_COGNITO_USER_POOLS"),
                    },
                },
            },
            "Open": {
                "Type": "AWS::AppSync::ChannelNamespace",
                "Properties": {"ApiId": {"Fn::GetAtt": ["Api", "ApiId"]}, "Name": "open"},
            },
            "Function": {
                "Type": "AWS::AppSync::DataSource",
                "Properties": {
                    "ApiId": {"Fn::GetAtt": ["Api", "ApiId"]},
                    "Name": "handler",
                    "Type": "AWS_LAMBDA",
                    "LambdaConfig": {"LambdaFunctionArn": function},
                    "ServiceRoleArn": caller,
                },
            },
            "Guarded": {
                "Type": "AWS::AppSync::ChannelNamespace",
                "DependsOn": "Function",
                "Properties": {
                    "ApiId": {"Fn::GetAtt": ["Api", "ApiId"]},
                    "Name": "guarded",
                    "HandlerConfigs": {
                        "OnSubscribe": {
                            "Behavior": "DIRECT",
                            "Integration": {
                                "DataSourceName": "handler",
                                "LambdaConfig": {"InvokeType": "REQUEST_RESPONSE"},
                            },
                        }
                    },
                },
            },
        },
        "Outputs": {
            "Http": {"Value": {"Fn::GetAtt": ["Api", "Dns.Http"]}},
            "Realtime": {"Value": {"Fn::GetAtt": ["Api", "Dns.Realtime"]}},
            "ApiArn": {"Value": {"Fn::GetAtt": ["Api", "ApiArn"]}},
        },
    }


@dataclass
class Deployed:
    """An Event API, and who may do what with it."""

    cloud: Cloud
    outputs: dict[str, str]
    token: str
    """Of a user of the tenant `acme`."""

    @property
    def authorization(self) -> dict[str, str]:
        return {"host": self.outputs["Http"], "Authorization": self.token}

    def connect(self, **options: Any) -> WebSocketClient:
        found = WebSocketClient(self.cloud.settings.port, self.authorization, **options)
        assert found.ask({"type": "connection_init"}) == {
            "type": "connection_ack",
            "connectionTimeoutMs": 300_000,
        }
        return found

    def publisher(self, name: str, namespace: str) -> boto3.Session:
        resource = f"{self.outputs['ApiArn']}/channelNamespace/{namespace}"
        arn = self.cloud.role(name, ACCOUNT, {"Action": "appsync:EventPublish", "Resource": resource})
        assumed = self.cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName=name)["Credentials"]
        return boto3.Session(
            assumed["AccessKeyId"], assumed["SecretAccessKey"], assumed["SessionToken"], "us-east-1"
        )

    def publish(
        self, document: Any, session: boto3.Session | None = None, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        """POST as a role; without a session as the developer."""
        url = f"http://{self.outputs['Http']}/event"
        request = AWSRequest("POST", url, headers, json.dumps(document))
        credentials = (session or boto3.Session("test", "test")).get_credentials()
        if "x-unsigned" not in headers:
            SigV4Auth(credentials, "appsync", "us-east-1").add_auth(request)
        asked = urllib.request.Request(
            url, json.dumps(document).encode(), dict(request.headers), method="POST"
        )
        try:
            with urllib.request.urlopen(asked) as answer:  # http, loopback
                return int(answer.status), json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with running_cloud(tmp_path_factory.mktemp("appsync") / "home") as cloud:
        cognito = cloud.client("cognito-idp")
        pool = cognito.create_user_pool(
            PoolName="people", Schema=[{"Name": "tenant", "AttributeDataType": "String", "Mutable": True}]
        )["UserPool"]["Id"]
        client = cognito.create_user_pool_client(
            UserPoolId=pool, ClientName="page", ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"]
        )["UserPoolClient"]["ClientId"]
        cognito.admin_create_user(
            UserPoolId=pool,
            Username="ann",
            MessageAction="SUPPRESS",
            UserAttributes=[{"Name": "custom:tenant", "Value": "acme"}],
        )
        cognito.admin_set_user_password(UserPoolId=pool, Username="ann", Password=PASSWORD, Permanent=True)
        signed_in = cognito.admin_initiate_auth(
            UserPoolId=pool,
            ClientId=client,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": "ann", "PASSWORD": PASSWORD},
        )["AuthenticationResult"]
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as bundle:
            bundle.writestr("function.py", HANDLER)
        function = cloud.client("lambda").create_function(
            FunctionName="handler",
            Runtime="python3.11",
            Role=cloud.role("handler", "lambda"),
            Handler="function.handle",
            Code={"ZipFile": archive.getvalue()},
        )["FunctionArn"]
        caller = cloud.role("caller", "appsync", {"Action": "lambda:InvokeFunction", "Resource": function})
        cloudformation = cloud.client("cloudformation")
        cloudformation.create_stack(
            StackName="live", TemplateBody=json.dumps(template(pool, function, caller))
        )
        cloudformation.get_waiter("stack_create_complete").wait(StackName="live", WaiterConfig={"Delay": 1})
        yield Deployed(cloud, cloud.outputs("live"), signed_in["IdToken"])


def error_of(answer: dict[str, Any]) -> tuple[str, str]:
    assert len(answer["errors"]) == 1
    return answer["type"], answer["errors"][0]["errorType"]


def test_a_subscriber_hears_what_a_role_publishes_and_nothing_else(api: Deployed) -> None:
    session = api.publisher("publisher", "open")
    client = api.connect()
    assert client.subprotocol == SUBPROTOCOL
    assert client.subscribe("/open/news") == {"type": "subscribe_success", "id": "one"}
    assert client.subscribe("/open/all/*", "two")["type"] == "subscribe_success"

    assert api.publish({"channel": "/open/other", "events": ["1"]}, session)[0] == 200
    status, answer = api.publish({"channel": "open/news", "events": ['{"a": 1}', "[2]"]}, session)
    assert api.publish({"channel": "/open/all/of/them", "events": ["3"]}, session)[0] == 200

    assert status == 200
    assert answer["failed"] == []
    assert [each["index"] for each in answer["successful"]] == [0, 1]
    assert [client.hear() for _ in range(3)] == [
        {"type": "data", "id": "one", "event": '{"a": 1}'},
        {"type": "data", "id": "one", "event": "[2]"},
        {"type": "data", "id": "two", "event": "3"},
    ]


def test_a_role_publishes_to_the_namespace_of_its_policy_alone(api: Deployed) -> None:
    session = api.publisher("narrow", "guarded")

    status, answer = api.publish({"channel": "/open/news", "events": ["1"]}, session)

    assert (status, answer["errors"][0]["errorType"]) == (401, "UnauthorizedException")
    assert "appsync:EventPublish" in answer["errors"][0]["message"]
    assert api.publish({"channel": "/guarded/acme", "events": ["1"]}, session)[0] == 200


def test_a_token_does_not_publish_and_keys_do_not_subscribe(api: Deployed) -> None:
    status, answer = api.publish(
        {"channel": "/open/news", "events": ["1"]}, Authorization=api.token, **{"x-unsigned": "yes"}
    )
    assert (status, answer["errors"][0]["errorType"]) == (401, "UnauthorizedException")

    client = api.connect()
    said = {"type": "publish", "id": "p", "channel": "/open/news", "events": ["1"]}
    assert error_of(client.ask({**said, "authorization": api.authorization})) == (
        "publish_error",
        "UnauthorizedException",
    )


def test_an_event_is_published_over_the_websocket_by_keys(api: Deployed) -> None:
    request = AWSRequest("POST", f"http://{api.outputs['Http']}/event", {}, b"{}")
    SigV4Auth(boto3.Session("test", "test").get_credentials(), "appsync", "us-east-1").add_auth(request)
    client = api.connect()
    client.subscribe("/open/news")

    said = {"type": "publish", "id": "p", "channel": "/open/news", "events": ['"x"']}
    client.say({**said, "authorization": dict(request.headers)})
    heard = [client.hear(), client.hear()]

    assert {"type": "data", "id": "one", "event": '"x"'} in heard
    published = next(each for each in heard if each["type"] == "publish_success")
    assert (published["id"], published["failed"]) == ("p", [])


@pytest.mark.parametrize("authorization", [{}, {"Authorization": "a.b.c"}, {"x-api-key": "da2-x"}])
def test_who_has_no_valid_token_is_not_connected(api: Deployed, authorization: dict[str, str]) -> None:
    client = WebSocketClient(api.cloud.settings.port, {"host": api.outputs["Http"], **authorization})

    assert error_of(client.hear()) == ("connection_error", "UnauthorizedException")
    with pytest.raises(AssertionError, match="closed"):
        client.hear()


def test_a_subscription_without_authorization_of_its_own_is_refused(api: Deployed) -> None:
    client = api.connect()

    answer = client.ask({"type": "subscribe", "id": "one", "channel": "/open/news"})

    assert error_of(answer) == ("subscribe_error", "UnauthorizedException")


def test_the_namespaces_function_decides_who_hears(api: Deployed) -> None:
    client = api.connect()

    assert client.subscribe("/guarded/acme", "own")["type"] == "subscribe_success"
    for key, channel in (("foreign", "/guarded/other"), ("all", "/guarded/*"), ("whole", "/guarded")):
        answer = client.subscribe(channel, key)
        assert error_of(answer) == ("subscribe_error", "UnauthorizedException")
        assert "acme may not hear" in answer["errors"][0]["message"]
    assert error_of(client.subscribe("/guarded/broken", "broken"))[0] == "subscribe_error"


def test_after_unsubscribing_nothing_comes(api: Deployed) -> None:
    client = api.connect()
    client.subscribe("/open/news")
    assert client.ask({"type": "unsubscribe", "id": "one"}) == {"type": "unsubscribe_success", "id": "one"}
    assert error_of(client.ask({"type": "unsubscribe", "id": "one"})) == (
        "unsubscribe_error",
        "UnknownOperationError",
    )
    client.subscribe("/open/last", "two")

    api.publish({"channel": "/open/news", "events": ["1"]})
    api.publish({"channel": "/open/last", "events": ["2"]})

    assert client.hear()["event"] == "2"


@pytest.mark.parametrize(
    "channel",
    ["", "/", "/open/a b", "/open/_", "/open/-a", f"/open/{'a' * 51}", "/open/1/2/3/4/5", "/open/*/a"],
)
def test_a_channel_that_aws_has_not_is_refused(api: Deployed, channel: str) -> None:
    client = api.connect()

    assert error_of(client.subscribe(channel)) == ("subscribe_error", "BadRequestException")
    assert api.publish({"channel": channel, "events": ["1"]})[0] == 400


def test_the_longest_channel_is_taken(api: Deployed) -> None:
    channel = "/open/" + "/".join(["a" * 50] * 4)

    assert api.connect().subscribe(channel)["type"] == "subscribe_success"
    assert api.publish({"channel": channel, "events": ["1"]})[0] == 200


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"channel": "/open/news", "events": ["1"] * 6}, "BadRequestException"),
        ({"channel": "/open/*", "events": ["1"]}, "BadRequestException"),
        ({"events": ["1"]}, "BadRequestException"),
        ({"channel": "/open/news"}, "BadRequestException"),
        ({"channel": "/absent/news", "events": ["1"]}, "UnauthorizedException"),
    ],
)
def test_a_publish_that_aws_refuses_is_refused(api: Deployed, document: dict[str, Any], kind: str) -> None:
    status, answer = api.publish(document)

    assert answer["errors"][0]["errorType"] == kind
    assert status == (401 if kind == "UnauthorizedException" else 400)


def test_events_that_are_too_large_or_no_json_fail_alone(api: Deployed) -> None:
    client = api.connect()
    client.subscribe("/open/news")
    fits, too_large = json.dumps("x" * (240 * 1024 - 2)), json.dumps("x" * (240 * 1024 - 1))

    status, answer = api.publish({"channel": "/open/news", "events": ["{", fits, too_large, 5, "5"]})

    assert status == 200
    assert [each["index"] for each in answer["successful"]] == [1, 4]
    assert [(each["index"], each["code"]) for each in answer["failed"]] == [(0, 400), (2, 400), (3, 400)]
    assert [client.hear()["event"], client.hear()["event"]] == [fits, "5"]


def test_ids_and_the_number_of_subscriptions_have_their_limits(api: Deployed) -> None:
    client = api.connect()

    assert error_of(client.subscribe("/open/a", "")) == ("subscribe_error", "InvalidInputError")
    assert error_of(client.subscribe("/open/a", "x" * 129)) == ("subscribe_error", "InvalidInputError")
    for number in range(100):
        assert client.subscribe("/open/a", f"n{number}")["type"] == "subscribe_success"
    assert error_of(client.subscribe("/open/a", "n0")) == ("subscribe_error", "DuplicatedOperationError")
    assert error_of(client.subscribe("/open/a", "more")) == (
        "subscribe_error",
        "MaxSubscriptionsReachedError",
    )


def test_what_is_no_message_is_answered_and_the_connection_goes_on(api: Deployed) -> None:
    client = api.connect()

    assert error_of(client.ask({"type": "dance"})) == ("error", "UnsupportedOperation")
    assert client.subscribe("/open/news")["type"] == "subscribe_success"


def test_a_foreign_page_and_another_subprotocol_are_not_connected(api: Deployed) -> None:
    port = api.cloud.settings.port
    for options in (
        {"origin": "https://evil.example"},
        {"host": "evil.example"},
        {"subprotocols": ("graphql-ws",)},
    ):
        with pytest.raises(RefusedError):
            WebSocketClient(port, api.authorization, **options)
    own = WebSocketClient(
        port, api.authorization, origin=f"http://localhost:{api.cloud.settings.service_port}"
    )
    assert own.ask({"type": "connection_init"})["type"] == "connection_ack"


def test_a_client_that_went_away_is_forgotten(api: Deployed) -> None:
    gone, stays = api.connect(), api.connect()
    for client in (gone, stays):
        client.subscribe("/open/news")
    gone.close()

    api.publish({"channel": "/open/news", "events": ["1"]})

    assert stays.hear()["event"] == "1"


def test_handlers_in_appsync_js_are_refused(api: Deployed) -> None:
    cloudformation = api.cloud.client("cloudformation")
    api_id = api.outputs["ApiArn"].rpartition("/")[2]
    resource = {
        "Type": "AWS::AppSync::ChannelNamespace",
        "Properties": {"ApiId": api_id, "Name": "js", "CodeHandlers": "export const onPublish = (c) => []"},
    }
    cloudformation.create_stack(StackName="js", TemplateBody=json.dumps({"Resources": {"Js": resource}}))

    def failure() -> str | None:
        events = cloudformation.describe_stack_events(StackName="js")["StackEvents"]
        return next((each["ResourceStatusReason"] for each in events if "APPSYNC_JS" in str(each)), None)

    assert "behavior DIRECT" in eventually(failure, what="the refusal of the namespace")
