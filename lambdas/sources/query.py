"""A query of Athena, asked of a window of time: its rows as records.

A second delivery of the same message asks with the same token, and so is answered with the query that runs
or has run already. The result is a file of CSV in the data bucket, which is read as any file is.
https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from lambdas.adapters.errors import translated
from lambdas.adapters.object_store import ObjectStore, ObjectUri
from lambdas.runtime.created_object import CreatedObject
from lambdas.sources.fetching import file_lines
from watchkeeper.core import layout
from watchkeeper.core.errors import ContractViolationError, UnavailableError
from watchkeeper.core.layout import short_hash
from watchkeeper.core.plan import Dialect, WorkloadPlan
from watchkeeper.telemetry.feeds import QueryFeed, Window
from watchkeeper.telemetry.history import HistoryLine

WAIT_SECONDS, POLL_SECONDS = 90.0, 1.0
ATTEMPTS = 5
"""Of a query whose failure Athena says may pass."""
_TOKEN_CHARACTERS = 64


@dataclass(frozen=True)
class Query:
    """The query of a feed.

    Parameters
    ----------
    bucket
        The data bucket, which has the results.
    """

    client: Any
    store: ObjectStore
    feed: QueryFeed
    plan: WorkloadPlan
    bucket: str
    sleep: Callable[[float], None] = time.sleep

    def lines(self, window: Window) -> Iterator[HistoryLine]:
        """Give the rows of a window.

        Raises
        ------
        UnavailableError
            If the query has not ended in time, or fails for a while: the same call goes on with it.
        ContractViolationError
            If it fails otherwise.
        InvalidInputError
            If its result cannot be read.
        """
        place = ObjectUri.parse(self._result_of(self.feed.text(window)))
        size = sum(found.n_bytes for found in self.store.listed(place) if found.key == place.key)
        file = CreatedObject(place.bucket, place.key, place.key, None, size, None)
        # the file is Athena's, whatever files of history are like
        yield from file_lines(file, dataclasses.replace(self.plan, dialect=Dialect()), self.store)

    def _result_of(self, text: str) -> str:
        for attempt in range(ATTEMPTS):
            found = self._ended(text, attempt)
            status = found["Status"]
            if status["State"] == "SUCCEEDED":
                return str(found["ResultConfiguration"]["OutputLocation"])
            if not status.get("AthenaError", {}).get("Retryable"):
                raise ContractViolationError(
                    f"the query of {self.plan.workload} {status['State'].lower()}: "
                    f"{status.get('StateChangeReason', 'Athena says no reason')}"
                )
        raise UnavailableError(f"the query of {self.plan.workload} has failed {ATTEMPTS} times")

    def _ended(self, text: str, attempt: int) -> Any:
        token = short_hash(f"{self.plan.workload}#{attempt}#{text}", _TOKEN_CHARACTERS)
        with translated(f"start the query of {self.plan.workload}"):
            query_id = self.client.start_query_execution(
                QueryString=text,
                ClientRequestToken=token,
                QueryExecutionContext={"Database": self.feed.database},
                ResultConfiguration={
                    "OutputLocation": f"s3://{self.bucket}/{layout.queries_prefix(self.plan.workload)}"
                },
                WorkGroup=self.feed.workgroup,
            )["QueryExecutionId"]
        waited = 0.0
        while waited <= WAIT_SECONDS:
            with translated(f"look at query {query_id}"):
                found = self.client.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
            if found["Status"]["State"] not in ("QUEUED", "RUNNING"):
                return found
            self.sleep(POLL_SECONDS)
            waited += POLL_SECONDS
        raise UnavailableError(f"query {query_id} of {self.plan.workload} still runs")
