"""Schedules on the laptop: each occurrence once, at its own time."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.scheduler import occurrences, with_context

CREATED = datetime(2026, 11, 29, 17, 0, 30, tzinfo=timezone.utc).timestamp()


def schedule(expression: str, **more: Any) -> dict[str, Any]:
    return {"ScheduleExpression": expression, "CreationDate": CREATED, **more}


def minutes(found: list[datetime]) -> list[float]:
    return [(one.timestamp() - CREATED) / 60 for one in found]


@given(st.lists(st.floats(0.1, 400.0), min_size=1, max_size=30))
def test_a_rate_counts_from_its_creation_however_often_it_is_looked_at(steps: list[float]) -> None:
    at, found = CREATED, []
    for step in steps:
        found += occurrences(schedule("rate(5 minutes)"), at, at + step * 10)
        at += step * 10
    assert minutes(found) == [5.0 * number for number in range(1, int((at - CREATED) // 300) + 1)]


def test_a_rate_with_a_start_begins_there_and_ends_where_it_is_told() -> None:
    limited = schedule("rate(1 hour)", StartDate=CREATED + 60, EndDate=CREATED + 60 + 7200)
    assert minutes(occurrences(limited, CREATED - 1e6, CREATED + 1e6)) == [1.0, 61.0, 121.0]


@pytest.mark.parametrize(
    ("expression", "times"),
    [
        ("cron(0 18 * * ? *)", ["2026-11-29T18:00:00", "2026-11-30T18:00:00"]),
        ("at(2026-11-29T23:30:00)", ["2026-11-29T23:30:00"]),
        ("at(2026-11-29T16:30:00)", []),
    ],
)
def test_other_expressions_fire_at_their_times(expression: str, times: list[str]) -> None:
    found = occurrences(schedule(expression), CREATED, CREATED + 2 * 86_400)
    assert [f"{one:%Y-%m-%dT%H:%M:%S}" for one in found] == times


def test_the_input_says_which_occurrence_it_is() -> None:
    text = json.dumps({"time": "<aws.scheduler.scheduled-time>", "from": "<aws.scheduler.schedule-arn>"})
    told = json.loads(
        with_context(text, "arn:aws:scheduler:us-east-1:1:schedule/default/a", datetime(2026, 1, 2, 3, 4, 5))
    )
    assert told == {
        "time": "2026-01-02T03:04:05Z",
        "from": "arn:aws:scheduler:us-east-1:1:schedule/default/a",
    }


@pytest.mark.parametrize(
    ("expression", "day", "times"),
    [
        ("cron(0 7 * * ? *)", "2026-11-30", ["2026-11-30T06:00:00"]),
        ("cron(0 7 * * ? *)", "2026-07-30", ["2026-07-30T05:00:00"]),
        ("cron(30 2 * * ? *)", "2026-03-29", []),  # clocks go from 02:00 to 03:00
        ("cron(30 2 * * ? *)", "2026-10-25", ["2026-10-25T00:30:00"]),  # and from 03:00 to 02:00
        ("at(2026-11-30T07:00:00)", "2026-11-30", ["2026-11-30T06:00:00"]),
    ],
)
def test_a_zone_has_its_own_clocks(expression: str, day: str, times: list[str]) -> None:
    begin = datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp() - 3600
    made = schedule(expression, ScheduleExpressionTimezone="Europe/Vienna")
    made["CreationDate"] = begin
    found = [
        one
        for quarter in range(24 * 4)
        for one in occurrences(made, begin + quarter * 900, begin + quarter * 900 + 900)
    ]
    assert [f"{one:%Y-%m-%dT%H:%M:%S}" for one in found] == times
