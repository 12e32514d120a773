"""Glue in the server: its requests, its CloudFormation type, its integration with Step Functions."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from localcloud.authorization.authority import AccessDeniedError, Authority
from localcloud.glue import stepfunctions
from localcloud.glue.api import SESSION, Api
from localcloud.glue.cloudformation import (
    JobProvisioner,
    create_security_configuration,
    delete_security_configuration,
)
from localcloud.glue.errors import GlueError
from localcloud.glue.runs import RunSupervisor
from localcloud.images.registry import image_named
from localcloud.part import Part
from localcloud.role_clients import RoleClients
from localcloud.seams import eventbridge
from localcloud.seams.cloudformation import resource_handlers
from localcloud.seams.gateway import service_handlers
from localcloud.settings import Settings

logger = logging.getLogger(__name__)

Response = tuple[int, dict[str, str], bytes]
_IMAGE = "glue"
_START = "arn:aws:scheduler:::aws-sdk:glue:startJobRun"
_JOB_TYPE = "AWS::Glue::Job"
_SECURITY_TYPE = "AWS::Glue::SecurityConfiguration"
_REFUSED_TYPES = ("AWS::Glue::Trigger", "AWS::Glue::Workflow", "AWS::Glue::Crawler")


class GluePart(Part):
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
        self._authority = authority
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
        resource_handlers[_SECURITY_TYPE] = {
            "create": create_security_configuration,
            "delete": delete_security_configuration,
        }
        for name in _REFUSED_TYPES:
            resource_handlers.pop(name, None)
        stepfunctions.install(self.api)
        self._to_target = eventbridge.invoke_target.replace(self._schedule)

    async def start(self) -> None:
        """Run again what was under way."""
        await asyncio.to_thread(self._runs.open)

    def shutdown(self) -> None:
        """End every run's processes."""
        self._runs.close()

    def _schedule(self, target: dict[str, Any], event: Any, rule: dict[str, Any], view: Any = None) -> Any:
        """Carry out a schedule's target that starts a job; hand on every other one."""
        if target.get("Arn") != _START:
            return self._to_target(target, event, rule, view)
        schedule, request = str(rule.get("Arn", "")), json.loads(target.get("Input") or "{}")
        try:
            caller = self._authority.assume(
                "scheduler", str(target.get("RoleArn")), schedule.rpartition("/")[2], schedule
            )
            self._authority.require_operation(caller, "glue", "StartJobRun", request)
            return self.api.call("StartJobRun", request)
        except (AccessDeniedError, GlueError) as error:
            logger.info("schedule %s: %s", schedule, error)  # one that runs already, mostly
            return None

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
