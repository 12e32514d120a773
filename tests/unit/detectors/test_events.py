"""Anomalies as events: they begin, go on, and end."""

from __future__ import annotations

import numpy as np

from watchkeeper.detectors.protocol.events import BEGINS, ENDS, ONGOING, QUIET_ROWS, Events
from watchkeeper.detectors.protocol.scores import Scores
from watchkeeper.detectors.streaming.detector import score_series


def scores(severity: list[float]) -> Scores:
    levels = np.array(severity)
    return Scores(levels / 100, levels, levels >= 70, levels)


def test_an_event_lasts_until_nothing_unusual_went_on_for_a_while() -> None:
    rows = Events().follow(scores([5, 80, 10, 90, *[20] * 20]))
    assert rows.state[:5].tolist() == ["", BEGINS, ONGOING, ONGOING, ONGOING]
    assert np.flatnonzero(rows.state == ENDS).tolist() == [3 + QUIET_ROWS]
    assert (rows.state[3 + QUIET_ROWS + 1 :] == "").all()


def test_the_severity_of_an_event_is_the_highest_so_far_while_it_lasts() -> None:
    rows = Events().follow(scores([5, 80, 10, 90, *[20] * 20]))
    assert rows.severity[:6].tolist() == [5, 80, 80, 90, 90, 90]
    assert rows.severity[-1] == 20


def test_pieces_of_a_series_are_followed_as_the_whole() -> None:
    all_rows = [5.0, 80, *[10] * 30, 75, 30, 85, *[10] * 30]
    whole, events = Events().follow(scores(all_rows)), Events()
    pieces = [events.follow(scores(all_rows[first : first + 7])) for first in range(0, len(all_rows), 7)]
    assert np.concatenate([piece.state for piece in pieces]).tolist() == whole.state.tolist()
    assert np.concatenate([piece.severity for piece in pieces]).tolist() == whole.severity.tolist()


def test_every_event_begins_with_an_alert_and_no_row_after_its_end_belongs_to_it() -> None:
    values = np.random.default_rng(0).normal(size=4000)
    values[[1500, 3000]] += 20
    values[2000:2144] = values[2000]
    found = score_series(None, values)
    rows = Events().follow(found)
    assert found.is_anomaly[rows.state == BEGINS].all()
    assert (rows.state[found.is_anomaly] != "").all()
    assert (
        np.flatnonzero(rows.state == BEGINS)
        < np.append(np.flatnonzero(rows.state == ENDS), 4000)[: (rows.state == BEGINS).sum()]
    ).all()


def test_a_sensor_that_stays_frozen_is_one_event_for_as_long_as_that_is_new() -> None:
    values = np.random.default_rng(3).normal(size=3000)
    values[2000:2144] = values[2000]
    rows = Events().follow(score_series(None, values))
    inside = rows.state[2000:2144]
    first = int(np.argmax(inside == BEGINS))
    assert (inside == BEGINS).sum() == 1
    assert (inside[first + 1 :] == ONGOING).all()
    assert (rows.severity[2000 + first : 2144] >= 70).all()
