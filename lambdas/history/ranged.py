"""An object in S3 as a file, of which only what is read is fetched."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from lambdas.adapters.errors import translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class RangedObject(io.RawIOBase):
    """One version of an object; a reader that seeks causes a request a read."""

    def __init__(self, client: S3Client, bucket: str, key: str) -> None:
        super().__init__()
        self._client, self._bucket, self._key = client, bucket, key
        with translated(f"look for {bucket}/{key}"):
            found = client.head_object(Bucket=bucket, Key=key)
        self._size, self._etag = found["ContentLength"], found["ETag"]
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
        """Fetch as much as the buffer holds, or what is left."""
        size = min(len(buffer), self._size - self._at)
        if size <= 0:
            return 0
        last = self._at + size - 1
        with translated(f"read {self._bucket}/{self._key}"):
            answer = self._client.get_object(
                Bucket=self._bucket, Key=self._key, Range=f"bytes={self._at}-{last}", IfMatch=self._etag
            )
            buffer[:size] = answer["Body"].read()
        self._at += size
        return size
