"""Firehose in the server: takes records through the API and from IoT rules, delivers them to S3.

PutRecord and PutRecordBatch are answered here, on the event loop; what cannot be done is refused when the
stream is made, through the API and through CloudFormation alike.
"""

import asyncio
import base64
import binascii
import functools
import json
import logging
import shutil
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

from localcloud.authorization.authority import AccessDeniedError, Authority
from localcloud.authorization.needs import Need
from localcloud.firehose.configuration import Destination, UnsupportedDeliveryError, check_update
from localcloud.firehose.delivery import build_objects
from localcloud.firehose.journal import Journal, Segment
from localcloud.part import Part
from localcloud.seams import cloudwatch, firehose, iam, kinesis, s3
from localcloud.seams.cloudformation import resource_handlers
from localcloud.seams.gateway import service_handlers
from localcloud.seams.responses import error_response_json, json_response, request_scope
from localcloud.settings import Settings

logger = logging.getLogger(__name__)

Response = tuple[int, dict[str, str], bytes]
_RECORD_BYTES = 1_024_000
_BATCH_RECORDS = 500
_BATCH_BYTES = 4 << 20
_RETRY_SECONDS = 1.0
_FROM_STREAM = "KinesisStreamAsSource"
_READING = ("DescribeStream", "GetShardIterator", "GetRecords", "ListShards")
"""https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html"""


class StreamNotFoundError(LookupError):
    """No delivery stream of that name."""


class FirehosePart(Part):
    """Buffers and delivers.

    Parameters
    ----------
    settings
        Of the local cloud.
    authority
        Decides what a stream's role may write.
    when_saved
        Calls back when all state of this moment is on disk; a segment is deleted only then.
    """

    def __init__(
        self,
        settings: Settings,
        authority: Authority,
        when_saved: Callable[[Callable[[], None]], None],
    ) -> None:
        self._settings = settings
        self._authority = authority
        self._when_saved = when_saved
        self._folder = settings.home / "firehose"
        self._journals: dict[str, Journal] = {}
        self._destinations: dict[str, tuple[object, Destination]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._deliveries: set[asyncio.Task[None]] = set()
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._loop: asyncio.AbstractEventLoop | None = None

    def install(self) -> None:
        """Register with ministack."""
        self._original_handler = service_handlers["firehose"]
        service_handlers["firehose"] = self.handle_request
        self._original_create = firehose.create_delivery_stream.replace(self._create)
        firehose.handlers["CreateDeliveryStream"] = self._create
        firehose.ingest_from_data_stream.replace(self._take_in)
        self._original_update = firehose.handlers["UpdateDestination"]
        firehose.handlers["UpdateDestination"] = self._update
        stream = resource_handlers["AWS::KinesisFirehose::DeliveryStream"]
        stream["update"] = _refusing_update(stream["update"])

    async def start(self) -> None:
        """Deliver what an earlier process had acknowledged and not delivered."""
        self._loop = asyncio.get_running_loop()
        for folder in sorted(self._folder.glob("*")):
            if not folder.is_dir():
                continue
            journal = self._journal(folder.name)
            for segment in journal.left_over:
                self._deliver_soon(folder.name, segment)

    def shutdown(self) -> None:
        """Leave open segments on disk: the next start delivers them."""
        for journal in self._journals.values():
            journal.close_segment()

    def put(self, stream: str, records: Sequence[bytes]) -> None:
        """Buffer records: on disk when this returns. Call it on the event loop.

        Raises
        ------
        StreamNotFoundError
            When there is no such stream.
        """
        destination = self._destination(stream)
        journal = self._journal(stream)
        journal.append(records)
        if journal.size >= destination.buffer_bytes:
            self._flush(stream)
        elif stream not in self._timers:
            loop = asyncio.get_running_loop()
            interval = self._settings.firehose_interval_seconds or destination.buffer_seconds
            self._timers[stream] = loop.call_later(interval, self._flush, stream)
        self._count(stream, "IncomingRecords", len(records))

    async def handle_request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Response:
        """Serve one API call; same arguments and result as ministack's handler."""
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if action not in ("PutRecord", "PutRecordBatch"):
            original: Callable[..., Awaitable[Response]] = self._original_handler
            response = await original(method, path, headers, body, query)
            if action == "DeleteDeliveryStream" and response[0] == 200:
                self._forget(json.loads(body)["DeliveryStreamName"])
            return response
        try:
            request = json.loads(body)
            name = request["DeliveryStreamName"]
            entries = [request["Record"]] if action == "PutRecord" else request["Records"]
            records = [base64.b64decode(entry["Data"], validate=True) for entry in entries]
        except (ValueError, KeyError, TypeError, binascii.Error) as error:
            return _refuse("SerializationException", f"{action}: the request cannot be read: {error!r}")
        problem = _limits(action, records)
        if problem:
            return _refuse("InvalidArgumentException", problem)
        if self._source_of(name) is not None:
            return _refuse(
                "InvalidArgumentException",
                f"This operation is not permitted on {_FROM_STREAM} delivery stream type.",
            )
        try:
            self.put(name, records)
        except StreamNotFoundError as error:
            return _refuse("ResourceNotFoundException", str(error))
        ids = [{"RecordId": f"{uuid.uuid4().hex}{number:08d}"} for number in range(len(records))]
        if action == "PutRecord":
            answer: Response = json_response({**ids[0], "Encrypted": False})
        else:
            answer = json_response({"FailedPutCount": 0, "Encrypted": False, "RequestResponses": ids})
        return answer

    def _create(self, request: dict[str, Any]) -> Response:
        kind, config = firehose.resolve_destination(request)
        if kind is not None and kind not in ("ExtendedS3", "S3"):
            return _refuse(
                "InvalidArgumentException", f"destination {kind} is not supported by the local cloud"
            )
        kind = request.get("DeliveryStreamType", "DirectPut")
        if kind == _FROM_STREAM:
            problem = self._cannot_read(request)
            if problem:
                return _refuse("InvalidArgumentException", problem)
        elif kind != "DirectPut":
            return _refuse("InvalidArgumentException", f"source {kind} is not supported by the local cloud")
        if config is not None:
            try:
                Destination.parse(config)
            except (UnsupportedDeliveryError, ValueError, KeyError) as error:
                return _refuse("InvalidArgumentException", str(error))
        created: Response = self._original_create(request)
        return created

    def _cannot_read(self, request: dict[str, Any]) -> str | None:
        """Say why a stream cannot be made that reads a data stream; Firehose looks when it is made."""
        source = request.get("KinesisStreamSourceConfiguration") or {}
        arn = str(source.get("KinesisStreamARN"))
        if request.get("DeliveryStreamEncryptionConfigurationInput"):
            return "DeliveryStreamEncryptionConfigurationInput is of DirectPut: the data stream encrypts"
        if kinesis.stream_of(arn) is None:
            return f"Stream {arn} not found."
        try:
            self._require_reading(str(request.get("DeliveryStreamName")), source)
        except AccessDeniedError as error:
            return str(error)
        return None

    def _require_reading(self, stream: str, source: Mapping[str, Any]) -> None:
        """Let the stream's role do what Firehose does with a data stream, and its key."""
        arn = str(source["KinesisStreamARN"])
        caller = self._authority.assume("firehose", source["RoleARN"], stream, self._arn(stream))
        needs = [Need(f"kinesis:{verb}", arn) for verb in _READING]
        found = kinesis.stream_of(arn) or {}
        key = iam.resolve_key(str(found["KeyId"])) if found.get("EncryptionType") == "KMS" else None
        if key is not None:
            via = f"kinesis.{self._settings.region}.amazonaws.com"
            context = {"kms:viaservice": via, "kms:encryptioncontext:aws:kinesis:arn": arn}
            needs.append(Need("kms:Decrypt", key["Arn"], context))
        self._authority.require(caller, needs)

    def _source_of(self, stream: str) -> dict[str, Any] | None:
        """Return the data stream that a delivery stream reads, None where records are put into it."""
        with request_scope(self._settings.account, self._settings.region):
            record = firehose.streams.get(stream)
        source: dict[str, Any] | None = None if record is None else record.get("kinesis_source")
        return source

    def _take_in(self, data_stream: str, records: Sequence[tuple[str, bytes]]) -> None:
        """Buffer what was put into a data stream in every delivery stream that reads it."""
        with request_scope(self._settings.account, self._settings.region):
            names = list(firehose.streams)
        for name in names:
            source = self._source_of(name)
            if source is None or source["KinesisStreamARN"] != data_stream:
                continue
            try:
                self._require_reading(name, source)
            except AccessDeniedError as error:
                logger.warning("delivery stream %s does not read %s: %s", name, data_stream, error)
                continue
            self.put(name, [data for _, data in records])

    def _arn(self, stream: str) -> str:
        return self._authority.place.arn("firehose", f"deliverystream/{stream}")

    def _update(self, request: dict[str, Any]) -> Response:
        change = request.get("ExtendedS3DestinationUpdate") or {}
        record = firehose.streams.get(request.get("DeliveryStreamName", ""))
        if record is not None and record["destinations"]:
            old = record["destinations"][0]["config"]
            try:
                check_update(old, {**old, **change})
            except (UnsupportedDeliveryError, ValueError, KeyError) as error:
                return _refuse("InvalidArgumentException", str(error))
        updated: Response = self._original_update(request)
        return updated

    def _destination(self, stream: str) -> Destination:
        with request_scope(self._settings.account, self._settings.region):
            record = firehose.streams.get(stream)
        if record is None or not record["destinations"]:
            account = self._settings.account
            raise StreamNotFoundError(f"Firehose {stream} under account {account} not found.")
        config = record["destinations"][0]["config"]
        known = self._destinations.get(stream)
        if known is None or known[0] is not config:
            known = (config, Destination.parse(config))
            self._destinations[stream] = known
        return known[1]

    def _journal(self, stream: str) -> Journal:
        if stream not in self._journals:
            self._journals[stream] = Journal(self._folder / stream)
        return self._journals[stream]

    def _flush(self, stream: str) -> None:
        timer = self._timers.pop(stream, None)
        if timer is not None:
            timer.cancel()
        segment = self._journal(stream).close_segment()
        if segment is not None:
            self._deliver_soon(stream, segment)

    def _deliver_soon(self, stream: str, segment: Segment) -> None:
        task = asyncio.get_running_loop().create_task(self._deliver(stream, segment))
        self._deliveries.add(task)
        task.add_done_callback(self._deliveries.discard)

    async def _deliver(self, stream: str, segment: Segment) -> None:
        async with self._turns[stream]:  # a stream's objects are made in the order of their records
            await self._deliver_segment(stream, segment)

    async def _deliver_segment(self, stream: str, segment: Segment) -> None:
        while segment.path.exists():
            try:
                destination = self._destination(stream)
            except StreamNotFoundError:
                logger.warning("delivery stream %s is gone; its records stay in %s", stream, segment.path)
                return
            objects = await asyncio.to_thread(build_objects, stream, 1, destination, segment)
            statuses = [await self._write(stream, destination, found.key, found.body) for found in objects]
            if all(status < 300 for status in statuses):
                self._count(stream, "DeliveryToS3.Records", sum(found.records for found in objects))
                self._count(stream, "DeliveryToS3.Success", 1)
                self._when_saved(segment.delete)
                return
            logger.warning("delivery to bucket %s answered %s; trying again", destination.bucket, statuses)
            await asyncio.sleep(_RETRY_SECONDS)

    async def _write(self, stream: str, destination: Destination, key: str, body: bytes) -> int:
        try:
            self._require(stream, destination, key)
        except AccessDeniedError as error:
            logger.warning("delivery stream %s: %s", stream, error)
            return int(HTTPStatus.FORBIDDEN)
        headers = {
            "content-type": "application/octet-stream",
            "content-length": str(len(body)),
            "host": "s3.localhost",
        }
        with request_scope(self._settings.account, self._settings.region):
            path = f"/{destination.bucket}/{key}"
            status, _, _ = await s3.handle_request("PUT", path, headers, body, {}, internal=True)
        return int(status)

    def _require(self, stream: str, destination: Destination, key: str) -> None:
        caller = self._authority.assume("firehose", destination.role, stream, self._arn(stream))
        bucket = f"arn:aws:s3:::{destination.bucket}"
        self._authority.require(caller, [Need("s3:PutObject", f"{bucket}/{key}")])

    def _count(self, stream: str, metric: str, value: int) -> None:
        with request_scope(self._settings.account, self._settings.region):
            cloudwatch.record_metric("AWS/Firehose", metric, value, "Count", {"DeliveryStreamName": stream})

    def _forget(self, stream: str) -> None:
        timer = self._timers.pop(stream, None)
        if timer is not None:
            timer.cancel()
        journal = self._journals.pop(stream, None)
        if journal is not None:
            journal.close_segment()
        self._destinations.pop(stream, None)
        folder: Path = self._folder / stream
        shutil.rmtree(folder, ignore_errors=True)


def _refusing_update(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def update(physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str) -> Any:
        (_, before), (_, after) = map(firehose.resolve_destination, (old, new))
        check_update(before, after)
        return original(physical_id, old, new, stack)

    return update


def _limits(action: str, records: Sequence[bytes]) -> str | None:
    if not records:
        return "Records must not be empty"
    if len(records) > _BATCH_RECORDS:
        return f"{action}: {len(records)} records; at most {_BATCH_RECORDS} in a request"
    if max(map(len, records)) > _RECORD_BYTES:
        return f"{action}: a record is larger than {_RECORD_BYTES} bytes"
    if sum(map(len, records)) > _BATCH_BYTES:
        return f"{action}: the request is larger than {_BATCH_BYTES} bytes"
    return None


def _refuse(code: str, message: str) -> Response:
    refused: Response = error_response_json(code, message, 400)
    return refused
