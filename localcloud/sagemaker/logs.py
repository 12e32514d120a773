"""Output of jobs and endpoints in CloudWatch Logs, sent in batches by one thread."""

import contextlib
import time
from collections import deque
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.sagemaker.sender import Clients, Sender

TRAINING_GROUP = "/aws/sagemaker/TrainingJobs"
PROCESSING_GROUP = "/aws/sagemaker/ProcessingJobs"
TRANSFORM_GROUP = "/aws/sagemaker/TransformJobs"
ENDPOINT_GROUP = "/aws/sagemaker/Endpoints"

_FLUSH_SECONDS = 0.5
_BATCH_EVENTS = 1_000
_BATCH_BYTES = 900_000  # PutLogEvents takes 1,048,576 bytes
_LINE_BYTES = 200_000
_KEPT_EVENTS = 100_000
_TAIL_LINES = 50


class LogStream:
    """One stream; keeps its last lines for failure reasons."""

    def __init__(self, group: str, name: str, role: str | None) -> None:
        self.group = group
        self.name = name
        self.role = role
        self.tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._pending: deque[dict[str, Any]] = deque(maxlen=_KEPT_EVENTS)
        self._exists = False

    def write(self, line: str) -> None:
        """Add a line; it is sent with the next batch."""
        self.tail.append(line)
        if line:
            self._pending.append({"timestamp": int(time.time() * 1000), "message": line[:_LINE_BYTES]})

    def send(self, client: Any) -> None:
        """Send what is pending. What cannot be sent is kept for the next time."""
        if not self._exists:
            self._create(client)
        while self._pending:
            batch: list[dict[str, Any]] = []
            size = 0
            while self._pending and len(batch) < _BATCH_EVENTS and size < _BATCH_BYTES:
                batch.append(self._pending.popleft())
                size += len(batch[-1]["message"].encode()) + 26
            try:
                client.put_log_events(logGroupName=self.group, logStreamName=self.name, logEvents=batch)
            except (ClientError, BotoCoreError):
                self._pending.extendleft(reversed(batch))
                self._exists = False
                raise

    def _create(self, client: Any) -> None:
        exists = client.exceptions.ResourceAlreadyExistsException
        with contextlib.suppress(exists):
            client.create_log_group(logGroupName=self.group)
        with contextlib.suppress(exists):
            client.create_log_stream(logGroupName=self.group, logStreamName=self.name)
        self._exists = True


class LogSender(Sender):
    """Sends the streams of all running jobs and endpoints every half second."""

    def __init__(self, clients: Clients) -> None:
        super().__init__(clients, "logs", _FLUSH_SECONDS)
        self._streams: list[LogStream] = []

    def open(self, group: str, name: str, role: str | None) -> LogStream:
        """Return a new stream that is sent, as the role, until it is closed."""
        stream = LogStream(group, name, role)
        with self._lock:
            self._streams.append(stream)
        return stream

    def close(self, stream: LogStream) -> None:
        """Send the last lines and forget the stream."""
        with self._lock:
            if stream in self._streams:
                self._streams.remove(stream)
        if not self._stop.is_set():
            self._send(stream)

    def send(self) -> None:
        """Send the new lines of every stream."""
        with self._lock:
            streams = list(self._streams)
        for stream in streams:
            self._send(stream)

    def _send(self, stream: LogStream) -> None:
        with self._logged(f"log stream {stream.group}/{stream.name}"):
            stream.send(self._clients.client("logs", stream.role))
