from collections.abc import Iterator
from typing import Any

import pytest
from ministack.services import cloudwatch

from localcloud import metric_math
from localcloud.alarms import SET_BY_HAND, state_of

NOW = 1_000_000.0


@pytest.fixture(autouse=True)
def _no_metrics() -> Iterator[None]:
    cloudwatch._metrics.clear()
    yield
    cloudwatch._metrics.clear()


def put(metric: str, value: float, *, seconds_ago: float, **dimensions: str) -> None:
    point = {"Timestamp": NOW - seconds_ago, "Value": value, "Unit": "Count", "Dimensions": dimensions}
    cloudwatch._metric_bucket(("Space", metric, cloudwatch._dims_key(dimensions))).append(point)


def alarm(**changes: Any) -> dict[str, Any]:
    return {
        "AlarmName": "a",
        "Namespace": "Space",
        "MetricName": "Errors",
        "Dimensions": [{"Name": "F", "Value": "mine"}],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 2.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        **changes,
    }


def test_only_datapoints_with_the_alarms_dimensions_count() -> None:
    put("Errors", 5, seconds_ago=1, F="other")
    put("Errors", 1, seconds_ago=1, F="mine")

    assert state_of(alarm(), NOW) == "OK"


def test_statistic_is_taken_over_the_period() -> None:
    put("Errors", 1, seconds_ago=1, F="mine")
    put("Errors", 1, seconds_ago=59, F="mine")
    assert state_of(alarm(), NOW) == "ALARM"

    assert state_of(alarm(Period=30), NOW) == "OK"


def test_so_many_of_so_many_periods_must_breach() -> None:
    for seconds_ago in (1, 121):
        put("Errors", 2, seconds_ago=seconds_ago, F="mine")

    assert state_of(alarm(EvaluationPeriods=3, DatapointsToAlarm=2), NOW) == "ALARM"
    assert state_of(alarm(EvaluationPeriods=3), NOW) == "OK"


@pytest.mark.parametrize(
    ("rule", "state"),
    [("missing", "INSUFFICIENT_DATA"), ("notBreaching", "OK"), ("breaching", "ALARM"), ("ignore", None)],
)
def test_missing_data_is_treated_as_told(rule: str, state: str | None) -> None:
    assert state_of(alarm(TreatMissingData=rule), NOW) == state


def test_state_set_by_hand_holds_for_one_period() -> None:
    by_hand = {SET_BY_HAND: NOW - 10, "StateUpdatedTimestamp": NOW - 10, "TreatMissingData": "notBreaching"}

    assert state_of(alarm(**by_hand), NOW) is None
    assert state_of(alarm(**by_hand), NOW + 60) == "OK"


def test_query_sums_over_all_series_that_match() -> None:
    for variant, endpoint in (("v1", "mine"), ("v2", "mine"), ("v1", "other")):
        put("Errors", 3, seconds_ago=1, EndpointName=endpoint, VariantName=variant)
    put("Errors", 50, seconds_ago=1, EndpointName="mine")
    expression = (
        "SELECT SUM(Errors) FROM SCHEMA(\"Space\", EndpointName, VariantName) WHERE EndpointName = 'mine'"
    )

    assert metric_math.value_of([{"Id": "q", "Expression": expression}], (NOW - 60, NOW)) == 6


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("100 * errors / calls", 25.0),
        ("FILL(absent, 0) + errors", 1.0),
        ("IF(errors > 0, calls, 0)", 4.0),
        ("SUM([errors, calls])", 5.0),
        ("errors / FILL(absent, 0)", None),
        ("absent", None),
    ],
)
def test_expression_gives_its_value(expression: str, value: float | None) -> None:
    put("Errors", 1, seconds_ago=1)
    put("Calls", 4, seconds_ago=1)
    queries = [
        {
            "Id": name,
            "ReturnData": False,
            "MetricStat": {
                "Metric": {"Namespace": "Space", "MetricName": metric},
                "Stat": "Sum",
                "Period": 60,
            },
        }
        for name, metric in (("errors", "Errors"), ("calls", "Calls"), ("absent", "Absent"))
    ]

    assert metric_math.value_of([*queries, {"Id": "e", "Expression": expression}], (NOW - 60, NOW)) == value


@pytest.mark.parametrize(
    "expression",
    [
        "ANOMALY_DETECTION_BAND(m)",
        "SELECT P99(x) FROM y",
        "SELECT SUM(x) FROM y WHERE a > 1",
        "m +",
        "unknown",
    ],
)
def test_expression_that_cannot_be_evaluated_is_refused(expression: str) -> None:
    with pytest.raises(metric_math.UnsupportedExpressionError):
        metric_math.check([{"Id": "e", "Expression": expression}])
