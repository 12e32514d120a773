"""Write-ahead files of one delivery stream: what was acknowledged is on disk before the answer goes out.

A segment is what one buffer holds. Its name has its arrival time and an id, from which the keys of its
objects follow, so that a segment that is delivered again after a crash overwrites its objects instead of
doubling them.
"""

import os
import struct
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Segment:
    """A closed or open file of records. ``arrived_at`` is Unix time in seconds of its first record."""

    path: Path

    @property
    def arrived_at(self) -> float:
        """Unix time in seconds."""
        return int(self.path.stem.split("-", 1)[0]) / 1000

    @property
    def identity(self) -> uuid.UUID:
        """What makes the segment's object names unique."""
        return uuid.UUID(self.path.stem.split("-", 1)[1])

    def records(self) -> Iterator[bytes]:
        """Read the records; a record that a crash cut short was never acknowledged and is left out."""
        content = self.path.read_bytes()
        position = 0
        while position + _LENGTH.size <= len(content):
            (size,) = _LENGTH.unpack_from(content, position)
            position += _LENGTH.size
            if position + size > len(content):
                return
            yield content[position : position + size]
            position += size

    def delete(self) -> None:
        """Remove the file: its objects are safe."""
        self.path.unlink(missing_ok=True)


class Journal:
    """Appends records to the open segment of a stream.

    Parameters
    ----------
    folder
        Of the stream; made when absent. Segments found in it are those of an earlier process.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._open: tuple[Segment, int] | None = None
        self.size = 0
        self.left_over = [Segment(path) for path in sorted(folder.glob("*.segment"))]

    def append(self, records: Sequence[bytes]) -> None:
        """Write records in one system call; they survive the death of this process from here on."""
        if self._open is None:
            name = f"{int(time.time() * 1000):013d}-{uuid.uuid4()}.segment"
            path = self._folder / name
            self._open = (
                Segment(path),
                os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600),
            )
        content = b"".join(part for record in records for part in (_LENGTH.pack(len(record)), record))
        view = memoryview(content)
        try:
            while view:
                view = view[os.write(self._open[1], view) :]
        except OSError:
            # half a record would hide all that follow it
            os.ftruncate(self._open[1], self.size)
            raise
        self.size += len(content)

    def close_segment(self) -> Segment | None:
        """End the open segment and return it, or None when nothing was written."""
        if self._open is None:
            return None
        segment, descriptor = self._open
        os.close(descriptor)
        self._open = None
        self.size = 0
        return segment
