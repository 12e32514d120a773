"""What AWS IoT decides of devices and ministack does not: policies of their groups, the end of a connection
whose certificate is active no more, DeleteConnection, and what a provisioning template's role may do.

Policies: https://docs.aws.amazon.com/iot/latest/developerguide/iot-policies.html; the end of connections:
https://docs.aws.amazon.com/iot/latest/apireference/API_UpdateCertificate.html.
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from localcloud.authorization.authority import AccessDeniedError, Guard
from localcloud.authorization.needs import Need
from localcloud.part import Part
from localcloud.seams import gateway, iot
from localcloud.seams.responses import error_response_json, json_response, request_scope

logger = logging.getLogger(__name__)

CONNECTIONS = "/connections/"
_SET_BY_AWS = {"PENDING_TRANSFER", "PENDING_ACTIVATION"}
Response = tuple[int, dict[str, str], bytes]


class IotDevicesPart(Guard, Part):
    """Certificates, groups and connections of devices."""

    def install(self) -> None:
        """Register with ministack."""
        iot.mqtt_policy_allows.replace(_policies_allow)
        iot.provisioning_role_allows.replace(self._role_allows)
        self._original_certificate = iot.handle_certificate.replace(self._certificate)
        self._original_data = gateway.service_handlers["iot-data"]
        gateway.service_handlers["iot-data"] = self._data
        self._ending: set[asyncio.Task[None]] = set()

    def _certificate(self, method: str, path: str, body: bytes, query: Mapping[str, str]) -> Response:
        status = str(query.get("newStatus", ""))
        if method == "PUT" and status in _SET_BY_AWS:
            refused: Response = error_response_json(
                "InvalidRequestException", f"{status} is set by AWS IoT itself", HTTPStatus.BAD_REQUEST
            )
            return refused
        answer: Response = self._original_certificate(method, path, body, query)
        if method == "PUT" and answer[0] < HTTPStatus.BAD_REQUEST and status != "ACTIVE":
            certificate = path.rpartition("/")[2]
            for session in iot.connected_sessions():
                if session.certificate_id == certificate:
                    self._end(session, "AUTH_ERROR")
        return answer

    async def _data(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: Mapping[str, Any]
    ) -> Response:
        if method == "DELETE" and path.startswith(CONNECTIONS):
            return self._delete_connection(unquote(path.removeprefix(CONNECTIONS)), query)
        answer: Response = await self._original_data(method, path, headers, body, query)
        return answer

    def _delete_connection(self, client: str, query: Mapping[str, Any]) -> Response:
        found = [session for session in iot.connected_sessions() if iot.client_of(session) == client]
        if not found:
            missing: Response = error_response_json(
                "ResourceNotFoundException", f"Client {client} is not connected", HTTPStatus.NOT_FOUND
            )
            return missing
        for session in found:
            self._end(
                session,
                "API_INITIATED_DISCONNECT",
                forget_session=_said(query, "cleanSession"),
                without_will=_said(query, "preventWillMessage"),
            )
        done: Response = json_response({})
        return done

    def _end(self, session: Any, reason: str, **how: bool) -> None:
        """End a connection beside the request that asks for it: on AWS it takes a while, too."""
        logger.info("MQTT: %s is disconnected: %s", iot.client_of(session), reason)
        task = asyncio.get_running_loop().create_task(iot.end_session(session, reason, **how))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def _role_allows(self, role: str, requests: list[tuple[str, str]]) -> bool:
        try:
            caller = self._authority.assume("iot", role, "provisioning", role)
            self._authority.require(caller, list(_needs(requests)))
        except AccessDeniedError as error:
            logger.warning("a device is not provisioned: %s", error)
            return False
        return True


def _needs(requests: list[tuple[str, str]]) -> Iterator[Need]:
    """Yield what a template's role needs; ministack asks for the thing where AWS asks for its certificate."""
    certificate = next(resource for action, resource in requests if action == "iot:UpdateCertificate")
    for action, resource in requests:
        yield Need(action, certificate if action == "iot:AttachThingPrincipal" else resource)


def _said(query: Mapping[str, Any], name: str) -> bool:
    value = query.get(name, "")
    return str(value[0] if isinstance(value, list) else value).lower() == "true"


def _policies_allow(
    account: str,
    region: str,
    certificate: str,
    context: dict[str, str],
    action: str,
    resource: str,
    claim_of: str | None = None,
) -> bool:
    """Tell whether the policies of a certificate and of its thing's groups allow something; a denial wins.

    Parameters
    ----------
    claim_of
        The template of a claim that ministack has made, whose policy is its own.
    """
    if claim_of is not None:
        documents = [iot.provisioning_claim_policy(claim_of)]
    else:
        with request_scope(account, region):
            targets = [iot.certificate_arn(certificate), *_groups_of(context["iot:clientid"])]
            documents = [document for target in targets for document in iot.policy_documents(target)]
    return iot.evaluates(account, region, certificate, context, action, resource, documents)


def _groups_of(client: str) -> Iterator[str]:
    """Yield the ARNs of a thing's groups and of those above them; the thing is named as the client is."""
    waiting = list(iot.thing_groups_of(client))
    while waiting:
        name = waiting.pop()
        yield iot.thing_group_arn(name)
        waiting += filter(None, [iot.parent_of_group(name)])
