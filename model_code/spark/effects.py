"""What the tasks of the stream read and write."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lambdas.adapters import clients
from lambdas.adapters.object_store import ObjectStore, ObjectUri, S3ObjectStore
from lambdas.scoring.effects import AlertBus, AnomalySink, AnomalyTable, QualityBus, QualitySink
from watchkeeper.core import layout
from watchkeeper.stream.page import Output, Page, split
from watchkeeper.stream.page_format import from_bytes, to_bytes
from watchkeeper.stream.placement import ROOT, children
from watchkeeper.stream.step import written


@dataclass(frozen=True)
class Places:
    """Names of what is deployed, as the job's arguments say them."""

    data_bucket: str
    page_bucket: str
    anomalies_table: str
    alert_bus: str


@dataclass(frozen=True)
class Effects:
    """Everything outside of a task."""

    places: Places
    objects: ObjectStore
    anomalies: AnomalySink
    alerts: AnomalySink
    quality: QualitySink

    def write(self, output: Output) -> None:
        """Write what a step says: anomalies, data quality, what was refused, and last the scores.

        A micro-batch that is made again gives the same outputs, since its manifest says what it is scored by;
        to write them again changes nothing.
        """
        events = output.events()
        if events:
            self.anomalies.put(events)
            self.alerts.put(events)
        told = output.quality_events()
        if told:
            self.quality.put(told)
        if output.quarantine:
            self.objects.write(self._of_data(output.quarantine_key), output.quarantine)
        if output.scores:
            self.objects.write(self._of_data(output.scores_key), output.scores)

    def refuse(self, key: str, document: bytes) -> None:
        """Write the lines of an object that are no records."""
        self.objects.write(self._of_data(key), document)

    def keep(self, pages: Iterable[Page]) -> None:
        """Write pages to their bucket; whatever was there is older."""
        for page in pages:
            self.objects.write(self._of_page(page.workload, page.shelf), to_bytes(page))

    def first_pages(self, workload: str, key: str) -> list[Page]:
        """Return the leaves below a key as another host has left them, or none.

        A page above the key has series of other keys too: what is not of this one is left out.
        """
        shelf = ROOT
        while True:
            page = self._page(workload, shelf)
            if page is None:
                return []
            if page.condition != "split":
                return [self._below(page, key)] if len(shelf) < len(key) else [self._settled(page)]
            if len(shelf) == len(key):
                return self._leaves(workload, shelf)
            shelf = key[: len(shelf) + 1]

    def _leaves(self, workload: str, shelf: str) -> list[Page]:
        found: list[Page] = []
        for child in children(shelf):
            page = self._page(workload, child)
            if page is not None:
                found += self._leaves(workload, child) if page.condition == "split" else [self._settled(page)]
        return found

    def _below(self, page: Page, key: str) -> Page:
        page = self._settled(page)
        while len(page.shelf) < len(key):
            page = next(child for child in split(page) if key.startswith(child.shelf))
        return page

    def _settled(self, page: Page) -> Page:
        """Return a page of which nothing is pending and whose split has not begun."""
        for output in page.pending:
            self.write(output)
        return dataclasses.replace(written(page, page.pending), condition="open")

    def _page(self, workload: str, shelf: str) -> Page | None:
        content = self.objects.read(self._of_page(workload, shelf))
        return None if content is None else from_bytes(content)

    def _of_data(self, key: str) -> ObjectUri:
        return ObjectUri(self.places.data_bucket, key)

    def _of_page(self, workload: str, shelf: str) -> ObjectUri:
        return ObjectUri(self.places.page_bucket, layout.page_key(workload, shelf))


EffectsOf = Callable[[Places], Effects]
"""Makes a process's effects; Spark sends it to the tasks by its name."""


@functools.cache
def in_aws(places: Places) -> Effects:
    """Return this process's effects in AWS."""
    return Effects(
        places=places,
        objects=S3ObjectStore(clients.s3()),
        anomalies=AnomalyTable(clients.dynamodb(), places.anomalies_table),
        alerts=AlertBus(clients.events(), places.alert_bus),
        quality=QualityBus(clients.events(), places.alert_bus),
    )
