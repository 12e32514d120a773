"""Serving containers: start, health check, invocation, and the chain that an inference pipeline is."""

import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import urllib3

from localcloud.sagemaker.child import Child
from localcloud.sagemaker.container import environment, make_root, template
from localcloud.sagemaker.context import Context
from localcloud.sagemaker.logs import LogSender, LogStream
from localcloud.sagemaker.model_data import ROLE, fetch_code, fetch_model
from localcloud.sagemaker.shapes import Document

_PING_SECONDS = 0.03
_PING_TIMEOUT_SECONDS = 2.0  # AWS's limit for an answer to /ping


@dataclass(frozen=True, slots=True)
class Reply:
    """A container's answer."""

    status: int
    body: bytes
    content_type: str
    custom_attributes: str | None = None


class ContainerError(Exception):
    """A container answered with an error, or did not answer in time (status 0)."""

    def __init__(self, container: str, status: int, message: str, stream: LogStream) -> None:
        super().__init__(f"{container}: {status}: {message}")
        self.container = container
        self.status = status
        self.message = message
        self.stream = stream


class UnhealthyError(Exception):
    """A container ended, or did not pass the health check in time."""


class ServingContainer:
    """One container's process with its keep-alive connections."""

    def __init__(
        self, context: Context, definition: Document, root: Path, stream: LogStream, *, isolated: bool
    ) -> None:
        self.hostname: str = definition["ContainerHostname"]
        self.stream = stream
        role = definition.get(ROLE)
        image = context.image(definition["Image"], role)
        make_root(root, "model")
        variables = dict(definition.get("Environment", {}))
        fetch_model(context, definition, root)
        fetch_code(context, variables, root, role)
        port = _free_port()
        variables["SAGEMAKER_BIND_TO_PORT"] = str(port)
        variables["SAGEMAKER_SAFE_PORT_RANGE"] = f"{port}-{port}"
        self._child = Child(
            image.serve,
            cwd=root,
            environment=environment(context, image, root, variables, role=role, isolated=isolated),
            on_line=stream.write,
            template=template(context, image),
        )
        self._pool = urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=32, retries=False)

    def wait_healthy(self, deadline: float, stop: threading.Event) -> None:
        """Wait until /ping answers 200.

        Raises
        ------
        UnhealthyError
            When the program ended, the deadline (monotonic time) passed, or `stop` was set.
        """
        while True:
            try:
                if self._pool.request("GET", "/ping", timeout=_PING_TIMEOUT_SECONDS).status == 200:
                    return
            except urllib3.exceptions.HTTPError:
                pass  # not listening yet
            if self._child.exit_code is not None or time.monotonic() > deadline or stop.wait(_PING_SECONDS):
                raise UnhealthyError(self.hostname)

    @property
    def alive(self) -> bool:
        """Whether the program runs."""
        return self._child.exit_code is None

    def get(self, path: str, timeout_seconds: float) -> Reply:
        """Send a GET request.

        Raises
        ------
        ContainerError
            When there is no answer.
        """
        try:
            response = self._pool.request("GET", path, timeout=timeout_seconds)
        except urllib3.exceptions.HTTPError as error:
            raise ContainerError(self.hostname, 0, str(error), self.stream) from error
        return Reply(response.status, response.data, response.headers.get("Content-Type", ""))

    def invoke(self, body: bytes, headers: Mapping[str, str], timeout_seconds: float) -> Reply:
        """Send one request to /invocations.

        Raises
        ------
        ContainerError
            For any answer but 2xx, and for none.
        """
        try:
            response = self._pool.urlopen(
                "POST",
                "/invocations",
                body=body,
                headers=headers,
                timeout=urllib3.Timeout(connect=2, read=timeout_seconds),
            )
        except urllib3.exceptions.TimeoutError as error:
            raise ContainerError(
                self.hostname,
                0,
                f"Your invocation timed out while waiting for a response from container {self.hostname}. "
                "Review the latency metrics for each container in Amazon CloudWatch, resolve the issue, "
                "and try again.",
                self.stream,
            ) from error
        except urllib3.exceptions.HTTPError as error:
            raise ContainerError(
                self.hostname, 500, f"the connection to the container broke: {error}", self.stream
            ) from error
        if not 200 <= response.status < 300:
            raise ContainerError(
                self.hostname, response.status, response.data.decode("utf-8", "replace"), self.stream
            )
        return Reply(
            response.status,
            response.data,
            response.headers.get("Content-Type", "application/octet-stream"),
            response.headers.get("X-Amzn-SageMaker-Custom-Attributes"),
        )

    def end(self) -> None:
        """End the program and everything that it started."""
        self._pool.close()
        self._child.end()


class Chain:
    """The containers of a model, started together; each one's answer is the next one's request."""

    def __init__(self, containers: list[ServingContainer], logs: LogSender) -> None:
        self.containers = containers
        self._logs = logs

    @classmethod
    def start(
        cls,
        context: Context,
        logs: LogSender,
        definitions: list[Document],
        root: Path,
        *,
        group: str,
        stream: str,
        isolated: bool,
    ) -> "Chain":
        """Start every container; what was started is ended when one cannot be."""
        chain = cls([], logs)
        try:
            for definition in definitions:
                hostname = definition["ContainerHostname"]
                name = f"{stream}/{hostname}" if len(definitions) > 1 else stream
                log = logs.open(group, name, definition.get(ROLE))
                chain.containers.append(
                    ServingContainer(context, definition, root / hostname, log, isolated=isolated)
                )
        except Exception:
            chain.end()
            raise
        return chain

    def wait_healthy(self, seconds: float, stop: threading.Event) -> None:
        """Wait until every container is healthy; see `ServingContainer.wait_healthy`."""
        deadline = time.monotonic() + seconds
        for container in self.containers:
            container.wait_healthy(deadline, stop)

    @property
    def alive(self) -> bool:
        """Whether every program runs."""
        return all(container.alive for container in self.containers)

    def invoke(
        self,
        body: bytes,
        *,
        content_type: str,
        accept: str,
        headers: Mapping[str, str],
        timeout_seconds: float,
    ) -> Reply:
        """Send a request through the chain; only the last container sees the caller's ``Accept``."""
        deadline = time.monotonic() + timeout_seconds
        reply = Reply(200, body, content_type)
        for index, container in enumerate(self.containers, start=1):
            last = index == len(self.containers)
            request = {**headers, "Content-Type": reply.content_type, "Accept": accept if last else "*/*"}
            reply = container.invoke(reply.body, request, max(0.001, deadline - time.monotonic()))
        return reply

    def end(self) -> None:
        """End every container."""
        for container in self.containers:
            container.end()
            self._logs.close(container.stream)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
