"""Pages of shelves in S3: read with their entity tag, and written only where nobody has since."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from lambdas.adapters.errors import unless
from lambdas.adapters.object_store import ABSENT, CONFLICT
from watchkeeper.core import layout
from watchkeeper.stream.page import Page
from watchkeeper.stream.page_format import from_bytes, to_bytes

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


Span = tuple[int, int]
"""First and last instant, in seconds since 1970."""
NEVER_DUE: Span = (1, 0)
_DUE = "due"


@dataclass(frozen=True)
class StoredPage:
    """A page, and the entity tag of the object that it was read from."""

    page: Page
    tag: str | None
    """None where there is none yet."""


class PageStore(Protocol):
    """Pages by workload and shelf."""

    def load(self, workload: str, shelf: str) -> StoredPage | None:
        """Return a shelf's page, if there is one; what a completed `save` wrote is seen."""

    def save(self, page: Page, seen: str | None, due: Span | None = None) -> str | None:
        """Write a page and return its tag; None if the stored one is not that of the tag `seen` any more.

        Parameters
        ----------
        seen
            None: there is none yet.
        due
            When a tick has something to do on it, where that is known.
        """

    def due(self, workload: str, shelf: str) -> Span | None:
        """Return what was said of a shelf's page, without reading it; None where nothing is known."""


@dataclass(frozen=True)
class S3PageStore:
    """`PageStore` in a bucket without versions."""

    client: S3Client
    bucket: str

    def load(self, workload: str, shelf: str) -> StoredPage | None:
        key = layout.page_key(workload, shelf)

        def read() -> tuple[bytes, str]:
            answer = self.client.get_object(Bucket=self.bucket, Key=key)
            return answer["Body"].read(), answer["ETag"]

        found = unless(ABSENT, f"read s3://{self.bucket}/{key}", read)
        return None if found is None else StoredPage(from_bytes(found[0]), found[1])

    def save(self, page: Page, seen: str | None, due: Span | None = None) -> str | None:
        key = layout.page_key(page.workload, page.shelf)
        condition: dict[str, Any] = {"IfNoneMatch": "*"} if seen is None else {"IfMatch": seen}
        if due is not None:
            condition["Metadata"] = {_DUE: f"{due[0]} {due[1]}"}
        written = unless(
            CONFLICT | ABSENT,  # absent: it was removed since it was read
            f"write s3://{self.bucket}/{key}",
            lambda: self.client.put_object(Bucket=self.bucket, Key=key, Body=to_bytes(page), **condition),
        )
        return None if written is None else written["ETag"]

    def due(self, workload: str, shelf: str) -> Span | None:
        key = layout.page_key(workload, shelf)
        found = unless(
            ABSENT,
            f"look at s3://{self.bucket}/{key}",
            lambda: self.client.head_object(Bucket=self.bucket, Key=key),
        )
        said = "" if found is None else found["Metadata"].get(_DUE, "")
        first, _, last = said.partition(" ")
        return (int(first), int(last)) if last else None


@dataclass
class SplitShelves:
    """The shelves that have split, as far as this process has seen: one that has never holds series again."""

    _known: dict[str, set[str]] = field(default_factory=dict)

    def add(self, workload: str, shelf: str) -> None:
        """Remember one."""
        self._known.setdefault(workload, set()).add(shelf)

    def __contains__(self, place: tuple[str, str]) -> bool:
        workload, shelf = place
        return shelf in self._known.get(workload, ())
