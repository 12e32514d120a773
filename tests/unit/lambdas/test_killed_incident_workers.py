"""A worker that is killed before or after any call to DynamoDB or the bus: nothing is lost, none is twice."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from lambdas.adapters import clients
from lambdas.adapters.incident_store import TableIncidents
from lambdas.adapters.release_store import TableReleaseStore
from lambdas.adapters.unanswered_store import TableUnanswered
from lambdas.incidents.effects import GroupingEffects, LiveReleases
from lambdas.incidents.keeping import close_quiet, take_in
from lambdas.incidents.responding import judge
from tests.unit.lambdas.builders import make_event, make_plan
from tests.unit.lambdas.conftest import SERIES_TABLE, create_incidents_table
from tests.unit.lambdas.fakes import CrashError, FakeBus, FakePlanStore, FakeReleaseStore
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.incidents.incident import Incident

ARRIVED = 1_704_067_260
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
WRITES = ("transact_write_items", "put_item", "delete_item", "put")
BATCHES = (
    (make_event(0), make_event(40)),
    (make_event(20, severity=95.0),),
)


@dataclasses.dataclass
class Moments:
    """Counts the moments before and after calls, and dies at one of them."""

    dies_at: int = -1
    passed: int = 0

    def around(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self._pass()
        answer = call(*args, **kwargs)
        self._pass()
        return answer

    def _pass(self) -> None:
        self.passed += 1
        if self.passed - 1 == self.dies_at:
            raise CrashError


class Watched:
    """A client, or a bus, whose writes are moments: to die of a read is to die after the write before it."""

    def __init__(self, inner: Any, moments: Moments) -> None:
        self._inner, self._moments = inner, moments

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name not in WRITES:
            return found
        return lambda *args, **kwargs: self._moments.around(found, *args, **kwargs)


class Worker:
    """One workload's deliveries, by processes of which one may be killed; its table is its own, and small."""

    def __init__(self, workload: str, dies_at: int = -1) -> None:
        create_incidents_table(workload)
        self.plan = dataclasses.replace(make_plan(), workload=workload)
        self.moments = Moments(dies_at)
        self.bus = FakeBus()
        client: Any = Watched(clients.dynamodb(), self.moments)
        self.store = TableIncidents(client, workload, SERIES_TABLE, pause=lambda attempt: None)
        self.effects = GroupingEffects(
            plans=FakePlanStore({workload: self.plan}),
            incidents=self.store,
            releases=LiveReleases(FakeReleaseStore()),
            bus=Watched(self.bus, self.moments),  # type: ignore[arg-type]
            unanswered=TableUnanswered(client, workload),
            pause=lambda attempt: None,
        )

    def deliver(self, batch: Sequence[AnomalyEvent], arrived: int) -> None:
        events = [dataclasses.replace(event, workload=self.plan.workload) for event in batch]
        self.again(lambda: take_in(self.plan.workload, events, arrived, self.effects))

    def again(self, work: Callable[[], object]) -> None:
        try:
            work()
        except CrashError:
            work()

    def incidents(self) -> list[Incident]:
        return self.store.between(self.plan.workload, 0, 1 << 34)

    def outcome(self) -> tuple[Any, ...]:
        """All that is there in the end, without the workload's name."""
        shown = [
            (
                each.title,
                each.state,
                each.severity,
                [part.runs for part in each.touched],
                [entry.what for entry in each.timeline],
                len(each.former_ids),
            )
            for each in self.incidents()
        ]
        told = {notice.alert_id: notice for _, notice in self.bus.events}
        kinds = sorted((notice.what, notice.severity) for notice in told.values())
        return shown, kinds, self.store.unsent(self.plan.workload)


def run(workload: str, dies_at: int = -1) -> Worker:
    worker = Worker(workload, dies_at)
    for number, batch in enumerate(BATCHES):
        worker.deliver(batch, ARRIVED + number)
    worker.again(lambda: close_quiet(ARRIVED + 86_400, worker.effects))
    return worker


def test_anomalies_are_grouped_and_told_whenever_the_worker_is_killed(aws: object) -> None:
    whole = run("whole")
    expected = whole.outcome()
    assert expected[0]
    assert {kind for kind, _ in expected[1]} == {"opened", "escalated", "closed"}
    for moment in range(whole.moments.passed):
        killed = run(f"killed{moment}", moment)
        assert killed.outcome() == expected, moment


@pytest.mark.parametrize("undone", [False, True])
def test_a_verdict_and_what_it_moves_are_there_together_or_not_at_all(aws: object, undone: bool) -> None:
    def said(workload: str, dies_at: int) -> tuple[Worker, int]:
        worker = Worker(workload)
        worker.deliver(BATCHES[0], ARRIVED)
        [first, *_] = worker.incidents()
        if undone:
            judge(worker.store, first.incident_id, "noise", "mia", NOW)
        begin = worker.moments.passed
        worker.moments.dies_at = -1 if dies_at < 0 else begin + dies_at
        try:
            judge(worker.store, first.incident_id, None if undone else "noise", "mia", NOW)
        except CrashError:
            verdicts = worker.store.verdicts(workload)
            moved = TableReleaseStore(clients.dynamodb(), SERIES_TABLE).moved(workload)
            assert bool(verdicts) == bool(moved)
        return worker, worker.moments.passed - begin

    _, moments = said("whole", -1)
    for moment in range(moments):
        said(f"killed{moment}", moment)
