"""What every role may do, over all templates."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator

import pytest

from lambdas.runtime.workflow_step import AwsCalls, StepEnvironment
from tests.infra.conftest import WORKLOADS
from tests.infra.templates import Json, Resource, Templates, flat, many
from tests.unit.lambdas.test_environments import ENTRY_POINTS, environment_of
from watchkeeper.core import layout

NO_RESOURCE_TO_NAME = {
    "cloudwatch:DescribeAlarms": "asked for those that are on, it is of all alarms",
    "cloudwatch:GetMetricData": "metrics are no resource",
    "cloudformation:ListStacks": "a list of stacks has no resource",
    "cloudwatch:ListMetrics": "metrics are no resource",
    "cloudwatch:PutMetricData": "no resource type; a condition names the namespaces",
    "ecr:GetAuthorizationToken": "the token is for the whole registry",
    "iot:ListAttachedPolicies": "no resource type",
    "logs:CreateLogDelivery": "log delivery of a service has no resource",
    "logs:DeleteLogDelivery": "log delivery of a service has no resource",
    "logs:DescribeLogGroups": "log delivery of a service has no resource",
    "logs:DescribeResourcePolicies": "log delivery of a service has no resource",
    "logs:GetLogDelivery": "log delivery of a service has no resource",
    "logs:ListLogDeliveries": "log delivery of a service has no resource",
    "logs:PutResourcePolicy": "log delivery of a service has no resource",
    "logs:UpdateLogDelivery": "log delivery of a service has no resource",
    "sagemaker:ListEndpoints": "listing has no resource",
    "sns:GetSubscriptionAttributes": "a subscription is no type of resource",
    "xray:GetSamplingRules": "X-Ray has no resource to read from",
    "xray:GetSamplingTargets": "X-Ray has no resource to read from",
    "xray:PutTelemetryRecords": "X-Ray has no resource to write to",
    "xray:PutTraceSegments": "X-Ray has no resource to write to",
}
"""Actions for which AWS knows no resource, and why."""

BUCKET = r"(<[^>]*Data\w*>|arn:aws:s3:::<WatchkeeperStorage:DataBucketName>)"
NAMED_AT_RUN_TIME = (
    rf"{BUCKET}/(raw|raw-errors|scores|scores-by-hour|scores-by-day|quarantine|history|runs|captures|drift|tenants|queries|backtests)(/[\w=-]+)*/\*",
    r"<WatchkeeperStorage:[^>]*Pages\w*>/pages/\*",
    rf"{BUCKET}/(runs|drift|captures)/\*/\*",
    r"arn:aws:s3:::plant-telemetry/(gases|presses)/\*",
    r"arn:aws:glue:eu-west-1:<AWS::AccountId>:table/plant/\*",
    rf"{BUCKET}/runs/\*/\*/(evaluation/surrogate\.bin|pages/\*|plan\.json|explain/config/analysis_config\.json)",
    rf"{BUCKET}/runs/\*/\*/explain/output/analysis\.json",
    rf"{BUCKET}/tenants/\*/anomaly_detection/train/\*/model\.tar\.gz",
    r"arn:aws:sagemaker:eu-west-1:<AWS::AccountId>:[a-z-]+/watchkeeper-[a-z-]+[-/]\*",
    r"arn:aws:sagemaker:eu-west-1:<AWS::AccountId>:[a-z-]+/watchkeeper-\*(/\*)?",
    r"arn:aws:ssm:eu-west-1:<AWS::AccountId>:parameter/watchkeeper/\*/plan",
    r"arn:aws:ssm:eu-west-1:<AWS::AccountId>:parameter/watchkeeper-specs/\*",
    r"arn:aws:states:eu-west-1:<AWS::AccountId>:stateMachine:watchkeeper-\*",
    r"arn:aws:states:eu-west-1:<AWS::AccountId>:stateMachine:watchkeeper-\*-training",
    r"arn:aws:states:eu-west-1:<AWS::AccountId>:execution:watchkeeper-\*-training:\*",
    r"arn:aws:logs:eu-west-1:<AWS::AccountId>:log-group:/aws/appsync/apis/\*",
    r"<SiteObjects\w+\.Arn>/console/\*",
    r"arn:aws:cloudformation:eu-west-1:<AWS::AccountId>:stack/Watchkeeper\*/\*",
    r"arn:aws:lambda:eu-west-1:<AWS::AccountId>:function:Watchkeeper\*",
    r"arn:aws:iot:eu-west-1:<AWS::AccountId>:(thing|client)/watchkeeper-\*",
    r"arn:aws:iot:eu-west-1:<AWS::AccountId>:cert/\*",
    r"arn:aws:logs:eu-west-1:<AWS::AccountId>:log-group:/aws/sagemaker/\*",
    r"arn:aws:logs:eu-west-1:<AWS::AccountId>:log-group:/aws/sagemaker/Endpoints/watchkeeper-\*",
    r"arn:aws:logs:eu-west-1:<AWS::AccountId>:log-group:/aws-glue/jobs\*",
    r"arn:aws:states:eu-west-1:<AWS::AccountId>:execution:<WatchkeeperServiceTasks:\w+>:\*",
)
"""Resources whose last part is a wildcard: object keys, names of runs, things and certificates of
devices, log groups that AWS names itself."""

OF_EVERY_FUNCTION = {"logs", "kms", "xray", "sqs"}
"""Services that a function uses by how it is deployed, not by what it does."""


def allowed(templates: Templates) -> Iterator[tuple[Resource, Json]]:
    for resource, statement in templates.statements():
        if statement["Effect"] == "Allow":
            yield resource, statement


def actions_of(templates: Templates, stack: str, role: str) -> set[str]:
    """Every action of the policies that are attached to roles of a name."""
    return {
        action
        for resource, statement in allowed(templates)
        if resource.stack == stack and any(role in flat(each) for each in resource.properties["Roles"])
        for action in many(statement["Action"])
    }


def test_no_action_has_a_wildcard(templates: Templates) -> None:
    wild = [
        f"{resource}: {action}"
        for resource, statement in allowed(templates)
        for action in many(statement["Action"])
        if "*" in action
    ]
    assert wild == []


def test_every_statement_names_its_resources_where_aws_has_any(templates: Templates) -> None:
    unnamed = [
        f"{resource}: {action}"
        for resource, statement in allowed(templates)
        if "*" in map(flat, many(statement["Resource"]))
        for action in many(statement["Action"])
        if action not in NO_RESOURCE_TO_NAME
    ]
    assert unnamed == []


def test_wildcards_in_resources_stand_for_names_that_are_made_at_run_time(templates: Templates) -> None:
    wild = [
        f"{resource}: {arn}"
        for resource, statement in allowed(templates)
        for arn in map(flat, many(statement["Resource"]))
        if "*" in arn and arn != "*" and not any(re.fullmatch(known, arn) for known in NAMED_AT_RUN_TIME)
    ]
    assert wild == []


def test_metrics_are_put_in_named_namespaces_only(templates: Templates) -> None:
    conditions = [
        statement["Condition"]["StringLike"]["cloudwatch:namespace"]
        for _, statement in allowed(templates)
        if "cloudwatch:PutMetricData" in many(statement["Action"])
    ]
    assert conditions
    assert all(all("sagemaker" in name.lower() for name in names) for names in conditions)


def test_roles_have_no_managed_policy_and_no_inline_wildcard_trust(templates: Templates) -> None:
    for role in templates.resources("AWS::IAM::Role"):
        assert "ManagedPolicyArns" not in role.properties, str(role)
        for statement in role.properties["AssumeRolePolicyDocument"]["Statement"]:
            assert set(statement["Principal"]) == {"Service"}, str(role)


def test_services_assume_roles_for_this_account_only(templates: Templates) -> None:
    """Lambda sets no source account when it assumes a function's role; of Glue nobody says that it does."""
    trusted = set()
    for role in templates.resources("AWS::IAM::Role"):
        for statement in role.properties["AssumeRolePolicyDocument"]["Statement"]:
            service = flat(statement["Principal"]["Service"]).partition(".")[0]
            if service not in ("lambda", "glue"):
                account = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
                assert statement["Condition"] == account, str(role)
                trusted.add(service)
    assert trusted >= {"appsync", "sagemaker", "states", "firehose", "iot", "scheduler"}


def test_who_gets_an_object_of_the_assets_bucket_may_list_the_prefix_that_it_is(templates: Templates) -> None:
    """SageMaker reads an input by its prefix: it lists, then gets. Glue gets its files."""
    got: dict[str, set[str]] = {}
    listed: dict[str, set[str]] = {}
    for resource, statement in allowed(templates):
        if resource.logical_id.startswith("Processing"):
            continue
        for arn in map(flat, many(statement["Resource"])):
            bucket, _, key = arn.partition("/")
            if "cdk-hnb659fds-assets" in bucket and "s3:GetObject" in many(statement["Action"]):
                got.setdefault(str(resource), set()).add(key)
            if "cdk-hnb659fds-assets" in bucket and "s3:ListBucket" in many(statement["Action"]):
                listed.setdefault(str(resource), set()).add(
                    statement["Condition"]["StringEquals"]["s3:prefix"]
                )
    assert got
    assert listed == got


def test_keys_are_used_through_a_named_service_only(templates: Templates) -> None:
    """The alert topic's key serves SNS alone, and grants serve AWS resources alone."""
    for resource, statement in allowed(templates):
        actions = set(many(statement["Action"]))
        if not any(action.startswith("kms:") for action in actions):
            continue
        keys = [flat(each) for each in many(statement["Resource"])]
        if actions == {"kms:DescribeKey"} or all(re.search("AlertsKey|AlertKeyArn", key) for key in keys):
            continue
        condition = statement["Condition"]
        assert "kms:ViaService" in condition.get("StringEquals", {}) or condition == {
            "Bool": {"kms:GrantIsForAWSResource": "true"}
        }, str(resource)


def test_roles_are_passed_to_sagemaker_only_and_by_name(templates: Templates) -> None:
    passing = [
        (resource, statement)
        for resource, statement in allowed(templates)
        if "iam:PassRole" in many(statement["Action"])
    ]
    training = [
        resource
        for resource, _ in passing
        if resource.stack.startswith("Watchkeeper-") and "Drift" not in resource.logical_id
    ]
    assert len(training) == len(WORKLOADS)
    assert len(passing) - len(training) == 4
    for resource, statement in passing:
        assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
        without_endpoint = map(
            layout.workload_stack,
            (
                "air_quality",
                "gas_folders",
                "host_metrics",
                "kiln_heat",
                "press_rows",
                "press_stream",
                "tank_level",
            ),
        )
        several = resource in training and resource.stack not in without_endpoint
        assert len(many(statement["Resource"])) == (2 if several else 1), str(resource)


def test_jobs_of_a_workload_reach_no_other_workloads_objects(templates: Templates) -> None:
    prefixes = {
        re.sub(rf"^{BUCKET}/", "", arn)
        for resource, statement in allowed(templates)
        if resource.stack == layout.workload_stack("water_flow")
        and resource.logical_id.startswith(("Jobs", "Models"))
        for arn in map(flat, many(statement["Resource"]))
        if "*" in arn and "Data" in arn
    }
    assert prefixes == {
        "captures/water_flow/*",
        "history/water_flow/*",
        "quarantine/water_flow/*",
        "raw/workload=water_flow/*",
        "runs/water_flow/*",
    }


def test_jobs_read_models_of_the_service_only_where_the_workload_serves_one(templates: Templates) -> None:
    reading = {
        (resource.stack, *many(statement["Action"]))
        for resource, statement in allowed(templates)
        if resource.stack.startswith("Watchkeeper-")
        for arn in map(flat, many(statement["Resource"]))
        if "/tenants/" in arn
    }
    assert reading == {(layout.workload_stack("boiler_pressure"), "s3:GetObject")}


def test_scoring_reads_of_a_run_only_what_explains_its_model_and_its_pages(templates: Templates) -> None:
    of_runs = {
        re.sub(r"^<.*?>/", "", arn)
        for resource, statement in allowed(templates)
        if resource.logical_id.startswith("ScoreTelemetry")
        for arn in map(flat, many(statement["Resource"]))
        if "/runs/" in arn
    }
    assert of_runs == {"runs/*/*/evaluation/surrogate.bin", "runs/*/*/pages/*"}


def test_shortened_names_of_a_long_workload_are_permitted(templates: Templates) -> None:
    """`layout.job_name` cuts long names to SageMaker's 63 characters."""
    arns = {
        arn.rpartition("/")[2]
        for resource, statement in allowed(templates)
        if resource.stack == layout.workload_stack("machine_temperature")
        and resource.logical_id.startswith("Workflow")
        for arn in map(flat, many(statement["Resource"]))
        if ":training-job/" in arn
    }
    assert arns == {
        "watchkeeper-machine-temperat-preprocessor-*",
        "watchkeeper-machine-temperature-detector-*",
    }


@pytest.mark.parametrize("entry_point", ENTRY_POINTS)
def test_functions_may_do_what_their_module_says_and_nothing_else(
    templates: Templates, entry_point: str
) -> None:
    environment = environment_of(entry_point)
    said = (
        called_actions(environment.calls)
        if isinstance(environment, StepEnvironment)
        else documented_actions(importlib.import_module(type(environment).__module__).__doc__ or "")
    )
    wanted = {action for action in said if not common(action)}
    assert wanted or entry_point == "live.let_subscribe"  # it decides by what it is told
    roles = {
        (each.stack, each.properties["Role"]["Fn::GetAtt"][0])
        for each in templates.resources("AWS::Lambda::Function")
        if each.properties["Handler"] == f"lambdas.{entry_point}.handle"
    }
    granted = {action for role in roles for action in actions_of(templates, *role) if not common(action)}
    own_runs = {"states:ListExecutions"} if entry_point == "steps.validate_input" else set()
    assert granted == wanted | own_runs


def called_actions(calls: AwsCalls) -> set[str]:
    """Return the IAM actions that a step's calls need."""
    objects = {"s3:GetObject": calls.reads, "s3:PutObject": calls.writes, "s3:ListBucket": calls.lists}
    sagemaker = (
        *calls.models,
        *calls.packages,
        *calls.endpoint_configs,
        *calls.endpoints,
        *calls.service_models,
    )
    return {
        *(action for action, keys in objects.items() if keys),
        *(["ssm:GetParameter"] if calls.reads_plans else []),
        *(f"dynamodb:{action}" for action in (*calls.series, *calls.incidents, *calls.transactions)),
        *(["dynamodb:Query"] if calls.arrivals else []),
        *(["events:PutEvents"] if calls.tells else []),
        *(f"sagemaker:{action}" for action in sagemaker),
    }


def common(action: str) -> bool:
    return action.partition(":")[0] in OF_EVERY_FUNCTION


def documented_actions(text: str) -> Iterator[str]:
    """Yield the IAM actions of a docstring: `service:Action`, then `Action` of the same service."""
    service = ""
    for token in re.findall(r"`([a-z0-9]+:[A-Z]\w+|[A-Z][a-z]\w+)`", text.partition("Permissions")[2]):
        service, action = token.split(":") if ":" in token else (service, token)
        yield f"{service}:{action}"


def test_jobs_of_the_anomaly_service_write_to_tenants_only(templates: Templates) -> None:
    written = {
        re.sub(r"^<.*?>/", "", arn)
        for resource, statement in allowed(templates)
        if resource.stack == "WatchkeeperServiceTasks" and "s3:PutObject" in many(statement["Action"])
        for arn in map(flat, many(statement["Resource"]))
    }
    assert written == {"tenants/*"}


def test_only_the_training_task_starts_training_jobs_and_registers_models(templates: Templates) -> None:
    starting = {
        re.match(r"[A-Z][a-z]+", resource.logical_id)[0]  # type: ignore[index]  # every id begins like this
        for resource, statement in allowed(templates)
        if resource.stack == "WatchkeeperServiceTasks"
        and {"sagemaker:CreateTrainingJob", "sagemaker:CreateModelPackage"} & set(many(statement["Action"]))
    }
    assert starting == {"Train"}
