"""IoT Core: rules, their SQL and actions, and the listener for MQTT over TLS."""

import asyncio
from collections.abc import Callable
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
