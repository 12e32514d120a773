"""`application/x-recordio-protobuf`: RecordIO frames around SageMaker's `Record` message.

The layout of both is in the SageMaker Python SDK (`amazon/record.proto`, `serializer_utils`). A frame is a
magic number and the payload's length (little-endian 32-bit), then the payload padded to 4 bytes. Only what
this algorithm's contract has is read: a dense tensor under `features["values"]`, and a label under
`label["values"]`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

MAGIC = 0xCED7230A
VALUES = "values"

_FEATURES, _LABEL = 1, 2
_KEY, _VALUE = 1, 2
_FLOAT32, _FLOAT64, _INT32 = 2, 3, 7
_TENSOR_VALUES, _TENSOR_KEYS = 1, 2
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_FIXED_SIZES = {_FIXED64: 8, _FIXED32: 4}
_MAX_VARINT_BYTES = 10


class MalformedRecordError(ValueError):
    """The bytes are not a RecordIO stream of `Record` messages."""


def read_records(payload: bytes) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Yield each record's features and labels; a record without labels has an empty array of them.

    Raises
    ------
    MalformedRecordError
        If a frame or message is cut off, of another format, or sparse.
    """
    position = 0
    while position < len(payload):
        if len(payload) - position < 8:
            raise MalformedRecordError("the frame's header is cut off")
        magic, length = struct.unpack_from("<II", payload, position)
        if magic != MAGIC:
            raise MalformedRecordError(f"the frame begins with {magic:#010x}, not {MAGIC:#010x}")
        position += 8
        if length > len(payload) - position:
            raise MalformedRecordError(f"the frame says {length} bytes, {len(payload) - position} are left")
        yield _record(payload[position : position + length])
        position += (length + 3) // 4 * 4


def write_scores(scores: NDArray[np.float32]) -> bytes:
    """Return one frame a score: the record's `label["score"]`, 32-bit as the algorithm's own."""
    frames = []
    for score in scores.astype("<f4"):
        tensor = _delimited(_TENSOR_VALUES, score.tobytes())
        entry = _delimited(_KEY, b"score") + _delimited(_VALUE, _delimited(_FLOAT32, tensor))
        message = _delimited(_LABEL, entry)
        frames.append(struct.pack("<II", MAGIC, len(message)) + message + b"\0" * (-len(message) % 4))
    return b"".join(frames)


def _record(message: bytes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    found = {_FEATURES: np.empty(0), _LABEL: np.empty(0)}
    for number, entry in _fields(message):
        if number not in found or not isinstance(entry, bytes):
            continue
        parts = dict(_fields(entry))
        if parts.get(_KEY) == VALUES.encode():
            value = parts.get(_VALUE)
            found[number] = _tensor(value if isinstance(value, bytes) else b"")
    return found[_FEATURES], found[_LABEL]


def _tensor(value: bytes) -> NDArray[np.float64]:
    for kind, tensor in _fields(value):
        if not isinstance(tensor, bytes) or kind not in (_FLOAT32, _FLOAT64, _INT32):
            continue
        chunks = []
        for number, content in _fields(tensor):
            if number == _TENSOR_KEYS and content:
                raise MalformedRecordError("the tensor is sparse, a dense one is needed")
            if number == _TENSOR_VALUES:
                chunks.append(_numbers(kind, content))
        return np.concatenate(chunks) if chunks else np.empty(0)
    return np.empty(0)


def _numbers(kind: int, content: bytes | int) -> NDArray[np.float64]:
    if isinstance(content, int):
        return np.array([_signed(content)], dtype=np.float64)
    if kind == _INT32:
        values, position = [], 0
        while position < len(content):
            value, position = _varint(content, position)
            values.append(_signed(value))
        return np.array(values, dtype=np.float64)
    dtype = "<f4" if kind == _FLOAT32 else "<f8"
    if len(content) % np.dtype(dtype).itemsize:
        raise MalformedRecordError("a tensor's values are cut off")
    return np.frombuffer(content, dtype=dtype).astype(np.float64)


def _fields(message: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Yield number and content of each field of a protocol buffer message."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            content, position = _varint(message, position)
            yield number, content
            continue
        if wire == _LENGTH:
            size, position = _varint(message, position)
        elif wire in _FIXED_SIZES:
            size = _FIXED_SIZES[wire]
        else:
            raise MalformedRecordError(f"field {number} has the unknown wire type {wire}")
        if size > len(message) - position:
            raise MalformedRecordError(
                f"field {number} says {size} bytes, {len(message) - position} are left"
            )
        yield number, message[position : position + size]
        position += size


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift, byte in enumerate(message[position : position + _MAX_VARINT_BYTES]):
        value |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:
            return value, position + shift + 1
    raise MalformedRecordError("a number is cut off")


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _delimited(number: int, content: bytes) -> bytes:
    """A length-delimited field; everything written here is shorter than 128 bytes."""
    return bytes([number << 3 | _LENGTH, len(content)]) + content
