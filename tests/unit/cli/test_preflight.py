"""Preflight: what it finds in an account, what it says is to be done, and that it only reads."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import deploy as deploying
from cli.assembly import Assembly
from cli.main import app
from cli.preflight.calendars import check_calendars
from cli.preflight.finding import Finding, Level
from cli.preflight.report import Report, examine
from cli.specs import WORKLOADS
from lambdas.costs.model import total
from tests.unit.cli.answering import AnsweringAws
from watchkeeper.spec import load_workload

ACCOUNT = "123456789012"
WORKLOAD = load_workload(WORKLOADS / "water_flow.yaml")
READING = ("Get", "List", "Describe", "Head")
TEMPLATE = {
    "Resources": {
        "Key": {"Type": "AWS::KMS::Key"},
        "Series": {"Type": "AWS::DynamoDB::Table"},
        "Rule": {"Type": "AWS::IoT::TopicRule"},
        "Group": {
            "Type": "AWS::SageMaker::ModelPackageGroup",
            "Properties": {"ModelPackageGroupName": "watchkeeper-water-flow"},
        },
        "Plan": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": {"Fn::Join": ["", ["/watchkeeper/", {"Ref": "Key"}]]}},
        },
        "Devices": {
            "Type": "AWS::IoT::ThingGroup",
            "Properties": {"ThingGroupName": "watchkeeper-devices"},
        },
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {"AlarmName": "W-Lag", "Metrics": [{"MetricStat": {}}, {"MetricStat": {}}, {}]},
        },
    }
}


@pytest.fixture
def assembly(tmp_path: Path) -> Assembly:
    stack = {
        "type": "aws:cloudformation:stack",
        "properties": {"templateFile": "W.json", "requiresBootstrapStackVersion": 6},
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"WatchkeeperStorage": stack}}))
    (tmp_path / "W.json").write_text(json.dumps(TEMPLATE))
    return Assembly(tmp_path)


def quotas(values: dict[str, float]) -> Any:
    def listed(asked: dict[str, Any]) -> dict[str, Any]:
        found = [
            {"QuotaName": name, "QuotaCode": f"L-{index:08}", "Value": value, "Adjustable": True}
            for index, (name, value) in enumerate(values.items())
        ]
        return {"Quotas": found if asked["ServiceCode"] in ("sagemaker", "lambda") else []}

    return listed


def product(component: str, usd: float) -> str:
    dimension = {"pricePerUnit": {"USD": str(usd)}}
    return json.dumps(
        {
            "product": {"attributes": {"component": component, "instanceName": "ml.m5.large"}},
            "terms": {"OnDemand": {"offer": {"priceDimensions": {"dimension": dimension}}}},
        }
    )


@pytest.fixture
def aws() -> AnsweringAws:
    """An account that can take a deployment."""
    enough = {
        f"{kind} for {use} usage": 20.0
        for kind in ("ml.m5.large", "ml.m5.xlarge")
        for use in ("endpoint", "training job", "processing job", "transform job")
    }
    every = {
        f"Number of instances across {what}": 40.0
        for what in (
            "active endpoints",
            "all training jobs",
            "all processing jobs",
            "all transform jobs",
        )
    }
    services = ("kms", "dynamodb", "iot", "sagemaker", "cloudwatch")
    offered = {"Parameters": [{"Name": f"/x/{name}", "Value": name} for name in services]}
    components = [product(each, 0.128) for each in ("Hosting", "Training", "Processing")]
    return AnsweringAws(
        {
            "GetCallerIdentity": {"Account": ACCOUNT, "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/r/me"},
            "GetParameter": {"Parameter": {"Value": "27"}},
            "GetParametersByPath": offered,
            "GetProducts": {"PriceList": components},
            "ListServiceQuotas": quotas(enough | every | {"Concurrent executions": 1000.0}),
        }
    )


def examined(aws: AnsweringAws, assembly: Assembly, region: str | None = "eu-west-1") -> Report:
    return examine(aws.session(region), [WORKLOAD], lambda: assembly)


def of(report: Report, check: str, level: Level) -> list[Finding]:
    return [each for each in report.findings if each.check == check and each.level is level]


def test_an_account_with_room_has_no_red_line(aws: AnsweringAws, assembly: Assembly) -> None:
    report = examined(aws, assembly)

    assert [each for each in report.findings if each.level is Level.RED] == []
    assert {each.check for each in report.findings} == {
        "credentials",
        "bootstrap",
        "services",
        "instances",
        "stacks",
        "names",
        "retained",
        "quotas",
    }


def test_only_reading_operations_are_called_whatever_is_found(aws: AnsweringAws, assembly: Assembly) -> None:
    examined(aws, assembly)
    aws.answers["DescribeStacks"] = {
        "Stacks": [{"StackName": "WatchkeeperStorage", "StackStatus": "CREATE_COMPLETE"}]
    }
    aws.answers["ListStacks"] = {
        "StackSummaries": [
            {"StackName": "WatchkeeperStorage", "StackId": "arn", "StackStatus": "DELETE_COMPLETE"}
        ]
    }
    left = [
        {"ResourceType": f"AWS::{kind}", "PhysicalResourceId": kind}
        for kind in ("S3::Bucket", "DynamoDB::Table", "Cognito::UserPool", "KMS::Key")
    ]
    aws.answers["ListStackResources"] = {"StackResourceSummaries": left}
    aws.answers["ListEndpoints"] = {"Endpoints": [{"EndpointName": "watchkeeper-x", "EndpointArn": "arn"}]}
    examined(aws, assembly)

    operations = {each.partition(":")[2] for each in aws.asked}
    assert {"ListServiceQuotas", "GetProducts", "ListStackResources", "ListTags"} <= operations
    assert [each for each in operations if not each.startswith(READING)] == []


def test_without_credentials_there_is_one_red_line_and_no_further_call(
    aws: AnsweringAws, assembly: Assembly
) -> None:
    aws.refused["GetCallerIdentity"] = "ExpiredToken"

    report = examine(aws.session(), [WORKLOAD], lambda: pytest.fail("synthesized without credentials"))

    assert [each.level for each in report.findings] == [Level.RED]
    assert aws.asked == ["sts:GetCallerIdentity"]


def test_a_quota_of_zero_is_red_with_the_command_that_asks_for_more(
    aws: AnsweringAws, assembly: Assembly
) -> None:
    aws.answers["ListServiceQuotas"] = quotas({"ml.m5.large for endpoint usage": 0.0})

    red = of(examined(aws, assembly), "quotas", Level.RED)

    assert [each.figures["quota"] for each in red] == ["ml.m5.large for endpoint usage"]
    assert red[0].figures | {"needed": 1, "present": 0} == red[0].figures
    assert red[0].remedy == (
        "aws service-quotas request-service-quota-increase --service-code sagemaker "
        "--quota-code L-00000000 --desired-value 2 --region eu-west-1"
    )


def test_a_quota_without_room_for_an_update_beside_the_old_fleet_is_yellow(
    aws: AnsweringAws, assembly: Assembly
) -> None:
    aws.answers["ListServiceQuotas"] = quotas({"ml.m5.large for endpoint usage": 1.0})

    yellow = of(examined(aws, assembly), "quotas", Level.YELLOW)

    assert any("beside the old one's" in each.text and "present 1" in each.text for each in yellow)


def test_what_others_use_of_a_quota_is_not_there_for_us(aws: AnsweringAws, assembly: Assembly) -> None:
    metric = {
        "MetricNamespace": "AWS/Usage",
        "MetricName": "ResourceCount",
        "MetricDimensions": {"Service": "SageMaker"},
        "MetricStatisticRecommendation": "Maximum",
    }
    quota = {"QuotaName": "ml.m5.large for endpoint usage", "QuotaCode": "L-1", "Value": 4.0}
    aws.answers["ListServiceQuotas"] = {"Quotas": [{**quota, "UsageMetric": metric, "Adjustable": True}]}
    aws.answers["GetMetricStatistics"] = {"Datapoints": [{"Maximum": 4.0}]}

    red = of(examined(aws, assembly), "quotas", Level.RED)

    assert "4 of it in use by others" in red[0].text
    assert "--desired-value 6 " in str(red[0].remedy)


def test_a_quota_that_is_not_adjustable_is_not_asked_for(aws: AnsweringAws, assembly: Assembly) -> None:
    quota = {"QuotaName": "ml.m5.large for endpoint usage", "QuotaCode": "L-1", "Value": 0.0}
    aws.answers["ListServiceQuotas"] = {"Quotas": [{**quota, "Adjustable": False}]}

    assert "AWS does not raise it" in str(of(examined(aws, assembly), "quotas", Level.RED)[0].remedy)


@pytest.mark.parametrize(("version", "level"), [("5", Level.RED), ("6", Level.GREEN)])
def test_bootstrap_is_compared_with_the_version_that_the_templates_require(
    aws: AnsweringAws, assembly: Assembly, version: str, level: Level
) -> None:
    aws.answers["GetParameter"] = {"Parameter": {"Value": version}}

    assert len(of(examined(aws, assembly), "bootstrap", level)) == 1


def test_a_region_that_is_not_bootstrapped_is_yellow_since_deploying_does_it(
    aws: AnsweringAws, assembly: Assembly
) -> None:
    aws.refused["GetParameter"] = "ParameterNotFound"

    found = of(examined(aws, assembly), "bootstrap", Level.YELLOW)

    assert found[0].remedy == f"node_modules/.bin/cdk bootstrap aws://{ACCOUNT}/eu-west-1"


def test_a_service_that_the_region_lacks_is_red(aws: AnsweringAws, assembly: Assembly) -> None:
    everywhere = aws.answers["GetParametersByPath"]
    assert isinstance(everywhere, dict)
    here = [each for each in everywhere["Parameters"] if each["Value"] != "iot"]
    aws.answers["GetParametersByPath"] = lambda asked: (
        {"Parameters": here} if "/regions/" in asked["Path"] else everywhere
    )

    red = of(examined(aws, assembly), "services", Level.RED)

    assert [each.text for each in red] == ["AWS::IoT is not offered in eu-west-1"]


def test_an_instance_type_that_the_region_lacks_is_red(aws: AnsweringAws, assembly: Assembly) -> None:
    aws.answers["GetProducts"] = {"PriceList": []}

    red = of(examined(aws, assembly), "instances", Level.RED)

    assert [each.figures["instance_type"] for each in red] == ["ml.m5.large", "ml.m5.xlarge"]


def test_a_name_that_something_else_has_is_red_and_our_own_stack_may_keep_it(
    aws: AnsweringAws, assembly: Assembly
) -> None:
    name = "watchkeeper-water-flow"
    aws.answers["ListModelPackageGroups"] = {
        "ModelPackageGroupSummaryList": [{"ModelPackageGroupName": name}]
    }
    aws.answers["ListThingGroups"] = {"thingGroups": [{"groupName": "watchkeeper-devices"}]}
    red = of(examined(aws, assembly), "names", Level.RED)
    assert [each.remedy for each in red] == [
        f"aws sagemaker delete-model-package-group --model-package-group-name {name}",
        "aws iot delete-thing-group --thing-group-name watchkeeper-devices",
    ]

    aws.answers["DescribeStacks"] = {
        "Stacks": [{"StackName": "WatchkeeperStorage", "StackStatus": "CREATE_COMPLETE"}]
    }
    ours = [
        {"ResourceType": "AWS::SageMaker::ModelPackageGroup", "PhysicalResourceId": name},
        {"ResourceType": "AWS::IoT::ThingGroup", "PhysicalResourceId": "watchkeeper-devices"},
    ]
    aws.answers["ListStackResources"] = {"StackResourceSummaries": ours}
    assert of(examined(aws, assembly), "names", Level.RED) == []


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        ("ROLLBACK_COMPLETE", "aws cloudformation delete-stack --stack-name WatchkeeperStorage"),
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback"),
        ("UPDATE_IN_PROGRESS", "wait"),
    ],
)
def test_a_stack_that_takes_no_update_is_red(
    aws: AnsweringAws, assembly: Assembly, status: str, remedy: str
) -> None:
    aws.answers["DescribeStacks"] = {"Stacks": [{"StackName": "WatchkeeperStorage", "StackStatus": status}]}

    assert remedy in str(of(examined(aws, assembly), "stacks", Level.RED)[0].remedy)


def test_what_an_earlier_deployment_left_is_told_unless_it_is_gone_by_now(
    aws: AnsweringAws, assembly: Assembly
) -> None:
    removed = {"StackName": "WatchkeeperStorage", "StackId": "arn", "StackStatus": "DELETE_COMPLETE"}
    aws.answers["ListStacks"] = {"StackSummaries": [removed]}
    aws.answers["ListStackResources"] = {
        "StackResourceSummaries": [
            {"ResourceType": "AWS::KMS::Key", "PhysicalResourceId": "key-1"},
            {"ResourceType": "AWS::DynamoDB::Table", "PhysicalResourceId": "table-1"},
        ]
    }
    aws.answers["DescribeKey"] = {"KeyMetadata": {"KeyId": "key-1", "KeyState": "Enabled"}}
    aws.refused["DescribeTable"] = "ResourceNotFoundException"

    left = of(examined(aws, assembly), "retained", Level.YELLOW)

    assert [each.figures for each in left] == [{"kind": "key", "name": "key-1"}]


def test_what_the_last_removal_kept_is_adopted_and_no_warning(aws: AnsweringAws, assembly: Assembly) -> None:
    removed = {"StackName": "WatchkeeperStorage", "StackId": "arn", "StackStatus": "DELETE_COMPLETE"}
    aws.answers["ListStacks"] = {"StackSummaries": [removed]}
    key = {"ResourceType": "AWS::KMS::Key", "PhysicalResourceId": "key-1", "LogicalResourceId": "Key"}
    aws.answers["ListStackResources"] = {
        "StackResourceSummaries": [{**key, "ResourceStatus": "DELETE_SKIPPED"}]
    }
    aws.answers["DescribeKey"] = {"KeyMetadata": {"KeyId": "key-1", "KeyState": "Enabled"}}

    report = examined(aws, assembly)

    assert [each.figures for each in of(report, "retained", Level.GREEN)] == [
        {"kind": "key", "name": "key-1"}
    ]
    assert not of(report, "retained", Level.YELLOW)


def test_a_call_that_is_not_allowed_is_yellow_and_the_other_checks_go_on(
    aws: AnsweringAws, assembly: Assembly
) -> None:
    aws.refused["GetProducts"] = "AccessDeniedException"

    report = examined(aws, assembly)

    assert "GetProducts is not allowed" in of(report, "instances", Level.YELLOW)[0].text
    assert of(report, "quotas", Level.GREEN)


def test_the_region_s_own_price_of_an_endpoint_is_used_where_aws_tells_it(
    aws: AnsweringAws, assembly: Assembly
) -> None:
    assert total(examined(aws, assembly).month["endpoints"]) == pytest.approx(720 * 0.128)

    aws.refused["GetProducts"] = "AccessDeniedException"
    assert total(examined(aws, assembly).month["endpoints"]) == pytest.approx(720 * 0.115)


def test_the_command_writes_json_and_fails_on_red(
    aws: AnsweringAws, assembly: Assembly, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deploying.Deployer, "templates", lambda deployer: assembly)
    monkeypatch.setattr("boto3.Session", aws.session)

    good = CliRunner().invoke(app, ["preflight", "--json"])
    document = json.loads(good.stdout)
    assert good.exit_code == 0, good.output
    assert document["ready"] is True
    assert document["month_usd"]["idle"]["total"] > 0

    aws.answers["ListServiceQuotas"] = quotas({"ml.m5.large for endpoint usage": 0.0})
    bad = CliRunner().invoke(app, ["preflight"])
    assert bad.exit_code == 1
    assert "request-service-quota-increase" in bad.stdout


@pytest.mark.parametrize(
    ("arguments", "looks", "deploys"),
    [
        (["deploy", "--samples"], True, False),
        (["deploy", "--no-preflight"], False, True),
        (["deploy", "--stage", "laptop"], False, True),
        (["deploy", "--stage", "laptop", "--preflight"], True, False),
    ],
)
def test_deploying_looks_first_in_an_account_and_stops_at_red(
    aws: AnsweringAws,
    assembly: Assembly,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    looks: bool,
    deploys: bool,
) -> None:
    deployed: list[str] = []
    aws.refused["DescribeStacks"] = "ValidationError"  # none is deployed
    aws.answers["ListServiceQuotas"] = quotas({"ml.m5.large for endpoint usage": 0.0})
    monkeypatch.setattr("boto3.Session", aws.session)
    monkeypatch.setattr(deploying.Deployer, "templates", lambda deployer: assembly)
    monkeypatch.setattr(deploying.Deployer, "deploy", lambda deployer: deployed.append("all"))

    ended = CliRunner().invoke(app, arguments)

    assert any("Quota" in call for call in aws.asked) is looks
    assert bool(deployed) is deploys
    assert ended.exit_code == (0 if deploys else 1)


def test_telephones_in_the_sandbox_and_secrets_that_are_not_there_are_told(
    aws: AnsweringAws, assembly: Assembly, tmp_path: Path
) -> None:
    file = tmp_path / "water_flow.yaml"
    text = (WORKLOADS / "water_flow.yaml").read_text()
    assert "    - {channel: operators}\n" in text
    receivers = (
        "    - {channel: phone, subscription: {protocol: sms, endpoint: '+14155550100'}}\n"
        "    - {channel: chat, slack: {secret: plant/chat}}\n"
        "    - {channel: operators}\n"
    )
    file.write_text(text.replace("    - {channel: operators}\n", receivers))
    aws.answers["GetSMSSandboxAccountStatus"] = {"IsInSandbox": True}
    aws.refused["DescribeSecret"] = "ResourceNotFoundException"

    report = examine(aws.session("eu-west-1"), [load_workload(file)], lambda: assembly)

    phone, secret = of(report, "receivers", Level.YELLOW)
    assert "+14155550100 get text messages once verified" in phone.text
    assert (secret.figures, secret.remedy) == (
        {"secret": "plant/chat"},
        "aws secretsmanager create-secret --name plant/chat --secret-string …",
    )


def test_a_calendar_that_runs_out_is_told_with_its_workload(tmp_path: Path) -> None:
    file = tmp_path / "press.yaml"
    file.write_text(
        "name: press\nkind: anomaly\nsource: {topic: press}\nmeasures: [{field: p, name: p}]\ninterval: 5m\n"
        "calendars: [{name: closed, holidays: {country: DE, since: 2026, through: 2026}}]\n"
    )
    spec = load_workload(file)

    [found] = check_calendars([spec], date(2026, 11, 30))

    assert (found.level, found.figures) == (Level.YELLOW, {"calendar": "closed"})
    assert found.text.startswith("press: calendar 'closed' knows its dates through 2026-12-31")
    assert list(check_calendars([spec], date(2026, 10, 1))) == []
