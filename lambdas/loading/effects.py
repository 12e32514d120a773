"""What both functions have: the run's objects, the workload's store, and how long a call may go on."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

from lambdas.adapters import clients
from lambdas.adapters.object_store import ObjectStore, ObjectUri, S3ObjectStore
from lambdas.fraud.store import TransactionStore
from lambdas.fraud.stores import store_of
from watchkeeper.core.documents import Document
from watchkeeper.fraud.plan import FraudPlan

BUDGET_SECONDS = 600
"""Of one call; a function has 900."""

Progress = TypeVar("Progress", bound=Document)


class LoadingEnvironment(Protocol):
    """What such a function is told when it is deployed."""

    @property
    def transactions_table(self) -> str:
        """Name of the table of graphs."""


@dataclass(frozen=True)
class LoadingEffects:
    """Everything outside of such a function."""

    objects: ObjectStore
    store: Callable[[FraudPlan], TransactionStore]
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def in_aws(cls, environment: LoadingEnvironment) -> LoadingEffects:
        """Return the effects in AWS."""
        return cls(S3ObjectStore(clients.s3()), partial(store_of, table=environment.transactions_table))

    def progress(self, kind: type[Progress], place: ObjectUri) -> Progress:
        """Read what the calls before have kept; the beginning where there was none."""
        # looked for by its prefix: to ask for an absent object takes the right to list the whole bucket
        body = self.objects.read(place) if self.objects.any_under(place) else None
        return kind() if body is None else kind.from_json(body)
