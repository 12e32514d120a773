"""What the laptop decides about a call, remembers of it, and finds when a permission is taken away."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localcloud.authorization.authority import AccessDeniedError, Authority
from localcloud.authorization.credentials import session
from localcloud.authorization.journal import Journal
from localcloud.authorization.mutation import mutants
from localcloud.authorization.needs import Need, Place, UnknownNeedError
from localcloud.authorization.report import Report
from localcloud.authorization.workflows import machine_needs, task_needs
from localcloud.seams import cloudformation, iam
from localcloud.seams.responses import request_scope
from localcloud.settings import Settings

ACCOUNT, REGION = "210987654321", "us-east-1"
PLACE = Place(ACCOUNT, REGION)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Writer"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/data"
BUCKET = "arn:aws:s3:::data"
CALLER = session(ROLE, "write")
PUT, GET = Need("s3:PutObject", f"{BUCKET}/scores/a"), Need("s3:GetObject", f"{BUCKET}/scores/a")
VIA_S3 = {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}
WRITER = [
    {"Effect": "Allow", "Action": ["s3:PutObject", "s3:GetObject"], "Resource": f"{BUCKET}/scores/*"},
    {"Effect": "Allow", "Action": ["kms:GenerateDataKey"], "Resource": KEY, "Condition": VIA_S3},
    {"Effect": "Allow", "Action": "xray:PutTraceSegments", "Resource": "*"},
]
TRUST = [
    {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    }
]
TO_ACCOUNT = [
    {
        "Effect": "Allow",
        "Action": "kms:*",
        "Resource": "*",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    }
]


def policy(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.fixture(autouse=True)
def _deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    bucket = {
        "ResourceType": "AWS::S3::Bucket",
        "PhysicalResourceId": "data",
        "Properties": {
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [
                    {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}}
                ]
            }
        },
    }
    documents = {("kms", KEY): policy(TO_ACCOUNT)}
    monkeypatch.setattr(cloudformation, "provisioned", lambda: {"Stack": {"Data": bucket}})
    monkeypatch.setattr(iam, "resolve_key", lambda reference: {"Arn": KEY} if reference == KEY else None)
    monkeypatch.setattr(
        iam,
        "resource_policy",
        lambda service, arn: (documents[service, arn], ACCOUNT) if (service, arn) in documents else None,
    )
    with request_scope(ACCOUNT, REGION):
        iam.roles["Writer"] = {
            "Arn": ROLE,
            "InlinePolicies": {"Own": policy(WRITER)},
            "AssumeRolePolicyDocument": policy(TRUST),
        }
        yield


def authority_of(home: Path, mode: str = "enforce") -> Authority:
    opened = Authority(Settings(home=home, account=ACCOUNT, region=REGION, iam=mode))
    opened.open()
    return opened


def test_write_to_an_encrypted_bucket_needs_the_key_through_s3(tmp_path: Path) -> None:
    authority = authority_of(tmp_path)
    authority.require(CALLER, [PUT])
    with pytest.raises(AccessDeniedError, match=r"kms:Decrypt on resource: .*:key/data because no identity"):
        authority.require(CALLER, [GET])

    authority.require(CALLER, [GET], whole=False)  # the head of an object decrypts nothing


def test_key_is_not_given_but_through_the_service(tmp_path: Path) -> None:
    with pytest.raises(AccessDeniedError, match="kms:GenerateDataKey"):
        authority_of(tmp_path).require(CALLER, [Need("kms:GenerateDataKey", KEY)])


def test_action_without_a_resource_is_decided_by_who_calls_alone(tmp_path: Path) -> None:
    need = Need("sns:GetSubscriptionAttributes", "*")
    with pytest.raises(AccessDeniedError, match="sns:GetSubscriptionAttributes"):
        authority_of(tmp_path).require(CALLER, [need])
    allowed = {"Effect": "Allow", "Action": need.action, "Resource": "*"}
    iam.roles["Writer"]["InlinePolicies"]["Own"] = policy([allowed])
    authority_of(tmp_path).require(CALLER, [need])


def test_what_cannot_be_evaluated_is_refused_but_where_the_laptop_only_records(tmp_path: Path) -> None:
    unknown = UnknownNeedError("neptune", "Anything")
    with pytest.raises(UnknownNeedError):
        authority_of(tmp_path).unanswered(unknown)

    authority_of(tmp_path, "record").unanswered(unknown)


def test_developer_may_do_everything(tmp_path: Path) -> None:
    authority_of(tmp_path).require(None, [Need("iam:DeleteRole", ROLE)])


def test_role_that_is_gone_may_do_nothing(tmp_path: Path) -> None:
    iam.roles.pop("Writer")
    with pytest.raises(AccessDeniedError):
        authority_of(tmp_path).require(CALLER, [PUT])


def test_service_in_its_own_name_needs_the_policy_of_the_resource(tmp_path: Path) -> None:
    need = Need("sqs:SendMessage", f"arn:aws:sqs:{REGION}:{ACCOUNT}:work")
    with pytest.raises(AccessDeniedError, match=r"User: events\.amazonaws\.com .* no resource-based policy"):
        authority_of(tmp_path).require_of_service("events", need, "arn:aws:events:::rule/r")


@pytest.mark.parametrize(("service", "allowed"), [("sagemaker", True), ("lambda", False)])
def test_trust_policy_says_who_assumes_a_role(tmp_path: Path, service: str, allowed: bool) -> None:
    authority = authority_of(tmp_path)
    if allowed:
        assert authority.assume(service, ROLE, "write", "arn:aws:sagemaker:::training-job/t") == CALLER
        return
    with pytest.raises(AccessDeniedError, match=r"sts:AssumeRole on resource: .*role/Writer"):
        authority.assume(service, ROLE, "write", "arn:aws:lambda:::function:f")


def test_recording_lets_everything_through_and_tells_what_would_be_denied(tmp_path: Path) -> None:
    authority = authority_of(tmp_path, "record")
    authority.require(CALLER, [GET, Need("sns:Publish", "arn:aws:sns:::t")])
    authority.save()

    denied = Report.of(Journal.read(tmp_path / "iam")).denied
    assert [sentence.split(" on resource")[0].rpartition(" ")[2] for sentence in denied] == [
        "kms:Decrypt",
        "sns:Publish",
    ]


def test_journal_counts_distinct_requests_also_over_a_restart(tmp_path: Path) -> None:
    for _ in range(2):
        authority = authority_of(tmp_path)
        authority.require(CALLER, [PUT, PUT])
        authority.save()

    journal = Journal.read(tmp_path / "iam")
    assert [(entry.action, entry.count, entry.statements) for entry in journal.entries] == [
        ("s3:PutObject", 4, ("Own#0",)),
        ("kms:GenerateDataKey", 4, ("Own#1", f"{KEY}#0")),
    ]


def test_of_requests_that_differ_in_the_key_alone_some_are_kept_and_all_counted(
    tmp_path: Path,
) -> None:
    authority = authority_of(tmp_path)
    for number in range(250):
        authority.require(CALLER, [Need("s3:PutObject", f"{BUCKET}/scores/{number}")])
    authority.save()

    puts = [entry for entry in Journal.read(tmp_path / "iam").entries if entry.action == "s3:PutObject"]
    assert len(puts) == 100
    assert sum(entry.count for entry in puts) == 250


def test_line_that_a_kill_cut_off_is_dropped(tmp_path: Path) -> None:
    authority = authority_of(tmp_path)
    authority.require(CALLER, [PUT])
    authority.save()
    with (tmp_path / "iam" / "requests.jsonl").open("a") as file:
        file.write('{"role": "cut')
    again = authority_of(tmp_path)
    again.require(CALLER, [PUT])
    again.save()

    assert [entry.count for entry in Journal.read(tmp_path / "iam").entries] == [2, 2]


def test_report_lists_what_no_call_needed(tmp_path: Path) -> None:
    authority = authority_of(tmp_path)
    authority.require(CALLER, [PUT])
    authority.save()

    report = Report.of(Journal.read(tmp_path / "iam"))
    assert report.calls == {"Writer": {"kms:GenerateDataKey": 1, "s3:PutObject": 1}}
    assert report.unused == {"Writer": [("Own#0", ("s3:GetObject",)), ("Own#2", ("xray:PutTraceSegments",))]}


def test_permission_that_a_call_needed_is_missed_when_it_is_gone(tmp_path: Path) -> None:
    authority = authority_of(tmp_path)
    authority.require(CALLER, [PUT])
    authority.save()

    found = {str(each): each.caught for each in mutants(Journal.read(tmp_path / "iam"), REGION)}
    assert found == {
        "Writer: Own#0": True,
        "Writer: Own#0 s3:PutObject": True,
        "Writer: Own#0 s3:GetObject": False,
        "Writer: Own#1": True,
        "Writer: Own#2": False,
        f"{KEY}: {KEY}#0": True,
    }


def test_permission_that_is_given_twice_is_not_missed(tmp_path: Path) -> None:
    iam.roles["Writer"]["InlinePolicies"]["Again"] = policy([WRITER[0]])
    authority = authority_of(tmp_path)
    authority.require(CALLER, [PUT])
    authority.save()

    found = {str(each): each.caught for each in mutants(Journal.read(tmp_path / "iam"), REGION)}
    assert not found["Writer: Own#0"]


def test_task_that_waits_for_a_job_watches_it_too() -> None:
    job = {"ProcessingJobName": "p", "RoleArn": ROLE}
    needs = task_needs("arn:aws:states:::sagemaker:createProcessingJob.sync", job, PLACE)
    function = task_needs("arn:aws:states:::lambda:invoke", {"FunctionName": "f", "Payload": {}}, PLACE)
    listing = task_needs("arn:aws:states:::aws-sdk:sfn:listExecutions", {"StateMachineArn": "arn:m"}, PLACE)

    assert [need.action for need in needs] == [
        *(
            "sagemaker:CreateProcessingJob",
            "iam:PassRole",
            "sagemaker:DescribeProcessingJob",
            "sagemaker:AddTags",
        ),
    ]
    assert [need.action for need in function] == ["lambda:InvokeFunction"]
    assert listing == [Need("states:ListExecutions", "arn:m")]


def test_machine_needs_its_log_delivery_its_traces_and_the_rules_of_its_waits() -> None:
    definition = json.dumps(
        {"States": {"A": {"Type": "Task", "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync"}}}
    )
    properties = {"LoggingConfiguration": {"Destinations": [{}]}, "TracingConfiguration": {"Enabled": True}}
    needs = list(machine_needs(definition, properties, PLACE))
    rule = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule"

    assert [need.action for need in needs if need.resource == rule] == [
        *("events:PutTargets", "events:PutRule", "events:DescribeRule")
    ]
    assert {"logs:CreateLogDelivery", "xray:GetSamplingRules"} <= {need.action for need in needs}
    assert list(machine_needs('{"States": {}}', {}, PLACE)) == []
