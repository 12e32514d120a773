"""The files of intervals' folders, found by a list of keys: for a bucket that sends no events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from lambdas.adapters.object_store import ObjectStore, ObjectUri
from lambdas.runtime.created_object import CreatedObject
from lambdas.sources.fetching import file_lines
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import time_zone
from watchkeeper.telemetry.feeds import FolderFeed, Window
from watchkeeper.telemetry.folders import FolderPath
from watchkeeper.telemetry.history import HistoryLine


@dataclass(frozen=True)
class FolderListing:
    """The folders of a feed, named in the zone of the plan's timestamps."""

    store: ObjectStore
    feed: FolderFeed
    plan: WorkloadPlan

    def lines(self, window: Window) -> Iterator[HistoryLine]:
        """Give the lines of the files of the intervals' folders.

        Raises
        ------
        UnavailableError
            If S3 does not answer.
        InvalidInputError
            If a file cannot be read.
        """
        for found in self.files(window):
            yield from file_lines(found, self.plan, self.store)

    def files(self, window: Window) -> Iterator[CreatedObject]:
        """Give the files of the intervals' folders, in the order of time.

        Raises
        ------
        UnavailableError
            If S3 does not answer.
        """
        path, zone = FolderPath(self.feed.path), time_zone(self.plan.timestamp.timezone)
        folders = dict.fromkeys(path.at(datetime.fromtimestamp(start, zone)) for start in window.starts())
        for folder in folders:
            for found in self.store.listed(ObjectUri(self.feed.bucket, folder)):
                if path.holds(found.key):
                    yield CreatedObject(
                        self.feed.bucket, found.key, found.tag, None, found.n_bytes, found.written_at
                    )
