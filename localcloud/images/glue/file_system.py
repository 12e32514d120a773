"""`s3://` paths for Spark: a WebHDFS file system over the objects of S3.

PySpark from PyPI has no S3 file system, but it has WebHDFS's, and one that lends another scheme to it. So
a job's script reads and writes the very paths that it has on AWS. Each operation is a request to S3 with the
credentials of the job's role: what the role may not do fails here too. As on AWS a folder is a prefix, and
a rename is a copy and a deletion for each object.
"""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO, Any
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from ..admission import refusal

_PREFIX = "/webhdfs/v1"
_CHUNK_BYTES = 1 << 20
_MISSING = ("404", "NoSuchKey", "NoSuchBucket", "NotFound")
_DENIED = ("403", "AccessDenied", "Forbidden")


class ObjectFileSystem:
    """Files and folders of the buckets that the client may see.

    Parameters
    ----------
    s3
        Client of boto3.
    """

    def __init__(self, s3: Any) -> None:
        self._s3 = s3
        self._made: set[str] = set()  # folders without an object yet; S3 has none
        self._lock = threading.Lock()

    def status(self, path: str, name: str = "") -> dict[str, Any]:
        """Return WebHDFS's `FileStatus`.

        Raises
        ------
        FileNotFoundError
            When there is neither an object nor a folder.
        """
        bucket, key = _split(path)
        if key:
            try:
                found = self._s3.head_object(Bucket=bucket, Key=key)
            except ClientError as error:
                if error.response["Error"]["Code"] not in _MISSING:
                    raise
            else:
                return _status(name, found["ContentLength"], found["LastModified"].timestamp())
        folder = f"{key}/" if key else ""
        listed = self._s3.list_objects_v2(Bucket=bucket, Prefix=folder, MaxKeys=1)
        if key and not listed.get("KeyCount") and not self._is_made(path):
            raise FileNotFoundError(path)
        return _status(name)

    def listing(self, path: str) -> list[dict[str, Any]]:
        """Return the statuses of what is in a folder; a file's own."""
        status = self.status(path)
        if status["type"] == "FILE":
            return [status]
        bucket, key = _split(path)
        folder = f"{key}/" if key else ""
        found = {name: _status(name) for name in self._made_in(path)}
        pages = self._s3.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=bucket, Prefix=folder, Delimiter="/"):
            for each in page.get("CommonPrefixes", []):
                name = each["Prefix"].removeprefix(folder).rstrip("/")
                found[name] = _status(name)
            for each in page.get("Contents", []):
                name = each["Key"].removeprefix(folder)
                if name:
                    found[name] = _status(name, each["Size"], each["LastModified"].timestamp())
        return [found[name] for name in sorted(found)]

    def read(self, path: str, offset: int, length: int | None) -> tuple[int, Iterator[bytes]]:
        """Return the size and the content of a part of a file."""
        bucket, key = _split(path)
        size = self.status(path)["length"]
        end = size if length is None else min(size, offset + length)
        if offset >= end:
            return 0, iter(())
        part = self._s3.get_object(Bucket=bucket, Key=key, Range=f"bytes={offset}-{end - 1}")
        return end - offset, part["Body"].iter_chunks(_CHUNK_BYTES)

    def write(self, path: str, content: IO[bytes], *, overwrite: bool) -> None:
        """Make a file of the whole content."""
        bucket, key = _split(path)
        if not overwrite and self._exists(path):
            raise FileExistsError(path)
        self._s3.upload_fileobj(content, bucket, key)

    def make_folder(self, path: str) -> None:
        """Remember a folder, which S3 does not need."""
        with self._lock:
            self._made.add(path.rstrip("/"))

    def rename(self, path: str, target: str) -> bool:
        """Move a file, or a folder with all in it; false when there is no such thing or the target exists."""
        try:
            source = self.status(path)
        except FileNotFoundError:
            return False
        if self._exists(target):
            if self.status(target)["type"] == "FILE":
                return False
            target = f"{target.rstrip('/')}/{path.rstrip('/').rpartition('/')[2]}"
        for old in [path] if source["type"] == "FILE" else list(self._files(path)):
            bucket, key = _split(old)
            new_bucket, new_key = _split(f"{target}{old.removeprefix(path)}")
            self._s3.copy({"Bucket": bucket, "Key": key}, new_bucket, new_key)
            self._s3.delete_object(Bucket=bucket, Key=key)
        with self._lock:
            moved = {each for each in self._made if f"{each}/".startswith(f"{path.rstrip('/')}/")}
            self._made -= moved
            self._made |= {f"{target}{each.removeprefix(path.rstrip('/'))}" for each in moved}
        return True

    def delete(self, path: str) -> bool:
        """Remove a file, or a folder with all in it; false when there is no such thing."""
        try:
            kind = self.status(path)["type"]
        except FileNotFoundError:
            return False
        for each in [path] if kind == "FILE" else list(self._files(path)):
            bucket, key = _split(each)
            self._s3.delete_object(Bucket=bucket, Key=key)
        with self._lock:
            self._made = {each for each in self._made if not f"{each}/".startswith(f"{path.rstrip('/')}/")}
        return True

    def _files(self, path: str) -> Iterator[str]:
        bucket, key = _split(path)
        pages = self._s3.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=bucket, Prefix=f"{key}/" if key else ""):
            yield from (f"/{bucket}/{each['Key']}" for each in page.get("Contents", []))

    def _exists(self, path: str) -> bool:
        try:
            self.status(path)
        except FileNotFoundError:
            return False
        return True

    def _is_made(self, path: str) -> bool:
        folder = f"{path.rstrip('/')}/"
        with self._lock:
            return any(f"{each}/".startswith(folder) for each in self._made)

    def _made_in(self, path: str) -> set[str]:
        folder = f"{path.rstrip('/')}/"
        with self._lock:
            inside = [each.removeprefix(folder) for each in self._made if each.startswith(folder)]
        return {each.partition("/")[0] for each in inside}


def serve(files: ObjectFileSystem, user: str) -> int:
    """Answer WebHDFS on the loopback, in threads, to who says the user's name; return the port."""
    handler = type("Handler", (_Handler,), {"files": files, "user": user})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, name="webhdfs", daemon=True).start()
    return int(server.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    files: ObjectFileSystem
    user: str

    def do_GET(self) -> None:
        self._answer()

    do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815  # names of the library

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the inherited signature
        """Say nothing."""

    def _answer(self) -> None:
        address = urlsplit(self.path)
        query = {name.lower(): values[0] for name, values in parse_qs(address.query).items()}
        path = unquote(address.path).removeprefix(_PREFIX) or "/"
        with tempfile.TemporaryFile() as content:
            self._receive(content)
            reason = refusal({name.lower(): value for name, value in self.headers.items()})
            try:
                if reason is not None or query.get("user.name") != self.user:
                    raise PermissionError(reason or "another user's file system")
                self._operate(query.get("op", "").upper(), path, query, content)
            except (ClientError, BotoCoreError, OSError, NotImplementedError) as error:
                self._fail(error)

    def _operate(self, operation: str, path: str, query: dict[str, str], content: IO[bytes]) -> None:
        files = self.files
        if operation == "GETFILESTATUS":
            self._say({"FileStatus": files.status(path)})
        elif operation == "LISTSTATUS":
            self._say({"FileStatuses": {"FileStatus": files.listing(path)}})
        elif operation in ("OPEN", "CREATE") and "data" not in query:
            self._redirect()
        elif operation == "OPEN":
            length = int(query["length"]) if "length" in query else None
            self._send_content(*files.read(path, int(query.get("offset", 0)), length))
        elif operation == "CREATE":
            files.write(path, content, overwrite=query.get("overwrite") == "true")
            self._say(None, HTTPStatus.CREATED)
        elif operation == "MKDIRS":
            files.make_folder(path)
            self._say({"boolean": True})
        elif operation == "RENAME":
            self._say({"boolean": files.rename(path, query["destination"])})
        elif operation == "DELETE":
            self._say({"boolean": files.delete(path)})
        elif operation == "GETHOMEDIRECTORY":
            self._say({"Path": "/"})
        elif operation == "GET_BLOCK_LOCATIONS":
            self._say({"LocatedBlocks": _NO_BLOCKS})
        elif operation in ("SETPERMISSION", "SETOWNER", "SETTIMES", "SETREPLICATION"):
            self._say({"boolean": True})  # S3 has none of them; its clients on AWS pass over them too
        else:
            raise NotImplementedError(operation)

    def _receive(self, content: IO[bytes]) -> None:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().partition(b";")[0], 16):
                self._copy(size, content)
                self.rfile.readline()
            self.rfile.readline()
        else:
            self._copy(int(self.headers.get("Content-Length") or 0), content)
        content.seek(0)

    def _copy(self, size: int, content: IO[bytes]) -> None:
        while size:
            part = self.rfile.read(min(size, _CHUNK_BYTES))
            if not part:
                raise ConnectionError("the client went away")
            content.write(part)
            size -= len(part)

    def _send_content(self, size: int, parts: Iterator[bytes]) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(size))
        self.end_headers()
        for part in parts:
            self.wfile.write(part)

    def _redirect(self) -> None:
        self.send_response(HTTPStatus.TEMPORARY_REDIRECT)
        self.send_header("Location", f"http://{self.headers['Host']}{self.path}&data=true")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _say(self, document: Any, status: HTTPStatus = HTTPStatus.OK) -> None:
        body = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _fail(self, error: Exception) -> None:
        status, name = HTTPStatus.INTERNAL_SERVER_ERROR, "java.io.IOException"
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
        if isinstance(error, FileNotFoundError) or code in _MISSING:
            status, name = HTTPStatus.NOT_FOUND, "java.io.FileNotFoundException"
        elif isinstance(error, PermissionError) or code in _DENIED:
            status, name = HTTPStatus.FORBIDDEN, "org.apache.hadoop.security.AccessControlException"
        elif isinstance(error, FileExistsError):
            status, name = HTTPStatus.FORBIDDEN, "org.apache.hadoop.fs.FileAlreadyExistsException"
        elif isinstance(error, NotImplementedError):
            status, name = HTTPStatus.BAD_REQUEST, "java.lang.UnsupportedOperationException"
        exception = {"exception": name.rpartition(".")[2], "javaClassName": name, "message": str(error)}
        self._say({"RemoteException": exception}, status)


_NO_BLOCKS = {
    "fileLength": 0,
    "isUnderConstruction": False,
    "locatedBlocks": [],
    "isLastBlockComplete": True,
}


def _split(path: str) -> tuple[str, str]:
    bucket, _, key = path.strip("/").partition("/")
    return bucket, key


def _status(name: str, size: int | None = None, modified: float = 0.0) -> dict[str, Any]:
    return {
        "pathSuffix": name,
        "type": "DIRECTORY" if size is None else "FILE",
        "length": size or 0,
        "modificationTime": round(modified * 1000),
        "accessTime": 0,
        "blockSize": 0 if size is None else 128 * 2**20,
        "replication": 0 if size is None else 1,
        "permission": "755",
        "owner": "glue",
        "group": "glue",
    }
