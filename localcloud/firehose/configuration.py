"""A delivery stream's S3 destination, decoded once; what the laptop cannot do is refused by name."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.seams import firehose

_PROCESSORS = {"MetadataExtraction", "AppendDelimiterToRecord"}
_COMPRESSIONS = {"UNCOMPRESSED", "GZIP"}
_UNSUPPORTED = ("DataFormatConversionConfiguration", "S3BackupConfiguration")
_MEBIBYTE = 1 << 20
_DEFAULT_SECONDS, _DEFAULT_MEBIBYTES = 300, 5
_PARTITIONED_SECONDS, _PARTITIONED_MEBIBYTES = 60, 64
"""What a stream with dynamic partitioning must buffer at least."""

Steps = list[tuple[str, list[Any], list[Any]]]


class UnsupportedDeliveryError(ValueError):
    """The configuration asks for something that the local cloud does not do."""


class RecordError(ValueError):
    """A record cannot be delivered to the destination's prefix."""


@dataclass(frozen=True, slots=True)
class Destination:
    """How records become objects.

    Attributes
    ----------
    role : str
        ARN of the role that writes.
    partition_query : list or None
        Parsed JQ query of the metadata extraction.
    delimiter : bytes
        Appended to every record.
    buffer_bytes : int
        A buffer of this size is delivered at once.
    buffer_seconds : int
        A buffer of this age is delivered.
    """

    bucket: str
    role: str
    prefix: str
    error_prefix: str
    extension: str
    gzip: bool
    delimiter: bytes
    buffer_bytes: int
    buffer_seconds: int
    partition_query: Steps | None

    @classmethod
    def parse(cls, config: Mapping[str, Any]) -> "Destination":
        """Decode an ``ExtendedS3DestinationConfiguration``.

        Raises
        ------
        UnsupportedDeliveryError
            Naming the first part of it that the local cloud does not do.
        """
        for name in _UNSUPPORTED:
            if (config.get(name) or {}).get("Enabled", bool(config.get(name))):
                raise UnsupportedDeliveryError(f"{name} is not supported by the local cloud")
        compression = config.get("CompressionFormat") or "UNCOMPRESSED"
        if compression not in _COMPRESSIONS:
            raise UnsupportedDeliveryError(
                f"CompressionFormat {compression} is not supported by the local cloud; GZIP is"
            )
        processors = _processors(config)
        unknown = sorted(set(processors) - _PROCESSORS)
        if unknown:
            raise UnsupportedDeliveryError(f"processor {unknown[0]} is not supported by the local cloud")
        extraction = processors.get("MetadataExtraction", {})
        query = extraction.get("MetadataExtractionQuery")
        partitioned = _is_partitioned(config)
        delimiter = processors.get("AppendDelimiterToRecord")
        gzip = compression == "GZIP"
        seconds, mebibytes = _buffering(config.get("BufferingHints") or {}, partitioned)
        return cls(
            bucket=firehose.s3_bucket_from_arn(config["BucketARN"]),
            role=config["RoleARN"],
            prefix=config.get("Prefix") or "",
            error_prefix=config.get("ErrorOutputPrefix") or "",
            extension=config.get("FileExtension") or (".gz" if gzip else ""),
            gzip=gzip,
            delimiter=b"" if delimiter is None else _unescape(delimiter.get("Delimiter", "\\n")),
            buffer_bytes=mebibytes * _MEBIBYTE,
            buffer_seconds=seconds,
            partition_query=_parse_query(query) if partitioned and query else None,
        )

    def partition(self, record: bytes) -> tuple[tuple[str, str], ...]:
        """Return the partition keys of a record, as pairs in the query's order.

        Raises
        ------
        RecordError
            When the record is not a JSON object, or a key is absent.
        """
        if self.partition_query is None:
            return ()
        try:
            document = json.loads(record)
        except ValueError as error:
            raise RecordError(f"the record is not JSON: {error}") from error
        if not isinstance(document, dict):
            raise RecordError("the record is not a JSON object")
        return tuple(
            (name, _scalar(name, document, steps, calls)) for name, steps, calls in self.partition_query
        )

    def key_prefix(self, partition: tuple[tuple[str, str], ...], arrived_at: float) -> str:
        """Evaluate the prefix for a partition. ``arrived_at`` is Unix time in seconds."""
        found: str = firehose.evaluate_prefix(self.prefix, time.gmtime(arrived_at), dict(partition))
        return found

    def error_key_prefix(self, error_type: str, arrived_at: float) -> str:
        """Evaluate the error prefix, with AWS's default when there is none."""
        moment = time.gmtime(arrived_at)
        if self.error_prefix:
            found: str = firehose.evaluate_prefix(self.error_prefix, moment, error_type=error_type)
            return found
        return f"{self.prefix.partition('!{')[0]}{error_type}/{time.strftime('%Y/%m/%d/%H/', moment)}"


def check_update(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Refuse a change of a stream's destination that AWS, or the local cloud, does not make.

    Raises
    ------
    UnsupportedDeliveryError
        Naming it.
    """
    Destination.parse(after)
    if _is_partitioned(before) is not _is_partitioned(after):
        raise UnsupportedDeliveryError(
            "DynamicPartitioningConfiguration: a stream begins with it or never has it; make another stream"
        )


def _is_partitioned(config: Mapping[str, Any]) -> bool:
    return bool((config.get("DynamicPartitioningConfiguration") or {}).get("Enabled", False))


def _buffering(hints: Mapping[str, Any], partitioned: bool) -> tuple[int, int]:
    """Return seconds and mebibytes; what AWS refuses of a stream with dynamic partitioning is refused."""
    if len(hints) == 1:
        raise UnsupportedDeliveryError("BufferingHints: IntervalInSeconds and SizeInMBs go together")
    seconds = int(hints.get("IntervalInSeconds", _DEFAULT_SECONDS))
    mebibytes = int(hints.get("SizeInMBs", _DEFAULT_MEBIBYTES))
    for name, given, least in (
        ("IntervalInSeconds", seconds, _PARTITIONED_SECONDS),
        ("SizeInMBs", mebibytes, _PARTITIONED_MEBIBYTES),
    ):
        if partitioned and given < least:
            raise UnsupportedDeliveryError(
                f"BufferingHints.{name} is {given}: with dynamic partitioning it must be at least {least}"
            )
    return seconds, mebibytes


def _processors(config: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    processing = config.get("ProcessingConfiguration") or {}
    if not processing.get("Enabled"):
        return {}
    return {
        processor["Type"]: {
            parameter["ParameterName"]: parameter["ParameterValue"]
            for parameter in processor.get("Parameters") or ()
        }
        for processor in processing.get("Processors") or ()
    }


def _parse_query(query: str) -> Steps:
    try:
        parsed: Steps = firehose.jq_parse(query)
    except ValueError as error:
        raise UnsupportedDeliveryError(f"MetadataExtractionQuery: {error}") from error
    return parsed


def _scalar(name: str, document: dict[str, Any], steps: list[Any], calls: list[Any]) -> str:
    try:
        value = firehose.jq_value(document, steps, calls)
    except ValueError as error:
        raise RecordError(f"partition key {name}: {error}") from error
    if value is None or isinstance(value, (dict, list)):
        raise RecordError(f"partition key {name} has no scalar value")
    return value if isinstance(value, str) else json.dumps(value)


def _unescape(text: str) -> bytes:
    return text.replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r").encode()
