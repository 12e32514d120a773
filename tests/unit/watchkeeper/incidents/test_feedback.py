"""What people say of incidents moves thresholds, whatever the order, within limits, and back."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.watchkeeper.incidents.anomalies import EPOCH, INTERVAL, anomaly
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.severity import THRESHOLD_SEVERITY
from watchkeeper.core.timestamps import format_instant
from watchkeeper.incidents.feedback import (
    HIGHEST,
    LOWEST,
    Mark,
    Verdict,
    labels_of,
    moved_thresholds,
    verdict_of,
)
from watchkeeper.incidents.grouping import GroupingRule, grown_by, incidents_of
from watchkeeper.incidents.incident import Feedback
from watchkeeper.incidents.progress import after_anomalies, after_undo, after_verdict
from watchkeeper.judgement.moved import MovedThresholds
from watchkeeper.telemetry.labels import read_labels

NOW = datetime(2026, 11, 30, 12, tzinfo=timezone.utc)
RULE = GroupingRule(gap_seconds=INTERVAL)

marks = st.builds(
    Mark,
    series=st.sampled_from(["no2|station=a", "no2|station=b", "no2|station=c", "so2|station=a"]),
    directions=st.sampled_from([("above",), ("below",), ("above", "below"), ()]),
    severity=st.floats(70, 100),
    runs=st.just(((EPOCH, 1),)),
)
verdicts = st.builds(
    Verdict,
    workload=st.just("air"),
    incident_id=st.uuids().map(str),
    what=st.sampled_from(["real", "expected", "noise"]),
    at=st.just("2026-11-30T12:00:00Z"),
    who=st.just("mia"),
    interval_seconds=st.just(INTERVAL),
    marks=st.lists(marks, max_size=4, unique_by=lambda mark: mark.series).map(tuple),
)


def said(what: Feedback, severity: float, series: str = "no2|station=a", at: int = 0) -> Verdict:
    [incident] = incidents_of([anomaly(series, at, severity=severity)], RULE)
    return verdict_of(incident, what, "mia", NOW)


def level(*given: Verdict, series: str = "no2|station=a") -> float:
    return moved_thresholds(given).of(series, "above")


@given(st.lists(verdicts, max_size=8), st.randoms())
def test_thresholds_are_those_of_the_verdicts_in_any_order(given: list[Verdict], random: object) -> None:
    moved = moved_thresholds(given)
    random.shuffle(given)  # type: ignore[attr-defined]
    assert moved_thresholds(given).to_json() == moved.to_json()
    assert MovedThresholds.from_json(moved.to_json()) == moved
    for sides in (moved.series, moved.measures):
        assert all(LOWEST <= value <= HIGHEST for side in sides.values() for value in side.values())


@given(st.lists(verdicts, max_size=6), verdicts)
def test_noise_never_lowers_and_what_was_real_stays_an_anomaly(given: list[Verdict], more: Verdict) -> None:
    before, after = moved_thresholds(given), moved_thresholds([*given, more])
    for mark in more.marks:
        for direction in mark.directions:
            old, new = before.of(mark.series, direction), after.of(mark.series, direction)
            if more.what == "real":
                assert new <= max(old, THRESHOLD_SEVERITY)
                assert new < mark.severity or new == THRESHOLD_SEVERITY
            elif any(
                each.series == mark.series and direction in each.directions
                for one in given
                for each in one.marks
            ):
                assert new >= old


def test_how_far_verdicts_move() -> None:
    assert level() == 70
    assert level(said("noise", 76)) == 76  # what was noise is not told again, and no more than that
    assert level(said("noise", 99)) == 80
    assert level(said("noise", 99), said("noise", 99)) == 90
    assert level(*[said("noise", 99)] * 9) == 95
    assert level(said("expected", 99)) == 75
    assert level(said("noise", 99), said("noise", 99), said("real", 86)) == 85
    assert level(said("real", 86), said("real", 86)) == 68
    assert level(*[said("real", 86)] * 9) == 65
    assert moved_thresholds([said("noise", 99)]).of("no2|station=a", "below") == 70
    assert level(said("noise", 99), series="no2|station=z") == 70


def test_a_measure_moves_when_several_of_its_series_only_ever_were_noise() -> None:
    peaks = {"a": 79, "b": 99, "c": 99}
    three = [said("noise", severity, f"no2|station={name}") for name, severity in peaks.items()]
    assert level(*three, series="no2|station=z") == 79
    assert level(*three, series="so2|station=z") == 70
    assert level(*three, said("real", 90, "no2|station=d"), series="no2|station=z") == 70
    assert level(*three[:2], series="no2|station=z") == 70


def test_labels_are_read_as_a_file_of_labels(tmp_path: Path) -> None:
    events = [anomaly("no2|station=a", at) for at in (0, 1, 2)]
    [incident] = incidents_of(events, RULE)
    given = [verdict_of(incident, "real", "mia", NOW), said("noise", 80, "no2|station=b", 40)]
    path = tmp_path / "labels.json"
    path.write_text(json.dumps(labels_of(given)))
    labels = read_labels(path)
    assert [labels.of("no2|station=a", EPOCH + at * INTERVAL, INTERVAL) for at in (-1, 0, 2, 3)] == [
        *(False, True, True, False)
    ]
    assert labels.of("no2|station=b", EPOCH + 40 * INTERVAL, INTERVAL) is False
    assert labels.of("no2|station=c", EPOCH, INTERVAL) is None


def test_a_verdict_is_replaced_taken_back_and_outlives_what_joins() -> None:
    first, second = (incidents_of([anomaly("no2|station=a", at)], RULE)[0] for at in (0, 4))
    noise = verdict_of(second, "noise", "mia", NOW)
    change = after_verdict(second, noise, [])
    [judged] = change.incidents
    assert (judged.feedback, judged.timeline[-1].note, change.verdicts) == ("noise", "noise", (noise,))
    assert after_verdict(judged, noise, [noise]).incidents == ()

    bridge = [anomaly("no2|station=a", at) for at in (1, 2, 3)]
    [both] = after_anomalies(
        grown_by([first, judged], bridge, RULE), watermark=EPOCH, closes_after=1800
    ).incidents
    assert (both.incident_id, both.feedback) == (first.incident_id, "noise")
    real = after_verdict(both, verdict_of(both, "real", "ben", NOW), [noise])
    assert (real.verdicts[0].incident_id, real.withdrawn) == (first.incident_id, (noise,))

    undone = after_undo(both, "ben", NOW, [noise])
    assert (undone.incidents[0].feedback, undone.withdrawn) == (None, (noise,))
    with pytest.raises(InvalidInputError, match="nothing to undo"):
        after_undo(both, "ben", NOW, [])
    assert format_instant(EPOCH) == both.opened_at
