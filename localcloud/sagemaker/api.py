"""The operations of SageMaker that the laptop has; every other one is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from localcloud.sagemaker import listing, registry, requests
from localcloud.sagemaker.clock import now
from localcloud.sagemaker.context import Context
from localcloud.sagemaker.endpoints import EndpointSupervisor
from localcloud.sagemaker.errors import SageMakerError, UnsupportedError
from localcloud.sagemaker.jobs import JobSupervisor
from localcloud.sagemaker.kinds import (
    ENDPOINT,
    ENDPOINT_CONFIG,
    JOBS,
    MODEL,
    MODEL_PACKAGE,
    MODEL_PACKAGE_GROUP,
    PROCESSING_JOB,
    TRAINING_JOB,
    TRANSFORM_JOB,
    Kind,
)
from localcloud.sagemaker.limits import require_job_quota
from localcloud.sagemaker.shapes import Document, answer, check_request, service_model

Handler = Callable[[Document, str | None], Document]


class Api:
    """Dispatches operations.

    Parameters
    ----------
    context, jobs, endpoints
        The parts of the laptop's SageMaker.
    """

    def __init__(self, context: Context, jobs: JobSupervisor, endpoints: EndpointSupervisor) -> None:
        self._context = context
        self.authority = context.authority
        self._store = context.store
        self._jobs = jobs
        self._endpoints = endpoints
        self._started_at = now()
        self.operations: dict[str, Handler] = self._table()

    def call(self, operation: str, request: Document, owner: str | None = None) -> Document:
        """Carry out one operation.

        Parameters
        ----------
        operation
            As in ``CreateTrainingJob``.
        request
            The request's members.
        owner
            ARN of the Step Functions execution that calls, if one does. An execution that is resumed after a
            restart of the server enters its last state again; what it had created there before is then
            answered as if it had just been created, and not refused as a duplicate.

        Raises
        ------
        SageMakerError
            As AWS gives it, or ``UnsupportedOperation``.
        """
        if operation not in service_model().operation_names:
            raise SageMakerError(
                "UnknownOperationException", f"The requested operation {operation} is not recognized."
            )
        handler = self.operations.get(operation)
        if handler is None:
            raise UnsupportedError(operation)
        check_request(operation, request)
        if owner and (known := self._created_before_restart(operation, request, owner)):
            return known
        self._check_role(operation, request)
        return answer(operation, handler(request, owner))

    def _check_role(self, operation: str, request: Document) -> None:
        role = request.get("RoleArn") or request.get("ExecutionRoleArn")
        kind = next((kind for kind in _CREATED if operation == f"Create{kind.resource}"), None)
        if role and kind:
            self._context.assume(role, self._store.arn(kind, request[kind.name_member]))

    def _created_before_restart(self, operation: str, request: Document, owner: str) -> Document | None:
        if operation == "UpdateEndpoint":
            return self._updated_before_restart(request, owner)
        if operation == "CreateModelPackage":
            return self._registered_before_restart(request, owner)
        kind = next((kind for kind in _CREATED if operation == f"Create{kind.resource}"), None)
        existing = self._store.find(kind, request.get(kind.name_member, "")) if kind else None
        if not kind or not existing or existing.get("_owner") != owner:
            return None
        if existing["CreationTime"] >= self._started_at:
            return None
        return {kind.arn_member: existing[kind.arn_member]}

    def _registered_before_restart(self, request: Document, owner: str) -> Document | None:
        """Versions have no name of their own: the same content of the same execution is the same version."""
        members = ("InferenceSpecification", "ModelMetrics", "SourceUri")
        group = registry.group_name(request.get("ModelPackageGroupName", ""))
        for package in self._store.all(MODEL_PACKAGE):
            if (
                package.get("_owner") == owner
                and package.get("ModelPackageGroupName") == group
                and package["CreationTime"] < self._started_at
                and all(package.get(member) == request.get(member) for member in members)
            ):
                return {"ModelPackageArn": package["ModelPackageArn"]}
        return None

    def _updated_before_restart(self, request: Document, owner: str) -> Document | None:
        endpoint = self._store.find(ENDPOINT, request["EndpointName"])
        if not endpoint:
            return None
        update = endpoint.get("_update") or {"owner": endpoint.get("_owner"), "plan": endpoint["_plan"]}
        same = update["owner"] == owner and update["plan"]["configuration"] == request["EndpointConfigName"]
        return {"EndpointArn": endpoint["EndpointArn"]} if same else None

    def _table(self) -> dict[str, Handler]:
        table: dict[str, Handler] = {
            "CreateTrainingJob": self._create_job(TRAINING_JOB, requests.training_job),
            "CreateProcessingJob": self._create_job(PROCESSING_JOB, requests.processing_job),
            "CreateTransformJob": self._create_transform_job,
            "CreateModel": self._create(MODEL, requests.model),
            "CreateEndpointConfig": self._create_endpoint_config,
            "CreateEndpoint": lambda request, owner: {"EndpointArn": self._endpoints.create(request, owner)},
            "UpdateEndpoint": lambda request, owner: {"EndpointArn": self._endpoints.update(request, owner)},
            "UpdateEndpointWeightsAndCapacities": lambda request, _: {
                "EndpointArn": self._endpoints.set_weights(request)
            },
            "DeleteEndpoint": self._delete_endpoint,
            "DescribeEndpoint": lambda request, _: describe_endpoint(
                self._store.get(ENDPOINT, request["EndpointName"])
            ),
            "CreateModelPackageGroup": partial(registry.create_group, self._context),
            "DeleteModelPackageGroup": partial(registry.delete_group, self._context),
            "CreateModelPackage": partial(registry.create_package, self._context),
            "UpdateModelPackage": partial(registry.update_package, self._context),
            "AddTags": self._add_tags,
            "ListTags": self._list_tags,
            "DeleteTags": self._delete_tags,
        }
        for kind in (*JOBS, MODEL, ENDPOINT_CONFIG, ENDPOINT, MODEL_PACKAGE_GROUP, MODEL_PACKAGE):
            table.setdefault(f"Describe{kind.resource}", self._describe(kind))
            table.setdefault(f"List{kind.resource}s", self._list(kind))
        for kind in JOBS:
            table[f"Stop{kind.resource}"] = self._stop(kind)
        for kind in (MODEL, ENDPOINT_CONFIG, MODEL_PACKAGE):
            table[f"Delete{kind.resource}"] = self._delete(kind)
        return table

    def _create(self, kind: Kind, document_of: Callable[[Document], Document]) -> Handler:
        def create(request: Document, owner: str | None) -> Document:
            document = {**document_of(request), "_owner": owner}
            return {kind.arn_member: self._store.add(kind, request[kind.name_member], document)}

        return create

    def _create_job(self, kind: Kind, document_of: Callable[[Document], Document]) -> Handler:
        create = self._create(kind, document_of)

        def create_and_start(request: Document, owner: str | None) -> Document:
            require_job_quota(self._context, kind, request)
            created = create(request, owner)
            self._jobs.start(kind, request[kind.name_member])
            return created

        return create_and_start

    def _create_transform_job(self, request: Document, owner: str | None) -> Document:
        self._store.get(MODEL, request["ModelName"])
        return self._create_job(TRANSFORM_JOB, requests.transform_job)(request, owner)

    def _create_endpoint_config(self, request: Document, owner: str | None) -> Document:
        created = requests.endpoint_config(request)
        for variant in created["ProductionVariants"]:
            self._store.get(MODEL, variant["ModelName"])
        return self._create(ENDPOINT_CONFIG, lambda _: created)(request, owner)

    def _delete_endpoint(self, request: Document, owner: str | None) -> Document:
        self._endpoints.delete(request["EndpointName"])
        return {}

    def _describe(self, kind: Kind) -> Handler:
        return lambda request, _: self._store.get(kind, _name(kind, request))

    def _delete(self, kind: Kind) -> Handler:
        def delete(request: Document, owner: str | None) -> Document:
            self._store.remove(kind, _name(kind, request))
            return {}

        return delete

    def _stop(self, kind: Kind) -> Handler:
        def stop(request: Document, owner: str | None) -> Document:
            self._jobs.stop(kind, request[kind.name_member])
            return {}

        return stop

    def _list(self, kind: Kind) -> Handler:
        operation = f"List{kind.resource}s"
        return lambda request, _: listing.page(operation, kind, self._store.all(kind), request)

    def _add_tags(self, request: Document, owner: str | None) -> Document:
        kind, name = self._store.by_arn(request["ResourceArn"])
        with self._store.edit(kind, name) as document:
            tags = {tag["Key"]: tag["Value"] for tag in [*document.get("Tags", []), *request["Tags"]]}
            document["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
            return {"Tags": document["Tags"]}

    def _list_tags(self, request: Document, owner: str | None) -> Document:
        kind, name = self._store.by_arn(request["ResourceArn"])
        return listing.slice_page("Tags", self._store.get(kind, name).get("Tags", []), request)

    def _delete_tags(self, request: Document, owner: str | None) -> Document:
        kind, name = self._store.by_arn(request["ResourceArn"])
        with self._store.edit(kind, name) as document:
            document["Tags"] = [
                tag for tag in document.get("Tags", []) if tag["Key"] not in request["TagKeys"]
            ]
        return {}


_CREATED = (*JOBS, MODEL, ENDPOINT_CONFIG, ENDPOINT, MODEL_PACKAGE_GROUP)


def _name(kind: Kind, request: Document) -> str:
    name: str = request[kind.name_member]
    if kind is MODEL_PACKAGE:
        return registry.package_key(name)
    return registry.group_name(name) if kind is MODEL_PACKAGE_GROUP else name


def describe_endpoint(endpoint: Document) -> Document:
    """Return the members of ``DescribeEndpoint`` that follow from what serves the endpoint."""
    plan, update = endpoint["_plan"], endpoint.get("_update")
    derived: Document = {}
    if endpoint["EndpointStatus"] not in ("Creating", "Failed"):
        derived["ProductionVariants"] = [_variant(variant, endpoint) for variant in plan["variants"]]
    if plan["capture"]:
        capture = plan["capture"]
        enabled = capture.get("EnableCapture", True)
        derived["DataCaptureConfig"] = {
            "EnableCapture": enabled,
            "CaptureStatus": "Started" if enabled else "Stopped",
            "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
            "DestinationS3Uri": capture["DestinationS3Uri"],
            "KmsKeyId": capture.get("KmsKeyId", ""),
        }
    if update:
        derived["PendingDeploymentSummary"] = {
            "EndpointConfigName": update["plan"]["configuration"],
            "StartTime": update["started_at"],
            "ProductionVariants": [
                {"VariantName": variant["VariantName"], "VariantStatus": [{"Status": "Creating"}]}
                for variant in update["plan"]["variants"]
            ],
        }
    return {**endpoint, **derived}


def _variant(variant: Document, endpoint: Document) -> Document:
    weight = variant.get("InitialVariantWeight", 1.0)
    described: Document = {
        "VariantName": variant["VariantName"],
        "DeployedImages": [
            {
                "SpecifiedImage": container["Image"],
                "ResolvedImage": container["Image"],
                "ResolutionTime": endpoint["CreationTime"],
            }
            for container in variant["containers"]
            if "Image" in container
        ],
        "CurrentWeight": weight,
        "DesiredWeight": weight,
    }
    if "ServerlessConfig" in variant:
        described["CurrentServerlessConfig"] = variant["ServerlessConfig"]
        described["CurrentInstanceCount"] = described["DesiredInstanceCount"] = 0
    else:
        count = variant.get("InitialInstanceCount", 1)
        described["CurrentInstanceCount"] = described["DesiredInstanceCount"] = count
    return described
