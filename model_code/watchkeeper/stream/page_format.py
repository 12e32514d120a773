"""A page as bytes: what is in the store.

`WKPG`, the version (4 bytes), the length of the header (4 bytes), the header in JSON, then the columns, of
which the header has the lengths, each from a multiple of 8 bytes on. Numbers are little-endian. Nothing is
unpickled: a column has the type that this release expects, or the page is refused.
"""

from __future__ import annotations

import json
import struct
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from watchkeeper.anomalies.quality import QualityEvent
from watchkeeper.core.documents import plain, read_part
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.detectors.streaming.state import STATE, STATE_VERSION
from watchkeeper.judgement.quality import Signal
from watchkeeper.stream.health import PageHead
from watchkeeper.stream.page import (
    ACQUAINTED,
    APPLIED,
    KNOWN,
    NEVER,
    NEWEST,
    READING,
    THRESHOLD,
    WAITING,
    Folded,
    Output,
    Page,
    Quality,
)
from watchkeeper.telemetry.intervals import Aggregation

MAGIC = b"WKPG"
PAGE_VERSION = 1

_PREAMBLE = struct.Struct("<4sII")
_ALIGNMENT = 8
_COLUMNS: dict[str, Any] = {
    "watermark": np.dtype("<i8"),
    "closed_until": np.dtype("<i8"),
    "thresholds": THRESHOLD,
    "newest": NEWEST,
    "acquainted": ACQUAINTED,
    "readings": READING,
    "waiting": WAITING,
    "context": KNOWN,
    "applied": APPLIED,
    "states": STATE,
    "heard": np.dtype("<i8"),
    "recent": np.dtype("<u4"),
}
_SINCE = frozenset({"heard", "recent"})
"""Columns that pages of before do not have."""
_HEAD = ("closed_until", "newest", "acquainted", "waiting")


def to_bytes(page: Page) -> bytes:
    """Return a page as bytes; equal pages give equal bytes."""
    columns = {name: getattr(page, name) for name in _COLUMNS}
    blobs = [blob for output in page.pending for blob in (output.scores, output.quarantine)]
    header = {
        "workload": page.workload,
        "shelf": page.shelf,
        "interval_seconds": page.interval_seconds,
        "series": page.series,
        "folded": [_folded_fields(one) for one in page.folded],
        "runs": page.runs,
        "model": page.model,
        "learner": page.learner,
        "zone": page.zone,
        "shape": page.shape,
        "quality": _quality_fields(page.quality),
        "condition": page.condition,
        "state_version": STATE_VERSION,
        "pending": [[output.scores_key, output.quarantine_key] for output in page.pending],
        "columns": {name: len(column) for name, column in columns.items()},
        "blobs": [len(blob) for blob in blobs],
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    parts = [_PREAMBLE.pack(MAGIC, PAGE_VERSION, len(text)), text]
    size = sum(map(len, parts))
    for column in columns.values():
        raw = np.ascontiguousarray(column).tobytes()
        parts += [bytes(-size % _ALIGNMENT), raw]
        size += -size % _ALIGNMENT + len(raw)
    return b"".join([*parts, *blobs])


def from_bytes(content: bytes) -> Page:
    """Read a page.

    Raises
    ------
    ContractViolationError
        If it is no page, or one of another release.
    """
    length = _length_of_header(content)
    try:
        header = json.loads(content[_PREAMBLE.size : _PREAMBLE.size + length])
        return _page(header, content, _PREAMBLE.size + length)
    except (KeyError, TypeError, ValueError) as error:
        raise _refusal(f"cannot be read ({error!r})") from error


def head_from_bytes(beginning: bytes) -> PageHead | int:
    """Read the head of a page from the beginning of its bytes.

    Returns
    -------
    PageHead or int
        How many bytes it takes at least, where the beginning has fewer.

    Raises
    ------
    ContractViolationError
        As `from_bytes`.
    """
    position = _PREAMBLE.size + _length_of_header(beginning)
    if position > len(beginning):
        return position
    try:
        header = json.loads(beginning[_PREAMBLE.size : position])
        places = _places(header, position)
        end, count = places["waiting"]
        size = end + count * WAITING.itemsize
        if size > len(beginning):
            return size
        columns = {name: _column(name, beginning, places) for name in _HEAD}
        return PageHead(
            header["workload"],
            header["shelf"],
            header["condition"],
            tuple(header["series"]),
            **columns,
            unusual=_quality(header.get("quality")).unusual,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _refusal(f"cannot be read ({error!r})") from error


def _length_of_header(content: bytes) -> int:
    if len(content) < _PREAMBLE.size:
        raise _refusal("is too short")
    magic, version, length = _PREAMBLE.unpack_from(content)
    if magic != MAGIC:
        raise _refusal(f"begins with {magic!r}")
    if version != PAGE_VERSION:
        raise _refusal(f"is of version {version}, this release reads {PAGE_VERSION}")
    return int(length)


def _places(header: dict[str, Any], position: int) -> dict[str, tuple[int, int]]:
    """Return where each column begins, and how many items it has."""
    places = {}
    for name, dtype in _COLUMNS.items():
        position += -position % _ALIGNMENT
        count = header["columns"].get(name, 0) if name in _SINCE else header["columns"][name]
        places[name] = (position, count)
        position += count * dtype.itemsize
    return places


def _column(name: str, content: bytes, places: dict[str, tuple[int, int]]) -> npt.NDArray[Any]:
    position, count = places[name]
    return np.frombuffer(content, dtype=_COLUMNS[name], count=count, offset=position)


def _page(header: dict[str, Any], content: bytes, position: int) -> Page:
    if header["state_version"] != STATE_VERSION:
        raise ValueError(f"its states are of version {header['state_version']}, not {STATE_VERSION}")
    places = _places(header, position)
    columns = {name: _column(name, content, places) for name in _COLUMNS}
    begin, count = places["recent"]
    position = begin + count * _COLUMNS["recent"].itemsize
    if "heard" not in header["columns"]:  # a page of before
        columns["heard"] = np.full(len(header["series"]), NEVER)
        begin, count = places["states"]
        position = begin + count * STATE.itemsize
    blobs = []
    for length in header["blobs"]:
        blobs.append(content[position : position + length])
        position += length
    of_series = [
        len(columns[name])
        for name in ("watermark", "closed_until", "thresholds", "newest", "acquainted", "heard")
    ]
    if {*of_series, len(columns["states"]) or len(header["series"])} != {len(header["series"])}:
        raise ValueError("columns are not one item a series")
    if position != len(content):
        raise ValueError(f"{len(content)} bytes, {position} are described")
    outputs = zip(header["pending"], blobs[::2], blobs[1::2], strict=True)
    return Page(
        workload=header["workload"],
        shelf=header["shelf"],
        interval_seconds=header["interval_seconds"],
        series=tuple(header["series"]),
        folded=tuple(_folded(*fields) for fields in header["folded"]),
        runs=tuple(header["runs"]),
        model=header["model"],
        learner=header["learner"],
        zone=header.get("zone", ""),  # a page of before has neither
        shape=header.get("shape", ""),
        quality=_quality(header.get("quality")),
        condition=header["condition"],
        pending=tuple(Output(scores, blob, refused, more) for (scores, refused), blob, more in outputs),
        **columns,
    )


def _quality_fields(quality: Quality) -> dict[str, Any]:
    fields: dict[str, Any] = plain(quality, sort_keys=True) | {"counted": quality.counted.tolist()}
    return {name: value for name, value in fields.items() if value}


def _quality(fields: Any) -> Quality:
    if not fields:
        return Quality()
    signals = {
        name: read_part(Signal, one, f"signal {name}") for name, one in fields.get("signals", {}).items()
    }
    return Quality(
        measures=tuple(fields.get("measures", ())),
        mark=fields.get("mark", 0),
        until=fields.get("until", 0),
        counted=np.array(fields.get("counted", np.zeros((0, 0))), dtype=np.int64),
        refused={int(start): found for start, found in fields.get("refused", {}).items()},
        signals=signals,
        lag=fields.get("lag", 0.0),
        lag_steady=fields.get("lag_steady", 0),
        told=tuple(map(QualityEvent.from_dict, fields.get("told", ()))),
    )


def _folded_fields(folded: Folded) -> list[Any]:
    found = folded.aggregation
    total = [found.total.numerator, found.total.denominator]
    return [folded.series, folded.start, found.count, *total, found.minimum, found.maximum]


def _folded(
    series: int, start: int, count: int, top: int, bottom: int, minimum: float, maximum: float
) -> Folded:
    return Folded(series, start, Aggregation(count, Fraction(top, bottom), minimum, maximum))


def _refusal(problem: str) -> ContractViolationError:
    return ContractViolationError(
        f"the page {problem}: deploy the release that wrote it, or remove the page to begin anew"
    )
