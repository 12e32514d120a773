"""What a request may hold: sizes that AWS documents, and for what is made with a name the constraints of its
service's model; ministack does not refuse either. In AWS's words.

Firehose, SQS, SNS, DynamoDB, SageMaker and the unpacked size of a function's code have their limits where
they are served; `tests/contract/localcloud/test_request_limits.py` holds all of them together.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import botocore.session

from localcloud.constraints import broken_constraints
from localcloud.part import Part
from localcloud.seams import gateway
from localcloud.seams.cloudformation import resource_handlers
from localcloud.seams.responses import error_response_json
from localcloud.seams.stepfunctions import ExecutionError

ENTRIES_BYTES = 1 << 20
"""All entries of a `PutEvents`: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html"""
EXECUTION_DATA_BYTES = 262_144
"""Input of an execution, input and output of a state."""
ENVIRONMENT_BYTES = 4_096
"""All environment variables of a function."""
PAYLOAD_BYTES = {"RequestResponse": 6_291_456, "Event": 1_048_576}
"""Payload of `Invoke` by its type."""

_LEAST_BYTES = ENVIRONMENT_BYTES
_MAKING = ("Create", "Put", "Register", "Start", "Tag", "Update")
"""Beginnings of the operations that make something with a name."""
_MODELS = {
    "AWSCognitoIdentityProviderService": "cognito-idp",
    "AWSEvents": "events",
    "AWSGlue": "glue",
    "AWSStepFunctions": "stepfunctions",
    "AmazonSSM": "ssm",
    "Firehose_20150804": "firehose",
    "Logs_20140328": "logs",
    "TrentService": "kms",
}
"""Service by the prefix of its header `x-amz-target`."""
_VALIDATION_CODES = {
    "cognito-idp": "InvalidParameterException",
    "firehose": "InvalidArgumentException",
    "glue": "InvalidInputException",
    "logs": "InvalidParameterException",
}
"""Error code of a broken constraint, where it is not `ValidationException`."""
_FUNCTIONS = re.compile(r"/2015-03-31/functions(?:/[^/]+/(configuration|invocations))?/?")
_FUNCTION_TYPE = "AWS::Lambda::Function"
_EVENT_TIME_BYTES = 14

Headers = Mapping[str, str]
Response = tuple[int, dict[str, str], bytes]


class RefusedError(Exception):
    """A request that AWS refuses, and how."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class RequestLimitsPart(Part):
    """Refuses requests beyond AWS's limits, through the API and through CloudFormation alike."""

    def install(self) -> None:
        """Stand before ministack's dispatch, and before the functions of templates."""
        self._dispatch_on = gateway.dispatch.replace(self.dispatch)
        functions = resource_handlers[_FUNCTION_TYPE]
        functions["create"] = _checked(functions["create"], lambda logical, properties, *_: properties)
        functions["update"] = _checked(functions["update"], lambda physical, old, new, *_: new)

    async def dispatch(
        self, method: str, path: str, headers: dict[str, str], body: bytes, *rest: Any
    ) -> Response:
        """Answer one request of a service's API."""
        target = headers.get("x-amz-target", "")
        if len(body) > _LEAST_BYTES or target.partition(".")[2].startswith(_MAKING):
            try:
                check_size(method, path, headers, body)
                check_model(target, body)
            except RefusedError as error:
                refused: Response = error_response_json(error.code, str(error), error.status)
                return refused
        answer: Response = await self._dispatch_on(method, path, headers, body, *rest)
        return answer


def check_model(target: str, body: bytes) -> None:
    """Refuse a request that breaks a constraint of its service's model.

    Parameters
    ----------
    target
        Header `x-amz-target`; requests of other protocols are not looked at.

    Raises
    ------
    RefusedError
        As AWS says it.
    """
    prefix, _, operation = target.partition(".")
    service = _MODELS.get(prefix)
    if service is None or not operation.startswith(_MAKING):
        return
    model = _model(service)
    if operation not in model.operation_names:
        return
    text = broken_constraints(model.operation_model(operation).input_shape, _document(body))
    if text:
        raise RefusedError(_VALIDATION_CODES.get(service, "ValidationException"), text)


def check_size(method: str, path: str, headers: Headers, body: bytes) -> None:
    """Refuse one request of an API that is too large.

    Raises
    ------
    RefusedError
        As AWS says it.
    """
    check = _BY_TARGET.get(headers.get("x-amz-target", ""))
    if check is not None:
        check(_document(body))
        return
    function = _FUNCTIONS.fullmatch(path)
    if function is None or method not in ("POST", "PUT"):
        return
    if function[1] == "invocations":
        _check_payload(headers.get("x-amz-invocation-type", "RequestResponse"), len(body))
    else:
        check_environment(_document(body).get("Environment"))


def check_environment(environment: Any) -> None:
    """Refuse the environment of a function that has more than 4 KB of variables.

    Raises
    ------
    RefusedError
        As AWS says it.
    """
    variables = environment.get("Variables") if isinstance(environment, dict) else None
    measured = json.dumps(variables or {}, separators=(",", ":"), ensure_ascii=False)
    if len(measured.encode()) > ENVIRONMENT_BYTES:
        raise RefusedError(
            "InvalidParameterValueException",
            "Lambda was unable to configure your environment variables because the environment variables you "
            f"have provided exceeded the 4KB limit. String measured: {measured}",
        )


def check_state_output(state: str, value: Any) -> None:
    """Refuse what a state gives to the next one; no Catch of `States.ALL` sees it.

    Raises
    ------
    ExecutionError
        ``States.DataLimitExceeded``.
    """
    size = len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())
    if size > EXECUTION_DATA_BYTES:
        raise ExecutionError(
            "States.DataLimitExceeded",
            f"The state/task '{state}' returned a result with a size exceeding the maximum number of bytes "
            "service limit.",
        )


def _check_entries(request: Mapping[str, Any]) -> None:
    if sum(map(_entry_bytes, request.get("Entries") or [])) > ENTRIES_BYTES:
        raise RefusedError(
            "ValidationException", "Total size of the entries in the request is over the limit."
        )


def _entry_bytes(entry: Mapping[str, Any]) -> int:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html has the rule."""
    texts = [entry.get(name) or "" for name in ("Source", "DetailType", "Detail")]
    size = sum(len(str(text).encode()) for text in [*texts, *(entry.get("Resources") or [])])
    return size + (_EVENT_TIME_BYTES if entry.get("Time") else 0)


def _check_input(request: Mapping[str, Any]) -> None:
    if len(str(request.get("input") or "").encode()) > EXECUTION_DATA_BYTES:
        raise RefusedError(
            "ValidationException",
            "1 validation error detected: Value at 'input' failed to satisfy constraint: Member must have "
            f"length less than or equal to {EXECUTION_DATA_BYTES}",
        )


def _check_payload(kind: str, size: int) -> None:
    limit = PAYLOAD_BYTES.get(kind)
    if limit is not None and size > limit:
        raise RefusedError(
            "RequestEntityTooLargeException",
            f"{size} byte payload is too large for the {kind} invocation type (limit {limit} bytes)",
            413,
        )


def _checked(function: Callable[..., Any], properties_of: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def checked(*arguments: Any, **options: Any) -> Any:
        check_environment(properties_of(*arguments).get("Environment"))
        return function(*arguments, **options)

    return checked


@functools.cache
def _model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}  # the service itself refuses it
    return document if isinstance(document, dict) else {}


_BY_TARGET: Mapping[str, Callable[[Mapping[str, Any]], None]] = {
    "AWSEvents.PutEvents": _check_entries,
    "AWSStepFunctions.StartExecution": _check_input,
    "AWSStepFunctions.StartSyncExecution": _check_input,
}
