"""Kinesis: data streams, as what reads them looks them up."""

from collections.abc import Callable
from typing import Any

from ministack.services import kinesis as _kinesis

stream_of: Callable[[str], dict[str, Any] | None] = _kinesis._resolve_stream_by_arn
