"""Firehose: delivery streams, the prefixes of their objects, and the JQ of dynamic partitioning."""

from collections.abc import Callable
from typing import Any

from ministack.services import firehose as _firehose

from localcloud.seams.replacing import Replaceable

streams: Any = _firehose._streams
handlers: dict[str, Callable[..., Any]] = _firehose._HANDLERS
resolve_destination: Callable[..., Any] = _firehose._resolve_dest_type_and_config
s3_bucket_from_arn: Callable[[str], str] = _firehose._s3_bucket_from_arn
evaluate_prefix: Callable[..., str] = _firehose._evaluate_prefix
jq_parse: Callable[[str], Any] = _firehose._jq_parse
jq_value: Callable[..., Any] = _firehose._jq_value

create_delivery_stream = Replaceable(_firehose, "_create_delivery_stream")
ingest_from_data_stream = Replaceable(_firehose, "ingest_from_kinesis_source")
