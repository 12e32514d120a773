"""The states that the release before pages kept, taken over where a page meets a series for the first time.

They are read only. That release wrote the scores of a series before it took them out of its state; what is in
such an object has its line, and is not scored again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from lambdas.adapters.errors import translated
from lambdas.adapters.object_store import ObjectStore, ObjectUri
from lambdas.runtime.retrying import MAX_ATTEMPTS, Pause, pause_with_jitter
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.core import layout
from watchkeeper.core.errors import UnavailableError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import format_instant
from watchkeeper.judgement.adaptation import Adaptation
from watchkeeper.stream.takeover import SeriesState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_GET_ITEMS = 100


class EarlierStates(Protocol):
    """States of series by workload."""

    def load(self, workload: str, series: Sequence[str]) -> dict[str, SeriesState]:
        """Return those that exist."""


@dataclass(frozen=True)
class TableStates:
    """`EarlierStates` in the series table."""

    client: DynamoDBClient
    table: str
    pause: Pause = pause_with_jitter

    def load(self, workload: str, series: Sequence[str]) -> dict[str, SeriesState]:
        found: dict[str, SeriesState] = {}
        for first in range(0, len(series), _GET_ITEMS):
            keys = [
                {"pk": {"S": f"series#{workload}"}, "sk": {"S": name}}
                for name in series[first : first + _GET_ITEMS]
            ]
            for item in self._items(keys):
                found[item["sk"]["S"]] = SeriesState.from_bytes(item["document"]["B"])
        return found

    def _items(self, keys: list[dict[str, Any]]) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        for attempt in range(MAX_ATTEMPTS):
            with translated(f"read {len(keys)} states"):
                response = self.client.batch_get_item(
                    RequestItems={self.table: {"Keys": keys, "ConsistentRead": True}}
                )
            items += response["Responses"].get(self.table, [])
            unprocessed: dict[str, Any] = dict(response.get("UnprocessedKeys", {}))
            keys = unprocessed.get(self.table, {}).get("Keys", [])
            if not keys:
                return items
            self.pause(attempt)
        raise UnavailableError(f"{len(keys)} series states were not read in {MAX_ATTEMPTS} attempts")


def settled(
    state: SeriesState,
    plan: WorkloadPlan,
    objects: ObjectStore,
    bucket: str,
    publish: Callable[[list[AnomalyEvent]], None],
) -> SeriesState:
    """Return a state without the intervals that have their line already; tell the anomalies among them."""
    while state.outbox:
        first, _ = state.outbox[0]
        key = layout.series_scores_key(plan.workload, state.series, format_instant(first))
        content = objects.read(ObjectUri(bucket, key))
        if content is None:
            return state
        lines = list(ScoreLine.from_lines(content.splitlines()))
        publish([line.anomaly for line in lines if line.anomaly is not None])
        standing = [
            Adaptation(line.run_id, line.next_threshold, line.is_anomaly)
            for line in lines
            if line.next_threshold is not None and line.run_id is not None
        ]
        through = max([first, *(line.start for line in lines)])
        state = state.settled(through, plan, standing[-1] if standing else None)
    return state
