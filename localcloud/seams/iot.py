"""IoT Core: rules, their SQL and actions, and the listener for MQTT over TLS."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from ministack import app as _app
from ministack.services import iot as _iot

from localcloud.seams.replacing import Replaceable

RuleSqlError: Any = _iot.RuleSqlError
MISSING = _iot._MISSING
rule_action_resource_keys: dict[str, tuple[str, ...]] = _iot._RULE_ACTION_RESOURCE_KEYS
mtls_is_listening: Callable[[], bool] = _iot.mtls_is_listening
unimplemented_sql_functions: Callable[[str], list[str]] = _iot._unimplemented_sql_functions
rule_select_clause: Callable[[str], str] = _iot._rule_select_clause
rule_message: Callable[[bytes], Any] = _iot._rule_message
eval_select_expr: Callable[..., Any] = _iot._eval_select_expr

PKT_PUBLISH: int = _iot.PKT_PUBLISH
Session: Any = _iot._WSSession
"""One connection of a device."""

session = Replaceable(_iot, "_WSSession")
run_rule_actions = Replaceable(_iot, "_run_rule_actions")
dispatch_rule_action = Replaceable(_iot, "_dispatch_rule_action")
put_topic_rule = Replaceable(_iot, "put_topic_rule")
mtls_start = Replaceable(_iot, "_mtls_start_locked")
thing_principals = Replaceable(_iot, "_handle_thing_principals")
delete_thing = Replaceable(_iot, "_delete_thing")
describe_endpoint = Replaceable(_iot, "_describe_endpoint")
validate_publish_topic = Replaceable(_iot, "_validate_publish_topic")
mtls_context = Replaceable(_iot, "_mtls_build_ssl_context")
mqtt_policy_allows = Replaceable(_iot, "_mqtt_policy_allows")
provisioning_role_allows = Replaceable(_iot, "_provisioning_role_allows")
eval_select_function = Replaceable(_iot, "_eval_select_function")
handle_certificate = Replaceable(_iot, "_handle_certificate")

provisioning_claim_policy: Callable[[str], str] = _iot._provisioning_claim_policy
certificate_arn: Callable[[str], str] = _iot._cert_arn
thing_group_arn: Callable[[str], str] = _iot._thing_group_arn


def add_sql_function(name: str) -> None:
    """Let rules call a function that ministack lacks."""
    _iot._IMPLEMENTED_SQL_FUNCS = _iot._IMPLEMENTED_SQL_FUNCS | {name}


async def mtls_started() -> None:
    """Wait for the listener that ministack starts with its application."""
    if _app._iot_mtls_task is not None:
        await _app._iot_mtls_task


async def listen(host: str, port: int) -> None:
    """Listen for MQTT over TLS at one address, once."""
    if _iot._mtls_server is not None:
        return
    loop = asyncio.get_running_loop()
    _iot._mtls_server = await loop.create_server(_iot._MtlsAcceptor, host=host, port=port)
    _iot._mtls_loop = loop


def connected_sessions() -> list[Any]:
    """Return the connections of all devices."""
    return list(_iot._connected_clients.values())


def client_of(session: Any) -> str:
    """Return the client id that a connection has given."""
    return str(session._client_id)


async def end_session(
    session: Any, reason: str, *, forget_session: bool = False, without_will: bool = False
) -> None:
    """Close a device's connection, and tell of it for a reason in AWS's words.

    Parameters
    ----------
    forget_session
        Its subscriptions and what waits for it do not outlive the connection.
    without_will
        Its last will is not published.
    """
    session._forced_disconnect_reason = reason
    session._persist_session = session._persist_session and not forget_session
    if without_will:
        session._will_topic = None
    await session._send({"type": "websocket.close", "code": 1000})
    await session.cleanup()


def thing_groups_of(thing: str) -> list[str]:
    """Return the names of the groups that a thing is in; none where there is no such thing."""
    return list((_iot._things.get(thing) or {}).get("thingGroupNames") or ())


def parent_of_group(group: str) -> str | None:
    """Return the name of the group that a group is in."""
    found = (_iot._thing_groups.get(group) or {}).get("thingGroupMetadata") or {}
    parent: str | None = found.get("parentGroupName")
    return parent


def policy_documents(target: str) -> list[str]:
    """Return the documents of the policies attached to a certificate or group, in their default versions."""
    found = [_iot._policies[entry["policyName"]] for entry in _iot._policies_attached_to(target)]
    return [policy["versions"][policy["defaultVersionId"]]["document"] for policy in found]


def evaluates(
    account: str,
    region: str,
    certificate: str,
    context: dict[str, str],
    action: str,
    resource: str,
    documents: Sequence[str],
) -> bool:
    """Tell whether IoT policies together allow a certificate something, their variables filled in."""
    asked = _iot.EvalContext(
        principal_arn=f"arn:aws:iot:{region}:{account}:cert/{certificate}",
        principal_type="Certificate",
        principal_account=account,
        action=action,
        resource_arn=f"arn:aws:iot:{region}:{account}:{resource}",
        region=region,
        service_context=context,
    )
    variables = tuple(sorted(context.items()))
    statements = [_iot._parsed_iot_policy(document, variables) for document in documents]
    return bool(_iot.evaluate(asked, statements).decision == "Allow")
