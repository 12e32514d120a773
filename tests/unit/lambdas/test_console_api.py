"""The console's API, by the function's own entry point, in moto's account."""

from __future__ import annotations

import base64
import dataclasses
import json
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import boto3
import pytest

from cli.specs import ROOT, WORKLOADS
from lambdas.console import asking
from lambdas.console.access import ROUTES, Route
from lambdas.console.incidents import Wanted, listed
from lambdas.costs.prices import Prices
from lambdas.http.roles import ROLES, role_in
from tests.unit.lambdas.console_world import (
    AIR,
    AIR_SPEC,
    BACKTEST,
    BEGIN,
    COUNT,
    FORMER,
    LAST,
    LIVE,
    SERIES,
    STEP,
    World,
    instant,
    run_id,
)
from watchkeeper.core.timestamps import epoch_seconds
from watchkeeper.incidents.feedback import Label, labels_of
from watchkeeper.spec.sites import checked, load_site_plan

OF_AIR = f"/watch/workloads/{AIR}"
BEGUN = epoch_seconds(BEGIN)
LABEL_ID = Label(AIR, SERIES[0], BEGUN + 10 * STEP, BEGUN + 12 * STEP, STEP, "", "").label_id
BODIES: dict[str, Any] = {
    "feedback": {"verdict": "noise"},
    "acknowledge": {},
    "assign": {"to": "mia"},
    "snooze": {"for_seconds": 3600},
    "runs": {},
    "pause": {"note": "maintenance"},
    "resume": {},
    "roll-back": {"confirm": AIR},
    "test": {},
    "draft": {"settings": {"threshold.rarity": 5}},
    "backtests": {"text": AIR_SPEC, "days": 7},
    "labels": {"series": SERIES[0], "start": instant(10), "end": instant(12)},
    "approve": {},
    "reject": {},
    "quarantine": {"confirm": "A17"},
    "restore": {"confirm": "A17"},
    "sites": {"text": (ROOT / "docs" / "examples" / "sites.yaml").read_text()},
}


@pytest.fixture
def world(aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "1")
    world = World(aws.bus)
    world.queue_url = aws.queue_url
    monkeypatch.setattr(asking, "effects", lambda: world.effects)
    return world


def path_of(route: Route, world: World) -> str:
    found = {
        "workload": AIR,
        "incident": world.incidents()[-1].incident_id if "<incident>" in route.path else "",
        "series": quote(SERIES[0], safe=""),
        "run": FORMER.run_id if "roll-back" in route.path else run_id(LAST),
        "chart": "scores.png",
        "version": "3",
        "label": LABEL_ID,
        "device": "A17",
        "backtest": BACKTEST,
        "date": "2026-11-29",
    }
    path = route.path
    for name, value in found.items():
        path = path.replace(f"<{name}>", value)
    return path


@pytest.mark.parametrize("role", [None, *ROLES])
def test_each_route_is_for_its_role_and_those_above(world: World, role: str | None) -> None:
    world.with_fleet()
    rank = 0 if role is None else ROLES.index(role)  # type: ignore[arg-type]
    for route in ROUTES:
        if route.method == "DELETE" and rank >= ROLES.index(route.role):
            what = "labels" if "<label>" in route.path else "feedback"
            made = path_of(route, world).removesuffix(f"/{LABEL_ID}")
            world.call("POST", made, BODIES[what])  # there is something to take back
        body = BODIES[route.path.rpartition("/")[2]] if route.method == "POST" else None
        answer = world.call(route.method, path_of(route, world), body, role=role)
        if rank < ROLES.index(route.role):
            assert (answer.status, answer.problem) == (403, "forbidden"), route.summary
            assert f"for the role {route.role}" in answer.document["detail"]
        else:
            assert answer.status in (200, 202), (route.summary, answer.text)


def test_groups_come_as_a_list_or_as_api_gateway_writes_one() -> None:
    assert role_in({"cognito:groups": "[others admin viewer]"}) == "admin"
    assert role_in({"cognito:groups": ["operator", "viewer"]}) == "operator"
    assert role_in({"cognito:groups": "[administrators]"}) == "viewer"


def test_who_is_no_reader_sees_nothing_and_is_not_told_what_there_is(world: World) -> None:
    other: dict[str, Any] = {"role": "operator", "tenant": "other"}
    incident = world.incidents()[-1].incident_id
    assert world.get("/watch/workloads", **other)["items"] == []
    assert world.get("/watch/incidents", **other)["items"] == []
    assert world.get("/watch/changes?since=e30=", **other)["items"] == []
    assert world.get("/watch/digests/2026-11-29", **other)["items"] == []
    refused = world.call("GET", OF_AIR, **other)
    missing = world.call("GET", "/watch/workloads/nothing", **other)
    assert (refused.problem, missing.problem) == ("forbidden", "forbidden")
    for path in (
        f"{OF_AIR}/series",
        f"{OF_AIR}/runs",
        f"{OF_AIR}/releases",
        f"{OF_AIR}/backtests",
        f"{OF_AIR}/backtests/{BACKTEST}",
        f"/watch/digests/2026-11-29?workload={AIR}",
        f"/watch/incidents?workload={AIR}",
    ):
        assert world.call("GET", path, **other).problem == "forbidden"
    assert world.call("GET", f"/watch/incidents/{incident}", **other).problem == "incident_not_found"
    denied = world.call("POST", f"/watch/incidents/{incident}/acknowledge", {}, **other)
    assert denied.problem == "incident_not_found"
    assert world.incidents()[-1].state == "open"


def test_an_administrator_is_told_that_there_is_no_such_workload(world: World) -> None:
    assert world.call("GET", "/watch/workloads/nothing").problem == "workload_not_found"
    assert [each["workload"] for each in world.get("/watch/workloads")["items"]] == sorted(world.plans)


def test_the_caller_is_told_who_it_is_and_where_events_are(world: World) -> None:
    assert world.get("/watch/me", role="operator")["live"] is None
    assert world.get("/watch/me", role="operator")["role"] == "operator"


def test_a_workload_goes_as_the_command_tells(world: World) -> None:
    world.alarms = ["Watchkeeper-air-quality-Anomalies", "Watchkeeper-other-Anomalies"]
    found = world.get(OF_AIR)
    assert found["why"] == [
        "alarms are on: Watchkeeper-air-quality-Anomalies",
        "1 incident open",
        "1 of 6 series silent",
    ]
    assert (found["health"], found["alerts_7d"], found["live_release"]["run_id"]) == (
        "attention",
        3,
        LIVE.run_id,
    )
    assert [(route["name"], route["only"]) for route in found["routes"]] == [
        ("operators", None),
        ("on_call", "no2; too high"),
    ]


def test_a_workload_whose_telemetry_has_stopped_is_silent(world: World) -> None:
    world.records.counts[AIR] = 0.0
    assert world.get(OF_AIR)["health"] == "silent"


def test_incidents_are_found_by_what_they_are(world: World) -> None:
    old, big, new = (each.incident_id for each in world.incidents())

    def found(query: str) -> list[str]:
        return [each["incident_id"] for each in world.get(f"/watch/incidents?{query}")["items"]]

    assert found("") == [new, big, old]
    assert found("state=open") == [new]
    assert found("severity_from=93") == [new, big]
    assert found("measure=no2") == [big, old]
    assert found("where=station:B-104") == [new]
    assert found("from=2026-11-30T00:00:00Z&to=2026-11-30T05:00:00Z") == [big]
    assert found("workload=card_fraud") == []
    assert (
        world.call("GET", "/watch/incidents?from=2026-11-30T00:00:00Z&to=2026-11-29T00:00:00Z").status == 422
    )
    assert world.call("GET", "/watch/incidents?where=north").problem == "invalid_request"


def test_incidents_go_on_where_the_part_before_ended(world: World) -> None:
    wanted = [each.incident_id for each in reversed(world.incidents())]
    cursor, found = "", []
    while True:
        page = world.get(f"/watch/incidents?limit=1{cursor}")
        found += [each["incident_id"] for each in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert found == wanted
    assert world.call("GET", "/watch/incidents?cursor=nonsense").problem == "invalid_request"


def test_what_people_say_is_kept_with_their_name_and_told_to_who_looks_on(world: World) -> None:
    incident = world.incidents()[-2].incident_id
    where = f"/watch/incidents/{incident}"
    before = world.get("/watch/changes")["next"]
    judged = world.call("POST", f"{where}/feedback", {"verdict": "noise", "note": "cleaning"}).document
    assert (judged["feedback"], judged["timeline"][-1]["who"]) == ("noise", "mia@example.com")
    assert judged["thresholds"]["no2|station=B-101"]["above"] > 70.0
    assert judged["thresholds"]["no2|station=B-101"]["below"] == 70.0
    undone = world.call("DELETE", f"{where}/feedback").document
    assert undone["feedback"] is None
    assert undone["thresholds"]["no2|station=B-101"]["above"] == 70.0
    assert "nothing to undo" in world.call("DELETE", f"{where}/feedback").document["detail"]
    missed = world.get(f"/watch/changes?since={before}")
    assert [each["detail"]["feedback"] for each in missed["items"]] == ["noise", None]
    assert (missed["more"], missed["complete"]) == (False, True)
    assert world.get(f"/watch/changes?since={missed['next']}")["items"] == []
    pushed = [event for message in told(world) for event in message.get("events", ())]
    assert [event for event in pushed if event["id"] in {each["id"] for each in missed["items"]}] == missed[
        "items"
    ]


def told(world: World) -> list[dict[str, Any]]:
    """Return the details of the events that were put on the alert bus."""
    found: list[dict[str, Any]] = []
    client = boto3.client("sqs")
    while messages := client.receive_message(QueueUrl=world.queue_url, MaxNumberOfMessages=10).get(
        "Messages"
    ):
        for message in messages:
            found.append(json.loads(message["Body"])["detail"])
            client.delete_message(QueueUrl=world.queue_url, ReceiptHandle=message["ReceiptHandle"])
    return found


def test_an_incident_is_looked_after_handed_over_and_snoozed(world: World) -> None:
    where = f"/watch/incidents/{world.incidents()[-1].incident_id}"
    assert world.call("POST", f"{where}/acknowledge", {"note": "on it"}).document["state"] == "acknowledged"
    assert (
        world.call("POST", f"{where}/assign", {"to": "night shift"}).document["assigned_to"] == "night shift"
    )
    snoozed = world.call("POST", f"{where}/snooze", {"for_seconds": 3600}).document
    assert snoozed["snoozed_until"] == "2026-11-30T07:01:00Z"
    assert world.call("POST", f"{where}/snooze", {}).problem == "invalid_request"
    past = world.call("POST", f"{where}/snooze", {"until": "2020-01-01T00:00:00Z"})
    assert (past.status, "is past" in past.document["detail"]) == (422, True)
    closed = f"/watch/incidents/{world.incidents()[0].incident_id}"
    assert "nothing to acknowledge" in world.call("POST", f"{closed}/acknowledge", {}).document["detail"]


def test_a_change_may_ask_that_the_incident_is_as_it_was_seen(world: World) -> None:
    where = f"/watch/incidents/{world.incidents()[-1].incident_id}"
    seen = world.call("GET", where).headers["ETag"]
    assert world.call("POST", f"{where}/assign", {"to": "mia"}, if_match=seen).status == 200
    late = world.call("POST", f"{where}/assign", {"to": "leo"}, if_match=seen)
    assert (late.status, late.problem) == (412, "precondition_failed")
    assert world.get(where)["assigned_to"] == "mia"


def test_what_the_caller_has_is_not_sent_again(world: World) -> None:
    for path in ("/watch/workloads", f"/watch/incidents/{world.incidents()[-1].incident_id}"):
        tag = world.call("GET", path).headers["ETag"]
        again = world.call("GET", path, if_none_match=f'"other", W/{tag}')
        assert (again.status, again.text, again.headers["ETag"]) == (304, "", tag)


def test_a_former_id_shows_the_incident_that_it_is_in(world: World) -> None:
    one, two, _ = world.incidents()
    world.effects.incidents.point([dataclasses.replace(one, merged_into=two.incident_id)])
    assert world.get(f"/watch/incidents/{one.incident_id}")["incident_id"] == two.incident_id
    assert one.incident_id not in {each["incident_id"] for each in world.get("/watch/incidents")["items"]}


def test_who_looked_away_too_long_is_told_to_read_anew(world: World) -> None:
    log = world.effects.incidents
    client, table = log.client, log.table  # type: ignore[attr-defined]
    client.delete_item(TableName=table, Key={"pk": {"S": f"changes#{AIR}"}, "sk": {"S": f"{1:012}"}})
    assert world.get("/watch/changes?since=e30=")["complete"] is False


def test_series_are_listed_by_key_part_by_part(world: World) -> None:
    first = world.get(f"{OF_AIR}/series?limit=4")
    assert (first["total"], len(first["items"])) == (6, 4)
    rest = world.get(f"{OF_AIR}/series?limit=4&cursor={first['next']}")
    assert [each["series"] for each in first["items"] + rest["items"]] == sorted(SERIES)
    assert rest["next"] is None
    silent = world.get(f"{OF_AIR}/series?health=silent")["items"]
    assert [(each["series"], each["measure"], each["dimensions"]) for each in silent] == [
        (SERIES[5], "co", {"station": "B-207"})
    ]
    assert len(world.get(f"{OF_AIR}/series?prefix=no2")["items"]) == 3
    assert len(world.get(f"{OF_AIR}/series?contains=b-104&measure=co")["items"]) == 1
    assert world.get("/watch/workloads/water_flow/series")["items"] == []
    assert "takes no telemetry" in world.call("GET", "/watch/workloads/card_fraud/series").document["detail"]


@pytest.mark.parametrize("encoded", [True, False])
def test_points_break_where_intervals_are_missing(world: World, encoded: bool) -> None:
    series = quote(SERIES[0], safe="") if encoded else SERIES[0]
    path = f"{OF_AIR}/series/{series}/points?from={instant(0)}&to={instant(COUNT)}"
    points = world.get(path)
    assert points["series"] == SERIES[0]
    assert len(points["start"]) == COUNT - 3 + 1
    assert (points["value"][60], points["anomalous"][60]) == (None, False)
    assert points["start"][61] - points["start"][60] == 3 * points["interval_seconds"]
    assert [at for at, yes in enumerate(points["anomalous"]) if yes] == [*range(98, 106)]
    cursor, starts, values = "", [], []
    while True:
        part = world.get(f"{path}&most=61{cursor}")
        starts += part["start"]
        values += part["value"]
        assert part["complete"] is (part["next"] is None)
        if part["next"] is None:
            break
        cursor = f"&cursor={part['next']}"
    # the gap is at the end of one part and at the beginning of the next
    assert [start for start, value in zip(starts, values, strict=True) if value is not None] == [
        start for start, value in zip(points["start"], points["value"], strict=True) if value is not None
    ]
    assert None in values


def test_a_run_shows_how_far_it_is_and_why_it_failed(world: World) -> None:
    listed = world.get(f"{OF_AIR}/runs?limit=2")
    assert [each["status"] for each in listed["items"]] == ["running", "failed"]
    more = world.get(f"{OF_AIR}/runs?cursor={listed['next']}")["items"]
    assert [each["status"] for each in more] == ["rejected", "succeeded", "succeeded"]
    assert more[0]["gate"] == {"passed": False, "reasons": ["9.50 alerts a week, over the budget of 7."]}
    running, failed = (world.get(f"{OF_AIR}/runs/{each['run_id']}")["states"] for each in listed["items"])
    of_running = {each["name"]: each["status"] for each in running}
    assert (of_running["TrainPreprocessor"], of_running["TrainDetector"], of_running["Evaluate"]) == (
        "succeeded",
        "running",
        "waiting",
    )
    wrong = [each for each in failed if each["status"] == "failed"]
    assert [(each["name"], each["cause"]) for each in wrong] == [
        ("PrepareHistory", "the history has no rows")
    ]
    assert world.call("GET", f"{OF_AIR}/runs/nothing").problem == "run_not_found"


def test_a_run_has_its_figures_and_its_charts(world: World) -> None:
    run = world.get(f"{OF_AIR}/runs/{run_id(LAST)}")
    figures = {row["figure"]: (row["candidate"], row["champion"], row["baseline"]) for row in run["table"]}
    assert figures["pr_auc"] == (0.71, 0.64, 0.2)
    assert run["labelled"] is True
    chart = world.call("GET", run["charts"][0]["url"])
    assert (chart.status, chart.headers["Content-Type"]) == (200, "image/png")
    assert base64.b64decode(chart.text).startswith(b"\x89PNG")
    assert world.call("GET", f"{OF_AIR}/runs/{run_id(LAST)}/charts/..%2Fx.png").status == 404


def test_a_training_is_started_with_its_reason(world: World) -> None:
    answer = world.call("POST", f"{OF_AIR}/runs", {"reason": "new sensors", "end": "2026-11-29T00:00:00Z"})
    assert answer.status == 202
    assert world.runs.runs[0].input == {"reason": "new sensors", "end": "2026-11-29T00:00:00Z"}
    assert world.get(answer.headers["Location"])["status"] == "running"
    wrong = {"start": "2026-11-29T00:00:00Z", "end": "2026-11-28T00:00:00Z"}
    assert world.call("POST", f"{OF_AIR}/runs", wrong).problem == "invalid_request"
    without_zone = {**wrong, "end": "2026-11-28T00:00:00"}
    assert world.call("POST", f"{OF_AIR}/runs", without_zone).problem == "invalid_request"


def test_incidents_are_found_among_those_of_many_workloads(world: World) -> None:
    store, names = world.effects.incidents, [AIR, *(f"calm_{number}" for number in range(60))]

    found, end = listed(store, names, Wanted(), 50)

    assert [each.incident_id for each in found] == [each.incident_id for each in world.incidents()[::-1]]
    assert end is None


def test_rolling_back_asks_for_the_workloads_name(world: World) -> None:
    path = f"{OF_AIR}/releases/{FORMER.run_id}/roll-back"
    assert world.call("POST", path, {"confirm": "yes"}).problem == "invalid_request"
    assert world.get(OF_AIR)["live_release"]["run_id"] == LIVE.run_id
    after = world.call("POST", path, {"confirm": AIR}).document["items"]
    assert {each["run_id"]: each["live"] for each in after} == {LIVE.run_id: False, FORMER.run_id: True}
    assert world.get(OF_AIR)["live_release"]["run_id"] == FORMER.run_id
    gone = world.call("POST", f"{OF_AIR}/releases/nothing/roll-back", {"confirm": AIR})
    assert "no release of run nothing" in gone.document["detail"]


def test_the_registry_says_which_version_serves_and_how_each_did(world: World) -> None:
    first = world.get(f"{OF_AIR}/models?limit=2")
    rest = world.get(f"{OF_AIR}/models?cursor={first['next']}")
    found = {each["version"]: each for each in first["items"] + rest["items"]}
    assert (list(found), rest["next"]) == ([3, 2, 1], None)
    assert [(each["approval"], each["serves"], each["kept"]) for each in found.values()] == [
        ("pending", False, False),
        ("approved", True, True),
        ("approved", False, True),
    ]
    assert found[2]["figures"] == {"alerts_per_week": 2.5, "f1": None}
    assert world.get("/watch/workloads/water_flow/models")["items"] == []
    whole = world.get(f"{OF_AIR}/models/2")
    assert {row["figure"]: row["candidate"] for row in whole["table"]}["pr_auc"] == 0.71
    assert world.call("GET", whole["charts"][0]["url"]).status == 200
    assert world.get(f"{OF_AIR}/models/1")["table"] == []
    assert world.call("GET", f"{OF_AIR}/models/9").problem == "model_not_found"
    assert world.call("GET", f"{OF_AIR}/models/newest").problem == "invalid_request"


def test_a_version_is_approved_and_rejected_by_name_and_that_is_in_the_log_of_changes(world: World) -> None:
    before = world.get("/watch/changes")["next"]
    approved = world.call("POST", f"{OF_AIR}/models/3/approve", {"note": "looked at"}).document
    assert (approved["approval"], approved["said"]) == (
        "approved",
        "approved by mia@example.com: looked at",
    )
    world.call("POST", f"{OF_AIR}/models/3/approve", {"note": "again"})
    assert world.call("POST", f"{OF_AIR}/models/1/reject", {}).document["approval"] == "rejected"
    told = world.get(f"/watch/changes?since={before}")["items"]
    assert [(each["kind"], each["detail"]["version"], each["detail"]["approval"]) for each in told] == [
        ("model", 3, "approved"),
        ("model", 1, "rejected"),
    ]
    assert told[0]["detail"]["who"] == "mia@example.com"


def test_what_serves_is_not_rejected_and_what_is_rejected_judges_no_more(world: World) -> None:
    refused = world.call("POST", f"{OF_AIR}/models/2/reject", {})
    assert (refused.status, refused.problem) == (409, "conflict")
    world.call("POST", f"{OF_AIR}/models/1/reject", {})
    listed = {each["run_id"]: each["can_roll_back"] for each in world.get(f"{OF_AIR}/releases")["items"]}
    assert listed == {LIVE.run_id: False, FORMER.run_id: False}
    back = world.call("POST", f"{OF_AIR}/releases/{FORMER.run_id}/roll-back", {"confirm": AIR})
    assert "is rejected in the registry" in back.document["detail"]
    assert world.get(OF_AIR)["live_release"]["run_id"] == LIVE.run_id


def test_a_workloads_file_is_shown_as_it_was_deployed_with_what_it_means(world: World) -> None:
    found = world.get(f"{OF_AIR}/spec", role="operator")
    assert found["text"] == world.specs[AIR]
    assert (found["why"], found["says"]) == (None, world.get(OF_AIR)["says"])
    absent = world.get("/watch/workloads/card_fraud/spec")
    assert absent["text"] is None
    assert "workloads/card_fraud.yaml" in absent["why"]


def test_routes_are_tested_all_or_those_that_are_named(world: World) -> None:
    all_of_them = world.call("POST", f"{OF_AIR}/routes/test", {}).document["items"]
    assert [each["channel"] for each in all_of_them] == ["operators", "on_call"]
    assert all_of_them[0]["verdict"] == "sent"
    world.call("POST", f"{OF_AIR}/routes/test", {"channels": ["on_call"]})
    assert world.routes_tried == ["operators", "on_call", "on_call"]
    unknown = world.call("POST", f"{OF_AIR}/routes/test", {"channels": ["pager"]})
    assert (unknown.status, "it has operators, on_call" in unknown.document["detail"]) == (422, True)


def test_a_stretch_is_labelled_and_taken_back_and_training_is_told_the_same_way_as_of_verdicts(
    world: World,
) -> None:
    before, path = world.get("/watch/changes")["next"], f"{OF_AIR}/labels"
    off_the_limits = {"series": SERIES[0], "start": "2026-11-29T18:52:10Z", "end": "2026-11-29T18:58:00Z"}
    made = world.call("POST", path, {**off_the_limits, "note": "valve"}, role="operator").document
    assert (made["start"], made["end"], made["who"]) == (instant(10), instant(12), "mia@example.com")
    assert made["label"] == LABEL_ID
    assert world.call("POST", path, off_the_limits).document["note"] == "valve"
    world.call("POST", f"/watch/incidents/{world.incidents()[0].incident_id}/feedback", {"verdict": "noise"})
    listed = world.get(path)["items"]
    assert [(each["source"], each["what"], each["series"]) for each in listed] == [
        ("verdict", "noise", SERIES[2]),
        ("label", "real", SERIES[0]),
    ]
    store = world.effects.incidents
    assert labels_of(store.verdicts(AIR), store.labels(AIR)) == {
        SERIES[2]: [],
        SERIES[0]: [(instant(10), instant(11))],
    }
    assert world.call("DELETE", f"{path}/{LABEL_ID}").document["label"] == LABEL_ID
    assert world.call("DELETE", f"{path}/{LABEL_ID}").problem == "label_not_found"
    told = world.get(f"/watch/changes?since={before}")["items"]
    assert [each["detail"]["what"] for each in told if each["kind"] == "label"] == ["marked", "taken back"]


def test_labels_are_listed_by_series_and_time_part_by_part(world: World) -> None:
    path = f"{OF_AIR}/labels"
    for at in (10, 20, 30):
        world.call("POST", path, {"series": SERIES[0], "start": instant(at), "end": instant(at + 2)})
    world.call("POST", path, {"series": SERIES[1], "start": instant(10), "end": instant(12)})
    of_first = quote(SERIES[0], safe="")
    first = world.get(f"{path}?series={of_first}&limit=2")
    rest = world.get(f"{path}?series={of_first}&limit=2&cursor={first['next']}")
    assert [each["start"] for each in first["items"] + rest["items"]] == [instant(at) for at in (30, 20, 10)]
    assert rest["next"] is None
    between = world.get(f"{path}?from={instant(12)}&to={instant(30)}")["items"]
    assert [each["start"] for each in between] == [instant(20)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"series": "no2|station=nowhere"}, "has no series"),
        ({"end": instant(10)}, "must be before"),
        ({"start": "2026-09-01T00:00:00Z"}, "at most 31 days"),
        ({"end": "2026-12-24T00:00:00Z"}, "still to come"),
    ],
)
def test_what_is_no_stretch_of_a_series_is_refused(world: World, change: dict[str, str], said: str) -> None:
    wrong = world.call("POST", f"{OF_AIR}/labels", {**BODIES["labels"], **change})
    assert wrong.status in (404, 422)
    assert said in wrong.document["detail"]


def test_an_unknown_path_is_told_from_a_wrong_method(world: World) -> None:
    assert world.call("GET", "/watch/nothing").problem == "not_found"
    wrong = world.call("DELETE", "/watch/workloads")
    assert (wrong.problem, wrong.headers["Allow"]) == ("method_not_allowed", "GET")
    assert world.call("POST", f"{OF_AIR}/runs", "not json").problem == "malformed_request"


def test_a_pause_is_told_where_a_workload_is_shown_and_to_who_looks_on(world: World) -> None:
    series = SERIES[0]
    assert world.call("POST", f"{OF_AIR}/pause", {"series": "nothing"}).problem == "invalid_request"
    past = world.call("POST", f"{OF_AIR}/pause", {"until": "2020-01-01T00:00:00Z"})
    assert "name a time that is to come" in past.document["detail"]
    assert [each["kind"] for each in world.get("/watch/changes?since=e30=")["items"]].count("pause") == 0
    world.call("POST", f"{OF_AIR}/pause", {"series": series, "note": "new sensor"})
    for _ in range(2):
        answer = world.call("POST", f"{OF_AIR}/pause", {"until": "2026-12-24T06:00:00Z"}, role="operator")
    assert [(one["series"], one["until"]) for one in answer.document["items"]] == [
        (None, "2026-12-24T06:00:00Z"),
        (series, None),
    ]
    found = world.get(OF_AIR)
    assert found["pauses"] == answer.document["items"]
    assert found["why"][0].startswith("paused since 2026-11-30 07:01 CET")
    assert all(each["muted"] for each in world.get(f"{OF_AIR}/series")["items"])
    assert world.call("POST", f"{OF_AIR}/resume", {}).document["items"] == []
    told = [each for each in world.get("/watch/changes?since=e30=")["items"] if each["kind"] == "pause"]
    assert [each["detail"]["until"] is None for each in told] == [True, False, False, False]
    assert not any(each["muted"] for each in world.get(f"{OF_AIR}/series")["items"])


def test_the_log_comes_part_by_part_with_what_was_unusual(world: World) -> None:
    span = f"from={instant(0)}&to={instant(COUNT)}"
    whole = world.get(f"{OF_AIR}/log?{span}")
    assert len(whole["items"]) == COUNT - 3
    assert whole["items"][90 - 3]["refused"] == {"not_a_number": 2}
    assert whole["items"][0]["completeness"] == {"co": 1.0, "no2": 1.0}
    assert whole["items"][-1]["completeness"] == {"co": 0.0, "no2": 1.0}
    [event] = whole["events"]
    assert event["says"] == "co has 0% of 9 possible values; usual is 97% at least"
    first = world.get(f"{OF_AIR}/log?{span}&most=100")
    rest = world.get(f"{OF_AIR}/log?{span}&most=100&cursor={first['next']}")
    assert first["items"] + rest["items"] == whole["items"]
    assert (first["complete"], rest["complete"]) == (False, True)


def test_the_month_costs_what_the_command_says_and_is_asked_rarely(world: World) -> None:
    world.specs[AIR] = (WORKLOADS / f"{AIR}.yaml").read_text()
    answer = world.get(f"{OF_AIR}/cost", role="operator")
    own, whole = answer["own"], answer["deployment"]
    prices = Prices.read().units
    assert own["used_usd"] == pytest.approx(1e6 * (prices["iot.rule"].usd + prices["iot.action"].usd))
    scored = 1e6 * prices["lambda.request"].usd + 1e5 * 0.5 * prices["lambda.arm_gb_second"].usd
    assert whole["used_usd"] == pytest.approx(own["used_usd"] + scored)
    assert whole["projected_usd"] == pytest.approx(2 * whole["used_usd"])
    assert [each["service"] for each in own["services"]] == ["IoT Core"]
    assert (AIR in answer["unread"], answer["without_price"]) == (False, [])
    world.get(f"{OF_AIR}/cost")
    assert world.costs_asked == 1


def test_devices_are_listed_with_how_they_stand_and_when_they_were_seen(world: World) -> None:
    world.with_fleet()
    first = world.get("/watch/devices?limit=2")
    rest = world.get(f"/watch/devices?limit=2&cursor={quote(first['next'])}")
    found = {each["serial_number"]: each for each in [*first["items"], *rest["items"]]}
    assert {name: each["state"] for name, each in found.items()} == {
        "A17": "joined",
        "B1": "allowed",
        "C2": "revoked",
    }
    assert (found["A17"]["last_seen_at"], found["B1"]["last_seen_at"]) == (instant(1), None)
    assert (first["quarantined"], first["watched_by"]) == (0, ["fleet_behaviour"])
    assert world.call("GET", "/watch/devices/B9").problem == "device_not_found"


def test_a_device_is_quarantined_and_restored_by_who_says_its_number_again(world: World) -> None:
    world.with_fleet()
    path, who = "/watch/devices/A17", {"role": "operator"}
    assert world.call("POST", f"{path}/quarantine", {"confirm": "A1"}, **who).problem == "invalid_request"  # type: ignore[arg-type]
    assert world.get(path)["state"] == "joined"

    held = world.call("POST", f"{path}/quarantine", {"confirm": "A17"}).document
    assert held["state"] == "quarantined"
    assert "watchkeeper-quarantine" in held["groups"]
    assert [each["status"] for each in held["certificates"]] == ["ACTIVE"]
    assert [(each["measure"], each["last_value"]) for each in held["series"]] == [("messages", 4.0)]
    assert world.connections.ended == ["watchkeeper-A17"]
    [only] = world.get("/watch/devices?state=quarantined")["items"]
    assert (only["serial_number"], only["site"]) == ("A17", "hall-2")

    assert world.call("POST", f"{path}/restore", {"confirm": "A17"}).document["state"] == "joined"
    assert world.call("POST", "/watch/devices/B1/quarantine", {"confirm": "B1"}).problem == "device_not_found"


def test_the_fleet_is_for_administrators_and_readers_of_what_watches_it(world: World) -> None:
    world.with_fleet()
    refused = world.call("GET", "/watch/devices", role="operator", tenant="other")
    assert refused.problem == "forbidden"
    assert world.call("GET", "/watch/devices", role="admin", tenant="other").status == 200
    world.effects = dataclasses.replace(world.effects, fleet=None)
    assert world.call("GET", "/watch/devices").problem == "fleet_not_deployed"


def test_a_plan_of_sites_is_checked_as_the_command_does_and_mistakes_have_their_line(world: World) -> None:
    text = (ROOT / "docs" / "examples" / "sites.yaml").read_text()
    answer = world.call("POST", "/watch/sites", {"text": text}, role=None).document
    assert answer == json.loads(json.dumps(checked(load_site_plan(ROOT / "docs/examples/sites.yaml"))))
    assert len(answer["over"]) == 4
    refused = world.call("POST", "/watch/sites", {"text": "sites:\n- {name: a, radio_unit: 2}\n"}, role=None)
    assert refused.status == 422
    assert "plan.yaml:2: sites[0].radio_unit" in refused.document["detail"]


def test_a_day_says_what_was_so_at_its_end_and_how_its_telemetry_came(world: World) -> None:
    day = world.get("/watch/digests/2026-11-29")

    [air, water] = day["items"]
    assert (air["workload"], water["workload"]) == (AIR, "water_flow")
    assert (air["since"], air["until"]) == ("2026-11-28T23:00:00Z", "2026-11-29T23:00:00Z")
    incidents = world.incidents()
    of_the_day = [each for each in incidents if each.opened_at < air["until"]]
    assert {each["incident_id"] for each in air["opened"]} == {each.incident_id for each in of_the_day}
    assert air["counts"]["opened"] == len(of_the_day) == 1
    assert air["alerts_7d"] == 1
    assert air["quality"]["records"] == 60 * 15
    assert air["quality"]["says"] == []
    today = world.get(f"/watch/digests/2026-11-30?workload={AIR}")["items"]
    assert [each["workload"] for each in today] == [AIR]
    assert today[0]["until"] == "2026-11-30T06:01:00Z"
    assert today[0]["quality"]["says"]
    assert today[0]["counts"]["open"] > air["counts"]["open"] - len(of_the_day)
    assert water["counts"] == {"opened": 0, "open": 0, "closed": 0, "silent": 0}
    for wrong in ("2026-13-01", "2026-12-25"):
        assert world.call("GET", f"/watch/digests/{wrong}").problem == "invalid_request"


def test_a_backtest_is_asked_for_with_what_the_account_knows_and_its_file_is_not_for_viewers(
    world: World,
) -> None:
    draft = world.call("POST", f"{OF_AIR}/spec/draft", {"settings": {"threshold.rarity": 5}}).document
    assert draft["changes"][0].startswith("threshold.rarity: 3.75 → 5: ")
    answer = world.call("POST", f"{OF_AIR}/backtests", {"text": draft["text"], "days": 7}, role="operator")

    made = answer.document["backtest_id"]
    assert (answer.status, answer.headers["Location"]) == (202, f"{OF_AIR}/backtests/{made}")
    assert world.backtests == [(AIR, made)]
    request = world.effects.backtests.request(AIR, made)
    assert request is not None
    assert (request.run_id, request.who, request.days) == (LIVE.run_id, "mia@example.com", 7)
    assert [each["backtest_id"] for each in world.get(f"{OF_AIR}/backtests")["items"]] == [made, BACKTEST]
    assert world.get(f"{OF_AIR}/backtests/{made}", role=None)["text"] is None
    assert world.get(f"{OF_AIR}/backtests/{made}", role="operator")["text"] == draft["text"]


@pytest.mark.parametrize(
    ("old", "new", "problem", "said"),
    [
        ("name: co", "nome: co", "bad_workload_spec", "did you mean name?"),
        ("interval: 5m", "interval: 10m", "not_judged_here", "interval: with another value"),
        ("{algorithm: watchkeeper}", "{algorithm: rcf}", "not_judged_here", "is scored at an endpoint"),
        ("kind: anomaly", "kind: fraud", "bad_workload_spec", "line "),
    ],
)
def test_what_a_backtest_cannot_judge_is_refused_with_its_place(
    world: World, old: str, new: str, problem: str, said: str
) -> None:
    refused = world.call("POST", f"{OF_AIR}/backtests", {"text": AIR_SPEC.replace(old, new)})
    assert (refused.status, refused.problem) == (422, problem)
    assert said in refused.text
    assert world.backtests == []
