"""`watchkeeper import`: what becomes of detectors of other services, and what is told of the rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from tests.unit.importing import foreign
from watchkeeper.command.failures import ReportingGroup
from watchkeeper.command.main import LIBRARY_VERBS, application
from watchkeeper.spec import AnomalyWorkload, load_workload


@dataclass(frozen=True)
class Case:
    """Foreign files, the workload that they become, and what is said of what they had beside it."""

    name: str
    files: tuple[object, ...]
    workload: str
    has: dict[str, Any]
    """Keys from the top by their path, with their values."""
    told: tuple[str, ...]
    options: tuple[str, ...] = ()
    unmade: tuple[str, ...] = field(default=())


CASES = (
    Case(
        "a template of Lookout, with functions",
        (foreign.LOOKOUT_TEMPLATE,),
        "plant_prod",
        {
            "description": "Gases of the plant",
            "source.folders": {"bucket": "plant", "path": "gases/{{yyyyMMdd}}/{{HHmm}}/"},
            "source.timestamp": {
                "field": "TIMESTAMP",
                "format": "iso8601",
                "timezone": "Europe/Berlin",
            },
            "measures": [
                {"field": "CO", "name": "co", "aggregate": "avg"},
                {"field": "SO2 [ppb]", "name": "so2", "aggregate": "sum"},
            ],
            "dimensions": ["LOCATION_ID"],
            "interval": "5m",
            "lateness": "10m",
            "history.delimiter": ";",
            "history.files": ["s3://plant/history/"],
            "alerts.routes": [
                {
                    "channel": "night_shift",
                    "severity_at_least": 80,
                    "subscription": {
                        "protocol": "lambda",
                        "endpoint": "arn:aws:lambda:eu-west-1:111122223333:function:page",
                    },
                }
            ],
        },
        ("KmsKeyArn ${Key.Arn}", "Charset ISO-8859-1"),
        options=("--parameter", "Bucket=plant"),
    ),
    Case(
        "answers of Lookout's API, in several files",
        (
            foreign.LOOKOUT_ALERTS,
            foreign.LOOKOUT_ALERT,
            foreign.LOOKOUT_METRIC_SET,
            foreign.LOOKOUT_DETECTOR,
        ),
        "plant_emissions",
        {
            "source.timestamp": {"field": "at", "format": "iso8601", "timezone": "UTC"},
            "source.where": {"country": ["DE"]},
            "dimensions": ["country", "channel"],
            "interval": "1h",
            "lateness": "1h",
            "alerts.routes": [
                {
                    "channel": "sales",
                    "severity_at_least": 50,
                    "only": {"series": [{"measure": "revenue", "where": {"channel": ["web", "app"]}}]},
                }
            ],
        },
        (
            "MetricSource.AthenaSourceConfig",
            "SnsTopicArn arn:aws:sns:eu-west-1:111122223333:sales",
            "SnsFormat SHORT_TEXT",
            "AlertStatus INACTIVE",
            "AlertFilters.MetricList gone",
            "Namespace Shop",
        ),
    ),
    Case(
        "a dataset of Lookout alone",
        (foreign.LOOKOUT_METRIC_SET,),
        "plant_emissions",
        {"alerts.routes": [{"channel": "operators"}]},
        (),
    ),
    Case(
        "alarms of CloudWatch of many machines, and their detectors",
        (
            {
                "MetricAlarms": [
                    foreign.alarm("Press 7", "7"),
                    foreign.alarm(
                        "Press 8",
                        "8",
                        ComparisonOperator="LessThanLowerThreshold",
                        AlarmActions=["arn:aws:lambda:eu-west-1:111122223333:function:page"],
                    ),
                ]
            },
            foreign.CLOUDWATCH_DETECTORS,
        ),
        "presses_5m",
        {
            "source.timestamp.timezone": "Europe/Berlin",
            "source.cloudwatch": {
                "namespace": "Plant/Presses",
                "metrics": [{"metric": "Load", "stat": "Average"}],
                "offset": "10m",
            },
            "source.where": {"Machine": ["7", "8"]},
            "measures": [{"field": "Load", "name": "load", "aggregate": "avg"}],
            "dimensions": ["Machine"],
            "interval": "5m",
            "calendars": [
                {
                    "name": "excluded 1",
                    "timezone": "UTC",
                    "only": {"measure": "load", "where": {"Machine": "7"}},
                    "once": [{"begin": "2026-08-01T00:00:00+00:00", "end": "2026-08-02T00:00:00+00:00"}],
                }
            ],
            "alerts.routes": [
                {
                    "channel": "press_7",
                    "only": {"series": [{"measure": "load", "where": {"Machine": "7"}}]},
                },
                {
                    "channel": "press_8",
                    "only": {"series": [{"measure": "load", "where": {"Machine": "8"}}]},
                    "subscription": {
                        "protocol": "lambda",
                        "endpoint": "arn:aws:lambda:eu-west-1:111122223333:function:page",
                    },
                },
            ],
        },
        ("ComparisonOperator of the alarms of Load", "AlarmActions arn:aws:sns"),
        unmade=("metric math",),
    ),
    Case(
        "a template with alarms of CloudWatch",
        (foreign.CLOUDWATCH_TEMPLATE,),
        "hot",
        {
            "measures": [{"field": "Heat", "name": "heat", "aggregate": "avg", "direction": "above"}],
            "interval": "1m",
            "silence": {"after": "3m"},
            "alerts.routes": [
                {
                    "channel": "hot",
                    "when": ["opening", "escalation", "end"],
                    "only": {"series": [{"measure": "heat"}]},
                }
            ],
        },
        ("ANOMALY_DETECTION_BAND of 3", "2 of 3 EvaluationPeriods", "AlarmActions ${Topic}"),
        unmade=("CloudWatch alarm Fixed",),
    ),
    Case(
        "a detector of OpenSearch",
        (foreign.OPENSEARCH_DETECTOR,),
        "server_errors",
        {
            "source.timestamp.field": "@timestamp",
            "measures": [
                {
                    "field": "error",
                    "name": "errors",
                    "aggregate": "count",
                    "direction": "above",
                    "missing": 0,
                },
                {"field": "ms", "name": "latency", "aggregate": "avg", "ignore_below": {"relative": 0.2}},
                {"field": "ip", "name": "clients", "aggregate": "distinct"},
            ],
            "dimensions": ["host"],
            "interval": "10m",
            "lateness": "1m",
        },
        (
            "feature off",
            "feature share: percentiles",
            "actual_over_expected_margin 5",
            "filter_query",
            "shingle_size 8",
            "indices logs-*",
        ),
    ),
    Case(
        "a search for detectors of OpenSearch",
        ({"hits": {"hits": [{"_source": foreign.OPENSEARCH_DETECTOR["anomaly_detector"]}]}},),
        "server_errors",
        {"interval": "10m"},
        (),
    ),
    Case(
        "a data feed of Metrics Advisor, its configurations and hooks",
        (foreign.ADVISOR_FEED, foreign.ADVISOR_DETECTIONS, foreign.ADVISOR_HOOK),
        "shop_sales",
        {
            "source.timestamp.field": "day",
            "measures": [
                {
                    "field": "revenue",
                    "name": "revenue",
                    "aggregate": "sum",
                    "missing": "ignore",
                    "direction": "below",
                    "allowed": {"lower": 0, "upper": 1e6},
                },
                {"field": "cost", "name": "cost", "aggregate": "sum", "missing": "ignore"},
            ],
            "interval": "30m",
            "lateness": "2h",
            "alerts.routes": [
                {
                    "channel": "sales_team",
                    "subscription": {"protocol": "email", "endpoint": "a@example.com"},
                }
            ],
        },
        (
            "sensitivity 80",
            "changePercentage 20",
            "at least 3 points",
            "conditionOperator AND",
            "1 seriesOverrideConfigurations",
            "hook sales_team: b@example.com",
            "needRollup NeedRollup (Sum)",
            "SmartFilling of cost",
            "dataSourceType SqlServer",
        ),
    ),
)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def imported(*documents: object, options: tuple[str, ...] = ()) -> Result:
    files = [Path(f"foreign-{number}.json") for number in range(len(documents))]
    for file, document in zip(files, documents, strict=True):
        file.write_text(foreign.text(document))
    return run(*files, *options)


def run(*arguments: object) -> Result:
    library = application(LIBRARY_VERBS, ReportingGroup, "")
    return CliRunner().invoke(library, ["import", *map(str, arguments)])


def value_at(document: Any, path: str) -> Any:
    for key in path.split("."):
        document = document[key]
    return document


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_detector_becomes_a_workload_and_the_rest_is_told(case: Case) -> None:
    answer = imported(*case.files, options=case.options)

    assert answer.exit_code == 0, answer.output
    path = Path(f"workloads/{case.workload}.yaml")
    assert isinstance(load_workload(path), AnomalyWorkload)
    document = yaml.safe_load(path.read_text())
    for key, value in case.has.items():
        assert value_at(document, key) == value, key
    for told in case.told:
        assert told in answer.stdout, told
        assert told in " ".join(path.read_text().replace("\n# ", " ").split()), told
    for told in case.unmade:
        assert told in answer.stderr, told
    assert "; nearest: " in answer.stdout or not case.told


def test_what_only_a_stack_knows_stays_and_is_told() -> None:
    answer = imported(foreign.LOOKOUT_TEMPLATE)

    assert answer.exit_code == 0, answer.output
    assert "--parameter Bucket=VALUE gives it" in answer.stdout
    assert yaml.safe_load(Path("workloads/plant_prod.yaml").read_text())["history"]["files"] == [
        "s3://${Bucket}/history/"
    ]


def test_a_condition_that_does_not_hold_leaves_an_alert_out() -> None:
    imported(foreign.LOOKOUT_TEMPLATE, options=("--parameter", "Stage=test"))

    routes = yaml.safe_load(Path("workloads/plant_test.yaml").read_text())["alerts"]["routes"]
    assert [(route["channel"], route["severity_at_least"]) for route in routes] == [
        ("night_shift", 95),
        ("onlytested", 1),
    ]


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("name: [", "neither JSON nor YAML"),
        ("", "it has no keys"),
        ('{"a": 1, "b": 2}', "is nothing that import knows"),
        ({"AnomalyDetectorSummaryList": []}, "aws lookoutmetrics describe-anomaly-detector"),
        ({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}, "the files have no detector"),
        (foreign.LOOKOUT_DETECTOR, "describe-metric-set"),
        (foreign.LOOKOUT_ALERTS, "its detector"),
        (foreign.ADVISOR_DETECTIONS, "the data feed of its metric m1"),
        (foreign.ADVISOR_HOOK, "what is watched is in a data feed"),
        ({**foreign.ADVISOR_FEED, "granularityName": "Monthly"}, "an interval is from 1s to 7d"),
        ({**foreign.LOOKOUT_METRIC_SET, "MetricSetFrequency": "PT2H"}, "PT2H is none of"),
        ({**foreign.LOOKOUT_METRIC_SET, "MetricList": []}, "it has no metric"),
        (
            {**foreign.LOOKOUT_METRIC_SET, "DimensionList": ["revenue"]},
            "dimensions: ['revenue']: 'revenue' is a measure's",
        ),
        ("x: " + "[\n " * 3000 + "]" * 3000, "nested too deep"),
    ],
)
def test_what_nothing_can_be_made_of_is_refused_by_name(document: object, told: str) -> None:
    answer = imported(document)

    assert answer.exit_code == 2
    assert told in " ".join(answer.output.split())
    assert not Path("workloads").exists()


def test_a_wrong_file_beside_a_good_one_is_named_and_the_good_one_is_made() -> None:
    answer = imported(foreign.LOOKOUT_METRIC_SET, "nothing")

    assert answer.exit_code == 0
    assert "foreign-1.json" in answer.stderr
    assert Path("workloads/plant_emissions.yaml").exists()


def test_a_file_that_is_there_is_written_over_only_when_asked() -> None:
    imported(foreign.LOOKOUT_METRIC_SET)
    path = Path("workloads/plant_emissions.yaml")
    path.write_text("mine")

    assert imported(foreign.LOOKOUT_METRIC_SET).exit_code == 2
    assert path.read_text() == "mine"
    assert imported(foreign.LOOKOUT_METRIC_SET, options=("--force",)).exit_code == 0
    load_workload(path)
