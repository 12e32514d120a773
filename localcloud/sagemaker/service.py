"""Puts the parts of the laptop's SageMaker together and registers them with ministack."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote

from localcloud import stepfunctions
from localcloud.authorization.authority import Authority
from localcloud.sagemaker import cloudformation
from localcloud.sagemaker.api import Api
from localcloud.sagemaker.capture import DataCapture
from localcloud.sagemaker.context import Context, ImageSource, registry_images
from localcloud.sagemaker.endpoints import EndpointSupervisor
from localcloud.sagemaker.errors import InvalidRequestError, SageMakerError, UnsupportedError
from localcloud.sagemaker.jobs import JobSupervisor, default_runners
from localcloud.sagemaker.logs import LogSender
from localcloud.sagemaker.metrics import MetricSender
from localcloud.sagemaker.runtime import HttpReply, Runtime, error_reply
from localcloud.seams.gateway import service_handlers, service_patterns
from localcloud.settings import Settings

_CONCURRENT_INVOCATIONS = 64
_TARGET = "SageMaker."


class SageMaker:
    """The service in this process."""

    def __init__(
        self, settings: Settings, images: ImageSource | None = None, authority: Authority | None = None
    ) -> None:
        self._context = Context(settings, images or registry_images(settings.image_home), authority)
        self._logs = LogSender(self._context)
        self._metrics = MetricSender(self._context)
        self._capture = DataCapture(self._context)
        self._jobs = JobSupervisor(self._context, self._logs, self._metrics, default_runners())
        self._endpoints = EndpointSupervisor(self._context, self._logs)
        self.api = Api(self._context, self._jobs, self._endpoints)
        self._runtime = Runtime(self._context, self._endpoints, self._metrics, self._capture)
        self._pool = ThreadPoolExecutor(_CONCURRENT_INVOCATIONS, thread_name_prefix="sagemaker-invoke")

    def install(self) -> None:
        """Load the state and register with ministack."""
        self._context.store.start()
        service_patterns["sagemaker"] = {
            "host_patterns": [r"sagemaker\."],
            "target_prefixes": [_TARGET],
        }
        service_handlers["sagemaker"] = self.handle
        stepfunctions.install(self.api)
        cloudformation.install(self.api)

    def resume(self) -> None:
        """Begin to send logs and metrics; carry on with endpoints and jobs."""
        for sender in (self._logs, self._metrics, self._capture):
            sender.start()
        self._endpoints.resume()
        self._jobs.resume()

    def snapshot(self) -> None:
        """Write the state if it changed."""
        self._context.store.write()

    def shutdown(self) -> None:
        """End every process and write the state."""
        for sender in (self._logs, self._metrics, self._capture):
            sender.stop()
        self._jobs.abandon()
        self._endpoints.abandon()
        self._context.templates.close()
        self._context.store.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def handle(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> HttpReply:
        """Answer one request of the SageMaker API or its runtime, as ministack's handlers do."""
        if path.startswith("/endpoints/"):
            return await self._handle_runtime(path, headers, body)
        target = headers.get("x-amz-target", "")
        try:
            request = json.loads(body or b"{}")
            if not target.startswith(_TARGET) or not isinstance(request, dict):
                raise InvalidRequestError("The request is not an operation of SageMaker.")
            document = self.api.call(target.removeprefix(_TARGET), request)
        except json.JSONDecodeError as error:
            return _control_error(SageMakerError("SerializationException", str(error)))
        except SageMakerError as error:
            return _control_error(error)
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(document).encode()

    async def _handle_runtime(self, path: str, headers: dict[str, str], body: bytes) -> HttpReply:
        _, _, name, action = path.split("/", 3) if path.count("/") >= 3 else ("", "", "", path)
        lower = {key.lower(): value for key, value in headers.items()}
        loop = asyncio.get_running_loop()
        try:
            if action != "invocations":
                raise UnsupportedError(f"the runtime operation {action}")
            return await loop.run_in_executor(self._pool, self._runtime.invoke, unquote(name), lower, body)
        except SageMakerError as error:
            return error_reply(error)


def _control_error(error: SageMakerError) -> HttpReply:
    document = {"__type": error.code, "message": error.message, **error.details}
    return error.status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(document).encode()
