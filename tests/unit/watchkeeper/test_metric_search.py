"""Search expressions of CloudWatch: what the documentation says that each finds."""

from __future__ import annotations

import pytest

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.telemetry.metric_search import FoundMetric, search_of

EC2 = {"InstanceId": "i-1234567890123456"}


def finds(query: str, metric: str, dimensions: dict[str, str] | None = None, namespace: str = "N") -> bool:
    names = ",".join([namespace, *(dimensions or {})])
    return search_of(f"{{{names}}} {query}").finds(FoundMetric(namespace, metric, dimensions or {}))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("count", True),
        ("Count", True),
        ("COUNT", True),
        ("couNT", False),
        ("CustomCount", True),
        ("Count1", True),
        ("customcount", False),
        ("count1", False),
        ("customcount1", True),
        ('"CustomCount1"', True),
        ('"customcount1"', False),
        ('"Custom"', False),
        ('MetricName="CustomCount1"', True),
        ("MetricName=custom", True),
        ("Namespace=custom", False),
        ("NOT custom", False),
        ("NOT Namespace=AWS", True),
        ("other OR custom", True),
        ("other custom", False),
        ("(other OR custom) AND count", True),
        ("other OR custom missing", False),
        ("", True),
    ],
)
def test_a_term_finds_tokens_and_a_quoted_one_the_whole_name(query: str, found: bool) -> None:
    assert finds(query, "CustomCount1") is found


@pytest.mark.parametrize("query", ["network/errors", "network+errors", "network-errors", "Network_Errors"])
@pytest.mark.parametrize("name", ["Network-Errors-2", "NetworkErrors2"])
def test_other_characters_join_tokens(query: str, name: str) -> None:
    assert finds(query, name)
    assert finds(f'"{name}"', name)
    assert not finds('"Network_Errors_2"', name)


def test_characters_of_the_grammar_are_escaped_in_quotes() -> None:
    assert finds(r'"Europe\\France Traffic\(Network\)"', r"Europe\France Traffic(Network)")


def test_values_of_dimensions_are_looked_in_and_named() -> None:
    assert not finds('MetricName="CPUUtilization" NOT i-1234567890123456', "CPUUtilization", EC2)
    assert finds('MetricName="CPUUtilization" NOT i-1234567890123457', "CPUUtilization", EC2)
    assert finds('InstanceType="t2.micro"', "CPUUtilization", {"InstanceType": "t2.micro"})
    assert finds("InstanceType=micro", "CPUUtilization", {"InstanceType": "t2.micro"})
    assert not finds("InstanceType=nano", "CPUUtilization", {"InstanceType": "t2.micro"})


def test_a_schema_is_of_just_its_dimensions() -> None:
    search = search_of('{"My Namespace", "Dimension@Name"}, load')
    assert (search.namespace, search.dimensions) == ("My Namespace", ("Dimension@Name",))
    assert search.finds(FoundMetric("My Namespace", "load", {"Dimension@Name": "a"}))
    assert not search.finds(FoundMetric("My Namespace", "load", {"Dimension@Name": "a", "b": "c"}))
    assert not search.finds(FoundMetric("My Namespace", "load", {}))
    assert not search.finds(FoundMetric("Another", "load", {"Dimension@Name": "a"}))


@pytest.mark.parametrize(
    ("query", "metric"),
    [
        ('MetricName="Errors" a', "Errors"),
        ('a AND MetricName="Errors"', "Errors"),
        ('MetricName="Errors" OR (MetricName="Invocations" AND (ProjectA OR ProjectB))', None),
        ('NOT MetricName="Errors"', None),
        ('(MetricName="Errors")', None),
        ("MetricName=Errors", None),
    ],
)
def test_the_one_name_that_all_have_is_known(query: str, metric: str | None) -> None:
    assert search_of(f"{{AWS/Lambda,FunctionName}} {query}").metric == metric


@pytest.mark.parametrize(
    ("text", "stat", "period"),
    [
        ("SEARCH(' {A,B} x ', 'Sum', 300)", "Sum", 300),
        ("SEARCH('{A,B} x','p99')", "p99", None),
        ("SEARCH('{A,B} x')", None, None),
        ("{A,B} x", None, None),
    ],
)
def test_a_whole_expression_has_its_statistic(text: str, stat: str | None, period: int | None) -> None:
    search = search_of(text)
    assert (search.stat, search.period) == (stat, period)
    assert search.finds(FoundMetric("A", "x", {"B": "1"}))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("CPUUtilization", "must begin with the namespace and dimensions"),
        ("{} x", "has the schema"),
        ("{A,,B} x", "has the schema"),
        ("{A} (x", "a ( that is not closed"),
        ("{A} x)", "has a ) too many"),
        ("{A} AND x", "has AND where a term must stand"),
        ("{A} x OR", "ends where a term must follow"),
        ('{A} "x', "is a quote not closed"),
        ("{A} MetricName=", "has no value behind MetricName="),
        ("{A} ::", "nothing is to be looked for"),
        ("{A} :aws.AccountId=1", "another account"),
        ("{A} " + "x" * 1024, "longer than the 1,024 characters"),
    ],
)
def test_what_is_no_search_is_refused_with_what_is_wrong(text: str, told: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        search_of(text)
    assert told in str(caught.value)
