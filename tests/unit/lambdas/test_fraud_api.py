"""The fraud API's answers, by the function's own entry point; the graph is in moto's table."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest
from botocore.exceptions import ClientError
from numpy.typing import NDArray

from lambdas.adapters import clients
from lambdas.fraud import handler, looking, routes
from lambdas.fraud.dynamo_store import DynamoTransactionStore
from lambdas.fraud.effects import FraudEffects, RememberedReleases
from lambdas.fraud.endpoint import Scored, scored_in
from lambdas.fraud.requests import arrivals_in
from lambdas.fraud.simulating import handler as simulating
from lambdas.fraud.simulations import FIRST_DAY, TableSimulations
from lambdas.fraud.store import Arrival
from tests.unit.lambdas.fakes import FakePlanStore, FakeReleaseStore, RememberedEvents
from tests.unit.lambdas.fraud_builders import PLAN, TABLE, WORKLOAD, create_table
from tests.unit.lambdas.service_dependencies import Answer
from watchkeeper.core.errors import UnavailableError
from watchkeeper.fraud.ego import from_flat, shape_of
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.fraud.release import FraudRelease
from watchkeeper.fraud.schema import schema_of

TRANSACTIONS = f"/fraud/transactions?workload={WORKLOAD}"
THRESHOLD = 0.5
BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)


def release(run_id: str = "run-1", **changes: Any) -> FraudRelease:
    return replace(
        FraudRelease(
            workload=WORKLOAD,
            run_id=run_id,
            execution_arn="arn",
            endpoint="watchkeeper-card-fraud",
            endpoint_config="config",
            model="model",
            model_package_arn="package",
            metrics={},
            released_at="2026-01-01T00:00:00Z",
            schema_hash=schema_of(PLAN).hash,
            threshold=THRESHOLD,
            choice="graph",
            artifact="s3://bucket/model.tar.gz",
        ),
        **changes,
    )


@dataclass
class CountingEndpoint:
    """`FraudEndpoint` whose probability is the share of neighbours that are there."""

    plan: FraudPlan = PLAN
    asked: list[NDArray[np.float32]] = field(default_factory=list)
    threshold: float | None = None
    down: bool = False
    moved: tuple[tuple[int, int], ...] = ()

    def score(self, endpoint: str, rows: NDArray[np.float32]) -> list[Scored]:
        assert endpoint == "watchkeeper-card-fraud"
        if self.down:
            raise UnavailableError("the endpoint does not answer")
        self.asked.append(rows)
        shares = from_flat(rows, shape_of(self.plan)).mask.mean(axis=2)
        return [
            Scored(float(row.mean()), tuple(map(float, row)), self.threshold, self.moved) for row in shares
        ]


class FraudService:
    """The function, called as API Gateway calls it."""

    def __init__(self) -> None:
        create_table()
        self.plans = FakePlanStore({WORKLOAD: PLAN})
        self.releases, self.endpoint, self.bus = FakeReleaseStore(), CountingEndpoint(), RememberedEvents()
        self.releases.publish(release())
        self.moment = BEGIN
        self.effects = FraudEffects(
            plans=self.plans,
            releases=RememberedReleases(self.releases),
            store_of=lambda plan: DynamoTransactionStore(clients.dynamodb(), TABLE, plan),
            endpoint=self.endpoint,
            bus=self.bus,
            now=self._now,
        )

    def _now(self) -> datetime:
        self.moment += timedelta(seconds=1)
        return self.moment

    def call(
        self, method: str, path: str, body: Any = None, *, tenant: str = "acme", groups: str = ""
    ) -> Answer:
        claims = {"sub": "subject", "custom:tenant": tenant, "cognito:groups": groups}
        path, _, query = path.partition("?")
        answer = handler.handle(
            {
                "version": "2.0",
                "routeKey": "ANY /fraud/{proxy+}",
                "rawPath": path,
                "rawQueryString": query,
                "queryStringParameters": dict(parse_qsl(query)) or None,
                "headers": {"content-type": "application/json"},
                "requestContext": {
                    "requestId": "http-1",
                    "stage": "$default",
                    "http": {"method": method, "path": path},
                    "authorizer": {"jwt": {"claims": claims}},
                },
                "body": body if body is None or isinstance(body, str) else json.dumps(body),
                "isBase64Encoded": False,
            },
            SimpleNamespace(
                function_name="fraud_api",
                memory_limit_in_mb=512,
                invoked_function_arn="arn",
                aws_request_id="id",
            ),
        )
        headers = {name: str(value) for name, value in answer["headers"].items()}
        return Answer(answer["statusCode"], headers, answer["body"])

    def label(
        self, fraud: Any = True, by: str = "ann", id_: str = "t1", groups: str = "[operator]"
    ) -> Answer:
        where = f"/fraud/transactions/{id_}/label?workload={WORKLOAD}"
        return self.call("POST", where, {"fraud": fraud, "by": by}, groups=groups)

    def send(self, body: Any, **options: Any) -> Answer:
        return self.call("POST", TRANSACTIONS, body, **options)


@pytest.fixture
def service(aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> FraudService:
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "1")
    service = FraudService()
    monkeypatch.setattr(routes, "effects", lambda: service.effects)
    return service


def row(number: int, **fields: Any) -> dict[str, Any]:
    """Return what is sent of a transaction, a second after that of the number before."""
    return {
        "id": f"t{number}",
        "at": BEGIN.timestamp() + number,
        "amount": 10.5,
        "card": "c1",
        "device": "d1",
        "distance": 3,
        "product": "web",
        **fields,
    }


def test_a_transaction_with_entities_never_seen_is_answered(service: FraudService) -> None:
    answer = service.send(row(1))
    assert answer.status == 200, answer.text
    assert answer.document == {
        "id": "t1",
        "flag": False,
        "pred_prob": 0.0,
        "threshold": THRESHOLD,
        "reasons": [
            {"relation": "card", "entity": "c1", "contribution": 0.0, "transactions": []},
            {"relation": "device", "entity": "d1", "contribution": 0.0, "transactions": []},
        ],
        "model_version": "run-1",
    }


def test_transactions_of_one_request_are_answered_in_its_order_and_see_each_other(
    service: FraudService,
) -> None:
    answer = service.send([row(4), row(2), row(3), row(1, device="d2")])
    assert answer.status == 200, answer.text
    assert [one["id"] for one in answer.document] == ["t4", "t2", "t3", "t1"]
    assert [one["pred_prob"] for one in answer.document] == pytest.approx([5 / 6, 1 / 6, 3 / 6, 0])
    assert [one["flag"] for one in answer.document] == [True, False, True, False]
    assert len(service.endpoint.asked) == 1


def test_reasons_name_the_entity_that_adds_most_and_its_frauds_first(service: FraudService) -> None:
    for number in (1, 2, 3):
        service.send(row(number, device=f"d{number}"))
    service.label()
    (first, second) = service.send(row(1000)).document["reasons"]
    assert (first["relation"], first["entity"], first["contribution"]) == ("card", "c1", 1.0)
    assert first["transactions"] == ["t1", "t3", "t2"]
    assert (second["relation"], second["transactions"]) == ("device", ["t1"])


def test_transactions_that_moved_the_score_come_before_frauds(service: FraudService) -> None:
    for number in (1, 2, 3):
        service.send(row(number, device=f"d{number}"))
    service.label()
    service.endpoint.moved = ((0, 1), (1, 0), (0, 7))
    (first, second) = service.send(row(1000)).document["reasons"]
    assert first["transactions"] == ["t2", "t1", "t3"]
    assert second["transactions"] == ["t1"]


def test_an_answer_of_the_model_is_read_with_what_moved_it() -> None:
    line = b'{"pred_prob":0.9,"threshold":0.5,"reasons":[0.2,0.4],"moved":[[1,0,0.3],[0,2,-1]]}\n'
    assert scored_in(line, 1, "e") == [Scored(0.9, (0.2, 0.4), 0.5, ((1, 0), (0, 2)))]


def test_the_same_transaction_twice_is_one_node_and_one_answer(service: FraudService) -> None:
    first = service.send(row(1))
    service.send(row(2))
    again = service.send(row(1))
    assert (again.status, again.document) == (200, first.document)
    assert len(service.endpoint.asked) == 2
    assert service.send(row(3)).document["pred_prob"] == pytest.approx(2 / 3)


def test_a_known_id_with_other_content_is_a_conflict_and_nothing_of_the_request_is_kept(
    service: FraudService,
) -> None:
    service.send(row(1))
    answer = service.send([row(2), row(1, amount=11)])
    assert (answer.status, answer.problem) == (409, "conflict")
    assert "t1" in answer.document["detail"]
    assert service.call("GET", f"/fraud/transactions/t2?workload={WORKLOAD}").status == 404


@pytest.mark.parametrize(
    ("fields", "problem", "said"),
    [
        ({"amount": "much"}, "not_a_number", "'amount'"),
        ({"at": "yesterday"}, "bad_timestamp", "'at'"),
        ({"amount": None}, "missing_field", "'amount'"),
        ({"prodct": "web"}, "unknown_field", "is 'product' meant?"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_place_with_field_and_remedy(
    service: FraudService, fields: dict[str, Any], problem: str, said: str
) -> None:
    answer = service.send([row(1), row(2, **fields)])
    assert (answer.status, answer.problem) == (422, problem)
    assert said in answer.document["detail"]
    assert [fault["pointer"] for fault in answer.document["errors"]] == ["/1"]
    assert service.call("GET", f"/fraud/transactions/t1?workload={WORKLOAD}").status == 404


@pytest.mark.parametrize("body", [[], [row(n) for n in range(101)], "text", "[1]", "7"])
def test_a_body_is_one_to_a_hundred_transactions(service: FraudService, body: Any) -> None:
    answer = service.send(json.dumps(body) if body == "text" else body)
    assert (answer.status, answer.problem) == (422, "invalid_request")


def test_a_body_that_is_not_json_is_malformed(service: FraudService) -> None:
    answer = service.send('{"id": ')
    assert (answer.status, answer.problem) == (400, "malformed_request")


def test_an_endpoint_that_is_down_keeps_the_transaction_and_the_retry_gets_its_answer(
    service: FraudService,
) -> None:
    service.endpoint.down = True
    refused = service.send(row(1))
    assert (refused.status, refused.problem) == (503, "unavailable")
    assert int(refused.headers["Retry-After"]) > 0
    kept = service.call("GET", f"/fraud/transactions/t1?workload={WORKLOAD}").document
    assert kept["answer"] is None
    service.endpoint.down = False
    assert service.send(row(2)).document["pred_prob"] == pytest.approx(1 / 3)
    assert service.send(row(1)).document["pred_prob"] == 0.0


def test_a_bus_that_is_down_is_told_by_the_retry(service: FraudService) -> None:
    service.bus.down = True
    assert service.send(row(1)).status == 503
    service.bus.down = False
    assert service.send(row(1)).status == 200
    assert [event["id"] for event in service.bus.events] == ["t1"]
    assert len(service.endpoint.asked) == 1


def test_each_decision_is_an_event_with_a_severity(service: FraudService) -> None:
    service.send([row(number) for number in (1, 2, 3, 4)])
    assert [event["type"] for event in service.bus.events] == ["Transaction Decided"] * 4
    by_id = {event["id"]: event for event in service.bus.events}
    assert (by_id["t4"]["flag"], by_id["t4"]["severity"]) == (True, 100.0)
    assert by_id["t1"]["severity"] == 0.0
    assert by_id["t2"]["workload"] == WORKLOAD


@pytest.mark.parametrize("live", [None, {"schema_hash": "of other features"}])
def test_without_a_model_of_these_features_nothing_is_inserted(
    service: FraudService, live: dict[str, str] | None
) -> None:
    service.effects = replace(service.effects, releases=RememberedReleases(FakeReleaseStore()))
    if live:
        store = FakeReleaseStore()
        store.publish(release(**live))
        service.effects = replace(service.effects, releases=RememberedReleases(store))
    answer = service.send(row(1))
    assert (answer.status, answer.problem) == (503, "unavailable")
    assert "train it" in answer.document["detail"]
    assert service.call("GET", f"/fraud/transactions/t1?workload={WORKLOAD}").status == 404


def test_the_threshold_is_of_the_model_that_answered(service: FraudService) -> None:
    service.endpoint.threshold = 0.0
    assert service.send(row(1)).status == 503
    service.releases.stage(release("run-2", threshold=0.0))
    answer = service.send(row(1)).document
    assert (answer["flag"], answer["threshold"], answer["model_version"]) == (True, 0.0, "run-2")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/fraud/transactions", row(1)),
        ("GET", "/fraud/transactions", None),
        ("GET", "/fraud/transactions/t1", None),
        ("POST", "/fraud/transactions/t1/label", {"fraud": True, "by": "ann"}),
    ],
)
@pytest.mark.parametrize(("tenant", "workload"), [("other", WORKLOAD), ("acme", "unknown")])
def test_only_readers_of_a_workload_are_answered(
    service: FraudService, method: str, path: str, body: Any, tenant: str, workload: str
) -> None:
    answer = service.call(method, f"{path}?workload={workload}", body, tenant=tenant)
    assert (answer.status, answer.problem) == (403, "forbidden")


def test_the_workload_must_be_named(service: FraudService) -> None:
    answer = service.call("GET", "/fraud/transactions")
    assert (answer.status, answer.problem) == (422, "invalid_request")


def test_a_transaction_is_shown_with_answer_and_label(service: FraudService) -> None:
    service.send(row(1, id="a/b c"))
    where = f"/fraud/transactions/a%2Fb%20c?workload={WORKLOAD}"
    label = service.label(id_="a%2Fb%20c")
    assert label.status == 200, label.text
    assert label.document["changed"] is True
    shown = service.call("GET", where).document
    assert (shown["id"], shown["amount"], shown["entities"]) == (
        "a/b c",
        10.5,
        {"card": "c1", "device": "d1"},
    )
    assert shown["label"] == label.document["label"]
    assert (shown["label"]["fraud"], shown["label"]["by"]) == (True, "ann")
    assert shown["answer"]["model_version"] == "run-1"


def test_a_label_is_idempotent_and_can_be_corrected(service: FraudService) -> None:
    service.send(row(1))
    first, again = service.label().document, service.label(by="bob").document
    assert (again["changed"], again["label"]) == (False, first["label"])
    assert service.label(fraud=False, by="bob").document["changed"] is True
    assert service.label(fraud="yes").status == 422


def test_a_label_is_for_operators(service: FraudService) -> None:
    service.send(row(1))
    refused = service.label(groups="[viewer]")
    assert (refused.status, refused.problem) == (403, "forbidden")
    shown = service.call("GET", f"/fraud/transactions/t1?workload={WORKLOAD}").document
    assert shown["label"] is None


def test_a_label_is_known_to_transactions_after_its_report_only(service: FraudService) -> None:
    service.send(row(1))
    service.moment = BEGIN + timedelta(seconds=50)
    service.label()
    service.send([row(40), row(60)])
    (asked,) = service.endpoint.asked[1:]
    latest = from_flat(asked, shape_of(PLAN)).edges[:, 0, :2, 1]
    assert latest.tolist() == [[0.0, 0.0], [0.0, 1.0]], "t60 sees t40 unlabelled, and t1"


def test_an_unknown_transaction_takes_no_label(service: FraudService) -> None:
    answer = service.label()
    assert (answer.status, answer.problem) == (404, "unknown_transaction")


def test_transactions_are_listed_with_filters_and_a_cursor(service: FraudService) -> None:
    for number in range(1, 7):
        service.send(row(number))
    first = service.call("GET", f"{TRANSACTIONS}&limit=4").document
    rest = service.call("GET", f"{TRANSACTIONS}&limit=4&page_token={first['next_page_token']}").document
    assert [one["id"] for one in (*first["transactions"], *rest["transactions"])] == [
        f"t{number}" for number in range(6, 0, -1)
    ]
    assert rest["next_page_token"] is None
    flagged = service.call("GET", f"{TRANSACTIONS}&flag=true").document["transactions"]
    assert [one["id"] for one in flagged] == ["t6", "t5", "t4", "t3"]
    since = flagged[1]["arrived_at"]
    assert len(service.call("GET", f"{TRANSACTIONS}&from={since}").document["transactions"]) == 2
    assert len(service.call("GET", f"{TRANSACTIONS}&to={since}").document["transactions"]) == 4


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "flag=perhaps", "label=odd", "page_token=x", "from=1&to=0"]
)
def test_a_list_refuses_what_it_does_not_know(service: FraudService, query: str) -> None:
    answer = service.call("GET", f"{TRANSACTIONS}&{query}")
    assert (answer.status, answer.problem) == (422, "invalid_request")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/fraud/nothing", 404), ("DELETE", "/fraud/transactions", 405), ("GET", "/fraud/docs", 200)],
)
def test_other_paths(service: FraudService, method: str, path: str, status: int) -> None:
    assert service.call(method, path).status == status


def test_the_openapi_document_has_every_route_with_its_refusals(service: FraudService) -> None:
    document = service.call("GET", "/fraud/openapi.json").document
    assert {(path, method) for path, methods in document["paths"].items() for method in methods} == {
        ("/fraud/transactions", "get"),
        ("/fraud/transactions", "post"),
        ("/fraud/transactions/{id}", "get"),
        ("/fraud/transactions/{id}/label", "post"),
        ("/fraud/transactions/{id}/neighbourhood", "get"),
        ("/fraud/summary", "get"),
        *(("/fraud/simulator", method) for method in ("get", "post", "delete")),
    }
    asked = document["paths"]["/fraud/transactions"]["post"]["responses"]
    assert {"200", "401", "403", "409", "413", "422", "429", "503"} <= asked.keys()
    assert document["security"] == [{"token": []}]


def test_what_is_around_a_transaction_is_a_graph(service: FraudService) -> None:
    service.send([row(1, device="d9"), row(2, card="c2"), row(3), row(4, card="c7", device="d7")])
    service.label()
    service.send(row(5))
    graph = service.call("GET", f"/fraud/transactions/t5/neighbourhood?workload={WORKLOAD}").document
    nodes = {node["id"]: node for node in graph["nodes"]}
    assert set(nodes) == {"t5", "card:c1", "device:d1", "t1", "t2", "t3"}
    assert (nodes["t1"]["label"], nodes["t5"]["label"], nodes["t1"]["amount"]) == ("fraud", "unknown", 10.5)
    assert (nodes["card:c1"]["transactions"], nodes["card:c1"]["kind"]) == (2, "card")
    edges = {(edge["transaction"], edge["entity"]) for edge in graph["edges"]}
    assert edges == {
        *(("t5", entity) for entity in ("card:c1", "device:d1")),
        *(("t3", entity) for entity in ("card:c1", "device:d1")),
        *(("t1", "card:c1"), ("t2", "device:d1")),
    }
    assert graph["more"] is False
    missing = service.call("GET", f"/fraud/transactions/t9/neighbourhood?workload={WORKLOAD}")
    assert missing.problem == "unknown_transaction"


def test_transactions_are_counted_by_the_minute_of_their_coming(
    service: FraudService, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.send([row(number) for number in range(1, 5)])
    service.moment += timedelta(minutes=2)
    service.send(row(9))
    counted = service.call("GET", f"/fraud/summary?workload={WORKLOAD}").document
    first, last = counted["minutes"]
    assert (first["start"], first["count"], first["amount"]) == ("2026-01-01T00:00:00Z", 4, 42.0)
    assert (first["flagged"], first["flagged_amount"]) == (2, 21.0)
    assert (last["start"], last["count"], counted["complete"]) == ("2026-01-01T00:02:00Z", 1, True)
    monkeypatch.setattr(looking, "MOST_COUNTED", 2)
    monkeypatch.setattr(looking, "_AT_ONCE", 1)
    part = service.call("GET", f"/fraud/summary?workload={WORKLOAD}").document
    assert (part["complete"], sum(minute["count"] for minute in part["minutes"])) == (False, 2)
    without_zone = f"/fraud/summary?workload={WORKLOAD}&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00"
    assert service.call("GET", without_zone).status == 422
    wrong = f"/fraud/summary?workload={WORKLOAD}&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z"
    assert service.call("GET", wrong).problem == "invalid_request"


SIMULATOR = f"/fraud/simulator?workload={WORKLOAD}"


@dataclass
class StartedExecutions:
    """Step Functions, as far as a simulation is started by it."""

    asked: list[dict[str, Any]] = field(default_factory=list)
    throttles: bool = False

    def start_execution(self, **request: Any) -> dict[str, Any]:
        if self.throttles:
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "StartExecution")
        self.asked.append({**request, "input": json.loads(request["input"])})
        return {"executionArn": "arn"}


@pytest.fixture
def simulated(service: FraudService) -> tuple[FraudService, TableSimulations, StartedExecutions]:
    started = StartedExecutions()
    simulations = TableSimulations(clients.dynamodb(), started, TABLE, "machine")  # type: ignore[arg-type]
    service.effects = replace(service.effects, simulations=simulations)
    return service, simulations, started


def test_a_simulation_is_for_operators_and_one_at_a_time(simulated: Any) -> None:
    service, simulations, started = simulated
    assert service.call("POST", SIMULATOR, {}).problem == "forbidden"
    assert service.call("DELETE", SIMULATOR).problem == "forbidden"
    assert service.call("GET", SIMULATOR).document["state"] == "never"
    begun = service.call("POST", SIMULATOR, {"rate": 3, "seconds": 60}, groups="[operator]").document
    assert (begun["state"], begun["rate"], begun["sent"]) == ("running", 3.0, 0)
    [asked] = started.asked
    run = simulations.of(WORKLOAD).run
    assert asked == {
        "stateMachineArn": "machine",
        "name": run,
        "input": {"workload": WORKLOAD, "run": run},
    }
    assert service.call("POST", SIMULATOR, {}, groups="[operator]").problem == "conflict"
    assert service.call("DELETE", SIMULATOR, groups="[operator]").document["state"] == "stopped"
    assert service.call("POST", SIMULATOR, {"rate": 500}, groups="[operator]").problem == "invalid_request"
    assert service.call("POST", SIMULATOR, {"seconds": 10}, groups="[operator]").status == 200
    service.moment += timedelta(minutes=1)
    assert service.call("GET", SIMULATOR).document["state"] == "ended"
    assert len(started.asked) == 2


def test_a_simulation_sends_until_its_time_is_over_or_it_is_stopped(
    simulated: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, simulations, started = simulated
    monkeypatch.setattr(simulating, "arrivals_in", lambda rows, plan, now: arrivals_of(len(rows), plan, now))
    service.call("POST", SIMULATOR, {"rate": 2.5, "seconds": 20}, groups="[admin]")
    run = started.asked[0]["input"]["run"]
    slept: list[float] = []
    ended = simulating.simulate(WORKLOAD, run, simulations, service.effects, slept.append)
    assert ended.sent == len(service.bus.events) > 10
    assert ended.sent == int(2.5 * len(slept))
    assert (ended.day > FIRST_DAY, ended.error) == (True, None)
    assert simulating.simulate(WORKLOAD, "another", simulations, service.effects, slept.append) is None

    service.call("POST", SIMULATOR, {"seconds": 600}, groups="[admin]")
    run, sent = started.asked[1]["input"]["run"], len(service.bus.events)
    simulating.simulate(
        WORKLOAD, run, simulations, service.effects, lambda seconds: simulations.stop(WORKLOAD)
    )
    assert len(service.bus.events) == sent + 10, "it hears of it with its next transactions"
    assert simulations.of(WORKLOAD).day > ended.day, "no transaction is sent twice"


def test_transactions_of_a_simulation_have_ids_of_their_own(
    simulated: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run may have sent the same day of the world with another share of fraud."""
    service, simulations, started = simulated
    sent: list[str] = []

    def remembered(rows: list[dict[str, Any]], plan: FraudPlan, now: datetime) -> list[Arrival]:
        sent.extend(one["TransactionID"] for one in rows)
        return arrivals_of(len(rows), plan, now)

    monkeypatch.setattr(simulating, "arrivals_in", remembered)
    service.call("POST", SIMULATOR, {"seconds": 10}, groups="[admin]")
    run = started.asked[0]["input"]["run"]
    simulating.simulate(WORKLOAD, run, simulations, service.effects, lambda seconds: None)
    assert sent
    assert all(id_.startswith(f"{run}-") for id_ in sent)
    assert len(set(sent)) == len(sent)


def test_a_simulation_of_a_workload_of_other_fields_says_so(simulated: Any) -> None:
    service, simulations, started = simulated
    service.call("POST", SIMULATOR, {"seconds": 60}, groups="[admin]")
    run = started.asked[0]["input"]["run"]
    ended = simulating.simulate(WORKLOAD, run, simulations, service.effects, lambda seconds: None)
    document = service.call("GET", SIMULATOR).document
    assert (ended.stopped, document["state"], ended.sent) == (True, "failed", 0)
    assert "id" in document["error"]


def test_a_call_of_a_long_simulation_ends_before_its_function_and_the_next_one_goes_on(
    simulated: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, simulations, started = simulated
    monkeypatch.setattr(simulating, "BUDGET_SECONDS", 20)
    monkeypatch.setattr(simulating, "arrivals_in", lambda rows, plan, now: arrivals_of(len(rows), plan, now))
    service.call("POST", SIMULATOR, {"rate": 1, "seconds": 120}, groups="[operator]")
    event = started.asked[0]["input"]
    answers = [simulating.answer(event, simulations, service.effects, lambda seconds: None)]
    while answers[-1]["running"]:
        answers.append(simulating.answer(event, simulations, service.effects, lambda seconds: None))
    sent = [each["sent"] for each in answers]
    assert len(sent) > 3
    assert sent == sorted(set(sent)), "each call sends more"
    assert sent[-1] == len(service.bus.events) == simulations.of(WORKLOAD).sent


def test_a_simulation_whose_machine_fails_or_does_not_start_has_failed_and_another_may_begin(
    simulated: Any,
) -> None:
    service, simulations, started = simulated
    started.throttles = True
    assert service.call("POST", SIMULATOR, {}, groups="[operator]").status == 503
    assert service.call("GET", SIMULATOR).document["state"] == "failed"
    started.throttles = False
    assert service.call("POST", SIMULATOR, {}, groups="[operator]").document["state"] == "running"
    event = {**started.asked[0]["input"], "error": "the endpoint does not answer"}
    assert simulating.answer(event, simulations, service.effects) == {"running": False}
    document = service.call("GET", SIMULATOR).document
    assert (document["state"], document["error"]) == ("failed", "the endpoint does not answer")


def arrivals_of(count: int, plan: FraudPlan, now: datetime) -> list[Arrival]:
    """Return arrivals with ids that nobody had."""
    first = next(_NUMBERS) * 1000
    return arrivals_in([row(first + number) for number in range(count)], plan, now)


_NUMBERS = itertools.count(1)
