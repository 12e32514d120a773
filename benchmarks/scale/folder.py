"""A folder in S3's place, so that what is measured is Spark and the step."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from lambdas.adapters.object_store import ListedObject, ObjectUri
from spark.effects import Effects, Places
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.anomalies.quality import QualityEvent


@dataclass(frozen=True)
class FolderStore:
    """`ObjectStore` in a folder: a bucket is a folder in it."""

    root: str

    def read(self, uri: ObjectUri, version_id: str | None = None) -> bytes | None:
        path = self._path(uri)
        return path.read_bytes() if path.exists() else None

    def write(self, uri: ObjectUri, body: bytes) -> None:
        path = self._path(uri)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    def write_once(self, uri: ObjectUri, body: bytes) -> bytes:
        path = self._path(uri)
        if path.exists():
            return path.read_bytes()
        self.write(uri, body)
        return body

    def exists(self, uri: ObjectUri) -> bool:
        return self._path(uri).exists()

    def any_under(self, prefix: ObjectUri) -> bool:
        return bool(self.keys_under(prefix))

    def keys_under(self, prefix: ObjectUri, after: str = "") -> list[str]:
        return [found.key for found in self.listed(prefix) if found.key > after]

    def listed(self, prefix: ObjectUri) -> list[ListedObject]:
        root, found = Path(self.root, prefix.bucket), []
        for path in sorted(root.rglob("*")):
            key = path.relative_to(root).as_posix()
            if path.is_file() and key.startswith(prefix.key):
                state = path.stat()
                written_at = datetime.fromtimestamp(state.st_mtime, timezone.utc)
                found.append(ListedObject(key, f"{state.st_mtime_ns:x}", state.st_size, written_at))
        return sorted(found)

    def _path(self, uri: ObjectUri) -> Path:
        return Path(self.root, uri.bucket, uri.key)


class Nowhere:
    """`AnomalySink` that forgets."""

    def put(self, events: Sequence[AnomalyEvent] | Sequence[QualityEvent]) -> None:
        """Take them."""


@functools.cache
def in_folder(places: Places) -> Effects:
    """Return effects whose buckets are folders; the data bucket's own is named by an absolute path."""
    return Effects(places, FolderStore("/"), Nowhere(), Nowhere(), Nowhere())
