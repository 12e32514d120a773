"""IoT Core: rule actions ``firehose`` and ``s3``, refusal of what would silently be empty, MQTT over mTLS."""

import json
import logging
import re
import ssl
import time
from collections.abc import Callable
from contextvars import ContextVar
from http import HTTPStatus
from typing import Any

from localcloud.authorization.authority import Authority
from localcloud.authorization.needs import Need, needs_of
from localcloud.firehose.part import FirehosePart
from localcloud.mqtt_limits import LimitedSession, publishable
from localcloud.part import Part
from localcloud.seams import iot, s3
from localcloud.seams.responses import error_response_json, json_response, request_scope
from localcloud.settings import Settings

logger = logging.getLogger(__name__)

DETACHING_SECONDS = 1.0
"""For so long after it was asked for, a principal is still attached to its thing: AWS detaches later."""
_DATA_ENDPOINT = "iot:Data-ATS"
_ALPN = "x-amzn-mqtt-ca"
_SUPPORTED_ACTIONS = {"firehose", "s3", "lambda", "republish", "dynamoDBv2", "sns", "sqs"}
_TEMPLATE = re.compile(r"\$\{([^}]*)\}")
_LITERAL = re.compile(r"'(?:[^']|'')*'")
# What ministack's evaluator has no words for and would answer with an absent field.
_UNSUPPORTED_SYNTAX = {
    "CASE": re.compile(r"\bCASE\b", re.IGNORECASE),
    "array index": re.compile(r"\[[^\]]*\]"),
    "nested SELECT": re.compile(r"\bSELECT\b.*\bSELECT\b", re.IGNORECASE | re.DOTALL),
}
Response = tuple[int, dict[str, str], bytes]
# Topic and payload of the message whose rule runs: what an action's templates refer to.
_message: ContextVar[tuple[str, bytes]] = ContextVar("localcloud_iot_message", default=("", b""))


class RuleActionError(RuntimeError):
    """A rule action failed; the rule's error action gets this message."""


class IotPart(Part):
    """IoT Core in the server.

    Parameters
    ----------
    settings
        Of the local cloud.
    firehose
        Takes the records of ``firehose`` actions, without a network hop.
    authority
        Decides what the roles of actions may do.
    """

    def __init__(self, settings: Settings, firehose: FirehosePart, authority: Authority) -> None:
        self._settings = settings
        self._firehose = firehose
        self._authority = authority
        self._detached: dict[str, float] = {}

    def install(self) -> None:
        """Register with ministack."""
        self._original_run = iot.run_rule_actions.replace(self._run)
        self._original_action = iot.dispatch_rule_action.replace(self._dispatch)
        self._original_put = iot.put_topic_rule.replace(self._put_rule)
        self._original_context: Callable[[], ssl.SSLContext] = iot.mtls_context.replace(self._tls_context)
        iot.mtls_start.replace(self._listen)
        self._original_endpoint = iot.describe_endpoint.replace(self._describe_endpoint)
        self._original_principals = iot.thing_principals.replace(self._principals)
        self._original_delete = iot.delete_thing.replace(self._delete_thing)
        iot.session.replace(LimitedSession)
        self._original_function = iot.eval_select_function.replace(self._function)
        iot.add_sql_function("length")
        is_topic = iot.validate_publish_topic.replace(lambda topic: publishable(is_topic, topic))
        iot.rule_action_resource_keys.update({"firehose": ("deliveryStreamName",), "s3": ("bucketName",)})

    async def start(self) -> None:
        """Wait until the MQTT listener is there.

        Raises
        ------
        RuntimeError
            When it could not be bound.
        """
        await iot.mtls_started()
        if not iot.mtls_is_listening():
            raise RuntimeError(f"MQTT cannot listen at {self._settings.host}:{self._settings.mqtt_tls_port}")

    def _principals(self, method: str, path: str, *rest: Any) -> Response:
        answer: Response = self._original_principals(method, path, *rest)
        if method == "DELETE" and answer[0] < HTTPStatus.BAD_REQUEST:
            self._detached[path.split("/")[2]] = time.monotonic()
        return answer

    def _delete_thing(self, name: str, *rest: Any) -> Response:
        if time.monotonic() - self._detached.get(name, -DETACHING_SECONDS) < DETACHING_SECONDS:
            refused: Response = error_response_json(
                "InvalidRequestException",
                f"Cannot delete. Thing {name} is still attached to one or more principals",
                HTTPStatus.BAD_REQUEST,
            )
            return refused
        self._detached.pop(name, None)
        answer: Response = self._original_delete(name, *rest)
        return answer

    def _function(self, name: str, arguments: list[str], topic: str, payload: bytes, *rest: Any) -> Any:
        """Add `length`, of the characters of a text."""
        if name != "length":
            return self._original_function(name, arguments, topic, payload, *rest)
        value = iot.eval_select_expr(arguments[0], topic, payload, *rest) if len(arguments) == 1 else None
        return len(value) if isinstance(value, str) else iot.MISSING

    async def _run(
        self,
        account: str,
        region: str,
        rule: Any,
        payload: bytes,
        topic: str = "",
        client_id: str | None = None,
    ) -> None:
        if rule is None:
            logger.warning("no such rule: a message of Basic Ingest is dropped, as AWS does (RuleNotFound)")
            return
        token = _message.set((topic, payload or b""))
        try:
            await self._original_run(account, region, rule, payload, topic, client_id)
        finally:
            _message.reset(token)

    async def _dispatch(
        self, account: str, region: str, rule: str, action: dict[str, Any], event: object
    ) -> None:
        self._require(rule, action)
        if "firehose" in action:
            self._to_firehose(action["firehose"], event)
        elif "s3" in action:
            await self._to_s3(action["s3"], event)
        else:
            await self._original_action(account, region, rule, action, event)

    def _require(self, rule: str, action: dict[str, Any]) -> None:
        ((kind, content),) = action.items()
        source = self._authority.place.arn("iot", f"rule/{rule}")
        if kind == "lambda":
            need = Need("lambda:InvokeFunction", content["functionArn"])
            self._authority.require_of_service("iot", need, source)
            return
        topic, payload = _message.get()
        caller = self._authority.assume("iot", content["roleArn"], rule, source)
        if kind == "s3":
            key = expand_template(content["key"], topic, payload)
            needs = [Need("s3:PutObject", f"arn:aws:s3:::{content['bucketName']}/{key}")]
        else:
            service, operation, parameters = _call_of(kind, content)
            needs = needs_of(service, operation, parameters, self._authority.place)
        self._authority.require(caller, needs)

    def _to_firehose(self, action: dict[str, Any], event: object) -> None:
        separator = str(action.get("separator") or "").encode()
        batch = str(action.get("batchMode", False)).lower() == "true" and isinstance(event, list)
        items = event if batch and isinstance(event, list) else [event]
        self._firehose.put(action["deliveryStreamName"], [_encode(item) + separator for item in items])

    async def _to_s3(self, action: dict[str, Any], event: object) -> None:
        body = _encode(event)
        key = expand_template(action["key"], *_message.get())
        headers = {
            "content-type": "application/json",
            "content-length": str(len(body)),
            "host": "s3.localhost",
        }
        path = f"/{action['bucketName']}/{key}"
        with request_scope(self._settings.account, self._settings.region):
            status, _, answer = await s3.handle_request("PUT", path, headers, body, {}, internal=True)
        if status >= 300:
            raise RuleActionError(f"PutObject to {action['bucketName']} answered {status}: {answer!r:.200}")

    def _put_rule(
        self, name: str, payload: dict[str, Any], *, created_at: float | None = None
    ) -> dict[str, Any]:
        check_rule(payload)
        rule: dict[str, Any] = self._original_put(name, payload, created_at=created_at)
        return rule

    def _describe_endpoint(self, query: dict[str, str]) -> Any:
        """Data-ATS is where devices connect to; their client adds the port, as it does for AWS's 8883."""
        if query.get("endpointType", _DATA_ENDPOINT) == _DATA_ENDPOINT:
            return json_response({"endpointAddress": "localhost"})
        return self._original_endpoint(query)

    async def _listen(self) -> None:
        await iot.listen(self._settings.host, self._settings.mqtt_tls_port)

    def _tls_context(self) -> ssl.SSLContext:
        context = self._original_context()
        context.verify_mode = ssl.CERT_REQUIRED  # as AWS on port 8883
        context.set_alpn_protocols([_ALPN])  # what device SDKs say where the port is 443
        return context


def check_rule(payload: dict[str, Any]) -> None:
    """Refuse a rule that could not do here what it does on AWS.

    Raises
    ------
    ministack.services.iot.RuleSqlError
        Naming the SQL function, the syntax, or the action.
    """
    sql = str(payload.get("sql", ""))
    functions = iot.unimplemented_sql_functions(sql)
    plain = _LITERAL.sub("''", sql)
    syntax = [name for name, pattern in _UNSUPPORTED_SYNTAX.items() if pattern.search(plain)]
    selected = _LITERAL.sub("''", iot.rule_select_clause(sql))
    if re.search(r"\bregexp_matches\s*\(", selected, re.IGNORECASE):
        functions.append("regexp_matches")  # ministack knows it in WHERE only
    unsupported = [f"{name}()" for name in functions] + syntax
    if unsupported:
        raise iot.RuleSqlError(f"the local cloud's rule SQL has no {', '.join(unsupported)}: {sql}")
    actions = [
        *(payload.get("actions") or []),
        *([payload["errorAction"]] if payload.get("errorAction") else []),
    ]
    for action in actions:
        unknown = sorted(set(action) - _SUPPORTED_ACTIONS)
        if unknown:
            raise iot.RuleSqlError(f"rule action {unknown[0]} is not supported by the local cloud")


def expand_template(text: str, topic: str, payload: bytes) -> str:
    """Fill in the ``${expression}`` of an action's key from the message that the rule got.

    Raises
    ------
    RuleActionError
        When an expression has no scalar value.
    """
    message = iot.rule_message(payload)

    def replace(match: re.Match[str]) -> str:
        value = iot.eval_select_expr(match.group(1), topic, payload, message, None)
        if value is iot.MISSING or isinstance(value, (dict, list)):
            raise RuleActionError(f"cannot expand {match.group()} in {text!r}")
        return str(value)

    return _TEMPLATE.sub(replace, text)


def _call_of(kind: str, content: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    """Return service, operation and parameters of what an action calls as its role."""
    if kind == "firehose":
        batch = str(content.get("batchMode", False)).lower() == "true"
        operation = "PutRecordBatch" if batch else "PutRecord"
        return "firehose", operation, {"DeliveryStreamName": content["deliveryStreamName"]}
    if kind == "republish":
        return "iot", "Publish", {"topic": content["topic"]}
    if kind == "dynamoDBv2":
        return "dynamodb", "PutItem", {"TableName": content["putItem"]["tableName"]}
    if kind == "sns":
        return "sns", "Publish", {"TopicArn": content["targetArn"]}
    return "sqs", "SendMessage", {"QueueUrl": content["queueUrl"]}


def _encode(event: object) -> bytes:
    return event.encode() if isinstance(event, str) else json.dumps(event, ensure_ascii=False).encode()
