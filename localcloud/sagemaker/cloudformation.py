"""The CloudFormation types of SageMaker: made through the same operations that a client calls.

``Ref`` is the ARN and ``Fn::GetAtt`` gives the name, as AWS documents for each of these types. A change of a
model or an endpoint configuration is a replacement; an endpoint is updated in place, and waited for.
"""

import secrets
import string
import time
from dataclasses import dataclass

from localcloud.sagemaker.api import Api
from localcloud.sagemaker.errors import InvalidRequestError, SageMakerError
from localcloud.sagemaker.kinds import ENDPOINT, ENDPOINT_CONFIG, MODEL, MODEL_PACKAGE_GROUP, Kind
from localcloud.sagemaker.shapes import Document, coerce, service_model
from localcloud.seams import cloudformation

_POLL_SECONDS = 0.1
_NAME_LENGTH = 63
_PREFIX = "AWS::SageMaker::"

Created = tuple[str, Document]


class ProvisioningError(ValueError):
    """A resource cannot be made; CloudFormation rolls the stack back with this message."""


@dataclass(frozen=True, slots=True)
class _Type:
    kind: Kind
    attributes: tuple[str, ...]
    mutable: tuple[str, ...] = ("Tags",)


_TYPES = (
    _Type(MODEL, ("ModelName",)),
    _Type(ENDPOINT_CONFIG, ("EndpointConfigName",)),
    _Type(
        ENDPOINT,
        ("EndpointName",),
        (
            "EndpointConfigName",
            "DeploymentConfig",
            "RetainAllVariantProperties",
            "ExcludeRetainedVariantProperties",
            "RetainDeploymentConfig",
            "Tags",
        ),
    ),
    _Type(
        MODEL_PACKAGE_GROUP,
        ("ModelPackageGroupArn", "ModelPackageGroupName", "CreationTime", "ModelPackageGroupStatus"),
    ),
)


def install(api: Api) -> None:
    """Register the types with ministack."""
    for type_ in _TYPES:
        provisioner = _Provisioner(api, type_)
        name = f"{_PREFIX}{type_.kind.resource}"
        cloudformation.resource_handlers[name] = {
            "create": provisioner.create,
            "update": provisioner.update,
            "update_with_logical_id": True,
            "delete": provisioner.delete,
        }

    def beside_the_loop(resource_type: str) -> bool:
        return resource_type == f"{_PREFIX}Endpoint" or runs_on_worker_thread(resource_type)

    # an endpoint is waited for, and its containers need the gateway's loop meanwhile
    runs_on_worker_thread = cloudformation.runs_on_worker_thread.replace(beside_the_loop)


class _Provisioner:
    """Creates, updates and deletes resources of one type, as ministack calls it."""

    def __init__(self, api: Api, type_: _Type) -> None:
        self._api = api
        self._type = type_
        self._kind = type_.kind

    def create(self, logical_id: str, properties: Document, stack: str) -> Created:
        """Make the resource; an endpoint that fails is removed again."""
        name = properties.get(self._kind.name_member) or _generated_name(stack, logical_id)
        self._call("Create", {**properties, self._kind.name_member: name})
        if self._kind is ENDPOINT:
            endpoint = self._wait(name)
            if endpoint["EndpointStatus"] == "Failed":
                self._call("Delete", {"EndpointName": name})
                raise ProvisioningError(endpoint.get("FailureReason", "the endpoint failed"))
        return self._created(name)

    def update(
        self, physical_id: str, old: Document, new: Document, stack: str, logical_id: str | None
    ) -> Created:
        """Change tags and an endpoint's configuration in place; every other change is a replacement."""
        name = _name_of(physical_id)
        changed = {member for member in {*old, *new} if old.get(member) != new.get(member)}
        if changed - set(self._type.mutable):
            if new.get(self._kind.name_member) == name:
                raise ProvisioningError(
                    "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                    f"Rename {name} and update the stack again."
                )
            created = self.create(logical_id or name, new, stack)
            cloudformation.delete_predecessor(self.delete, physical_id, old)
            return created
        if "Tags" in changed:
            self._retag(name, old.get("Tags", []), new.get("Tags", []))
        if self._kind is ENDPOINT and "EndpointConfigName" in changed:
            self._call("Update", {**new, "EndpointName": name})
            endpoint = self._wait(name)
            if endpoint["EndpointConfigName"] != _name_of(new["EndpointConfigName"]):
                raise ProvisioningError(
                    endpoint.get("FailureReason", "the update of the endpoint was rolled back")
                )
        return self._created(name)

    def delete(self, physical_id: str, properties: Document) -> None:
        """Delete the resource; one that is gone already is no error."""
        try:
            self._call("Delete", {self._kind.name_member: _name_of(physical_id)})
        except InvalidRequestError:
            if self._find(_name_of(physical_id)) is not None:
                raise

    def _call(self, verb: str, request: Document) -> Document:
        operation = f"{verb}{self._kind.resource}"
        shape = service_model().operation_model(operation).input_shape
        known = {member: value for member, value in request.items() if shape and member in shape.members}
        for member in ("ModelName", "EndpointConfigName"):  # a Ref gives the ARN
            if isinstance(known.get(member), str):
                known[member] = _name_of(known[member])
        if "ProductionVariants" in known:
            known["ProductionVariants"] = [
                {**variant, "ModelName": _name_of(variant["ModelName"])}
                for variant in known["ProductionVariants"]
            ]
        try:
            return self._api.call(operation, coerce(operation, known))
        except InvalidRequestError:
            raise
        except SageMakerError as error:
            raise ProvisioningError(str(error)) from error

    def _find(self, name: str) -> Document | None:
        try:
            return self._api.call(f"Describe{self._kind.resource}", {self._kind.name_member: name})
        except SageMakerError:
            return None

    def _created(self, name: str) -> Created:
        described = self._api.call(f"Describe{self._kind.resource}", {self._kind.name_member: name})
        attributes = {attribute: str(described[attribute]) for attribute in self._type.attributes}
        return described[self._kind.arn_member], attributes

    def _wait(self, name: str) -> Document:
        while True:
            endpoint = self._api.call("DescribeEndpoint", {"EndpointName": name})
            if endpoint["EndpointStatus"] in ("InService", "Failed"):
                return endpoint
            time.sleep(_POLL_SECONDS)

    def _retag(self, name: str, old: list[Document], new: list[Document]) -> None:
        arn = self._created(name)[0]
        gone = [tag["Key"] for tag in old if tag["Key"] not in {kept["Key"] for kept in new}]
        if gone:
            self._api.call("DeleteTags", {"ResourceArn": arn, "TagKeys": gone})
        if new:
            self._api.call("AddTags", {"ResourceArn": arn, "Tags": new})


def _name_of(name_or_arn: str) -> str:
    return name_or_arn.rpartition("/")[2]


def _generated_name(stack: str, logical_id: str) -> str:
    suffix = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(12))
    return f"{stack}-{logical_id}"[: _NAME_LENGTH - 13].rstrip("-") + f"-{suffix}"
