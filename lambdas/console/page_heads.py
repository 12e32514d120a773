"""Heads of pages in S3: only the beginning is read, for what detectors have learned is most of a page."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lambdas.adapters.errors import translated, unless
from lambdas.adapters.object_store import ABSENT
from lambdas.runtime.threads import ForEach, in_threads
from watchkeeper.core import layout
from watchkeeper.core.errors import UnavailableError
from watchkeeper.stream.health import PageHead
from watchkeeper.stream.page_format import head_from_bytes

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FIRST_BYTES = 262_144
"""Enough for the head of a full shelf whose keys are not long, and few readings are open."""
LISTED_SECONDS = 3.0
"""So long a list of pages is not asked for again."""
_ATTEMPTS = 4


@dataclass
class S3PageHeads:
    """Heads by workload; one that has not changed since is not read again."""

    client: S3Client
    bucket: str
    for_each: ForEach = in_threads
    clock: Callable[[], float] = time.monotonic
    _listed: dict[str, tuple[float, list[PageHead]]] = field(default_factory=dict)
    _read: dict[tuple[str, str], PageHead] = field(default_factory=dict)
    """By key and entity tag."""

    def of(self, workload: str) -> list[PageHead]:
        """Return the heads of a workload's pages; of a shelf that was split, those of its parts."""
        at, heads = self._listed.get(workload, (float("-inf"), []))
        if self.clock() - at < LISTED_SECONDS:
            return heads
        prefix = layout.pages_prefix(workload)
        with translated(f"list {self.bucket}/{prefix}"):
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
            found = [(item["Key"], item["ETag"]) for page in pages for item in page.get("Contents", [])]
        new = [each for each in found if each not in self._read]
        read = dict(zip(new, self.for_each(self._head, new), strict=True))
        now = {each: self._read[each] if each in self._read else read[each] for each in found}
        there = {each: head for each, head in now.items() if head is not None}
        others = {each: head for each, head in self._read.items() if not each[0].startswith(prefix)}
        self._read = others | there
        heads = [head for head in there.values() if head.condition != "split"]
        self._listed[workload] = self.clock(), heads
        return heads

    def _head(self, listed: tuple[str, str]) -> PageHead | None:
        """Return the head of a page, as it is now; None of one that is gone."""
        key, size = listed[0], FIRST_BYTES
        for _ in range(_ATTEMPTS):
            beginning = self._beginning(key, size)
            if beginning is None:
                return None
            head = head_from_bytes(beginning)
            if isinstance(head, PageHead):
                return head
            size = head
        raise UnavailableError(f"page {self.bucket}/{key} grows while it is read: try again")

    def _beginning(self, key: str, size: int) -> bytes | None:
        def get() -> Any:
            return self.client.get_object(Bucket=self.bucket, Key=key, Range=f"bytes=0-{size - 1}")

        answer = unless(ABSENT, f"read {self.bucket}/{key}", get)
        if answer is None:
            return None
        with translated(f"read {self.bucket}/{key}"):
            content: bytes = answer["Body"].read()
        return content
