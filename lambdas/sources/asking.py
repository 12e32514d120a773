"""What a feed is asked by: a source is one module with `lines`, and its line here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from lambdas.adapters.object_store import ObjectStore
from lambdas.sources.listing import FolderListing
from lambdas.sources.metrics import Metrics
from lambdas.sources.query import Query
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.telemetry.feeds import Feed, FolderFeed, MetricFeed, QueryFeed, Window
from watchkeeper.telemetry.history import HistoryLine


class IntervalSource(Protocol):
    """What can be asked for the telemetry of a time."""

    def lines(self, window: Window) -> Iterator[HistoryLine]:
        """Give a line for each record, with what it says or why it is refused.

        Raises
        ------
        UnavailableError
            If it does not answer now.
        ContractViolationError
            If it may not be asked, or cannot answer.
        InvalidInputError
            If what it answers cannot be read as a whole.
        """


class Clients(Protocol):
    """Clients of AWS, each made when it is needed."""

    def cloudwatch(self) -> Any:
        """Return the client of CloudWatch."""

    def athena(self) -> Any:
        """Return the client of Athena."""


@dataclass(frozen=True)
class Asker:
    """Who asks: the clients, the store of objects, and the data bucket.

    Parameters
    ----------
    now
        Aware.
    """

    clients: Clients
    store: ObjectStore
    bucket: str
    now: datetime

    def source_of(self, feed: Feed, plan: WorkloadPlan) -> IntervalSource:
        """Return what answers for a feed."""
        match feed:
            case FolderFeed():
                return FolderListing(self.store, feed, plan)
            case MetricFeed():
                return Metrics(self.clients.cloudwatch(), feed, plan, self.now)
            case QueryFeed():
                return Query(self.clients.athena(), self.store, feed, plan, self.bucket)
