"""The console in a browser: what happens comes to an open page, and what people do there is done."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from lambdas.adapters.incident_store import TableIncidents
from lambdas.alerting.sample import sample_of
from tests.local.air import LIVE, WORKLOAD, day_with_a_leap, deliver
from tests.local.browser import Tab, browser
from tests.local.callers import password_of
from tests.local.histories import FIVE_MINUTES, air_quality
from tests.local.laptop import ROOT, Laptop
from tests.local.scored import until_drained
from tests.local.training import champion
from tests.local.transactions import WORKLOAD as FRAUD
from tests.local.transactions import FraudTraining
from tests.local.waiting import until
from watchkeeper.anomalies.event import EVENT_DETAIL_TYPE
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.spec import load_workload

pytestmark = pytest.mark.local

AFTER = 200
"""Intervals after which no other journey has a leap: two in one window could be one incident."""
FEED, LISTED, TRANSACTIONS = ".feed-lines .row-link", "tbody .row-link", ".fraud-list .row-link"
FIGURES = ROOT / "build" / "tests" / "console.json"
"""Seconds until an open page shows what has happened. No test asserts them."""


@pytest.fixture(scope="module")
def walker(shared_laptop: Laptop) -> Iterator[subprocess.Popen[str]]:
    with browser(shared_laptop) as walker:
        shared_laptop.deploy()
        champion(shared_laptop, WORKLOAD, air_quality())
        yield walker


@pytest.fixture(scope="module")
def developer(walker: subprocess.Popen[str]) -> Tab:
    """Whom the laptop signs in by itself: an administrator."""
    return Tab(walker, "developer")


def keep(figure: str, seconds: float) -> None:
    found = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    FIGURES.write_text(json.dumps({**found, figure: round(seconds, 2)}))


def raise_anomaly(laptop: Laptop, station: str, number: int) -> float:
    """Put an anomaly on the alert bus, as the scoring loop does; return when it was taken."""
    plan = load_workload(ROOT / "workloads" / f"{WORKLOAD}.yaml").plan()
    assert isinstance(plan, WorkloadPlan)
    sample = sample_of(plan, LIVE + (AFTER + 100 * number) * FIVE_MINUTES)
    laptop.tell(EVENT_DETAIL_TYPE, replace(sample, series=f"co|LOCATION_ID={station}").to_dict())
    return time.time()


def until_made_known(laptop: Laptop, *stations: str) -> None:
    kept = TableIncidents(laptop.client("dynamodb"), laptop.outputs["IncidentsTableName"])
    begin, end = int(LIVE.timestamp()), int(time.time())

    def series() -> set[str]:
        return {part.series for each in kept.between(WORKLOAD, begin, end) for part in each.touched}

    wanted = {f"co|LOCATION_ID={station}" for station in stations}
    until(lambda: wanted <= series(), what="the incidents")
    until_drained(laptop)


def test_an_incident_comes_to_an_open_page_and_feedback_there_moves_its_threshold(
    shared_laptop: Laptop, developer: Tab
) -> None:
    station = "console"
    records, (series, _) = day_with_a_leap(station, AFTER)
    developer.open()
    developer.shows(".liveness-live")

    deliver(shared_laptop, records)
    acknowledged = time.time()
    keep("from acknowledged telemetry", developer.shows(FEED, station).at - acknowledged)
    developer.follow(FEED, station)
    developer.shows("h1", station)
    cause = developer.shows("section[aria-labelledby=causes-title] b").text
    developer.shows("wk-touched-series", station)
    developer.click("Noise")
    developer.shows("[role=status]", "Kept: noise.")
    moved = developer.shows("section[aria-labelledby=feedback-title] li", station).text
    path = f"/watch/incidents/{developer.url.rpartition('/')[2]}"
    status, judged = developer.ask("GET", path)
    developer.click("Take back")
    developer.shows("section[aria-labelledby=feedback-title]", "it is 70 for each of them now")
    _, unjudged = developer.ask("GET", path)

    assert cause == f"co at LOCATION_ID {station}"
    assert moved.endswith("where it is high")
    assert (status, judged["feedback"]) == (200, "noise")
    assert judged["thresholds"][series]["above"] > judged["thresholds"][series]["below"] == 70
    assert unjudged["thresholds"][series]["above"] == 70
    assert (developer.loads, developer.faults) == (1, [])


def test_a_page_that_lost_its_connection_misses_nothing_and_shows_nothing_twice(
    shared_laptop: Laptop, developer: Tab
) -> None:
    stations = ("before", "meanwhile-1", "meanwhile-2", "later")
    developer.open()
    developer.shows(".liveness-live")
    loads = developer.loads
    taken = raise_anomaly(shared_laptop, "before", 2)
    keep("from an anomaly on the alert bus", developer.shows(FEED, "before").at - taken)

    with developer.offline():
        developer.shows("[role=alert]", "You are offline.")
        for number, station in enumerate(stations[1:3], start=3):
            raise_anomaly(shared_laptop, station, number)
        until_made_known(shared_laptop, *stations[1:3])
        meanwhile = [each.text for each in developer.all(FEED)]
    developer.shows(".liveness-live")
    raise_anomaly(shared_laptop, "later", 5)
    for station in stations:
        developer.shows(FEED, station)
    feed = [each.href for each in developer.all(FEED)]
    developer.click("Incidents", role="link")
    for station in stations:
        developer.shows(LISTED, station)
    listed = [each.text for each in developer.all(LISTED)]

    assert not [text for text in meanwhile if "meanwhile" in text]
    assert len(feed) == len(set(feed))
    assert [sum(station in text for text in listed) for station in stations] == [1, 1, 1, 1]
    assert (developer.loads, developer.faults) == (loads, [])


def test_a_training_is_started_on_the_page_and_watched_to_its_end(
    shared_laptop: Laptop, developer: Tab
) -> None:
    developer.open(f"workloads/{WORKLOAD}/runs")
    loads = developer.loads

    developer.click("Start a training")
    developer.fill("Why, for others", "watched in a browser")
    developer.click("Start it")
    run = developer.shows("h1.run-id").text
    developer.shows("wk-run-graph .state-running")
    developer.shows(".incident-head .badge", "succeeded")
    developer.shows("section[aria-labelledby=gate-title] .badge", "takes the model")
    developer.shows("wk-run-graph .state-succeeded", "Publish release")
    developer.click("Runs of", role="link")
    developer.shows(".release", f"{run} judges now")

    live = shared_laptop.live(WORKLOAD)
    assert live is not None
    assert live.run_id == run
    assert (developer.loads, developer.faults) == (loads, [])


def test_another_threshold_is_tried_on_the_page_and_shown_beside_the_deployed_one(developer: Tab) -> None:
    developer.open(f"workloads/{WORKLOAD}/backtests")
    developer.fill("rarity", "2")
    developer.click("Run the backtest")
    developer.shows(".incident-head .badge", "done")
    changed = developer.shows("section[aria-labelledby=changes-title] tbody").text
    panels = [each.text for each in developer.all(".incidents-panel figcaption")]
    _, found = developer.ask(
        "GET", f"/watch/workloads/{WORKLOAD}/backtests/{developer.url.rpartition('/')[2]}"
    )
    before, after = found["result"]["before"], found["result"]["after"]

    assert changed == "threshold.rarity 3.75 2.0"
    assert len(panels) == 2
    assert after["anomalies"] > before["anomalies"]
    assert "threshold: {rule: rarity, rarity: 2}" in found["text"]
    assert developer.faults == []


def test_the_api_refuses_a_viewer_what_an_operator_may_do(
    shared_laptop: Laptop, walker: subprocess.Popen[str]
) -> None:
    incident, transaction = "/watch/incidents/none", "/fraud/transactions/none"
    of_operators = (
        ("POST", f"{incident}/acknowledge", {}),
        ("POST", f"{incident}/feedback", {"verdict": "noise"}),
        ("POST", f"{transaction}/label?workload={FRAUD}", {"fraud": True, "by": "somebody"}),
        ("DELETE", f"/fraud/simulator?workload={FRAUD}", None),
    )
    answered, offered = {}, {}
    for role in ("viewer", "operator"):
        tab = Tab(walker, role)
        # the tenant reads the transactions; without a group somebody is a viewer
        password = password_of(shared_laptop, role, "development", *({"operator"} & {role}))
        tab.open("?sign_in")
        tab.fill("Username", role)
        tab.fill("Password", password)
        tab.click("Sign in")
        tab.shows(".who-text", role)
        tab.click("Fraud", role="link")
        tab.shows("wk-simulator .badge")
        offered[role] = len(tab.all("wk-simulator form"))
        answered[role] = [tab.ask(*each)[0] for each in of_operators]
        assert tab.ask("GET", f"/watch/workloads/{FRAUD}")[0] == 200
        assert tab.ask("POST", f"/watch/workloads/{FRAUD}/runs", {"reason": "no admin"})[0] == 403

    assert offered == {"viewer": 0, "operator": 1}
    assert answered == {"viewer": [403, 403, 403, 403], "operator": [404, 404, 404, 200]}


def test_a_flagged_transaction_comes_to_an_open_page_with_what_is_around_it_and_is_labelled(
    developer: Tab, fraud_training: FraudTraining
) -> None:
    assert fraud_training.outcome.status == "SUCCEEDED", fraud_training.outcome.cause
    developer.open(f"fraud?workload={FRAUD}")
    developer.shows("wk-simulator form")
    developer.shows_no(".fraud-list", "Loading")
    loads = developer.loads
    known = {each.href for each in developer.all(TRANSACTIONS)}

    developer.fill("Rate", "20")
    developer.fill("Fraud", "20")
    developer.click("Start")
    developer.shows("wk-simulator .badge", "running")
    new = until(
        lambda: [each for each in developer.all(TRANSACTIONS) if each.href not in known],
        what="a flagged transaction on the page",
    )
    developer.click("Stop")
    developer.shows("wk-simulator .badge", "stopped")
    developer.follow(f'[href="{new[0].href}"]', new[0].text)
    developer.shows("h1", f"Transaction {new[0].text}")
    developer.shows("wk-neighbourhood svg .node:not(.node-centre)")
    developer.click("It was fraud")
    developer.shows("[role=status]", "Kept: fraud.")
    developer.shows(".label-body", "Fraud, says developer")
    status, document = developer.ask("GET", f"/fraud/transactions/{new[0].text}?workload={FRAUD}")

    assert (status, document["label"]["fraud"], document["answer"]["flag"]) == (200, True, True)
    assert (developer.loads, developer.faults) == (loads, [])
