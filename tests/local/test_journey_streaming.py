"""A detector that learns in the scoring loop: trained, adopted, trained again, taken back and rejected."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from lambdas.adapters.incident_store import TableIncidents
from lambdas.adapters.release_store import TableReleaseStore
from tests.local.air import (
    LIVE,
    MEASURES,
    WORKLOAD,
    closed,
    day_with_a_leap,
    deliver,
    readings,
)
from tests.local.histories import FIVE_MINUTES, START, History, air_quality
from tests.local.laptop import Laptop
from tests.local.scored import until_scored
from tests.local.scripts import GUIDES, run_scripts
from tests.local.training import champion, ended, train, upload
from tests.local.waiting import until
from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.core import layout
from watchkeeper.core.timestamps import format_instant
from watchkeeper.detectors.streaming.detector import WatchkeeperDetector
from watchkeeper.lifecycle.release import Release

pytestmark = pytest.mark.local

STATION, COUNT, PEAK = "north", 24, 12


def live_release(laptop: Laptop) -> Release:
    found = laptop.live(WORKLOAD)
    assert isinstance(found, Release)
    return found


def expected(history: History, measure: str, count: int) -> dict[str, float]:
    """What `watchkeeper score` says of the live intervals, with the history before them."""
    column = {"co": 2, "so2": 3, "no2": 4}[measure]
    cells = [line.split(",") for line in history.lines]
    before = [float(row[column]) for row in cells if row[1] == STATION]
    field = {"co": "CO", "so2": "SO2", "no2": "NO2"}[measure]
    pairs: Sequence[float] = [record[field] for record in readings(STATION, 0, count, peak=PEAK)]
    live = [(first + second) / 2 for first, second in zip(pairs[::2], pairs[1::2], strict=True)]
    step = FIVE_MINUTES.total_seconds()
    times = [START.timestamp() + step * at for at in range(len(before))]
    times += [LIVE.timestamp() + step * at for at in range(count)]
    detector = WatchkeeperDetector(interval_seconds=step)
    scores = detector.update_all(before + live, timestamps=np.array(times)).anomaly_score[len(before) :]
    starts = [format_instant(LIVE + FIVE_MINUTES * at) for at in range(count)]
    return dict(zip(starts, scores.tolist(), strict=True))


def test_the_loop_goes_on_where_the_history_ended_and_the_guides_training_and_rollback_keep_it(
    laptop: Laptop, tmp_path: Path
) -> None:
    history = air_quality()
    champion(laptop, WORKLOAD, history)
    first = live_release(laptop)

    deliver(laptop, readings(STATION, 0, COUNT, peak=PEAK))
    until_scored(laptop, WORKLOAD, closed(STATION, 0, COUNT))
    valid, gone_back, beyond = run_scripts(GUIDES / "streaming.md", laptop, tmp_path)
    again = ended(laptop, *re.findall(r"execution: (\S+)", gone_back))
    releases = TableReleaseStore(laptop.client("dynamodb"), laptop.outputs["SeriesTableName"])
    second = releases.of_run(WORKLOAD, again.output["run"]["run_id"])
    third = live_release(laptop)
    deliver(laptop, readings(STATION, COUNT, COUNT, peak=PEAK))
    lines = until_scored(laptop, WORKLOAD, closed(STATION, 0, 2 * COUNT))

    assert "workload press_counts is valid" in valid
    assert "workload press_fleet is valid" in beyond
    assert "alerts a week, within the budget of 7 for all series together." in gone_back
    assert (again.status, again.cause) == ("SUCCEEDED", "")
    assert again.states[-6:] == [
        "RegisterModelPackage",
        "StageRelease",
        "TryRelease",
        "PublishRelease",
        "NotifyDeployed",
        "Deployed",
    ]
    assert third == first != second
    for measure in MEASURES:
        own = {
            start: line
            for (series, start), line in lines.items()
            if series == f"{measure}|LOCATION_ID={STATION}"
        }
        wanted = expected(history, measure, 2 * COUNT)
        live = {start: own[start].anomaly_score for start in wanted if start in own}
        assert len(live) >= 2 * COUNT - 3
        assert live == {start: wanted[start] for start in live}
        assert {line.run_id for line in own.values()} == {first.run_id}
    sagemaker = laptop.client("sagemaker")
    name = layout.endpoint_name(WORKLOAD)
    assert sagemaker.list_endpoints(NameContains=name)["Endpoints"] == []
    assert sagemaker.list_models(NameContains=name)["Models"] == []


def leap_at(laptop: Laptop, station: str) -> ScoreLine:
    """Deliver the same day of a new station, and return what is said of its leap."""
    records, interval = day_with_a_leap(station)
    deliver(laptop, records)
    return until_scored(laptop, WORKLOAD, {interval})[interval]


def test_what_was_noise_is_no_anomaly_from_the_next_object_on_until_that_is_taken_back(
    laptop: Laptop,
) -> None:
    if laptop.live(WORKLOAD) is None:
        champion(laptop, WORKLOAD, air_quality())
    judged = ("first", "second", "third")
    for station in judged:
        line = leap_at(laptop, station)
        assert (line.is_anomaly, line.rule) == (True, None)
    kept = TableIncidents(laptop.client("dynamodb"), laptop.outputs["IncidentsTableName"])

    def found() -> list[str]:
        if kept.unsent(WORKLOAD):
            return []  # one that is in another now may still look as if it stood alone
        since = int(LIVE.timestamp())
        names = {f"co|LOCATION_ID={station}" for station in judged}
        of_them = [
            (each.incident_id, names & {part.series for part in each.touched})
            for each in kept.between(WORKLOAD, since, since + 86_400)
        ]
        told = [incident for incident, series in of_them if series]
        return told if set().union(*(series for _, series in of_them)) == names else []

    incidents = until(found, what="the incidents of three leaps")
    for incident in incidents:
        laptop.watchkeeper("feedback", incident, "--noise", "--by", "journey")
    quiet = leap_at(laptop, "fourth")
    for incident in incidents:
        laptop.watchkeeper("feedback", incident, "--undo", "--by", "journey")
    again = leap_at(laptop, "fifth")

    assert (quiet.is_anomaly, quiet.rule, quiet.anomaly) == (False, "feedback", None)
    assert quiet.severity_threshold == quiet.severity == line.severity
    assert (again.is_anomaly, again.rule, again.severity_threshold) == (True, None, None)
    assert again.severity == quiet.severity


def test_a_history_with_too_many_alerts_is_rejected_and_the_loop_goes_on(laptop: Laptop) -> None:
    """Trained to the end of the history: what journeys deliver weeks later would thin its alerts out."""
    champion(laptop, WORKLOAD, air_quality())
    before = laptop.live(WORKLOAD)
    upload(laptop, WORKLOAD, air_quality(restless=True))

    outcome = train(laptop, WORKLOAD, end=format_instant(LIVE))

    assert (outcome.status, outcome.output["decision"]["approved"]) == ("SUCCEEDED", False)
    assert "alerts a week, over the budget of 7" in outcome.output["decision"]["reasons"][0]
    assert laptop.live(WORKLOAD) == before
    upload(laptop, WORKLOAD, air_quality())
