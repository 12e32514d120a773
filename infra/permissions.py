"""IAM statements, each with the reason for any wildcard that it has.

CDK's `grant_*` methods render actions such as `s3:GetObject*`, so the statements are written out here. A
wildcard in a resource is a finding of cdk-nag; it is acknowledged for that one resource, with the reason that
`Permission` carries.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct

from watchkeeper.core import layout
from watchkeeper.service.job_names import PACKAGE_GROUP

DEVICES_REASON = "Devices join and leave at run time; their things begin with the project's name."
CERTIFICATES_REASON = "A certificate's id is the hash of it, which is made at run time."
WORKLOAD_REASON = "Workloads come and go without a change of the parts that all of them share."


@dataclass(frozen=True, kw_only=True)
class Permission:
    """What a role may do, and why a resource of it has a wildcard, where one has."""

    actions: Sequence[str]
    resources: Sequence[str]
    denied: bool = False
    """What the role may not do, though another permission's wildcard allows it."""
    conditions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    reason: str | None = None


def permit(role: iam.Role, *permissions: Permission) -> None:
    """Add permissions to a role's own policy."""
    if not permissions:
        return
    first, *others = map(statement, permissions)
    role.add_to_principal_policy(first)
    policy_of(role).add_statements(*others)
    _acknowledge_wildcards(role, permissions)


def policy_of(role: iam.Role) -> iam.Policy:
    """Return the policy of a role that has permissions: what uses the role must wait for it."""
    return cast(iam.Policy, role.node.find_child("DefaultPolicy"))


def statement(permission: Permission) -> iam.PolicyStatement:
    """Return the permission as an IAM statement."""
    return iam.PolicyStatement(
        effect=iam.Effect.DENY if permission.denied else iam.Effect.ALLOW,
        actions=list(permission.actions),
        resources=list(permission.resources),
        conditions={operator: dict(keys) for operator, keys in permission.conditions.items()},
    )


def _acknowledge_wildcards(owner: IConstruct, permissions: Sequence[Permission]) -> None:
    """Acknowledge cdk-nag's finding for each resource with a wildcard whose permission has a reason."""
    explained = [
        (resource, permission.reason)
        for permission in permissions
        if permission.reason is not None
        for resource in permission.resources
    ]
    names = map(_finding_name, Stack.of(owner).resolve([resource for resource, _ in explained]))
    Validations.of(owner).acknowledge(
        *(
            Acknowledgment(id=f"AwsSolutions-IAM5[Resource::{name}]", reason=reason)
            for name, (_, reason) in zip(names, explained, strict=True)
            if "*" in name
        )
    )


def objects(scope: Construct, bucket: s3.IBucket, *keys: str) -> list[str]:
    """Return the ARNs of a bucket's objects; a key may end in `*`.

    Of a bucket in another stack, the exported ARN is used: only so does the acknowledgement of a wildcard
    have the same text as the finding.
    """
    owner, here = Stack.of(bucket), Stack.of(scope)
    arn = bucket.bucket_arn
    if owner.node.path != here.node.path:
        arn = owner.export_value(bucket.bucket_arn)
        here.add_stack_dependency(owner)
    return [f"{arn}/{key}" for key in keys]


def read_objects(scope: Construct, bucket: s3.IBucket, *keys: str, versions: bool = False) -> Permission:
    """Get objects; `versions` is for who reads the very version that an event announces."""
    return Permission(
        actions=["s3:GetObject", *(["s3:GetObjectVersion"] if versions else [])],
        resources=objects(scope, bucket, *keys),
        reason="Object keys below these prefixes are made at run time.",
    )


def write_objects(scope: Construct, bucket: s3.IBucket, *keys: str, in_parts: bool = False) -> Permission:
    """Put objects; `in_parts` is for who uploads large ones, and gives up what is begun when it fails."""
    return Permission(
        actions=["s3:PutObject", *(["s3:AbortMultipartUpload"] if in_parts else [])],
        resources=objects(scope, bucket, *keys),
        reason="Object keys below these prefixes are made at run time.",
    )


def list_keys(bucket: s3.IBucket, *prefixes: str) -> Permission:
    """List a bucket's keys; with prefixes, only below these."""
    conditions = {"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in prefixes]}} if prefixes else {}
    return Permission(actions=["s3:ListBucket"], resources=[bucket.bucket_arn], conditions=conditions)


def use_table(table: dynamodb.ITable, *actions: str) -> Permission:
    """Use a table by the named actions, such as `GetItem`."""
    return Permission(actions=[f"dynamodb:{action}" for action in actions], resources=[table.table_arn])


def read_encrypted_objects(key: kms.IKey) -> Permission:
    """Read objects that the key protects."""
    return _through(key, "s3", "Decrypt")


def write_encrypted_objects(key: kms.IKey) -> Permission:
    """Read and write objects that the key protects."""
    return _through(key, "s3", "Decrypt", "GenerateDataKey")


def use_key(key: kms.IKey, service: str) -> Permission:
    """Use the key as DynamoDB, and SageMaker for what its jobs have in S3, document that they must be let."""
    return _through(key, service, "Decrypt", "Encrypt", "GenerateDataKey", "DescribeKey")


def _through(key: kms.IKey, service: str, *actions: str) -> Permission:
    region, suffix = Stack.of(key).region, Stack.of(key).url_suffix
    return Permission(
        actions=[f"kms:{action}" for action in actions],
        resources=[key.key_arn],
        conditions={"StringEquals": {"kms:ViaService": f"{service}.{region}.{suffix}"}},
    )


def lend_key(key: kms.IKey) -> tuple[Permission, ...]:
    """Let an AWS service use the key for a resource that it makes, such as a job's volume."""
    return (
        Permission(actions=["kms:DescribeKey"], resources=[key.key_arn]),
        Permission(
            actions=["kms:CreateGrant"],
            resources=[key.key_arn],
            conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
    )


def read_plans(scope: Construct) -> Permission:
    """Read the detection plan of any workload."""
    return read_parameter(scope, layout.plan_parameter("*"), WORKLOAD_REASON)


def read_parameter(scope: Construct, name: str, reason: str | None = None) -> Permission:
    """Read one parameter; with a reason, those of a wildcard."""
    arn = Stack.of(scope).format_arn(service="ssm", resource="parameter", resource_name=name.lstrip("/"))
    return Permission(actions=["ssm:GetParameter"], resources=[arn], reason=reason)


def sagemaker_arns(scope: Construct, kind: str, names: Iterable[str]) -> list[str]:
    """Return the ARNs of SageMaker resources of one kind, such as `endpoint`."""
    stack = Stack.of(scope)
    return [stack.format_arn(service="sagemaker", resource=kind, resource_name=name) for name in names]


def of_workloads(
    scope: Construct,
    kind: Literal["model", "model-package", "model-package-group", "endpoint", "endpoint-config"],
    *actions: str,
) -> tuple[Permission, ...]:
    """Use SageMaker's resources of one kind of every workload, which the names of ours tell.

    The anomaly service's models are under such a name, too; they are denied.
    """
    verbs = [f"sagemaker:{action}" for action in actions]
    versions = "/*" if kind == "model-package" else ""
    allowed = Permission(
        actions=verbs,
        resources=sagemaker_arns(scope, kind, [f"{layout.PREFIX}-*{versions}"]),
        reason=WORKLOAD_REASON,
    )
    if not kind.startswith("model-package"):
        return (allowed,)
    services = sagemaker_arns(scope, kind, [f"{PACKAGE_GROUP}{versions}"])
    return allowed, Permission(actions=verbs, resources=services, denied=True, reason=WORKLOAD_REASON)


def run_jobs(kind: str, resources: Sequence[str], reason: str) -> Permission:
    """Start, watch and stop SageMaker's jobs of a kind, such as `ProcessingJob`.

    `ListTags` is in the policy that Step Functions documents for a state that waits for a job.
    """
    verbs = (f"Create{kind}", f"Describe{kind}", f"Stop{kind}", "AddTags", "ListTags")
    return Permission(actions=[f"sagemaker:{verb}" for verb in verbs], resources=resources, reason=reason)


def register_models(scope: Construct, package_group: str) -> Permission:
    """Add packages to a model package group of a name."""
    return Permission(
        actions=["sagemaker:CreateModelPackage", "sagemaker:AddTags"],
        resources=[
            *sagemaker_arns(scope, "model-package-group", [package_group]),
            *sagemaker_arns(scope, "model-package", [f"{package_group}/*"]),
        ],
        reason="SageMaker numbers the packages of a group itself.",
    )


def pass_roles(*roles: iam.IRole) -> Permission:
    """Hand roles to SageMaker."""
    return Permission(
        actions=["iam:PassRole"],
        resources=[role.role_arn for role in roles],
        conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
    )


def publish_alerts(topic_arn: str, key_arn: str) -> tuple[Permission, ...]:
    """Publish to the alert topic, whose messages a key protects."""
    return (
        Permission(actions=["sns:Publish"], resources=[topic_arn]),
        Permission(actions=["kms:Decrypt", "kms:GenerateDataKey"], resources=[key_arn]),
    )


def assumed_by(scope: Construct, service: str) -> iam.ServicePrincipal:
    """Return a service that may assume a role, for resources of this account only (no confused deputy).

    Parameters
    ----------
    service
        Such as `sagemaker`; one that sets `aws:SourceAccount` when it assumes a role.
    """
    account = {"StringEquals": {"aws:SourceAccount": Stack.of(scope).account}}
    return iam.ServicePrincipal(f"{service}.amazonaws.com", conditions=account)


# Lambda sends traces by the first two; AWS's own policies for tracing have the sampling rules, too.
TRACE = Permission(
    actions=[
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
    ],
    resources=["*"],
    reason="X-Ray has no resource to name in these actions.",
)


def _finding_name(resource: Any) -> str:
    """The text by which cdk-nag names a resolved resource."""
    match resource:
        case str():
            return resource
        case {"Fn::Join": [delimiter, parts]}:
            return str(delimiter).join(map(_finding_name, parts))
        case {"Fn::GetAtt": [logical_id, attribute]}:
            return f"<{logical_id}.{attribute}>"
        case {"Fn::ImportValue": name}:
            return _finding_name(name)
        case {"Ref": logical_id}:
            return f"<{logical_id}>"
        case {"Fn::GetStackOutput": _}:
            return json.dumps(resource, separators=(",", ":"))
    raise TypeError(f"cannot name {resource!r} as cdk-nag does")
