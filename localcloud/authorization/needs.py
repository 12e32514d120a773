"""The permissions that an operation needs: IAM actions, the resources they are asked for, and the context.

https://docs.aws.amazon.com/service-authorization/latest/reference/ names them for each service. An action has
the name of its operation, unless `_ACTIONS` says otherwise; its resource is made of the first parameter in
`_RESOURCES` that the request has, else it is `*`. A service without a row there is an error: it is never
allowed in silence.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import unescape

from localcloud.iam.conditions import Context
from localcloud.seams import athena, glue, iam

Parameters = Mapping[str, Any]


class UnknownNeedError(Exception):
    """Nobody has written down which permission an operation needs."""

    def __init__(self, service: str, operation: str) -> None:
        super().__init__(
            f"the local cloud does not know which permission {service}:{operation} needs, and so refuses it "
            "to roles: add it to localcloud/authorization/needs.py"
        )


@dataclass(frozen=True, slots=True)
class Need:
    """One permission that is asked for."""

    action: str
    resource: str
    context: Context = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the resources are."""

    account: str
    region: str

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource of a service."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


def needs_of(service: str, operation: str, parameters: Parameters, place: Place) -> list[Need]:
    """Return what an operation needs.

    Parameters
    ----------
    service
        As IAM's actions begin, such as `cloudwatch`.
    operation
        As the API calls it.
    parameters
        The request's parameters by the names of the API.

    Raises
    ------
    UnknownNeedError
        When the service has no row here.
    """
    special = _SPECIAL.get((service, operation)) or _SPECIAL.get((service, ""))
    if special is not None:
        needs = list(special(operation, parameters, place))
    elif service in _RESOURCES:
        name = _ACTIONS.get((service, operation), operation)
        needs = [Need(f"{service}:{name}", _resource(service, parameters, place))]
    else:
        raise UnknownNeedError(service, operation)
    return [*needs, *_passed_roles(service, operation, parameters)]


_ACTIONS = {
    ("lambda", "Invoke"): "InvokeFunction",
    ("lambda", "InvokeAsync"): "InvokeFunction",
    ("lambda", "InvokeWithResponseStream"): "InvokeFunction",
    ("sqs", "SendMessageBatch"): "SendMessage",
    ("sqs", "DeleteMessageBatch"): "DeleteMessage",
    ("sqs", "ChangeMessageVisibilityBatch"): "ChangeMessageVisibility",
    ("sns", "PublishBatch"): "Publish",
}

# Parameters that name the resource, in the order in which they count, and what it is called.
_RESOURCES: dict[str, tuple[tuple[str, str], ...]] = {
    "appsync": (("apiId", "apis/{}"),),
    "cloudformation": (("StackName", "stack/{}/*"),),
    "cognito-idp": (("UserPoolId", "userpool/{}"),),
    "ecr": (("repositoryName", "repository/{}"),),
    "firehose": (("DeliveryStreamName", "deliverystream/{}"),),
    "iot": (
        *(("topic", "topic/{}"), ("clientId", "client/{}"), ("target", "{}"), ("thingName", "thing/{}")),
        *(("thingGroupName", "thinggroup/{}"), ("certificateId", "cert/{}"), ("policyName", "policy/{}")),
        *(("templateName", "provisioningtemplate/{}"), ("ruleName", "rule/{}")),
    ),
    "kinesis": (("StreamARN", "{}"), ("StreamName", "stream/{}")),
    "kms": (),
    "lambda": (("FunctionName", "function:{}"), ("LayerName", "layer:{}")),
    "scheduler": (("Name", "schedule/default/{}"),),
    # a secret's ARN ends in six characters of its own; which ones they are, no policy of a name can know
    "secretsmanager": (("SecretId", "secret:{}-000000"), ("Name", "secret:{}-000000")),
    "sns": (("TopicArn", "{}"), ("TargetArn", "{}")),
    "sqs": (("QueueUrl", "{}"), ("QueueName", "{}")),
    "states": (
        *(("executionArn", "{}"), ("stateMachineArn", "{}"), ("activityArn", "{}"), ("resourceArn", "{}")),
        ("name", "stateMachine:{}"),
    ),
    "sts": (("RoleArn", "{}"),),
    "xray": (),
}


def _resource(service: str, parameters: Parameters, place: Place) -> str:
    for name, kind in _RESOURCES[service]:
        value = parameters.get(name)
        if isinstance(value, str) and value:
            if value.startswith("arn:"):
                return value
            value = value.rpartition("/")[2] if name == "QueueUrl" else value
            return place.arn(service, kind.format(value))
    return "*"


def _dynamodb(operation: str, parameters: Parameters, place: Place) -> Iterator[Need]:
    def table(name: str) -> str:
        return name if name.startswith("arn:") else place.arn("dynamodb", f"table/{name}")

    if operation in ("BatchGetItem", "BatchWriteItem"):
        for name in parameters.get("RequestItems", {}):
            yield Need(f"dynamodb:{operation}", table(name))
    elif operation in ("TransactWriteItems", "TransactGetItems"):
        actions = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "Get": "GetItem"}
        for item in parameters.get("TransactItems", []):
            for kind, part in item.items():
                yield Need(f"dynamodb:{actions.get(kind, f'{kind}Item')}", table(part["TableName"]))
    elif "TableName" in parameters:
        index = f"/index/{parameters['IndexName']}" if "IndexName" in parameters else ""
        yield Need(f"dynamodb:{operation}", f"{table(parameters['TableName'])}{index}")
    elif operation.startswith(("List", "Describe")):
        yield Need(f"dynamodb:{operation}", "*")
    else:
        raise UnknownNeedError("dynamodb", operation)


def _events(operation: str, parameters: Parameters, place: Place) -> Iterator[Need]:
    def rule(name: str) -> str:
        bus = str(parameters.get("EventBusName") or "default").rpartition("/")[2]
        return place.arn("events", f"rule/{name}" if bus == "default" else f"rule/{bus}/{name}")

    if operation == "PutEvents":
        for entry in parameters.get("Entries", []):
            bus = str(entry.get("EventBusName") or "default")
            arn = bus if bus.startswith("arn:") else place.arn("events", f"event-bus/{bus}")
            names = {"events:source": "Source", "events:detail-type": "DetailType"}
            yield Need("events:PutEvents", arn, {key: entry.get(name, "") for key, name in names.items()})
        return
    name = parameters.get("Rule") or (parameters.get("Name") if "Rule" in operation else None)
    yield Need(f"events:{operation}", rule(name) if name else "*")


def _cloudwatch(operation: str, parameters: Parameters, place: Place) -> Iterator[Need]:
    names = parameters.get("AlarmNames")
    if operation == "PutMetricData":
        yield Need("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": parameters.get("Namespace", "")})
    elif operation == "DescribeAlarms" and names:
        for name in names:
            yield Need("cloudwatch:DescribeAlarms", place.arn("cloudwatch", f"alarm:{name}"))
    else:
        name = parameters.get("AlarmName")
        yield Need(f"cloudwatch:{operation}", place.arn("cloudwatch", f"alarm:{name}") if name else "*")


def _logs(operation: str, parameters: Parameters, place: Place) -> Iterator[Need]:
    group = parameters.get("logGroupName") or parameters.get("logGroupIdentifier") or ""
    if not group and operation not in ("DescribeLogGroups",):
        yield Need(f"logs:{operation}", "*")
        return
    group = group.rpartition(":log-group:")[2].removesuffix(":*")
    stream = parameters.get("logStreamName") or ""
    yield Need(f"logs:{operation}", place.arn("logs", f"log-group:{group}:log-stream:{stream}"))


def _kms(operation: str, parameters: Parameters, place: Place) -> Iterator[Need]:
    reference = parameters.get("KeyId")
    record = iam.resolve_key(str(reference)) if reference else None
    encryption = parameters.get("EncryptionContext") or {}
    context = {f"kms:encryptioncontext:{name.lower()}": value for name, value in encryption.items()}
    yield Need(f"kms:{operation}", record["Arn"] if record else "*", context)


def _ssm(operation: str, parameters: Parameters, place: Place) -> Iterator[Need]:
    names = parameters.get("Names") or [parameters.get("Name") or parameters.get("Path")]
    for name in names:
        arn = place.arn("ssm", f"parameter/{str(name).strip('/')}") if name else "*"
        yield Need(f"ssm:{operation}", name if str(name).startswith("arn:") else arn)


def _sagemaker(operation: str, parameters: Parameters, place: Place) -> Iterator[Need]:
    action = f"sagemaker:{operation}"
    arns = [
        value if value.startswith("arn:") else place.arn("sagemaker", f"{_kebab(kind)}/{value.lower()}")
        for kind, value in _named(operation, parameters)
    ]
    if operation in _OF_PACKAGES:
        arns = [f"{arn.replace(':model-package-group/', ':model-package/')}/*" for arn in arns]
    elif operation.startswith(("List", "Search")) and operation != "ListTags":
        arns = []
    arns = arns or ["*"]
    for arn in arns:
        yield Need(action, arn)
    if parameters.get("Tags") and operation.startswith("Create"):
        yield Need("sagemaker:AddTags", arns[0])
    if operation == "CreateModelPackage":
        yield from _artifacts(parameters)
    if operation in ("CreateEndpoint", "UpdateEndpoint"):
        yield from alarm_needs(parameters.get("DeploymentConfig") or {}, place)
    volume = volume_key(parameters)
    if volume:
        yield from lent_key(volume)


def alarm_needs(deployment: Parameters, place: Place) -> Iterator[Need]:
    """Yield what a deployment's caller and its model's role need to see the alarms that end it."""
    for alarm in (deployment.get("AutoRollbackConfiguration") or {}).get("Alarms", []):
        yield Need("cloudwatch:DescribeAlarms", place.arn("cloudwatch", f"alarm:{alarm['AlarmName']}"))


def volume_key(parameters: Parameters) -> str | None:
    """Return the key of the volumes of a job or endpoint configuration."""
    cluster = (parameters.get("ProcessingResources") or {}).get("ClusterConfig") or {}
    held = (parameters.get("ResourceConfig") or {}, cluster, parameters.get("TransformResources") or {})
    found: list[str] = [each["VolumeKmsKeyId"] for each in held if each.get("VolumeKmsKeyId")]
    if "ProductionVariants" in parameters and parameters.get("KmsKeyId"):
        found.append(parameters["KmsKeyId"])
    return found[0] if found else None


def lent_key(key: str) -> Iterator[Need]:
    """Yield what is needed to let SageMaker use a key for volumes that it makes."""
    record = iam.resolve_key(key)
    arn = record["Arn"] if record else key
    yield Need("kms:DescribeKey", arn)
    yield Need("kms:CreateGrant", arn, {"kms:grantisforawsresource": "true"})


def _artifacts(package: Parameters) -> Iterator[Need]:
    """Yield the objects that SageMaker looks at in the name of who registers a package."""
    containers = (package.get("InferenceSpecification") or {}).get("Containers", [])
    for container in containers:
        uri = str(container.get("ModelDataUrl", ""))
        if uri.startswith("s3://"):
            yield Need("s3:GetObject", f"arn:aws:s3:::{uri.removeprefix('s3://')}")


# Operations that name a group, and are asked for the packages in it.
_OF_PACKAGES = ("CreateModelPackage", "ListModelPackages")
# Names that an operation has of other things than what it acts on.
_ONLY_READ = {"CreateTransformJob": ("ModelName",)}


def _named(operation: str, parameters: Parameters) -> Iterator[tuple[str, str]]:
    """Yield kind and name of what a SageMaker operation acts on."""
    if operation in ("AddTags", "ListTags", "DeleteTags"):
        yield "", parameters["ResourceArn"]
        return
    for name, value in parameters.items():
        kind, is_name, rest = name.rpartition("Name")
        if is_name and not rest and kind in _KINDS and name not in _ONLY_READ.get(operation, ()):
            yield kind, value
        elif name == "ModelPackageArn":
            yield "ModelPackage", value


_KINDS = {
    *("TrainingJob", "ProcessingJob", "TransformJob", "Model", "EndpointConfig", "Endpoint"),
    *("ModelPackage", "ModelPackageGroup"),
}


@functools.lru_cache
def _kebab(kind: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", kind).lower()


def _glue(operation: str, parameters: Parameters, place: Place) -> Iterator[Need]:
    name = parameters.get("JobName") or (parameters.get("Name") if operation == "CreateJob" else None)
    if name is None and "Job" not in operation:
        raise UnknownNeedError("glue", operation)
    yield Need(f"glue:{operation}", place.arn("glue", f"job/{name}") if name else "*")
    role = str(parameters.get("Role") or (parameters.get("JobUpdate") or {}).get("Role") or "")
    if role:
        arn = role if role.startswith("arn:") else f"arn:aws:iam::{place.account}:role/{role}"
        yield Need("iam:PassRole", arn, {"iam:passedtoservice": "glue.amazonaws.com"})


def _iot_of_all(operation: str, parameters: Parameters, place: Place) -> Iterator[Need]:
    """Yield what an operation needs for which AWS IoT has no resource to name."""
    yield Need(f"iot:{operation}", "*")


def _iot_principal(operation: str, parameters: Parameters, place: Place) -> Iterator[Need]:
    """Yield what a change of a thing's certificates needs; the certificate is in a header, and so any one."""
    yield Need(f"iot:{operation}", place.arn("iot", "cert/*"))


def _iot_membership(operation: str, parameters: Parameters, place: Place) -> Iterator[Need]:
    """Yield what a change of a group's members needs: both the thing and the group."""
    for name, kind in (("thingName", "thing"), ("thingGroupName", "thinggroup")):
        yield Need(f"iot:{operation}", place.arn("iot", f"{kind}/{parameters[name]}"))


def _athena(operation: str, parameters: Parameters, place: Place) -> Iterator[Need]:
    """Yield what is needed of the workgroup, and to start a query of what it reads and writes: Athena does
    that in the name of its caller."""
    query_id = parameters.get("QueryExecutionId")
    execution = athena.executions.get(query_id, {}) if query_id else parameters
    group = execution.get("WorkGroup") or parameters.get("Name") or "primary"
    yield Need(f"athena:{operation}", place.arn("athena", f"workgroup/{group}"))
    if operation != "StartQueryExecution":
        return
    results = (parameters.get("ResultConfiguration") or {}).get("OutputLocation", "").removeprefix("s3://")
    if results:
        yield Need("s3:GetBucketLocation", f"arn:aws:s3:::{results.partition('/')[0]}")
        yield Need("s3:PutObject", f"arn:aws:s3:::{results.rstrip('/')}/result.csv")
    context = parameters.get("QueryExecutionContext") or {}
    for reference in athena.table_references(str(parameters.get("QueryString", ""))):
        database = reference.database or context.get("Database") or "default"
        for resource in ("catalog", f"database/{database}", f"table/{database}/{reference.table}"):
            yield Need("glue:GetTable", place.arn("glue", resource))
        table = glue.tables.get(f"{database}/{reference.table}") or {}
        files = str((table.get("StorageDescriptor") or {}).get("Location", "")).removeprefix("s3://")
        if files:
            bucket, _, prefix = files.partition("/")
            folder = f"{prefix.rstrip('/')}/" if prefix else ""
            yield Need("s3:ListBucket", f"arn:aws:s3:::{bucket}", {"s3:prefix": folder})
            yield Need("s3:GetObject", f"arn:aws:s3:::{bucket}/{folder}file")


def _iam(operation: str, parameters: Parameters, place: Place) -> Iterator[Need]:
    for name, kind in (("RoleName", "role"), ("UserName", "user"), ("PolicyArn", "")):
        value = parameters.get(name)
        if value:
            arn = value if value.startswith("arn:") else f"arn:aws:iam::{place.account}:{kind}/{value}"
            yield Need(f"iam:{operation}", arn)
            return
    yield Need(f"iam:{operation}", "*")


def _sts(operation: str, parameters: Parameters, place: Place) -> Iterator[Need]:
    if operation == "GetCallerIdentity":
        return  # AWS: no permission is needed
    yield Need(f"sts:{operation}", parameters.get("RoleArn", "*"))


_SPECIAL: dict[tuple[str, str], Callable[[str, Parameters, Place], Iterable[Need]]] = {
    ("dynamodb", ""): _dynamodb,
    ("events", ""): _events,
    ("cloudwatch", ""): _cloudwatch,
    ("logs", ""): _logs,
    ("kms", ""): _kms,
    ("ssm", ""): _ssm,
    ("sagemaker", ""): _sagemaker,
    ("glue", ""): _glue,
    ("iot", "AttachThingPrincipal"): _iot_principal,
    ("iot", "DetachThingPrincipal"): _iot_principal,
    ("iot", "ListAttachedPolicies"): _iot_of_all,
    ("iot", "AddThingToThingGroup"): _iot_membership,
    ("iot", "RemoveThingFromThingGroup"): _iot_membership,
    ("athena", ""): _athena,
    ("iam", ""): _iam,
    ("sts", ""): _sts,
}

# Operations that hand a role to a service, by the name of the parameter.
_PASSING = ("RoleArn", "RoleARN", "roleArn", "ExecutionRoleArn", "Role")
_PASSED_TO = {
    *("cloudformation", "sagemaker", "states", "lambda", "events", "scheduler", "firehose", "iot"),
    "appsync",
}


def _passed_roles(service: str, operation: str, parameters: Parameters) -> Iterator[Need]:
    if service not in _PASSED_TO or not operation.startswith(("Create", "Update", "Put")):
        return
    held = [parameters, *parameters.get("Targets", [])]
    for name in _PASSING:
        for each in held:
            role = each.get(name)
            if isinstance(role, str) and ":role/" in role:
                yield Need("iam:PassRole", role, {"iam:passedtoservice": f"{service}.amazonaws.com"})


def s3_needs(
    method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, list[str]]
) -> list[Need]:
    """Return what a request of S3 needs.

    Raises
    ------
    UnknownNeedError
        For a request that is no operation of S3.
    """
    name = iam.s3_action(method, path, query)
    if name is None:
        raise UnknownNeedError("s3", f"{method} {path.partition('/')[0]}?{'&'.join(query)}")
    bucket, _, key = path.lstrip("/").partition("/")
    others = iam.s3_additional_checks(method, path, headers, body, query)
    context: dict[str, str] = {}
    if not key:
        context = {
            f"s3:{parameter}": query[parameter][0]
            for parameter in ("prefix", "delimiter", "max-keys")
            if parameter in query
        }
    if name == "DeleteObject" and "delete" in query:
        return [*_deleted(bucket, body), *(Need(*other) for other in others if "Bypass" in other[0])]
    if name == "PutObject" and "if-match" in headers:
        others = [*others, ("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")]
    if name == "PutObject" and "x-amz-tagging" in headers:
        others = [*others, ("s3:PutObjectTagging", f"arn:aws:s3:::{bucket}/{key}")]
    resource = f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}" if bucket else "*"
    return [Need(f"s3:{name}", resource, context), *(Need(*other) for other in others)]


def _deleted(bucket: str, body: bytes) -> Iterator[Need]:
    for entry in re.findall(rb"<Object>(.*?)</Object>", body, re.DOTALL):
        key = re.search(rb"<Key>(.*?)</Key>", entry, re.DOTALL)
        if key:
            version = b"<VersionId>" in entry
            action = "s3:DeleteObjectVersion" if version else "s3:DeleteObject"
            yield Need(action, f"arn:aws:s3:::{bucket}/{unescape(key[1].decode())}")
