"""What a deployment costs: quantities times listed prices, the list's refresh, and what a month has used."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from cli import deploy as deploying
from cli.assembly import Assembly, Resource
from cli.cost.idle import idle_month
from cli.cost.refreshing import refreshed
from cli.main import app
from cli.specs import ROOT, WORKLOADS
from lambdas.costs.model import (
    Cost,
    Fleet,
    Flow,
    alerts_month,
    endpoints_month,
    graph_month,
    ingestion_month,
    scoring_month,
    shelves_of,
    total,
    training_month,
)
from lambdas.costs.prices import Price, Prices
from lambdas.costs.used import DERIVED, used
from lambdas.costs.used import counted as month_so_far
from tests.unit.cli.answering import AnsweringAws
from watchkeeper.core import layout
from watchkeeper.spec import AnomalyWorkload, DeviceBehaviourWorkload, FraudWorkload, load_workload
from watchkeeper.spec.alerting import Alerts

PRICES = Prices.read()
MACHINE = load_workload(WORKLOADS / "machine_temperature.yaml")
assert isinstance(MACHINE, AnomalyWorkload)
FREE = MACHINE.source.model_copy(update={"basic_ingest": True})
SHARED = MACHINE.model_copy(update={"freshness": timedelta(seconds=90), "source": FREE})
"""Every five minutes, over the stream that workloads share, by Basic Ingest."""
ONE_EACH = Fleet(devices=1000)
OBJECTS = 60 * 24 * 30
"""One a minute."""


def items(costs: Any) -> dict[str, Cost]:
    return {f"{cost.service}: {cost.what}": cost for cost in costs}


@pytest.fixture
def assembly(tmp_path: Path) -> Assembly:
    metrics = [{"MetricStat": {}}, {"MetricStat": {}}, {}]
    alarm = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": metrics}}
    stack = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "W.json"}}
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"WatchkeeperStorage": stack}}))
    template = {"Resources": {"Key": {"Type": "AWS::KMS::Key"}, "Alarm": alarm}}
    (tmp_path / "W.json").write_text(json.dumps(template))
    return Assembly(tmp_path)


def test_idle_costs_what_the_templates_have(assembly: Assembly) -> None:
    costs = list(idle_month(assembly, PRICES))
    assert {cost.what: cost.usd for cost in costs if "looks" not in cost.what} == {
        "keys": 1.0,
        "key of alerts' links": 0.0,
        "metrics of alarms": 0.2,
        "dashboards": 0.0,
        "polls of queues": 0.0,
        "polls of FIFO queues": 0.0,
    }
    looks = [cost for cost in costs if "looks" in cost.what]
    assert 0 < sum(cost.usd or 0.0 for cost in looks) < 0.05, "every five minutes, at what is one item"


def test_an_idle_queue_costs_what_five_long_polls_do(assembly: Assembly) -> None:
    resources = tuple(
        Resource("W", f"{kind}{number}", kind, properties)
        for kind, properties in (
            ("AWS::Lambda::EventSourceMapping", {}),
            ("AWS::SQS::Queue", {"RedrivePolicy": {}, "FifoQueue": True}),
        )
        for number in range(2 if "Lambda" in kind else 1)
    )
    found = replace(assembly)
    found.__dict__["resources"] = resources  # a cached property
    polls = {cost.what: cost for cost in idle_month(found, PRICES) if "polls" in cost.what}
    assert polls["polls of queues"].quantity == polls["polls of FIFO queues"].quantity == 648_000
    assert polls["polls of queues"].usd == pytest.approx(0.2592)
    assert polls["polls of FIFO queues"].usd == pytest.approx(0.324)


def test_telling_costs_by_what_the_routes_say() -> None:
    def usd(routes: str) -> float:
        alerts = Alerts.model_validate(yaml.safe_load(f"routes: [{routes}]"))
        return total(alerts_month(MACHINE.model_copy(update={"alerts": alerts}), PRICES))

    plain = usd("{channel: a}")
    assert usd("") == 0 < plain < usd("{channel: a, slack: {secret: s}}") < 0.01
    assert plain < usd("{channel: a, escalate_after: 1h, escalate_to: b}, {channel: b, when: []}") < 0.01
    assert plain < usd("{channel: a, digest: '07:00'}") < 0.01


def test_a_thousand_series_cost_a_message_an_interval_and_two_writes_an_object_and_shelf() -> None:
    coming, scoring = (items(month(SHARED, PRICES, ONE_EACH)) for month in (ingestion_month, scoring_month))
    assert coming["IoT Core: rules evaluated"].quantity == 1000 * 12 * 24 * 30
    assert coming["IoT Core: messages (Basic Ingest: none)"].usd == 0
    assert coming["S3: telemetry objects put by Firehose"].quantity == OBJECTS
    assert scoring["S3: pages put"].usd == scoring["S3: scores objects put"].usd == pytest.approx(0.216)
    assert total([*coming.values(), *scoring.values()]) < 10


def test_three_measures_in_a_message_cost_a_third_of_the_messages() -> None:
    measures = [SHARED.measures[0].model_copy(update={"name": name}) for name in ("x", "y", "z")]
    spec = SHARED.model_copy(update={"measures": measures})
    assert Fleet(999).devices_of(spec) == 333
    assert Flow.of(spec, Fleet(999)).messages == Flow.of(SHARED, Fleet(999)).messages / 3


def test_freshness_has_its_price() -> None:
    def usd(seconds: int) -> float:
        spec = SHARED.model_copy(update={"freshness": timedelta(seconds=seconds)})
        return total([*ingestion_month(spec, PRICES, ONE_EACH), *scoring_month(spec, PRICES, ONE_EACH)])

    assert usd(900) == usd(90) < usd(30) < usd(10) < usd(1)
    puts = items(ingestion_month(MACHINE, PRICES, ONE_EACH))["S3: telemetry objects put by Firehose"]
    assert puts.quantity == 3 * 6 * OBJECTS, "uploaded in three requests where Firehose buffers briefly"


@given(st.integers(1, 10**7), st.integers(1, 10**6))
def test_an_object_touches_no_more_shelves_than_there_are_and_no_more_than_it_has_devices(
    series: int, devices: int
) -> None:
    flow = Flow.of(SHARED, Fleet(series, devices))
    a_step = flow.shelf_steps / flow.objects
    assert a_step <= min(shelves_of(series), flow.messages / flow.objects) * (1 + 1e-9)
    assert series <= 1024 * shelves_of(series) < 2 * max(series, 1024)


def test_what_has_no_listed_price_is_said_and_not_taken_for_free() -> None:
    unlisted = replace(PRICES, instance_hour_usd={}, units={})
    assert [cost.usd for cost in endpoints_month([MACHINE], unlisted)] == [None]
    assert {cost.usd for cost in ingestion_month(MACHINE, unlisted, Fleet())} == {None}


def test_scheduled_trainings_cost_their_jobs() -> None:
    weekly = items(training_month([MACHINE], PRICES))
    assert weekly["SageMaker: 4.3 trainings of machine_temperature"].quantity == pytest.approx(30 / 7 / 2)


def product(usage_type: str, usd: str, begin: str = "0", **attributes: str) -> str:
    """Return a product as `pricing.GetProducts` writes it: one JSON text."""
    free = {"unit": "Requests", "beginRange": "0", "endRange": begin, "pricePerUnit": {"USD": "0.0000000000"}}
    paid = {"unit": "Requests", "beginRange": begin, "endRange": "Inf", "pricePerUnit": {"USD": usd}}
    dimensions = {"sku.term.paid": paid, **({"sku.term.free": free} if begin != "0" else {})}
    term = {"offerTermCode": "JRTCKXETXF", "sku": "X", "termAttributes": {}, "priceDimensions": dimensions}
    attributes |= {"usagetype": usage_type, "regionCode": "eu-west-1"}
    return json.dumps(
        {
            "product": {"productFamily": "API Request", "attributes": attributes, "sku": "X"},
            "serviceCode": "X",
            "terms": {"OnDemand": {"X.JRTCKXETXF": term}},
            "version": "20261101000000",
            "publicationDate": "2026-11-01T00:00:00Z",
        }
    )


def test_prices_are_refreshed_by_what_the_price_list_says_of_the_region() -> None:
    answers = {
        "AmazonS3": [product("EU-Requests-Tier1", "0.0000052"), product("EU-Requests-SIA-Tier1", "0.00001")],
        "AWSQueueService": [product("EU-Requests-FIFO-RBP", "0.0000005500", begin="1000000")],
        "awskms": [product("eu-west-1-KMS-Keys", "1.1")],
        "AmazonSageMaker": [product("EU-Host:ml.m5.large", "0.128", component="Hosting")],
    }
    aws = AnsweringAws({"GetProducts": lambda asked: {"PriceList": answers.get(asked["ServiceCode"], [])}})
    known = replace(PRICES, instance_hour_usd={"ml.m5.large": 0.115})

    found, missing = refreshed(known, aws.session(), date(2026, 12, 1))

    assert found.region == "eu-west-1"
    assert {name: price.usd for name, price in found.units.items()} == {
        "s3.put": 5.2e-6,
        "sqs.fifo_request": 5.5e-7,
        "kms.key_month": 1.1,
    }
    assert found.units["s3.put"].as_of == "2026-12-01"
    assert found.instance_hour_usd == {"ml.m5.large": 0.128}
    assert {"iot.message", "lambda.request"} <= set(missing)


def test_prices_of_the_same_region_that_are_not_found_keep_their_date() -> None:
    aws = AnsweringAws({"GetProducts": {"PriceList": [product("Requests-Tier1", "0.000006")]}})
    known = replace(PRICES, instance_hour_usd={})

    found, missing = refreshed(known, aws.session("us-east-1"), date(2026, 12, 1))

    assert (found.units["s3.put"].usd, found.units["s3.put"].as_of) == (6e-6, "2026-12-01")
    assert found.units["iot.rule"] == PRICES.units["iot.rule"]
    assert found.as_of == PRICES.as_of < "2026-12-01"
    assert "s3.put" not in missing


def test_a_list_is_read_as_it_was_written(tmp_path: Path) -> None:
    PRICES.write(tmp_path / "prices.json")
    assert Prices.read(tmp_path / "prices.json") == PRICES
    assert all(isinstance(price, Price) and price.source for price in PRICES.units.values())


def test_what_the_month_has_used_is_projected_to_its_end() -> None:
    rule, function = layout.topic_rule_name(MACHINE.name), "W-ScoreTelemetryFunction-1"
    resources = {
        "AWS::Lambda::Function": function,
        "AWS::SQS::Queue": "https://sqs.eu-west-1.amazonaws.com/1/W-Work.fifo",
        "AWS::IoT::TopicRule": rule,
        "AWS::KMS::Key": "key-1",
    }
    counted = {
        ("Invocations", function): [2000.0, 2320.0],
        ("Duration", function): [432_000.0],
        ("NumberOfMessagesSent", "W-Work.fifo"): [4320.0],
        ("TopicMatch", rule): [1_000_000.0],
        ("CPUUtilization", layout.endpoint_name(MACHINE.name)): [600.0],
    }

    def measured(asked: dict[str, Any]) -> dict[str, Any]:
        metrics = {query["Id"]: query["MetricStat"]["Metric"] for query in asked["MetricDataQueries"]}
        return {
            "MetricDataResults": [
                {"Id": name, "Values": counted.get((of["MetricName"], of["Dimensions"][0]["Value"]), [])}
                for name, of in metrics.items()
            ]
        }

    created = datetime(2026, 11, 1, tzinfo=UTC)
    stack = {
        "StackName": "WatchkeeperScoring",
        "StackStatus": "CREATE_COMPLETE",
        "CreationTime": created,
    }
    own_stack = layout.workload_stack(MACHINE.name)
    others = [{**stack, "StackName": "Other"}, {**stack, "StackStatus": "DELETE_COMPLETE"}]
    listed = [{"ResourceType": kind, "PhysicalResourceId": name} for kind, name in resources.items()]

    def made_of(asked: dict[str, Any]) -> dict[str, Any]:
        own = asked["StackName"] == own_stack
        return {
            "StackResourceSummaries": [
                each for each in listed if (each["ResourceType"] == "AWS::IoT::TopicRule") == own
            ]
        }

    aws = AnsweringAws(
        {
            "ListStacks": {"StackSummaries": [stack, {**stack, "StackName": own_stack}, *others]},
            "ListStackResources": made_of,
            "GetFunctionConfiguration": {"MemorySize": 512},
            "GetMetricData": measured,
        }
    )
    session = aws.session()
    clients = (session.client("cloudformation"), session.client("cloudwatch"), session.client("lambda"))

    month = month_so_far(*clients, [MACHINE.name], created + timedelta(days=3))
    so_far = used(month, [MACHINE], PRICES)

    quantities = {(each.what, each.unit): each.quantity for each in so_far.costs}
    assert so_far.passed == pytest.approx(0.1)
    assert quantities[function, "GB-second"] == pytest.approx(216)
    assert quantities["requests of all queues, as of FIFO queues", "request"] == 4320
    assert quantities["messages (Basic Ingest: none)", "5 KB"] == 1_000_000
    assert quantities["endpoint of machine_temperature", "instance-hour"] == 10
    assert quantities["pages put" + DERIVED, "request"] == pytest.approx(4320)
    assert quantities["keys", "key-month"] == pytest.approx(0.1)
    assert aws.asked.count("cloudformation:ListStackResources") == 2, "of the project's stacks only"
    own = used(month.of_workload(MACHINE.name), [MACHINE], PRICES)
    assert {each.what: each.quantity for each in own.costs} == {
        "rules evaluated": 1_000_000,
        "actions": 1_000_000,
        "messages (Basic Ingest: none)": 1_000_000,
        "endpoint of machine_temperature": 10,
    }
    projected = {(each.what, each.unit): each.quantity for each in so_far.projected()}
    assert projected["keys", "key-month"] == pytest.approx(1)
    assert projected["messages (Basic Ingest: none)", "5 KB"] == pytest.approx(1e7)


def test_the_command_tells_a_month_by_service_and_item(
    assembly: Assembly, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deploying.Deployer, "templates", lambda deployer: assembly)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

    plain = CliRunner().invoke(app, ["cost", "machine_temperature", "--series", "1000", "--devices", "1000"])
    assert plain.exit_code == 0, plain.output
    assert "freshness 10s" in plain.stdout

    told = json.loads(CliRunner().invoke(app, ["cost", "machine_temperature", "--json"]).stdout)
    parts = told["month_usd"]
    assert parts["idle"]["total"] == 1.23
    assert parts["machine_temperature: scoring"]["of"][0]["service"] == "S3"
    assert told["prices"] == {"region": "us-east-1", "as_of": PRICES.as_of}


def test_the_command_tells_what_neptune_costs_idle_before_it_is_chosen(
    assembly: Assembly, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deploying.Deployer, "templates", lambda deployer: assembly)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

    plain = CliRunner().invoke(app, ["cost", "card_fraud"])
    assert plain.exit_code == 0, plain.output
    assert "its graph in dynamodb" in plain.stdout
    assert "in Neptune Serverless it costs 115.78 idle" in " ".join(plain.stdout.split())

    told = json.loads(CliRunner().invoke(app, ["cost", "card_fraud", "--json"]).stdout)
    assert told["not_chosen"]["card_fraud"]["usd"] == pytest.approx(0.1608 * 720)
    assert {each["service"] for each in told["month_usd"]["card_fraud: graph"]["of"]} == {"DynamoDB"}


def test_graph_in_a_table_costs_by_transaction_and_neptune_by_the_hour() -> None:
    spec = load_workload(WORKLOADS / "card_fraud.yaml")
    assert isinstance(spec, FraudWorkload)
    table = list(graph_month(spec, PRICES))
    neptune = spec.model_copy(update={"graph": spec.graph.model_copy(update={"store": "neptune"})})
    (idle,) = graph_month(neptune, PRICES)

    assert {cost.service for cost in table} == {"DynamoDB"}
    # five entities of 12 vectors of 63 features, packed to 1.8 KB, each written with twice the units
    assert [cost.quantity for cost in table] == [5e6, 22e6]
    assert idle.usd == pytest.approx(0.1608 * 720)


def test_training_of_a_graph_pays_glue_by_worker(assembly: Assembly) -> None:
    spec = load_workload(WORKLOADS / "card_fraud.yaml")
    assert isinstance(spec, FraudWorkload)
    larger = spec.processing.model_copy(update={"worker_type": "G.2X", "workers": 3})
    (found,) = [
        cost
        for cost in training_month([spec.model_copy(update={"processing": larger})], PRICES)
        if cost.service == "Glue"
    ]

    assert found.quantity == pytest.approx(30 / 7 * 6 * 10 / 60)


def test_watching_devices_pays_for_rules_and_not_again_for_what_they_send() -> None:
    watching = load_workload(ROOT / "docs" / "examples" / "fleet_behaviour.yaml")
    assert isinstance(watching, DeviceBehaviourWorkload)

    found = {name: each.quantity for name, each in items(ingestion_month(watching, PRICES, ONE_EACH)).items()}

    assert found["IoT Core: actions"] == found["IoT Core: rules evaluated"] == 1000 * 12 * 24 * 30
    assert not {"IoT Core: connections", "IoT Core: messages (Basic Ingest: none)"} & found.keys()
