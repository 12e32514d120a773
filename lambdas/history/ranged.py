"""An object in S3 as a file, of which only what is read is fetched."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from lambdas.adapters.errors import translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


TAIL_BYTES = 65_536
"""Fetched at first: the end of a Parquet file says what is where, and of a small one this is all."""


class RangedObject(io.RawIOBase):
    """One version of an object; what is not at its end is a request a read."""

    def __init__(self, client: S3Client, bucket: str, key: str) -> None:
        super().__init__()
        self._client, self._bucket, self._key = client, bucket, key
        with translated(f"read {bucket}/{key}"):
            answer = client.get_object(Bucket=bucket, Key=key, Range=f"bytes=-{TAIL_BYTES}")
            self._tail = answer["Body"].read()
        self._size, self._etag = int(answer["ContentRange"].rpartition("/")[2]), answer["ETag"]
        self._at = 0

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that it can be read from anywhere."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte."""
        self._at = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence] + offset
        return self._at

    def tell(self) -> int:
        """Return where it is."""
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # any writable buffer
        """Give as much as the buffer holds, or what is left."""
        size = max(0, min(len(buffer), self._size - self._at))
        in_tail = self._at - (self._size - len(self._tail))
        if size and in_tail >= 0:
            buffer[:size] = self._tail[in_tail : in_tail + size]
        elif size:
            wanted = f"bytes={self._at}-{self._at + size - 1}"
            with translated(f"read {self._bucket}/{self._key}"):
                answer = self._client.get_object(
                    Bucket=self._bucket, Key=self._key, Range=wanted, IfMatch=self._etag
                )
                buffer[:size] = answer["Body"].read()
        self._at += size
        return size
