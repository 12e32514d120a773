"""Search expressions of CloudWatch, as its documentation has them: what one finds, and which are none.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
"""

from __future__ import annotations

import pytest

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.telemetry.metric_search import LONGEST, FoundMetric, search_of


def finds(expression: str, *metrics: FoundMetric) -> list[bool]:
    search = search_of(expression)
    return [search.finds(metric) for metric in metrics]


def metric(name: str, namespace: str = "MyNamespace", **dimensions: str) -> FoundMetric:
    return FoundMetric(namespace, name, dimensions)


@pytest.mark.parametrize(
    ("term", "found"),
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
        ("InstanceType=Count", False),
    ],
)
def test_a_term_is_met_by_a_token_or_exactly(term: str, found: bool) -> None:
    assert finds(term, metric("CustomCount1")) == [found]


@pytest.mark.parametrize("term", ["network/errors", "network+errors", "network-errors", "Network_Errors"])
def test_characters_between_words_need_not_be_the_same(term: str) -> None:
    assert finds(term, metric("Network-Errors-2"), metric("NetworkErrors2")) == [True, True]
    assert finds(f'"{term}"', metric("Network-Errors-2")) == [False]


def test_tokens_are_of_names_namespaces_and_dimensions_unless_a_designator_says_which() -> None:
    failing, trial = metric("SDBFailure"), metric("Load", Project="Project2-trial333")
    assert finds("sdb", failing, trial) == [True, False]
    assert finds("trial 333 2", failing, trial) == [False, True]
    assert finds("Project", failing, trial) == [False, True]
    assert finds("Namespace=trial", failing, trial) == [False, False]
    assert finds("Project=trial", failing, trial) == [False, True]
    assert finds("my", failing, trial) == [True, True]


def test_a_schema_is_a_namespace_and_exactly_these_dimensions() -> None:
    one = metric("Load", "My Namespace", **{"Dimension@Name": "a"})
    two = metric("Load", "My Namespace", **{"Dimension@Name": "a", "Hall": "b"})
    none = metric("Load", "My Namespace")
    assert finds('{"My Namespace", "Dimension@Name"}, Load', one, two, none) == [True, False, False]
    assert finds('{"My Namespace"}', one, two, none) == [False, False, True]
    assert finds("{Other}", none) == [False]


def test_operators_bind_as_they_do_in_other_languages_and_parentheses_group() -> None:
    of = {
        name: metric(name, "AWS/Lambda", FunctionName=function)
        for name, function in (("Errors", "x"), ("Invocations", "ProjectA-1"), ("Duration", "ProjectA-1"))
    }
    nested = (
        '{AWS/Lambda,FunctionName} MetricName="Errors" OR '
        '(MetricName="Invocations" AND (ProjectA OR ProjectB))'
    )
    assert finds(nested, *of.values()) == [True, True, False]
    assert finds("ProjectA NOT Duration", *of.values()) == [False, True, False]
    assert finds("Errors OR ProjectA AND Duration", *of.values()) == [True, False, True]
    assert finds("NOT Namespace=AWS", *of.values(), metric("Errors")) == [False, False, False, True]
    assert finds('MetricName=("Errors" OR "Duration")', *of.values()) == [True, False, True]
    assert finds(":aws.AccountId = 'LOCAL' Errors", *of.values()) == [True, False, False]


def test_characters_of_the_grammar_are_escaped_in_exact_terms() -> None:
    written = r'"Europe\\France Traffic\(Network\)"'
    assert finds(written, metric(r"Europe\France Traffic(Network)")) == [True]


def test_the_whole_form_has_statistic_and_period() -> None:
    search = search_of("SEARCH(' {AWS/EC2,InstanceId} MetricName=\"CPUUtilization\" ', 'Average', 300)")
    assert (search.stat, search.period_seconds) == ("Average", 300)
    assert search.namespaces == {"AWS/EC2"}
    assert search.names == {"CPUUtilization"}


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ('MetricName="A" x', {"A"}),
        ('MetricName="A" OR MetricName="B"', {"A", "B"}),
        ('MetricName=("A" OR "B") AND MetricName="B"', {"B"}),
        ('MetricName="A" OR x', None),
        ('NOT MetricName="A"', None),
        ("MetricName=A", None),
        ('"A"', None),
    ],
)
def test_which_names_it_may_find_is_known_beforehand(expression: str, names: set[str] | None) -> None:
    assert search_of(expression).names == names


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("", "finds nothing"),
        ("x" * (LONGEST + 1), "has 1,025 characters"),
        ("{A", "the metric schema has no end"),
        ("{}", "must be a namespace and names of dimensions"),
        ("{A,B,}", "must be a namespace and names of dimensions"),
        ("{My Namespace,B}", "must be a namespace and names of dimensions"),
        ("{A,B,B}", "has a dimension twice"),
        ("(a OR b", "a parenthesis has no end"),
        ("a)", "there is a ) too much"),
        ("AND a", "there is no term after the beginning"),
        ("a NOT", "there is no term after NOT"),
        ("MetricName=", "there is no term after ="),
        ("a and b", "and is no operator: write AND"),
        ('"a', "has no end"),
        ("-", "has no letter and no digit"),
        ("MetricName='A'", "is in single quotes"),
        ("A=(B=c)", "is within A="),
        (":aws.AccountId=111122223333 a", "metrics of other accounts are not read"),
        ("SUM(SEARCH('{A,B} c', 'Sum', 300))", "metric math is not evaluated"),
        ("(" * 500, "within each other"),
        ("NOT " * 250 + "a", "within each other"),
    ],
)
def test_what_is_no_search_is_refused_with_what_to_write(expression: str, said: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        search_of(expression)
    assert said in str(refused.value)
