"""Decisions over whole policies: identity, boundary, resource, key, grant and trust."""

from typing import Any

import pytest

from localcloud.iam.evaluation import Decision, Ground, Policies, Principal, Request, Rule, evaluate
from localcloud.iam.policies import PolicyError, Statement, parse

ROLE_ARN = "arn:aws:iam::123456789012:role/Jobs"
SESSION = Principal("arn:aws:sts::123456789012:assumed-role/Jobs/SageMaker", ROLE_ARN)
EVENTS = Principal("events.amazonaws.com")
ACCOUNT = {"AWS": "arn:aws:iam::123456789012:root"}
BUCKET = "arn:aws:s3:::bucket"
KEY = "arn:aws:kms:us-east-1:123456789012:key/k"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:queue"
RULE = "arn:aws:events:us-east-1:123456789012:rule/telemetry"


def statement(effect: str, action: Any, resource: Any = "*", **elements: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **elements}


def policy(*statements: dict[str, Any], name: str = "policy") -> tuple[Statement, ...]:
    return parse({"Version": "2012-10-17", "Statement": list(statements)}, name)


def decide(
    action: str,
    target: str,
    *,
    context: dict[str, str | tuple[str, ...]] | None = None,
    **policies: Any,
) -> Decision:
    return evaluate(Request(SESSION, action, target, context or {}), Policies(**policies))


def test_nothing_is_allowed_without_a_statement() -> None:
    decision = decide("s3:GetObject", f"{BUCKET}/key")
    assert decision == Decision(False, Ground.IDENTITY)


def test_statement_that_allows_is_named() -> None:
    identity = policy(statement("Allow", "s3:Get*", f"{BUCKET}/runs/*", Sid="Read"))
    assert decide("s3:GetObject", f"{BUCKET}/runs/1", identity=identity).statements == ("policy#Read",)
    assert not decide("s3:GetObject", f"{BUCKET}/raw/1", identity=identity).allowed
    assert not decide("s3:PutObject", f"{BUCKET}/runs/1", identity=identity).allowed


def test_case_counts_in_resources_and_not_in_actions() -> None:
    identity = policy(statement("Allow", "S3:getobject", f"{BUCKET}/Runs/?"))
    assert decide("s3:GetObject", f"{BUCKET}/Runs/1", identity=identity).allowed
    assert not decide("s3:GetObject", f"{BUCKET}/runs/1", identity=identity).allowed


def test_explicit_deny_wins_over_every_allow() -> None:
    allowed = policy(statement("Allow", "s3:*"))
    denied = policy(statement("Deny", "s3:*", f"{BUCKET}/secret/*"), name="guard")
    decision = decide("s3:GetObject", f"{BUCKET}/secret/1", identity=allowed + denied)
    assert decision == Decision(False, Ground.IDENTITY, ("guard#0",), explicit=True)


def test_not_action_and_not_resource_exclude() -> None:
    everything_else = parse(
        {"Statement": {"Effect": "Allow", "NotAction": "iam:*", "NotResource": f"{BUCKET}/secret/*"}}, "p"
    )
    assert decide("s3:GetObject", f"{BUCKET}/key", identity=everything_else).allowed
    assert not decide("s3:GetObject", f"{BUCKET}/secret/key", identity=everything_else).allowed
    assert not decide("iam:PassRole", ROLE_ARN, identity=everything_else).allowed


def test_all_conditions_must_hold() -> None:
    listing = policy(
        statement(
            "Allow",
            "s3:ListBucket",
            BUCKET,
            Condition={"StringLike": {"s3:prefix": "runs/*"}, "Bool": {"aws:SecureTransport": True}},
        )
    )
    secure: dict[str, str | tuple[str, ...]] = {"aws:securetransport": "true", "s3:prefix": "runs/1/"}
    assert decide("s3:ListBucket", BUCKET, identity=listing, context=secure).allowed
    assert not decide("s3:ListBucket", BUCKET, identity=listing, context={"s3:prefix": "runs/1/"}).allowed
    assert not decide(
        "s3:ListBucket", BUCKET, identity=listing, context=secure | {"s3:prefix": "raw/"}
    ).allowed


@pytest.mark.parametrize(
    ("pattern", "key", "allowed"),
    [
        ("${aws:username}/*", "jo/1", True),
        ("${aws:username}/*", "al/1", False),
        ("${aws:missing}/*", "jo/1", False),
        ("${aws:missing, 'shared'}/*", "shared/1", True),
        ("a${*}b", "a*b", True),
        ("a${*}b", "axb", False),
        ("a${?}b", "a?b", True),
        ("a${$}b", "a$b", True),
    ],
)
def test_policy_variables_are_filled_in(pattern: str, key: str, allowed: bool) -> None:
    identity = policy(statement("Allow", "s3:GetObject", f"{BUCKET}/{pattern}"))
    context: dict[str, str | tuple[str, ...]] = {"aws:username": "jo"}
    decision = decide("s3:GetObject", f"{BUCKET}/{key}", identity=identity, context=context)
    assert decision.allowed is allowed


def test_wildcard_in_a_variables_value_is_meant_as_itself() -> None:
    identity = policy(statement("Allow", "s3:GetObject", f"{BUCKET}/${{aws:username}}/*"))
    context: dict[str, str | tuple[str, ...]] = {"aws:username": "*"}
    assert not decide("s3:GetObject", f"{BUCKET}/jo/1", identity=identity, context=context).allowed


def test_boundary_limits_the_identity_policy() -> None:
    identity, boundary = policy(statement("Allow", "s3:*")), policy(statement("Allow", "s3:Get*"))
    assert decide("s3:GetObject", f"{BUCKET}/key", identity=identity, boundary=boundary).allowed
    assert decide("s3:PutObject", f"{BUCKET}/key", identity=identity, boundary=boundary) == Decision(
        False, Ground.BOUNDARY
    )
    assert not decide("s3:GetObject", f"{BUCKET}/key", boundary=boundary).allowed


@pytest.mark.parametrize(
    ("principal", "allowed"),
    [(ROLE_ARN, False), (SESSION.arn, True), ("arn:aws:iam::123456789012:root", False)],
)
def test_boundary_limits_what_a_resource_gives_to_a_role_and_not_to_a_session(
    principal: str, allowed: bool
) -> None:
    resource = policy(statement("Allow", "sqs:SendMessage", QUEUE, Principal={"AWS": principal}))
    assert decide("sqs:SendMessage", QUEUE, resource=resource, boundary=()).allowed is allowed


def test_resource_policy_that_names_the_role_suffices_and_one_for_the_account_does_not() -> None:
    named = policy(statement("Allow", "sqs:SendMessage", QUEUE, Principal={"AWS": ROLE_ARN}))
    account = policy(statement("Allow", "sqs:SendMessage", QUEUE, Principal=ACCOUNT))
    assert decide("sqs:SendMessage", QUEUE, resource=named).ground is Ground.RESOURCE
    assert decide("sqs:SendMessage", QUEUE, resource=named).allowed
    assert not decide("sqs:SendMessage", QUEUE, resource=account).allowed


def test_bucket_policy_denies_what_is_not_encrypted_in_transit() -> None:
    identity = policy(statement("Allow", "s3:*"))
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    resource = policy(statement("Deny", "s3:*", f"{BUCKET}/*", Principal={"AWS": "*"}, Condition=condition))
    for secure in ("true", "false"):
        decision = decide(
            "s3:GetObject",
            f"{BUCKET}/key",
            identity=identity,
            resource=resource,
            context={"aws:securetransport": secure},
        )
        assert decision.allowed is (secure == "true")
    assert decision.ground is Ground.RESOURCE


def test_service_needs_a_resource_policy_for_its_source() -> None:
    resource = policy(
        statement(
            "Allow",
            "sqs:SendMessage",
            QUEUE,
            Principal={"Service": "events.amazonaws.com"},
            Condition={"ArnEquals": {"aws:SourceArn": RULE}},
        )
    )
    policies = Policies(resource=resource)
    source: dict[str, str | tuple[str, ...]] = {"aws:sourcearn": RULE}
    other: dict[str, str | tuple[str, ...]] = {"aws:sourcearn": f"{RULE}-other"}
    scheduler = Principal("scheduler.amazonaws.com")
    assert evaluate(Request(EVENTS, "sqs:SendMessage", QUEUE, source), policies).allowed
    denied = Decision(False, Ground.RESOURCE)
    assert evaluate(Request(EVENTS, "sqs:SendMessage", QUEUE, other), policies) == denied
    assert evaluate(Request(scheduler, "sqs:SendMessage", QUEUE, source), policies) == denied


def test_key_policy_hands_the_key_to_the_account_whose_identity_policies_then_count() -> None:
    to_account = policy(statement("Allow", "kms:*", Principal=ACCOUNT), name="key")
    via = {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
    identity = policy(statement("Allow", "kms:Decrypt", KEY, Condition=via))
    context: dict[str, str | tuple[str, ...]] = {"kms:viaservice": "s3.us-east-1.amazonaws.com"}
    given: dict[str, Any] = {"identity": identity, "rule": Rule.RESOURCE_FIRST}
    decision = decide("kms:Decrypt", KEY, resource=to_account, context=context, **given)
    assert decision == Decision(True, Ground.IDENTITY, ("policy#0", "key#0"))
    assert not decide("kms:Decrypt", KEY, resource=to_account, **given).allowed
    assert decide("kms:Decrypt", KEY, context=context, **given) == Decision(False, Ground.RESOURCE)


def test_grant_allows_its_operations_unless_something_denies() -> None:
    granted = frozenset({"kms:Decrypt"})
    given: dict[str, Any] = {"rule": Rule.RESOURCE_FIRST, "granted": granted}
    assert decide("kms:Decrypt", KEY, **given) == Decision(True, Ground.GRANT)
    assert not decide("kms:Encrypt", KEY, **given).allowed
    denied = policy(statement("Deny", "kms:Decrypt"))
    assert not decide("kms:Decrypt", KEY, identity=denied, **given).allowed


def test_trust_policy_alone_lets_a_service_assume_a_role() -> None:
    trust = parse(
        {
            "Statement": {
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {"Service": "sagemaker.amazonaws.com"},
                "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}},
            }
        },
        "trust",
    )
    policies = Policies(identity=policy(statement("Allow", "*")), resource=trust, rule=Rule.RESOURCE_ONLY)
    sagemaker = Principal("sagemaker.amazonaws.com")
    here = {"aws:sourceaccount": "123456789012"}
    assert evaluate(Request(sagemaker, "sts:AssumeRole", ROLE_ARN, here), policies).allowed
    assert not evaluate(Request(sagemaker, "sts:AssumeRole", ROLE_ARN), policies).allowed
    assert not evaluate(Request(EVENTS, "sts:AssumeRole", ROLE_ARN, here), policies).allowed
    assert not evaluate(Request(SESSION, "sts:AssumeRole", ROLE_ARN, here), policies).allowed


def test_role_is_passed_to_the_named_service_only() -> None:
    condition = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    identity = policy(statement("Allow", "iam:PassRole", ROLE_ARN, Condition=condition))
    for service, allowed in (("sagemaker.amazonaws.com", True), ("lambda.amazonaws.com", False)):
        context: dict[str, str | tuple[str, ...]] = {"iam:passedtoservice": service}
        assert decide("iam:PassRole", ROLE_ARN, identity=identity, context=context).allowed is allowed


def test_listing_of_the_code_archive_is_denied_when_its_statement_is_gone() -> None:
    """A job that may get the archive of its code and not list its prefix fails on AWS in its first state."""
    get = statement("Allow", "s3:GetObject", f"{BUCKET}/code.tar.gz", Sid="Get")
    condition = {"StringEquals": {"s3:prefix": "code.tar.gz"}}
    list_ = statement("Allow", "s3:ListBucket", BUCKET, Condition=condition, Sid="List")
    request = Request(SESSION, "s3:ListBucket", BUCKET, {"s3:prefix": "code.tar.gz"})
    assert evaluate(request, Policies(identity=policy(get, list_))).statements == ("policy#List",)
    decision = evaluate(request, Policies(identity=policy(get)))
    assert not decision.allowed
    assert decision.message(request) == (
        "User: arn:aws:sts::123456789012:assumed-role/Jobs/SageMaker is not authorized to perform: "
        "s3:ListBucket on resource: arn:aws:s3:::bucket because no identity-based policy allows the "
        "s3:ListBucket action"
    )


def test_explicit_denial_is_told_as_such() -> None:
    request = Request(SESSION, "s3:GetObject", f"{BUCKET}/key")
    denied = statement("Deny", "s3:*")
    identity = evaluate(request, Policies(identity=policy(denied))).message(request)
    assert identity.endswith("with an explicit deny in an identity-based policy")
    resource = policy({**denied, "Principal": "*"})
    text = evaluate(request, Policies(resource=resource)).message(request)
    assert text.endswith("with an explicit deny in a resource-based policy")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "policy p: not JSON"),
        (
            {"Statement": {"Effect": "allow", "Action": "*"}},
            "policy p#0: Effect 'allow': must be",
        ),
        ({"Statement": [{"Effect": "Allow", "Sid": "S"}]}, "policy p#S: has no Action"),
        (
            {"Statement": {"Effect": "Allow", "Action": "*", "NotAction": "*"}},
            "policy p#0: has both Action and NotAction: one of them",
        ),
    ],
)
def test_document_that_iam_would_refuse_is_refused_by_name(document: Any, message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        parse(document, "p")
