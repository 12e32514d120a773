"""InvokeEndpoint: a request through a variant's containers, its headers, errors, metrics and capture."""

import json
import time
import uuid
from collections.abc import Mapping
from functools import lru_cache

import botocore.session

from localcloud.sagemaker.capture import DataCapture
from localcloud.sagemaker.context import Context
from localcloud.sagemaker.endpoints import EndpointSupervisor
from localcloud.sagemaker.errors import SageMakerError, UnsupportedError
from localcloud.sagemaker.fleet import Fleet
from localcloud.sagemaker.kinds import ENDPOINT
from localcloud.sagemaker.metrics import MetricSender
from localcloud.sagemaker.serving import ContainerError, Reply

INVOCATION_SECONDS = 60.0  # AWS: a container must answer within 60 seconds
SERVERLESS_BYTES = 4 * 1024 * 1024  # AWS: 4 MB for serverless variants
_HEADER = "x-amzn-sagemaker-"
_REFUSED = {
    "target-model": "multi-model endpoints",
    "target-container-hostname": "direct invocation of a container",
    "enable-explanations": "online explanations",
    "inference-component": "inference components",
    "session-id": "stateful sessions",
}

HttpReply = tuple[int, dict[str, str], bytes]


@lru_cache(maxsize=1)
def largest_request() -> int:
    """Return the greatest body in bytes, as the pinned service model of the runtime states it."""
    model = botocore.session.get_session().get_service_model("sagemaker-runtime")
    shape = model.operation_model("InvokeEndpoint").input_shape
    return int(shape.members["Body"].metadata["max"]) if shape else 0


class Runtime:
    """The data plane."""

    def __init__(
        self, context: Context, endpoints: EndpointSupervisor, metrics: MetricSender, capture: DataCapture
    ) -> None:
        self._context = context
        self._endpoints = endpoints
        self._metrics = metrics
        self._capture = capture

    def invoke(self, name: str, headers: Mapping[str, str], body: bytes) -> HttpReply:
        """Answer one request; `headers` have lower-case names.

        Raises
        ------
        SageMakerError
            ``ValidationError`` and ``ModelError`` as the runtime API gives them.
        """
        started = time.perf_counter()
        fleet = self._fleet(name)
        for header, what in _REFUSED.items():
            if _HEADER + header in headers:
                raise UnsupportedError(what)
        variant = self._variant(name, fleet, headers.get(_HEADER + "target-variant"))
        self._check_size(fleet, variant, body)
        inference_id = headers.get(_HEADER + "inference-id")
        passed = {
            title: headers[title.lower()]
            for title in ("X-Amzn-SageMaker-Custom-Attributes",)
            if title.lower() in headers
        }
        if inference_id:
            passed["X-Amzn-SageMaker-Inference-Id"] = inference_id
        content_type = headers.get("content-type") or "application/octet-stream"
        called = time.perf_counter()
        try:
            reply = fleet.chain(variant).invoke(
                body,
                content_type=content_type,
                accept=headers.get("accept", "*/*"),
                headers=passed,
                timeout_seconds=INVOCATION_SECONDS,
            )
        except ContainerError as error:
            self._measure(name, variant, error.status or 500, time.perf_counter() - called, called - started)
            fleet.heal(variant)
            raise self._model_error(name, error) from error
        finished = time.perf_counter()
        self._capture.record(
            name, variant, fleet.plan["capture"], body, content_type, reply, inference_id, fleet.role(variant)
        )
        self._measure(
            name, variant, reply.status, finished - called, time.perf_counter() - finished + called - started
        )
        return 200, _answer_headers(reply, variant), reply.body

    def _fleet(self, name: str) -> Fleet:
        endpoint = self._context.store.find(ENDPOINT, name)
        if endpoint is None:
            raise SageMakerError(
                "ValidationError", f"Endpoint {name} of account {self._context.settings.account} not found."
            )
        fleet = None
        if endpoint["EndpointStatus"] not in ("Creating", "Failed"):
            fleet = self._endpoints.fleet(name)
        if fleet is None:
            raise SageMakerError(
                "ValidationError",
                f"Endpoint {name} of account {self._context.settings.account} is in status "
                f"{endpoint['EndpointStatus']} and cannot be invoked.",
            )
        return fleet

    def _variant(self, name: str, fleet: Fleet, target: str | None) -> str:
        if target is None:
            return fleet.choose()
        if target not in fleet.variants:
            raise SageMakerError(
                "ValidationError",
                f"Variant {target} of endpoint {name} of account {self._context.settings.account} not found.",
            )
        return target

    def _check_size(self, fleet: Fleet, variant: str, body: bytes) -> None:
        serverless = any(
            item["VariantName"] == variant and "ServerlessConfig" in item for item in fleet.plan["variants"]
        )
        limit = SERVERLESS_BYTES if serverless else largest_request()
        if len(body) > limit:
            raise SageMakerError(
                "ValidationError",
                "1 validation error detected: Value at 'body' failed to satisfy constraint: "
                f"Member must have length less than or equal to {limit}",
            )

    def _measure(
        self, name: str, variant: str, status: int, model_seconds: float, other_seconds: float
    ) -> None:
        dimensions = (("EndpointName", name), ("VariantName", variant))
        for metric, value, unit in (
            ("Invocations", 1.0, "None"),
            ("Invocation4XXErrors", float(400 <= status < 500), "None"),
            ("Invocation5XXErrors", float(status >= 500), "None"),
            ("InvocationModelErrors", float(status >= 400), "None"),
            ("ModelLatency", float(round(model_seconds * 1e6)), "Microseconds"),
            ("OverheadLatency", float(round(other_seconds * 1e6)), "Microseconds"),
        ):
            self._metrics.add("AWS/SageMaker", metric, value, unit, dimensions)

    def _model_error(self, name: str, error: ContainerError) -> SageMakerError:
        settings = self._context.settings
        side = "client" if 400 <= error.status < 500 else "server"
        group = error.stream.group
        return SageMakerError(
            "ModelError",
            f'Received {side} error ({error.status}) from {error.container} with message "{error.message}". '
            f"See https://{settings.region}.console.aws.amazon.com/cloudwatch/home?region={settings.region}"
            f"#logEventViewer:group={group} in account {settings.account} for more information.",
            status=424,
            ErrorCode="CLIENT_ERROR_FROM_MODEL" if side == "client" else "INTERNAL_FAILURE_FROM_MODEL",
            OriginalStatusCode=error.status,
            OriginalMessage=error.message,
            LogStreamArn=f"arn:aws:logs:{settings.region}:{settings.account}:log-group:{group}",
        )


def error_reply(error: SageMakerError) -> HttpReply:
    """Return an error of the runtime API."""
    document = {"Message": error.message, "message": error.message, **error.details}
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": error.code}
    return error.status, headers, json.dumps(document).encode()


def _answer_headers(reply: Reply, variant: str) -> dict[str, str]:
    headers = {
        # Lower case: ministack makes a `Content-Type` of JSON that of the service's own documents.
        "content-type": reply.content_type,
        "x-Amzn-Invoked-Production-Variant": variant,
        "x-amzn-requestid": str(uuid.uuid4()),
    }
    if reply.custom_attributes is not None:
        headers["X-Amzn-SageMaker-Custom-Attributes"] = reply.custom_attributes
    return headers
