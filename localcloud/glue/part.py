"""Glue in the server: its requests, its CloudFormation type, its integration with Step Functions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from localcloud.authorization.authority import Authority
from localcloud.glue import stepfunctions
from localcloud.glue.api import SESSION, Api
from localcloud.glue.cloudformation import JobProvisioner
from localcloud.glue.errors import GlueError
from localcloud.glue.runs import RunSupervisor
from localcloud.images.registry import image_named
from localcloud.role_clients import RoleClients
from localcloud.seams.cloudformation import resource_handlers
from localcloud.seams.gateway import service_handlers
from localcloud.settings import Settings

Response = tuple[int, dict[str, str], bytes]
_IMAGE = "glue"
_JOB_TYPE = "AWS::Glue::Job"
_REFUSED_TYPES = ("AWS::Glue::Trigger", "AWS::Glue::Workflow", "AWS::Glue::Crawler")


class GluePart:
    """Answers what is about jobs, and hands on the rest.

    Parameters
    ----------
    settings
        Of the local cloud.
    authority
        Gives the credentials of roles.
    on_change
        Called when the record of a run has changed outside of a request.
    """

    def __init__(self, settings: Settings, authority: Authority, on_change: Callable[[], None]) -> None:
        clients = RoleClients(settings, authority, SESSION)
        image = image_named(_IMAGE, settings.image_home)
        self._runs = RunSupervisor(settings, clients, image, on_change)
        self.api = Api(self._runs, authority, settings.account, settings.region)

    def install(self) -> None:
        """Register with ministack."""
        self._hand_on: Callable[..., Awaitable[Response]] = service_handlers["glue"]
        service_handlers["glue"] = self.handle_request
        provisioner = JobProvisioner(self.api)
        resource_handlers[_JOB_TYPE] = {
            "create": provisioner.create,
            "update": provisioner.update,
            "update_with_logical_id": True,
            "delete": provisioner.delete,
        }
        for name in _REFUSED_TYPES:
            resource_handlers.pop(name, None)
        stepfunctions.install(self.api)

    async def start(self) -> None:
        """Run again what was under way."""
        await asyncio.to_thread(self._runs.open)

    def shutdown(self) -> None:
        """End every run's processes."""
        self._runs.close()

    async def handle_request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Response:
        """Answer one request, as ministack's handler does."""
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        if operation not in self.api.operations:
            return await self._hand_on(method, path, headers, body, query)
        try:
            answer = self.api.call(operation, json.loads(body or b"{}"))
        except GlueError as error:
            return _reply(400, {"__type": error.code, "Message": str(error), "message": str(error)})
        return _reply(200, answer)


def _reply(status: int, document: dict[str, Any]) -> Response:
    return status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(document).encode()
