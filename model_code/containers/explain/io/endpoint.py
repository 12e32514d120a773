"""Asks a model behind an endpoint, and makes a shadow endpoint of a model for as long as it is asked.

The only module of the containers that calls AWS.
"""

from __future__ import annotations

import logging
import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from containers.explain.io.model import Model
from containers.explain.io.predictor_settings import PredictorSettings
from watchkeeper.core.causes import without_traceback
from watchkeeper.core.errors import ContractViolationError, UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

MAX_ROWS = 4_000
MAX_BYTES = 5 * 1024**2
"""A request of InvokeEndpoint has at most 6 MB, and is answered within a minute."""
VARIANT = "shadow"
DEFAULT_PREFIX = "watchkeeper-explain"
MAX_NAME = 63
WORKLOAD_VARIABLE, WORKLOAD_TAG = "WATCHKEEPER_WORKLOAD", "watchkeeper:workload"
"""The tag by which the teardown finds what a job that was killed has left behind."""

_RETRIES = Config(retries={"mode": "adaptive", "max_attempts": 8}, read_timeout=90)
_OTHER_SIDES_FAULT = frozenset(
    {"ModelError", "ModelNotReadyException", "ServiceUnavailable", "InternalFailure"}
)

logger = logging.getLogger(__name__)


@contextmanager
def endpoint_model(settings: PredictorSettings) -> Iterator[Model]:
    """Give the model that the settings name: behind its endpoint, or a shadow endpoint that is always
    deleted.

    Raises
    ------
    UnavailableError
        If the endpoint does not come into service, or does not answer; names it and AWS's reason.
    ContractViolationError
        If there is no such endpoint or model, or the job may not use it.
    """
    runtime = boto3.client("sagemaker-runtime", config=_RETRIES)
    if settings.endpoint_name is not None:
        yield _model(runtime, settings.endpoint_name, settings, f"the endpoint {settings.endpoint_name}")
        return
    with shadow_endpoint(boto3.client("sagemaker", config=_RETRIES), settings) as name:
        yield _model(runtime, name, settings, f"a shadow endpoint of the model {settings.model_name}")


@contextmanager
def shadow_endpoint(client: SageMakerClient, settings: PredictorSettings) -> Iterator[str]:
    """Create an endpoint of a model, give its name, and delete it and its configuration in any case."""
    name = f"{(settings.endpoint_name_prefix or DEFAULT_PREFIX)[: MAX_NAME - 22]}-{int(time.time())}-"
    name += uuid.uuid4().hex[: MAX_NAME - len(name)][:10]
    tags = [{"Key": "watchkeeper:purpose", "Value": "explain"}]
    if os.environ.get(WORKLOAD_VARIABLE):
        tags.append({"Key": WORKLOAD_TAG, "Value": os.environ[WORKLOAD_VARIABLE]})
    variant: Any = {
        "VariantName": VARIANT,
        "ModelName": settings.model_name,
        "InstanceType": settings.instance_type,
        "InitialInstanceCount": settings.initial_instance_count,
    }
    with _ended_by_signal(), ExitStack() as made:
        try:
            client.create_endpoint_config(
                EndpointConfigName=name,
                ProductionVariants=[variant],
                Tags=tags,  # type: ignore[arg-type]  # two texts each
            )
            made.callback(_delete, name, lambda: client.delete_endpoint_config(EndpointConfigName=name))
            client.create_endpoint(EndpointName=name, EndpointConfigName=name, Tags=tags)  # type: ignore[arg-type]
            made.callback(_delete, name, lambda: client.delete_endpoint(EndpointName=name))
        except (BotoCoreError, ClientError) as error:
            raise _translated(
                f"the shadow endpoint of {settings.model_name} cannot be made", error
            ) from error
        logger.info("waiting for the shadow endpoint", extra={"endpoint": name})
        _wait(client, name)
        yield name


def _wait(client: SageMakerClient, name: str) -> None:
    try:
        client.get_waiter("endpoint_in_service").wait(
            EndpointName=name, WaiterConfig={"Delay": _delay_seconds(), "MaxAttempts": 120}
        )
    except WaiterError as error:
        described = error.last_response or {}
        raise UnavailableError(
            f"the shadow endpoint {name} did not come into service: "
            f"{described.get('EndpointStatus', 'unknown')}: {described.get('FailureReason', error)}"
        ) from error


def _delay_seconds() -> int:
    return int(os.environ.get("WATCHKEEPER_POLL_SECONDS", "15"))


def _delete(name: str, call: Callable[[], object]) -> None:
    try:
        call()
    except (BotoCoreError, ClientError):
        # The analysis is not lost because of it; the tags say whose the endpoint is.
        logger.exception("left behind", extra={"endpoint": name})


@contextmanager
def _ended_by_signal() -> Iterator[None]:
    """Let a stopped job delete its endpoint: SageMaker sends SIGTERM, and kills two minutes later."""

    def end(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise UnavailableError("the job was stopped")

    before = None
    with suppress(ValueError):  # not in the main thread
        before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


def _model(
    client: SageMakerRuntimeClient, endpoint: str, settings: PredictorSettings, description: str
) -> Model:
    return Model(_caller(client, endpoint, settings), settings, MAX_ROWS, MAX_BYTES, description)


def _caller(
    client: SageMakerRuntimeClient, endpoint: str, settings: PredictorSettings
) -> Callable[[bytes], bytes]:
    more = {
        key: value
        for key, value in (
            ("TargetModel", settings.target_model),
            ("CustomAttributes", settings.custom_attributes),
        )
        if value
    }

    def send(body: bytes) -> bytes:
        try:
            answer = client.invoke_endpoint(
                EndpointName=endpoint,
                ContentType=settings.content_type,
                Accept=settings.accept_type,
                Body=body,
                **more,
            )
            return answer["Body"].read()
        except (BotoCoreError, ClientError) as error:
            raise _translated(f"the endpoint {endpoint} refused a request", error) from error

    return send


def _translated(what: str, error: BotoCoreError | ClientError) -> ContractViolationError | UnavailableError:
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
    status = error.response["ResponseMetadata"]["HTTPStatusCode"] if isinstance(error, ClientError) else 500
    if status >= 500 or code in _OTHER_SIDES_FAULT or "Throttl" in code:
        return UnavailableError(f"{what}: {without_traceback(str(error))}")
    return ContractViolationError(f"{what}: {without_traceback(str(error))}")
