"""The console's stack: who may listen and publish, what browsers get, what they may do with it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import Any

import pytest

from tests.infra.conftest import ROOT
from tests.infra.templates import Templates, flat

STACK = "WatchkeeperConsole"
PATHS = ROOT / "infra" / "constructs" / "site_paths.js"


def test_users_listen_and_roles_publish_and_there_is_no_key(templates: Templates) -> None:
    config = templates.one("AWS::AppSync::Api", stack=STACK).properties["EventConfig"]

    assert {each["AuthType"] for each in config["AuthProviders"]} == {"AMAZON_COGNITO_USER_POOLS", "AWS_IAM"}
    assert config["ConnectionAuthModes"] == [{"AuthType": "AMAZON_COGNITO_USER_POOLS"}]
    assert config["DefaultSubscribeAuthModes"] == [{"AuthType": "AMAZON_COGNITO_USER_POOLS"}]
    assert config["DefaultPublishAuthModes"] == [{"AuthType": "AWS_IAM"}]
    assert config["LogConfig"]["LogLevel"] == "ERROR"
    assert not templates.resources("AWS::AppSync::ApiKey")


def test_a_function_decides_about_each_subscription(templates: Templates) -> None:
    namespace = templates.one("AWS::AppSync::ChannelNamespace", stack=STACK).properties
    source = templates.one("AWS::AppSync::DataSource", stack=STACK).properties

    assert namespace["Name"] == "watch"
    handler = namespace["HandlerConfigs"]["OnSubscribe"]
    assert handler["Behavior"] == "DIRECT"
    assert handler["Integration"] == {
        "DataSourceName": source["Name"],
        "LambdaConfig": {"InvokeType": "REQUEST_RESPONSE"},
    }
    assert "LetSubscribe" in str(source["LambdaConfig"])


def test_only_the_publisher_publishes_and_to_the_one_namespace(templates: Templates) -> None:
    found = [
        (resource.logical_id, flat(statement["Resource"]))
        for resource, statement in templates.statements()
        if "appsync:EventPublish" in statement["Action"]
    ]
    ((role, arn),) = found
    assert "PublishLive" in role
    assert arn.endswith("/channelNamespace/watch")


def test_incidents_releases_flagged_transactions_and_trainings_are_told(templates: Templates) -> None:
    patterns = [
        each.properties["EventPattern"]
        for each in templates.resources("AWS::Events::Rule", stack=STACK)
        if "EventPattern" in each.properties
    ]
    told = {name: pattern for pattern in patterns for name in pattern["detail-type"]}
    assert set(told) == {
        *("Incident Changed", "Release Published", "Transaction Decided"),
        "Step Functions Execution Status Change",
    }
    assert told["Transaction Decided"]["detail"] == {"flag": [True]}
    machines = told["Step Functions Execution Status Change"]["detail"]["stateMachineArn"][0]["wildcard"]
    assert flat(machines).endswith(":stateMachine:watchkeeper-*-training")


def test_the_page_may_run_its_own_scripts_and_ask_its_own_origin_alone(templates: Templates) -> None:
    policy = templates.one("AWS::CloudFront::ResponseHeadersPolicy", stack=STACK).properties
    security = policy["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    rules = dict(
        rule.split(" ", 1)
        for rule in flat(security["ContentSecurityPolicy"]["ContentSecurityPolicy"]).split("; ")
    )

    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert re.fullmatch(r"'self' wss://\S+ https://\S+", rules["connect-src"])
    assert "unsafe" not in str(rules)
    assert "*" not in str(rules)
    assert all(each["Override"] for each in security.values())
    assert security["StrictTransportSecurity"]["AccessControlMaxAgeSec"] >= 365 * 86_400


def test_the_site_is_private_and_cloudfront_signs_for_it(templates: Templates) -> None:
    config = templates.one("AWS::CloudFront::Distribution", stack=STACK).properties["DistributionConfig"]
    site, api = config["Origins"]
    buckets = templates.resources("AWS::S3::Bucket", stack=STACK)

    assert site["OriginAccessControlId"]
    assert site["S3OriginConfig"]["OriginAccessIdentity"] == ""
    assert api["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
    assert config["DefaultCacheBehavior"]["ViewerProtocolPolicy"] == "redirect-to-https"
    assert {each["PathPattern"] for each in config["CacheBehaviors"]} >= {"/fraud/*"}
    assert {each["ViewerProtocolPolicy"] for each in config["CacheBehaviors"]} == {"https-only"}
    assert config["Logging"]["Bucket"]
    assert "CustomErrorResponses" not in config  # a missing asset is a 404
    assert len(buckets) == 2
    for bucket in buckets:
        assert set(bucket.properties["PublicAccessBlockConfiguration"].values()) == {True}


def test_people_sign_in_by_code_and_the_client_has_no_secret(templates: Templates) -> None:
    client = templates.one("AWS::Cognito::UserPoolClient", stack=STACK).properties

    assert not client.get("GenerateSecret")
    assert client["AllowedOAuthFlows"] == ["code"]
    assert [flat(url) for url in client["CallbackURLs"]] == [flat(url) for url in client["LogoutURLs"]]
    assert all(re.fullmatch(r"https://\S+/console/", flat(url)) for url in client["CallbackURLs"])
    assert "tenant" not in str(client["WriteAttributes"])
    domain = templates.one("AWS::Cognito::UserPoolDomain", stack=STACK).properties
    assert domain["ManagedLoginVersion"] == 2


def test_the_apis_of_the_page_take_tokens_of_its_client_alone(templates: Templates) -> None:
    authorizer = templates.one("AWS::ApiGatewayV2::Authorizer", stack=STACK).properties
    client = templates.one("AWS::Cognito::UserPoolClient", stack=STACK)

    assert authorizer["JwtConfiguration"]["Audience"] == [{"Ref": client.logical_id}]
    for route in templates.resources("AWS::ApiGatewayV2::Route", stack=STACK):
        assert route.properties["AuthorizationType"] == "JWT"


@pytest.fixture(scope="module")
def asked() -> dict[str, Any]:
    """What the function of CloudFront makes of paths; Node runs it, as CloudFront does."""
    node = shutil.which("node")
    assert node, "Node is missing: `make setup` needs it too"
    paths = [
        *(
            "/",
            "/console",
            "/console/",
            "/console/incidents",
            "/console/incidents/a.b",
            "/console/index.html",
        ),
        *("/console/config.json", "/console/assets/page-a1.js", "/console/assets/", "/other", "/consoles"),
    ]
    program = (
        f"{PATHS.read_text()}\n"
        f"console.log(JSON.stringify({json.dumps(paths)}.map(uri => [uri, handler({{request: {{uri}}}})])))"
    )
    done = subprocess.run([node, "-e", program], capture_output=True, text=True, check=True)
    found: dict[str, Any] = dict(json.loads(done.stdout))
    return found


@pytest.mark.parametrize(
    "path", ["/console/", "/console/incidents", "/console/incidents/a.b", "/console/index.html"]
)
def test_every_address_of_the_page_is_the_page(asked: dict[str, Any], path: str) -> None:
    assert asked[path] == {"uri": "/console/index.html"}


@pytest.mark.parametrize("path", ["/console/config.json", "/console/assets/page-a1.js", "/console/assets/"])
def test_files_are_what_they_are(asked: dict[str, Any], path: str) -> None:
    assert asked[path] == {"uri": path}


def test_the_root_leads_to_the_page_and_nothing_else_is_there(asked: dict[str, Any]) -> None:
    for path in ("/", "/console"):
        assert asked[path]["statusCode"] == 302
        assert asked[path]["headers"]["location"] == {"value": "/console/"}
    assert {asked[path]["statusCode"] for path in ("/other", "/consoles")} == {404}


def test_the_site_is_put_again_when_it_or_its_configuration_changes(templates: Templates) -> None:
    files = templates.one("Custom::ConsoleSite", stack=STACK).properties

    assert files["Code"]
    configuration = flat(files["Configuration"])
    assert '"auth":"cognito"' in configuration
    assert '"api":""' in configuration
