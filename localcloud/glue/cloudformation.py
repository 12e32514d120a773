"""The CloudFormation types of jobs, made as a client makes them, and of security configurations.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-glue-job.html has the job:
`Ref` is the name, a change of it is a replacement, every other one is made in place.
"""

from __future__ import annotations

from localcloud.cloudformation import ProvisioningError
from localcloud.glue.api import Api
from localcloud.glue.definitions import Document
from localcloud.glue.errors import GlueError
from localcloud.sagemaker.clock import now
from localcloud.seams import cloudformation, glue

_NUMBERS = ("MaxRetries", "Timeout", "NumberOfWorkers")
_NAME_LENGTH = 255


class JobProvisioner:
    """Creates, updates and deletes jobs, as ministack calls it.

    Parameters
    ----------
    api
        Of the laptop's Glue.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    def create(self, logical_id: str, properties: Document, stack: str) -> tuple[str, Document]:
        """Make the job."""
        name = properties.get("Name") or cloudformation.physical_name(stack, logical_id, max_len=_NAME_LENGTH)
        tags = properties.get("Tags") or {}
        self._call("CreateJob", {**_members(properties), "Name": name, "Tags": _tags(tags)})
        return name, {}

    def update(
        self, physical_id: str, old: Document, new: Document, stack: str, logical_id: str | None
    ) -> tuple[str, Document]:
        """Change the job in place, or make another one when it is to have another name."""
        if new.get("Name") and new["Name"] != physical_id:
            created = self.create(logical_id or physical_id, new, stack)
            cloudformation.delete_predecessor(self.delete, physical_id, old)
            return created
        self._call("UpdateJob", {"JobName": physical_id, "JobUpdate": _members(new)})
        glue.tags[self._api.job_arn(physical_id)] = _tags(new.get("Tags") or {})
        return physical_id, {}

    def delete(self, physical_id: str, properties: Document) -> None:
        """Delete the job; one that is gone is no error."""
        self._call("DeleteJob", {"JobName": physical_id})

    def _call(self, operation: str, request: Document) -> None:
        try:
            self._api.call(operation, request)
        except GlueError as error:
            raise ProvisioningError(f"{error.code}: {error}") from error


def create_security_configuration(logical_id: str, properties: Document, stack: str) -> tuple[str, Document]:
    """Provision ``AWS::Glue::SecurityConfiguration``; each change of one is a replacement."""
    name = properties.get("Name") or cloudformation.physical_name(stack, logical_id, max_len=_NAME_LENGTH)
    if name in glue.security_configurations:
        raise ProvisioningError(f"AlreadyExistsException: security configuration {name} already exists")
    glue.security_configurations[name] = {
        "Name": name,
        "CreatedTimeStamp": now(),
        "EncryptionConfiguration": properties["EncryptionConfiguration"],
    }
    return name, {}


def delete_security_configuration(physical_id: str, properties: Document) -> None:
    """Delete a security configuration."""
    glue.security_configurations.pop(physical_id, None)


def _members(properties: Document) -> Document:
    members = {name: value for name, value in properties.items() if name not in ("Name", "Tags")}
    return {**members, **{name: int(members[name]) for name in _NUMBERS if name in members}}


def _tags(tags: Document | list[Document]) -> dict[str, str]:
    """Read tags as the type has them: a map; the CDK writes the same."""
    if isinstance(tags, dict):
        return {name: str(value) for name, value in tags.items()}
    return {tag["Key"]: tag["Value"] for tag in tags}
