"""A tick on its way through the shelves of a workload."""

from __future__ import annotations

import gzip
import json

import pytest

from lambdas.scoring.scoring import close_by_tick
from tests.unit.lambdas.builders import BEGIN, make_plan, make_release, reading
from tests.unit.lambdas.fakes import CrashError, ScoringFakes
from watchkeeper.anomalies.quality import of_scores
from watchkeeper.core.errors import UnavailableError
from watchkeeper.core.plan import SilencePlan
from watchkeeper.lifecycle.release import Release
from watchkeeper.stream.tick_message import Tick

WAIT = 300 + 150
"""Lateness and delivery of the plan."""
DUE = 60 + WAIT


def fakes_of(release: Release | None = None, **changes: object) -> ScoringFakes:
    return ScoringFakes(make_plan(**changes), release or make_release())


def tick(fakes: ScoringFakes, second: int, *, again: bool = False) -> int:
    """Return how many anomalies it told."""
    at = Tick("pump", int(BEGIN.timestamp()) + second)
    return close_by_tick(at, fakes.effects, again=again).tally.anomalies


def values(fakes: ScoringFakes) -> list[float | None]:
    bodies = fakes.objects.under("scores/workload=").values()
    lines = [json.loads(line) for body in bodies for line in of_scores(gzip.decompress(body).splitlines())]
    return [line["value"] for line in lines]


def test_the_last_interval_of_a_burst_is_scored_and_told_without_a_further_reading() -> None:
    fakes = fakes_of()
    fakes.deliver("1", reading(0, 90))
    assert tick(fakes, DUE - 1) == 0
    assert tick(fakes, DUE) == 1
    assert values(fakes) == [90.0]
    assert [event.observed for event in fakes.alerts.puts] == [90.0]


def test_a_tick_reaches_every_shelf_and_reads_only_those_that_are_due() -> None:
    fakes = ScoringFakes(
        make_plan(),
        make_release(step_scales={f"pressure|device={name}": 1.0 for name in "abcdefgh"}),
        shelf_series=2,
    )
    fakes.deliver("1", *(reading(0, 10, device) for device in "abcdefgh"))
    fakes.deliver("2", reading(DUE + 60, 10, "a"))
    assert tick(fakes, DUE) == 0
    assert len(values(fakes)) == 8
    written = dict(fakes.pages.pages)
    tick(fakes, DUE)
    tick(fakes, DUE + 30)
    assert fakes.pages.pages == written


def test_a_silent_series_is_told_beside_what_the_endpoint_scores() -> None:
    fakes = fakes_of(silence=SilencePlan(120, 80.0))
    fakes.deliver("1", reading(0, 90))
    assert tick(fakes, DUE) == 2
    assert sorted(event.observed or 0.0 for event in fakes.alerts.puts) == [0.0, 90.0]
    assert tick(fakes, DUE + 100) == 0


def test_what_a_tick_closed_while_the_endpoint_was_away_is_scored_by_the_next() -> None:
    fakes = fakes_of()
    fakes.deliver("1", reading(0, 90))
    fakes.endpoint.failure = UnavailableError("away")
    with pytest.raises(UnavailableError):
        tick(fakes, DUE)
    fakes.endpoint.failure = None
    assert tick(fakes, DUE + 60) == 1


@pytest.mark.parametrize("steps", range(24))
def test_a_crash_anywhere_is_healed_by_the_ticks_redelivery(steps: int) -> None:
    fakes = fakes_of()
    fakes.deliver("1", reading(0, 90))
    fakes.timeline.crash_at(steps)
    try:
        tick(fakes, DUE)
    except CrashError:
        tick(fakes, DUE, again=True)
    assert values(fakes) == [90.0]
    assert {event.anomaly_id for event in fakes.alerts.puts} == {fakes.alerts.puts[0].anomaly_id}
