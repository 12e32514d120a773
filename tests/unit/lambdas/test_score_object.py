"""Scoring an object: what is written where, and what happens when something does not work."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import itertools
import json
from typing import Any

import pytest

from lambdas.adapters.object_store import ObjectUri
from lambdas.runtime.threads import in_threads
from lambdas.scoring import requests
from lambdas.scoring.probing import UnidentifiedModelError
from lambdas.scoring.scoring import ObjectReport, score_object
from tests.unit.lambdas.builders import (
    BEGIN,
    BUCKET,
    THRESHOLD,
    make_moving_threshold,
    make_plan,
    make_release,
    packed_lines,
    raw_object,
    reading,
)
from tests.unit.lambdas.fakes import CrashError, FakePlanStore, ScoringFakes
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.anomalies.quality import of_scores
from watchkeeper.core.errors import ContractViolationError, InvalidInputError, UnavailableError
from watchkeeper.core.layout import quarantine_key, scores_key
from watchkeeper.core.plan import MeasurePlan
from watchkeeper.judgement.moved import MovedThresholds
from watchkeeper.judgement.quality import Signal
from watchkeeper.lifecycle.release import StreamModel
from watchkeeper.stream import asking, closing
from watchkeeper.stream.judging import INTERVAL_CHANGED, NO_LIVE_MODEL, UNKNOWN_MEASURE
from watchkeeper.stream.page_format import from_bytes, to_bytes
from watchkeeper.stream.step import Tally

BEGIN_SECOND = int(BEGIN.timestamp())
CLOSE = 10_000
"""A second whose reading closes everything before."""


def fakes_of(**changes: Any) -> ScoringFakes:
    return ScoringFakes(make_plan(**changes), make_release())


def trained_on(*devices: str, **changes: Any) -> ScoringFakes:
    scales = {f"pressure|device={device}": 1.0 for device in devices}
    return ScoringFakes(make_plan(), make_release(step_scales=scales), **changes)


def score_lines(fakes: ScoringFakes) -> list[dict[str, Any]]:
    """Lines in the order in which they were written."""
    bodies = fakes.objects.under("scores/workload=").values()
    return [json.loads(line) for body in bodies for line in of_scores(gzip.decompress(body).splitlines())]


def waiting(fakes: ScoringFakes) -> list[tuple[int, float]]:
    return [(start, value) for _, start, value, _ in fakes.pages.page().waiting.tolist()]


def test_closed_intervals_are_scored_and_open_ones_wait() -> None:
    fakes = fakes_of()
    report = fakes.deliver("1", reading(0, 10), reading(30, 20), reading(60, 30), reading(CLOSE, 1))
    assert [
        (line["interval_start"], line["value"], line["anomaly_score"]) for line in score_lines(fakes)
    ] == [
        ("2024-01-01T00:00:00Z", 15.0, 1.5),
        ("2024-01-01T00:01:00Z", 30.0, 3.0),
    ]
    assert report == ObjectReport("pump", 4, 0, Tally(2, 0, 0), None)
    assert waiting(fakes) == []


def test_line_says_everything_about_its_interval() -> None:
    fakes = fakes_of()
    fakes.deliver("1", reading(0, 10), reading(60, 90), reading(CLOSE, 1))
    release = make_release()
    line = score_lines(fakes)[1]
    event = line.pop("anomaly")
    assert line == {
        "workload": "pump",
        "series": "pressure|device=a",
        "interval_start": "2024-01-01T00:01:00Z",
        "value": 90.0,
        "expected": 10.0,
        "lower": 7.0,
        "upper": 13.0,
        "anomaly_score": 9.0,
        "threshold": THRESHOLD,
        "severity": release.severity.severity(9.0),
        "is_anomaly": True,
        "run_id": release.run_id,
    }
    assert AnomalyEvent.from_json(json.dumps(event)) == fakes.anomalies.puts[0] == fakes.alerts.puts[0]
    assert fakes.anomalies.puts[0].execution_arn == release.execution_arn


def test_an_object_and_a_shelf_have_one_object_of_scores() -> None:
    fakes = fakes_of()
    fakes.deliver("1", *(reading(second, 10, device) for device in "abc" for second in (0, 60, CLOSE)))
    assert list(fakes.objects.under("scores/")) == [
        scores_key("pump", "2024-01-01T00", raw_object("1").object_id, "")
    ]
    fakes.deliver("2", reading(CLOSE + 1, 10))
    assert len(fakes.objects.under("scores/")) == 1


def test_a_shelf_that_fills_splits_and_goes_on() -> None:
    fakes = ScoringFakes(make_plan(), make_release(), shelf_series=2)
    for number in range(3):
        lines = [reading(60 * number, 10 + number, f"d{device}") for device in range(3 + number)]
        fakes.deliver(str(number), *lines)
    fakes.deliver("last", *(reading(CLOSE, 1, f"d{device}") for device in range(5)))
    found = [(line["series"], line["value"]) for line in score_lines(fakes)]
    assert sorted(found) == sorted(
        (f"pressure|device=d{device}", 10.0 + number) for number in range(3) for device in range(3 + number)
    )
    assert fakes.pages.page().condition == "split"
    assert len(fakes.pages.pages) > 3


def test_a_streaming_detector_scores_without_an_endpoint() -> None:
    fakes = ScoringFakes(make_plan(), make_release(stream=StreamModel({}, 3.75)))
    fakes.endpoint.failure = UnavailableError("there is none")
    assert fakes.deliver("1", reading(0, 10), reading(60, 20), reading(CLOSE, 1)).tally == Tally(2, 0, 0)
    assert [line["anomaly_score"] for line in score_lines(fakes)] == [0.0, 0.0]
    assert fakes.endpoint.requests == []


def test_feedback_moves_what_an_endpoint_has_scored_too() -> None:
    fakes, expected = fakes_of(), make_release().severity.severity(9.0)
    fakes.releases.feedback = {"pump": MovedThresholds({"above": {"pressure|device=a": expected}})}
    report = fakes.deliver("1", reading(0, 10), reading(60, 90), reading(120, 95), reading(CLOSE, 1))
    lines = score_lines(fakes)
    assert [(line["value"], line["is_anomaly"], line.get("rule")) for line in lines] == [
        (10.0, False, None),
        (90.0, False, "feedback"),
        (95.0, True, None),
    ]
    assert [line.get("severity_threshold") for line in lines] == [None, expected, expected]
    assert report.tally.anomalies == 1
    [event] = fakes.anomalies.puts
    assert (event.observed, event.threshold, event.severity_threshold) == (95.0, THRESHOLD, expected)


def test_score_at_the_threshold_is_no_anomaly() -> None:
    fakes = fakes_of()
    report = fakes.deliver("1", reading(0, 50), reading(60, 50.1), reading(CLOSE, 1))
    assert report.tally.anomalies == 1
    assert [line["is_anomaly"] for line in score_lines(fakes)] == [False, True]


def test_score_is_compared_with_the_threshold_of_the_model_that_gave_it() -> None:
    fakes = fakes_of()
    strict = make_release(1, threshold=dataclasses.replace(make_release().threshold, value=1.0))
    fakes.releases.stage(strict)
    fakes.endpoint.release = strict
    fakes.deliver("1", reading(0, 20), reading(CLOSE, 1))
    (line,) = score_lines(fakes)
    assert (line["threshold"], line["is_anomaly"], line["run_id"]) == (1.0, True, strict.run_id)


def test_a_moving_threshold_judges_each_interval_by_those_before_it_and_begins_anew_with_a_model() -> None:
    moving = make_moving_threshold()
    fakes = ScoringFakes(make_plan(), make_release(threshold=moving))
    readings = [reading(60 * minute, value) for minute, value in enumerate([10, 51, 52, 60, 10])]
    fakes.deliver("1", *readings, reading(CLOSE, 1))
    lines = score_lines(fakes)
    assert [line["threshold"] for line in lines] == pytest.approx([5.0, 4.8, 6.6, 6.4, 6.2])
    assert [line["is_anomaly"] for line in lines] == [False, True, False, False, False]
    assert [line["severity"] >= 70.0 for line in lines] == [line["is_anomaly"] for line in lines]
    assert fakes.anomalies.puts[0].threshold == pytest.approx(4.8)
    [[run, alerting, value]] = fakes.pages.page().thresholds.tolist()
    assert (fakes.pages.page().runs[run], alerting) == (make_release().run_id, False)
    assert value == lines[-1]["next_threshold"]

    newer = make_release(7, threshold=moving)
    fakes.releases.release(newer)
    fakes.endpoint.release = newer
    fakes.effects.releases.read_again("pump")
    fakes.deliver("2", reading(2 * CLOSE, 1))
    assert [line["threshold"] for line in score_lines(fakes) if line["run_id"] == newer.run_id] == [5.0]


def test_answer_of_an_unknown_model_is_asked_for_again_later_and_nothing_is_lost() -> None:
    fakes = fakes_of()
    fakes.endpoint.release = make_release(7)
    with pytest.raises(UnidentifiedModelError, match="whose release is not known"):
        fakes.deliver("1", reading(0, 20), reading(CLOSE, 1))
    assert waiting(fakes) == [(BEGIN_SECOND, 20.0)]


def test_without_live_model_intervals_are_written_without_score() -> None:
    fakes = ScoringFakes(make_plan(), None)
    report = fakes.deliver("1", reading(0, 20), reading(CLOSE, 1))
    (line,) = score_lines(fakes)
    assert (line["anomaly_score"], line["reason"], line["is_anomaly"]) == (None, NO_LIVE_MODEL, False)
    assert report.tally == Tally(0, 1, 0)
    assert fakes.endpoint.requests == []
    assert waiting(fakes) == []


def test_measure_that_the_model_does_not_know_is_not_sent_to_it() -> None:
    measures = (MeasurePlan("pressure", "pressure"), MeasurePlan("flow", "flow"))
    fakes = fakes_of(measures=measures)
    fakes.deliver("1", reading(0, 20, flow=3), reading(CLOSE, 1, flow=3))
    reasons = {line["series"]: line.get("reason") for line in score_lines(fakes)}
    assert reasons == {"pressure|device=a": None, "flow|device=a": UNKNOWN_MEASURE}
    assert [len(request) for request in fakes.endpoint.requests] == [2]


def test_rows_of_many_series_share_requests() -> None:
    fakes = trained_on(*(f"d{number}" for number in range(700)))
    lines = [reading(second, 10, f"d{number}") for number in range(700) for second in (0, CLOSE)]
    fakes.deliver("1", *lines)
    assert [len(request) for request in fakes.endpoint.requests] == [501, 201]
    assert len(score_lines(fakes)) == 700


def test_threads_give_the_same_result() -> None:
    fakes = trained_on(*(f"d{number}" for number in range(40)))
    fakes.effects = dataclasses.replace(fakes.effects, for_each=in_threads)
    lines = [reading(second, 90, f"d{number}") for number in range(40) for second in (0, CLOSE)]
    assert fakes.deliver("1", *lines).tally == Tally(40, 0, 40, 40)
    assert len({line["series"] for line in score_lines(fakes)}) == 40
    assert waiting(fakes) == []


def test_change_of_the_interval_leaves_a_line_for_what_waited_and_is_reported() -> None:
    fakes = fakes_of()
    fakes.endpoint.failure = UnavailableError("busy")
    with pytest.raises(UnavailableError):
        fakes.deliver("1", reading(0, 10), reading(60, 20), reading(CLOSE, 1))
    fakes.endpoint.failure = None
    longer = make_plan(interval_seconds=300)
    fakes.effects = dataclasses.replace(fakes.effects, plans=FakePlanStore({"pump": longer}))
    report = fakes.deliver("2", reading(CLOSE + 600, 30), reading(2 * CLOSE, 1))
    assert report.to_dict()["intervals_dropped"] == 3
    lines = [(line["value"], line["anomaly_score"], line.get("reason")) for line in score_lines(fakes)]
    assert lines == [(10.0, None, INTERVAL_CHANGED), (20.0, None, INTERVAL_CHANGED), (30.0, 3.0, None)]


def test_change_of_the_interval_after_a_crash_leaves_a_score_with_its_alert_or_nothing() -> None:
    ends: set[tuple[float | None, int]] = set()
    for moment in itertools.count():
        fakes = fakes_of()
        fakes.deliver("1", reading(0, 90))
        crash = fakes.timeline.crash_at(moment)
        with contextlib.suppress(CrashError):
            fakes.deliver("2", reading(CLOSE, 1))
        if fakes.timeline.cancel(crash):
            break
        longer = make_plan(interval_seconds=300)
        fakes.effects = dataclasses.replace(fakes.effects, plans=FakePlanStore({"pump": longer}))
        fakes.deliver("3", reading(CLOSE + 600, 1), reading(2 * CLOSE, 1))
        scores = [line["anomaly_score"] for line in score_lines(fakes) if line["value"] == 90.0]
        assert len(scores) <= 1
        assert len(fakes.anomalies.events) == len(fakes.alerts.events)
        ends |= {(score, len(fakes.alerts.events)) for score in scores}
    assert ends == {(9.0, 1)}


def test_poison_and_late_lines_are_quarantined_once_each() -> None:
    fakes = fakes_of()
    fakes.deliver("1", reading(0, 10), reading(CLOSE, 1))
    report = fakes.deliver("2", "not json", reading(5, 11), reading(CLOSE + 1, 2))
    again = fakes.deliver("2", "not json", reading(5, 11), reading(CLOSE + 1, 2))
    bodies = fakes.objects.under("quarantine/")
    key = raw_object("2").key
    assert list(bodies) == [quarantine_key("pump", key), quarantine_key("pump", key, "")]
    refused = [json.loads(line) for body in bodies.values() for line in body.splitlines()]
    assert [(item["line"], item["reason"], item["text"]) for item in refused] == [
        (1, "not_json", "not json"),
        (2, "late", reading(5, 11)),
    ]
    assert (report.records, report.quarantined) == (1, 2)
    assert again.quarantined == 1


def test_quarantines_reading_older_than_lateness_and_takes_one_within_it() -> None:
    fakes = fakes_of()
    fakes.deliver("1", reading(0, 10), reading(419, 1))
    fakes.deliver("2", reading(59, 20), reading(60, 20))
    assert fakes.objects.under("quarantine/")
    late = [json.loads(line) for line in next(iter(fakes.objects.under("quarantine/").values())).splitlines()]
    assert [item["line"] for item in late] == [1]


def test_damaged_object_is_quarantined_and_not_retried() -> None:
    fakes = fakes_of()
    source = raw_object("1")
    fakes.objects.objects[ObjectUri(BUCKET, source.key)] = packed_lines([reading(0, 1)])[:-5]
    assert score_object(source, fakes.effects).quarantined == 1
    (body,) = fakes.objects.under("quarantine/").values()
    assert json.loads(body)["reason"] == "bad_gzip"


def test_deleted_object_is_quarantined() -> None:
    fakes = fakes_of()
    assert score_object(raw_object("gone"), fakes.effects).quarantined == 1


def test_workload_that_is_not_deployed_is_invalid_input() -> None:
    fakes = fakes_of()
    source = dataclasses.replace(raw_object("1"), key="raw/workload=unknown/x.gz")
    with pytest.raises(InvalidInputError, match="'unknown' is not deployed"):
        score_object(source, fakes.effects)


def test_refused_row_is_quarantined_with_the_models_words_and_the_rest_is_scored() -> None:
    fakes = fakes_of()
    fakes.deliver("1", reading(0, 10), reading(60, 666), reading(120, 30), reading(CLOSE, 1))
    assert [line["anomaly_score"] for line in score_lines(fakes)] == [1.0, None, 3.0]
    assert score_lines(fakes)[1]["reason"] == "refused by the model"
    [body] = fakes.objects.under("quarantine/").values()
    refused = json.loads(body)
    assert refused["source"] == "pressure|device=a#2024-01-01T00:01:00Z"
    assert (refused["reason"], refused["message"]) == ("refused_by_model", "bad luck")
    assert refused["text"].startswith("2024-01-01T00:01:00Z,pressure|device=a,666.0,")
    assert waiting(fakes) == []


@pytest.mark.parametrize("failure", [UnavailableError("busy"), ContractViolationError("3 scores for 2 rows")])
def test_failing_endpoint_leaves_intervals_on_the_page_for_the_next_object(failure: Exception) -> None:
    fakes = fakes_of()
    fakes.endpoint.failure = failure
    with pytest.raises(type(failure)):
        fakes.deliver("1", reading(0, 10), reading(CLOSE, 1))
    assert fakes.objects.under("scores/") == {}
    fakes.endpoint.failure = None
    fakes.deliver("2", reading(CLOSE + 60, 1), reading(CLOSE + 1000, 1))
    assert [line["anomaly_score"] for line in score_lines(fakes)] == [1.0, 0.1, 0.1]
    assert len({line["interval_start"] for line in score_lines(fakes)}) == 3


def test_late_lines_of_an_object_whose_scores_fail_are_quarantined_and_its_scores_come_later() -> None:
    fakes = fakes_of()
    fakes.deliver("1", reading(0, 10), reading(CLOSE, 1))
    fakes.endpoint.failure = UnavailableError("busy")
    lines = [reading(5, 11), reading(CLOSE + 1000, 1)]
    with pytest.raises(UnavailableError):
        fakes.deliver("2", *lines)
    assert len(fakes.objects.under("quarantine/")) == 1
    fakes.endpoint.failure = None
    fakes.deliver("2", *lines)
    assert [line["value"] for line in score_lines(fakes)] == [10.0, 1.0]
    assert len(fakes.objects.under("quarantine/")) == 1


def test_shelves_whose_rows_were_answered_are_finished_before_the_failure_is_raised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(requests, "MAX_REQUEST_ROWS", 1)
    devices = [f"d{number:02}" for number in range(30)]
    fakes = trained_on(*devices, shelf_series=10)
    fakes.deliver("1", *(reading(0, 10, device) for device in devices))
    fakes.endpoint.unavailable_for = "d05"
    lines = [reading(CLOSE, 10, device) for device in devices]
    with pytest.raises(UnavailableError, match="busy"):
        fakes.deliver("2", *lines)
    assert 20 <= len(score_lines(fakes)) < 30
    fakes.endpoint.unavailable_for = None
    fakes.deliver("2", *lines)
    assert sorted(line["series"][-3:] for line in score_lines(fakes)) == devices


def test_more_intervals_than_one_request_for_scores_holds_are_parts_of_one_object(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asking, "MAX_STEP_ROWS", 4)
    fakes = fakes_of()
    fakes.deliver("1", *(reading(60 * minute, minute + 1) for minute in range(15)), reading(CLOSE, 1))
    assert [line["value"] for line in score_lines(fakes)] == [float(minute + 1) for minute in range(15)]
    source = raw_object("1").object_id
    keys = [scores_key("pump", "2024-01-01T00", source, "", part) for part in range(4)]
    assert list(fakes.objects.under("scores/")) == keys


@pytest.mark.parametrize("contests", [1, 7])
def test_conflict_is_done_anew_after_a_pause(contests: int) -> None:
    fakes = fakes_of()
    fakes.deliver("1", reading(0, 10))
    fakes.pages.contests = contests
    fakes.deliver("2", reading(1, 20), reading(CLOSE, 1))
    assert [line["value"] for line in score_lines(fakes)] == [15.0]
    assert fakes.pauses == list(range(contests))


def test_gives_up_after_conflicts_without_end() -> None:
    fakes = fakes_of()
    fakes.deliver("1", reading(0, 10))
    fakes.pages.contests = 10_000
    with pytest.raises(UnavailableError, match="shelf root of pump was changed 8 times"):
        fakes.deliver("2", reading(CLOSE, 1))


def test_what_waits_is_scored_before_an_object_is_refused_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing, "MAX_WAITING_INTERVALS", 12)
    fakes = fakes_of()
    fakes.endpoint.failure = UnavailableError("busy")
    with pytest.raises(UnavailableError, match="busy"):
        fakes.deliver("1", *(reading(60 * minute, 10) for minute in range(15)))
    fakes.endpoint.failure = None
    lines = [reading(60 * minute, 10) for minute in range(15, 25)]
    with pytest.raises(UnavailableError, match="scoring is behind"):
        fakes.deliver("2", *lines)
    assert (len(score_lines(fakes)), waiting(fakes)) == (9, [])
    fakes.deliver("2", *lines)
    starts = [line["interval_start"] for line in score_lines(fakes)]
    assert len(starts) == len(set(starts)) == 19


def test_redelivery_writes_nothing() -> None:
    fakes = fakes_of()
    lines = [reading(0, 90), reading(CLOSE, 1)]
    fakes.deliver("1", *lines)
    before = (dict(fakes.pages.pages), dict(fakes.objects.objects), list(fakes.alerts.puts))
    assert fakes.deliver("1", *lines).tally == Tally()
    assert (fakes.pages.pages, fakes.objects.objects, fakes.alerts.puts) == before


def refused_on(fakes: ScoringFakes) -> dict[str, int]:
    """What is counted as refused, over all pages."""
    found: dict[str, int] = {}
    for content, _ in fakes.pages.pages.values():
        for reasons in from_bytes(content).quality.refused.values():
            found = {name: found.get(name, 0) + reasons.get(name, 0) for name in {*found, *reasons}}
    return found


def test_an_object_of_which_all_is_refused_is_counted_once_on_one_shelf() -> None:
    fakes = ScoringFakes(make_plan(), make_release(), shelf_series=2)
    fakes.deliver("1", *(reading(0, 10, f"d{device}") for device in range(5)))
    for _ in range(2):
        fakes.deliver("2", b"{", b"[]")
    assert refused_on(fakes) == {"not_json": 2}
    assert len(fakes.objects.under("quarantine/")) == 1


@pytest.mark.parametrize("moment", range(6))
def test_what_is_unusual_is_told_whoever_dies_before(moment: int) -> None:
    fakes = fakes_of()
    fakes.deliver("1", *(reading(second, 10) for second in range(0, 600, 60)))
    [(place, (content, tag))] = fakes.pages.pages.items()
    page = from_bytes(content)
    late = Signal(hits=0, of=19, judgements=20, first=0, at=BEGIN_SECOND, mean=0.0, extreme=0.0)
    signals = {**page.quality.signals, "late": late}
    quality = dataclasses.replace(page.quality, signals=signals)
    fakes.pages.pages[place] = (to_bytes(dataclasses.replace(page, quality=quality)), tag)
    lines = [reading(second, 99) for second in range(30)]
    fakes.timeline.crash_at(moment + 1)
    with contextlib.suppress(CrashError):
        fakes.deliver("2", *lines)
    fakes.deliver("2", *lines)
    fakes.deliver("3", reading(CLOSE, 1))
    assert {(event.what, event.began) for event in fakes.quality.puts} == {("late", True)}
    assert len({event.alert_id for event in fakes.quality.puts}) == 1
