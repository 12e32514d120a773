"""A namespace's handlers: the Lambda functions that let a subscription be and choose what is broadcast.

https://docs.aws.amazon.com/appsync/latest/eventapi/direct-lambda-integrations.html
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localcloud.appsync.channels import Channel
from localcloud.appsync.errors import EventsError, unauthorized
from localcloud.appsync.identity import EventApi
from localcloud.authorization.authority import AccessDeniedError, Authority
from localcloud.role_clients import RoleClients
from localcloud.seams import appsync

logger = logging.getLogger(__name__)

Event = dict[str, Any]
"""`id` and `payload`, as handlers know an event."""


@dataclass(frozen=True, slots=True)
class Handlers:
    """Calls the functions that namespaces name.

    Attributes
    ----------
    authority
        Decides whether AppSync may have the role of the data source.
    clients
        Call as that role.
    """

    authority: Authority
    clients: RoleClients

    async def let_subscribe(
        self, api: EventApi, channel: Channel, identity: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> None:
        """Ask the namespace's function whether a subscription may be.

        Raises
        ------
        EventsError
            If it says no, or fails.
        """
        told = await self._ask("subscribe", api, channel, identity, headers, None)
        if isinstance(told, dict) and told.get("error"):
            raise unauthorized(str(told["error"]))

    async def broadcast(
        self,
        api: EventApi,
        channel: Channel,
        identity: Mapping[str, Any] | None,
        headers: Mapping[str, str],
        events: Sequence[Event],
    ) -> tuple[list[Event], dict[str, str]]:
        """Return the events that are broadcast, and what is wrong with the others by their ids.

        Raises
        ------
        EventsError
            If the namespace's function refuses all, or fails.
        """
        told = await self._ask("publish", api, channel, identity, headers, list(events))
        if not isinstance(told, dict):
            return list(events), {}
        if told.get("error"):
            raise EventsError("BadRequestException", str(told["error"]))
        outgoing = told.get("events") or []
        wrong = {str(each["id"]): str(each["error"]) for each in outgoing if each.get("error")}
        return [each for each in outgoing if not each.get("error")], wrong

    async def _ask(
        self,
        operation: str,
        api: EventApi,
        channel: Channel,
        identity: Mapping[str, Any] | None,
        headers: Mapping[str, str],
        events: list[Event] | None,
    ) -> Any:
        configs = (api.namespace(channel.namespace) or {}).get("handlerConfigs") or {}
        config = configs.get(f"on{operation.capitalize()}")
        if not config:
            return None
        source = appsync.data_sources[api.api_id][config["integration"]["dataSourceName"]]
        request = {
            "info": {
                "channel": {"path": channel.path, "segments": list(channel.segments)},
                "channelNamespace": {"name": channel.namespace},
                "operation": operation.upper(),
            },
            "identity": identity,
            "request": {"headers": dict(headers), "domainName": None},
            "events": events,
            "stash": {},
            "error": None,
            "prev": None,
            "result": None,
            "outErrors": [],
        }
        waits = (config["integration"].get("lambdaConfig") or {}).get("invokeType") != "EVENT"
        return await asyncio.to_thread(self._invoke, source, request, waits=waits)

    def _invoke(self, source: Mapping[str, Any], request: Event, *, waits: bool) -> Any:
        role, function = source["serviceRoleArn"], source["lambdaConfig"]["lambdaFunctionArn"]
        try:
            self.authority.assume("appsync", role, "appsync", source["dataSourceArn"])
            client = self.clients.client("lambda", role)
            answer = client.invoke(
                FunctionName=function,
                InvocationType="RequestResponse" if waits else "Event",
                Payload=json.dumps(request).encode(),
            )
        except AccessDeniedError as error:
            raise unauthorized(str(error)) from error
        except client.exceptions.ClientError as error:
            raise EventsError("LambdaInvocationError", str(error)) from error
        payload = answer["Payload"].read()
        if answer.get("FunctionError"):
            logger.warning("%s failed: %s", function, payload.decode()[:500])
            raise EventsError("LambdaExecutionError", "The handler's function failed.")
        return json.loads(payload) if waits and payload else None
