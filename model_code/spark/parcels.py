"""What an object of telemetry has for one key, as a row between Spark's tasks."""

from __future__ import annotations

import dataclasses
import json
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from watchkeeper.core.documents import read_part
from watchkeeper.stream.readings import Readings, Source, Whole

_LENGTH = struct.Struct("<I")


class Parcel(NamedTuple):
    """One row; its schema is `PARCEL`."""

    key: str
    position: int
    """Of the object in its manifest: objects are taken in in this order."""
    source: str
    """JSON of `Source`."""
    readings: bytes


PARCEL = "key string, position long, source string, readings binary"
"""Spark's schema of `Parcel`."""


def parcels_of(readings: Readings, source: Source, position: int, depth: int) -> Iterator[Parcel]:
    """Yield an object's readings, a parcel a key; keys are the first bits of a series' path."""
    by_key: dict[str, list[int]] = {}
    if not readings.series and readings.whole is not None and readings.whole.refused:
        by_key["0" * depth] = []  # what is refused is counted on the first shelf
    for path, found in readings.by_path().items():
        by_key.setdefault(path[:depth], []).extend(found)
    text = json.dumps(dataclasses.asdict(source))
    for key, positions in sorted(by_key.items()):
        yield Parcel(key, position, text, packed(readings.of_series(positions)))


def packed(readings: Readings) -> bytes:
    """Return readings as bytes, with the texts of their own lines only."""
    numbers = np.unique(readings.rows["line"]).tolist()
    texts = [readings.texts[number] for number in numbers]
    header = {
        "series": readings.series,
        "rows": len(readings.rows),
        "lines": numbers,
        "lengths": [len(text) for text in texts],
        "whole": None if readings.whole is None else dataclasses.asdict(readings.whole),
    }
    document = json.dumps(header, separators=(",", ":")).encode()
    return b"".join([_LENGTH.pack(len(document)), document, readings.rows.tobytes(), *texts])


def unpacked(content: bytes) -> Readings:
    """Return the readings that `packed` wrote."""
    (length,) = _LENGTH.unpack_from(content)
    header: dict[str, Any] = json.loads(content[_LENGTH.size : _LENGTH.size + length])
    position = _LENGTH.size + length
    dtype = Readings.none().rows.dtype
    rows = np.frombuffer(content, dtype=dtype, count=header["rows"], offset=position)
    position += header["rows"] * dtype.itemsize
    texts = {}
    for number, size in zip(header["lines"], header["lengths"], strict=True):
        texts[number] = content[position : position + size]
        position += size
    said = header["whole"]
    whole = None if said is None else read_part(Whole, said, "parcel.whole")
    return Readings(tuple(header["series"]), rows, texts, whole)


def source_of(text: str) -> Source:
    """Read a parcel's source."""
    return Source(**json.loads(text))
