"""From the bytes of a file to lines of text. What a file is, its content tells, and not its name.

gzip and zstd are opened; UTF-8 and UTF-16 are read, with a byte-order mark or without one; LF, CRLF and CR
end a line. Everything else is refused by its name, with what to do.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, Literal, cast

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.extras import extra

Kind = Literal["csv", "json_lines", "json_array", "parquet"]

PARQUET_MAGIC = b"PAR1"
JSON_SUFFIXES = (".jsonl", ".json", ".ndjson")
GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_TAR, _TAR_AT = b"ustar", 257
_FOREIGN = (
    (
        b"PK\x03\x04",
        "a ZIP archive or an Excel workbook (.xlsx)",
        "unpack it, or save the sheet as CSV UTF-8",
    ),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)", "save the sheet as CSV UTF-8"),
    (b"BZh", "packed with bzip2", "unpack it, or pack it with gzip"),
    (b"\xfd7zXZ\x00", "packed with xz", "unpack it, or pack it with gzip"),
    (b"\x04\x22\x4d\x18", "packed with lz4", "unpack it, or pack it with gzip"),
    (b"Obj\x01", "an Avro file", "save it as CSV, JSON lines or Parquet"),
    (b"ORC", "an ORC file", "save it as CSV, JSON lines or Parquet"),
    (b"ARROW1", "an Arrow (Feather) file", "save it as Parquet"),
    (b"SQLite format 3", "a SQLite database", "export the table as CSV"),
    (b"%PDF", "a PDF", "export the table as CSV"),
    (_TAR, "a tar archive", "unpack it, and give each file by itself"),
    (b"\xff\xfe\x00\x00", "text in UTF-32", "save it as CSV UTF-8"),
    (b"\x00\x00\xfe\xff", "text in UTF-32", "save it as CSV UTF-8"),
)
_IN_A_PACK = tuple((magic, "packed twice", "unpack it once") for magic in (GZIP_MAGIC, ZSTD_MAGIC))
_HEAD_BYTES = 4096
_PACKED_BYTES = 1 << 16
_LEAST_NULS = 0.4
"""Share of zero bytes at odd or even places of UTF-16 without a mark; of Latin letters it is nearly 1."""
_BROKEN = re.compile("[\udc80-\udcff]")
_ARRAY = re.compile(r'\[\s*([\[{"\d\]-]|$)')
_OBJECT = re.compile(r'\{\s*(["}]|$)')


def open_file(path: Path) -> IO[bytes]:
    """Open a file that a user named.

    Raises
    ------
    InvalidInputError
        If there is none that can be read (reason `no_file`).
    """
    try:
        return path.open("rb")
    except OSError as error:
        what = "a folder, not a file" if path.is_dir() else "this user may not read it"
        raise InvalidInputError(
            f"{path}: {what if path.exists() else 'no such file'}", reason="no_file"
        ) from error


MAX_UNPACKED_BYTES, MAX_UNPACKED_SHARE = 256 * 1024**2, 200


def check_unpacked(name: str, size: int, n_bytes: int) -> None:
    """Refuse a small file that unpacks to a huge table.

    Parameters
    ----------
    size
        Of the file, bytes.
    n_bytes
        What it unpacks to, as far as that is known.

    Raises
    ------
    InvalidInputError
        With reason `too_large`.
    """
    if n_bytes > max(MAX_UNPACKED_BYTES, MAX_UNPACKED_SHARE * size):
        raise InvalidInputError(
            f"{name} has {size / 1e6:,.1f} MB and unpacks to more than {n_bytes / 1e6:,.0f} MB: give "
            "fewer rows or columns, or write it as plain CSV",
            reason="too_large",
        )


class TextFile:
    """A file's lines, and what kind of file it is.

    Parameters
    ----------
    stream
        The bytes; at their beginning.
    name
        What messages call the file. Its ending counts only where the content leaves open what it is.
    kind
        What the file is, where that is known from elsewhere.

    Raises
    ------
    InvalidInputError
        With reason `unreadable_file`, `corrupt_gzip` or `not_utf8`, naming what the file is and the remedy.
    """

    def __init__(self, stream: IO[bytes], name: str, kind: Kind | None = None) -> None:
        self.name = name
        self.line_number = 0
        """Of the line that was read last, from 1."""
        head = _peek(stream)
        self._packing = _packing(head)
        plain = self._unpacked(stream, head)
        if self._packing:
            head = self._guarded(lambda: _peek(plain))
            self._refuse_foreign(head, _IN_A_PACK)
        self.kind: Kind = "parquet" if head.startswith(PARQUET_MAGIC) else kind or "csv"
        if self.kind == "parquet":
            if self._packing:
                raise InvalidInputError(
                    f"{name} is a packed Parquet file: unpack it, its pages are packed already",
                    reason="unreadable_file",
                )
            return
        self._text = io.TextIOWrapper(
            cast("Any", plain), encoding=_encoding(head, name), errors="surrogateescape", newline=""
        )
        self._first = self._next_filled()
        if kind is None:
            self.kind = _kind(self._first, name)

    def __iter__(self) -> Iterator[str]:
        """Yield the lines with their ends, from the first that is not empty."""
        line = self._first
        while line:
            yield line
            line = self._readline()

    def read_text(self) -> Iterator[str]:
        """Yield the whole text in parts; `line_number` does not follow."""
        yield self._first
        yield from self.rest()

    def rest(self) -> Iterator[str]:
        """Yield what follows the lines that were read, in parts; `line_number` does not follow."""
        while part := self._guarded(lambda: self._text.read(1 << 16)):
            self._check(part)
            yield part

    def _next_filled(self) -> str:
        while (line := self._readline()) and not line.strip():
            pass
        return line

    def _readline(self) -> str:
        line: str = self._guarded(self._text.readline)
        self.line_number += 1
        self._check(line)
        return line

    def _check(self, text: str) -> None:
        if text.isascii():
            return
        broken = _BROKEN.search(text)
        if broken is not None:
            raise self._not_text(ord(broken[0]) - 0xDC00)

    def _not_text(self, byte: int) -> InvalidInputError:
        guess = "Windows-1252" if byte < 0xA0 else "Latin-1 (ISO 8859-1) or Windows-1252"
        return InvalidInputError(
            f"{self.name}: not text in UTF-8 (byte 0x{byte:02x} in line {self.line_number}), perhaps "
            f"{guess}: save it as CSV in UTF-8",
            reason="not_utf8",
        )

    def _unpacked(self, stream: IO[bytes], head: bytes) -> IO[bytes]:
        if self._packing == "gzip":
            return cast("IO[bytes]", io.BufferedReader(cast("Any", gzip.GzipFile(fileobj=stream))))
        if self._packing == "zstd":
            return _zstd(stream, self.name)
        self._refuse_foreign(head)
        return stream

    def _refuse_foreign(self, head: bytes, more: Iterable[tuple[bytes, str, str]] = ()) -> None:
        for magic, what, remedy in (*_FOREIGN, *more):
            if head.startswith(magic) or (magic == _TAR and head[_TAR_AT:].startswith(magic)):
                raise InvalidInputError(f"{self.name} is {what}: {remedy}", reason="unreadable_file")

    def _guarded(self, read: Any) -> Any:
        try:
            return read()
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise self._damaged() from error
        except UnicodeError as error:
            raise InvalidInputError(
                f"{self.name}: damaged UTF-16, after line {self.line_number}: save it as CSV in UTF-8",
                reason="not_utf8",
            ) from error
        except Exception as error:
            if type(error).__module__.partition(".")[0] != "zstandard":
                raise
            raise self._damaged() from error

    def _damaged(self) -> InvalidInputError:
        return InvalidInputError(
            f"{self.name}: damaged {self._packing}, after line {self.line_number}: pack or upload it again",
            reason=f"corrupt_{self._packing}",
        )


def _peek(stream: IO[bytes]) -> bytes:
    if hasattr(stream, "peek"):
        head: bytes = stream.peek(_HEAD_BYTES)[:_HEAD_BYTES]
        return head
    head = stream.read(_HEAD_BYTES)
    stream.seek(-len(head), io.SEEK_CUR)
    return head


def _packing(head: bytes) -> str:
    if head.startswith(GZIP_MAGIC):
        return "gzip"
    return "zstd" if head.startswith(ZSTD_MAGIC) else ""


def _zstd(stream: IO[bytes], name: str) -> IO[bytes]:
    with extra("zstandard", f"{name} is packed with zstd: reading it"):
        import zstandard
    return cast("IO[bytes]", io.BufferedReader(_Zstd(stream, zstandard.ZstdDecompressor())))


class _Zstd(io.RawIOBase):
    """The bytes of zstd frames. The package's own reader takes a file that is cut off for a whole one."""

    def __init__(self, stream: IO[bytes], decompressor: Any) -> None:
        self._stream = stream
        self._decompressor = decompressor
        self._frame: Any = None
        self._plain = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        packed = b"\0"
        while not self._plain and packed:
            packed = (self._frame.unused_data if self._frame and self._frame.eof else b"") or (
                self._stream.read(_PACKED_BYTES)
            )
            if packed:
                if self._frame is None or self._frame.eof:
                    self._frame = self._decompressor.decompressobj()
                self._plain = self._frame.decompress(packed)
            elif self._frame is not None and not self._frame.eof:
                raise EOFError
        count = min(len(buffer), len(self._plain))
        buffer[:count], self._plain = self._plain[:count], self._plain[count:]
        return count


def _encoding(head: bytes, name: str) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if head.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    half = len(head) // 2
    if b"\0" in head and half:
        first, second = head[0::2].count(0) / half, head[1::2].count(0) / half
        if second >= _LEAST_NULS and first == 0:
            return "utf-16-le"
        if first >= _LEAST_NULS and second == 0:
            return "utf-16-be"
        if b"\0" in head[:64]:
            raise InvalidInputError(
                f"{name}: neither text nor Parquet (it has zero bytes): save it as CSV in UTF-8",
                reason="unreadable_file",
            )
    return "utf-8"


def _kind(first: str, name: str) -> Kind:
    line = first.lstrip()
    if _ARRAY.match(line):
        return "json_array"
    named = name.lower().removesuffix(".gz").removesuffix(".zst").endswith(JSON_SUFFIXES)
    return "json_lines" if _OBJECT.match(line) or (named and line[:1] in ("{", "")) else "csv"
