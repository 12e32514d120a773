"""A backtest in the account: half of the history from what a training prepared, half from scores."""

from __future__ import annotations

import dataclasses
import functools
import json
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest

from lambdas.adapters.object_store import ObjectUri
from lambdas.backtesting.comparing import alerts_of, comparison_of, result_of
from lambdas.backtesting.known_history import known_history
from lambdas.backtesting.requests import (
    QUEUED_SECONDS,
    TIMEOUT_SECONDS,
    BacktestAsked,
    BacktestRequest,
    Backtests,
)
from lambdas.backtesting.run_backtest import ATTEMPTS, BacktestEffects, run
from tests.unit.lambdas.builders import BUCKET
from tests.unit.lambdas.fakes import FakeObjectStore
from tests.unit.lambdas.test_history import Bucket
from tests.unit.watchkeeper.backtest.histories import csv_of, plan_of_two, readings_of, version_of
from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.backtest.outcome import backtested
from watchkeeper.backtest.scores import Closed
from watchkeeper.core import layout
from watchkeeper.core.errors import InvalidInputError, UnavailableError
from watchkeeper.core.plan import AlertPlan, AlertRoute, DetectorPlan, ThresholdPlan, WorkloadPlan
from watchkeeper.core.timestamps import format_instant
from watchkeeper.stream.page import WAITING, new_page, with_series
from watchkeeper.stream.page_format import to_bytes
from watchkeeper.stream.step import packed

RUN, ID = "19700102000000-0af3c1", "19700102030000-0af3c1"
CUT = 800 * 60
"""Where the prepared part ends, in seconds since 1970."""
NOW = datetime(1970, 1, 2, 3, tzinfo=timezone.utc)


def plan_with(rarity: float) -> WorkloadPlan:
    return plan_of_two(
        detector=DetectorPlan("watchkeeper"),
        threshold=ThresholdPlan("rarity", rarity=rarity),
        alerts=AlertPlan((AlertRoute("operators"),)),
    )


BEFORE, AFTER = plan_with(3.0), plan_with(9.0)
CONTENT = csv_of(readings_of())


@functools.cache
def history_of() -> dict[str, Closed]:
    return dict(version_of(CONTENT, BEFORE).history)


def request_of(**changes: Any) -> BacktestRequest:
    request = BacktestRequest(
        workload=BEFORE.workload,
        backtest_id=ID,
        who="mia",
        asked_at=format_instant(NOW),
        days=30,
        text="name: w",
        before=BEFORE.to_json(),
        after=AFTER.to_json(),
        changes=("threshold.rarity",),
        run_id=RUN,
        said="{}",
    )
    return dataclasses.replace(request, **changes)


def prepared(history: dict[str, Closed]) -> bytes:
    """Return the page that a training makes of all before `CUT`."""
    page = with_series(new_page(BEFORE.workload, "", 60), history)
    rows = [
        (page.series.index(series), start, value, 1)
        for series in page.series
        for start, value in zip(history[series].starts.tolist(), history[series].values.tolist(), strict=True)
        if start < CUT
    ]
    return to_bytes(dataclasses.replace(page, waiting=np.array(rows, dtype=WAITING)))


@functools.cache
def stored() -> tuple[bytes, bytes]:
    """Return a page of the first part of the history, and scores that begin an hour before its end."""
    history = history_of()
    lines = [
        line_of(series, start, value)
        for series, one in history.items()
        for start, value in zip(one.starts.tolist(), one.values.tolist(), strict=True)
        if start >= CUT - 3600
    ]
    return prepared(history), packed(lines, [], [])


def line_of(series: str, start: int, value: float) -> ScoreLine:
    return ScoreLine(
        workload=BEFORE.workload,
        series=series,
        interval_start=format_instant(start),
        value=value,
        expected=None,
        lower=None,
        upper=None,
        anomaly_score=0.1,
        threshold=3.0,
        severity=1.0,
        is_anomaly=False,
        run_id=RUN,
    )


@pytest.fixture
def effects() -> BacktestEffects:
    objects, scores = FakeObjectStore(), Bucket()
    page, scored = stored()
    root = layout.run_prefix(BEFORE.workload, RUN)
    objects.write(ObjectUri(BUCKET, f"{root}plan.json"), BEFORE.to_json().encode())
    objects.write(ObjectUri(BUCKET, f"{root}prepared/pages/shelf=root.page"), page)
    key = layout.scores_key(BEFORE.workload, "1970-01-02T01", "object", "")
    scores.content[key] = (scored, {})
    return BacktestEffects(BUCKET, objects, scores, lambda: NOW)


def backtests(effects: BacktestEffects) -> Backtests:
    return Backtests(effects.objects, effects.bucket, effects.now)


def found(effects: BacktestEffects, request: BacktestRequest, attempt: int = 1) -> tuple[str, str | None]:
    """Run a backtest, and return its status with what a failure says."""
    backtests(effects).ask(request)
    run(BacktestAsked(request.workload, request.backtest_id), attempt, effects)
    state = backtests(effects).state(request)
    return state.status, state.why


def test_the_result_is_what_the_command_says_of_the_same_history(effects: BacktestEffects) -> None:
    assert found(effects, request_of()) == ("succeeded", None)

    result = json.loads(backtests(effects).result(BEFORE.workload, ID) or b"")
    outcomes = backtested([version_of(CONTENT, BEFORE), version_of(CONTENT, AFTER)])
    for side, outcome in zip(("before", "after"), outcomes, strict=True):
        assert result[side]["incidents"] == len(outcome.incidents)
        assert result[side]["alerts"] == alerts_of(outcome)
        assert len(result["marks"][side]) == len(outcome.incidents)
    assert len(outcomes[0].incidents) > len(outcomes[1].incidents)
    assert result["changes"] == [{"key": "threshold.rarity", "before": "3.0", "after": "9.0"}]
    assert result["incidents"]["counts"]["go"] == len(result["incidents"]["go"]) > 0
    assert result["history"]["intervals"] == sum(len(one.starts) for one in history_of().values())
    assert result["before"]["precision"] is None


def test_what_people_called_real_is_a_label_and_days_are_the_last_ones(effects: BacktestEffects) -> None:
    said = {"m|device=a": [["1970-01-01T21:40:00Z", "1970-01-01T21:42:00Z"]]}
    result = result_of(
        comparison_of(request_of(said=json.dumps(said)), (BEFORE, AFTER), history_of(), b'["not", "one"]')
    )

    assert (result["before"]["recall"], result["before"]["windows"]) == (1.0, 1)
    assert result["windows"] == [[78_000, 78_120]]
    assert any("judged without them" in note for note in result["notes"])
    assert any("has fitted its threshold on" in note for note in result["notes"])


@pytest.mark.parametrize("run_id", [RUN, None])
def test_scores_alone_are_a_history_too(effects: BacktestEffects, run_id: str | None) -> None:
    history = known_history(BEFORE, run_id, effects.objects, BUCKET, effects.scores, NOW)

    first = min(int(one.starts[0]) for one in history.values())
    assert first == (0 if run_id else CUT - 3600)
    assert {series: one.starts[-1] for series, one in history.items()} == {
        series: one.starts[-1] for series, one in history_of().items()
    }


def test_too_much_a_history_that_was_read_otherwise_and_none_are_told(
    effects: BacktestEffects, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = dataclasses.replace(BEFORE, lateness_seconds=600)
    status, why = found(effects, request_of(before=other.to_json(), after=other.to_json()))
    assert status == "failed"
    assert "train w, and backtest then" in str(why)

    monkeypatch.setattr("lambdas.backtesting.known_history.MOST_INTERVALS", 1000)
    with pytest.raises(InvalidInputError, match="more than 1,000 closed intervals"):
        known_history(BEFORE, RUN, effects.objects, BUCKET, effects.scores, NOW)
    with pytest.raises(InvalidInputError, match="no closed interval yet"):
        known_history(BEFORE, None, effects.objects, BUCKET, Bucket(), NOW)


def test_one_whose_function_died_is_told_when_its_message_comes_again(effects: BacktestEffects) -> None:
    backtests(effects).ask(request_of())
    backtests(effects).tell(request_of(), "running", "judging")

    run(BacktestAsked(BEFORE.workload, ID), 2, effects)

    state = backtests(effects).state(request_of())
    assert (state.status, state.stage) == ("failed", "judging")
    assert "more memory or time" in str(state.why)


@pytest.mark.parametrize(("begun", "seconds"), [(False, QUEUED_SECONDS), (True, TIMEOUT_SECONDS)])
def test_one_that_nobody_tells_of_has_failed_after_its_time(
    effects: BacktestEffects, begun: bool, seconds: int
) -> None:
    request = request_of()
    backtests(effects).ask(request)
    if begun:
        backtests(effects).tell(request, "running", "reading")
    later = dataclasses.replace(effects, now=lambda: NOW + timedelta(seconds=seconds + 1))

    assert backtests(effects).state(request).status == ("running" if begun else "waiting")
    assert backtests(later).state(request).status == "failed"


@pytest.mark.parametrize(
    ("error", "attempt", "status"),
    [
        (UnavailableError("S3 does not answer"), 1, "waiting"),
        (UnavailableError("S3 does not answer"), ATTEMPTS, "failed"),
        (KeyError("fault"), 1, "failed"),
    ],
)
def test_what_fails_is_tried_again_and_then_told(
    effects: BacktestEffects,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    attempt: int,
    status: str,
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr("lambdas.backtesting.run_backtest.known_history", fails)
    with pytest.raises(type(error)):
        found(effects, request_of(), attempt)
    assert backtests(effects).state(request_of()).status == status
