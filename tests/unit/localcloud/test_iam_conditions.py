"""Condition operators, row by row as AWS documents them."""

import pytest

from localcloud.iam.conditions import UnsupportedConditionError, holds

ROWS = [
    ("StringEquals", ("a",), "a", True),
    ("StringEquals", ("A",), "a", False),
    ("StringEquals", ("a", "b"), "b", True),
    ("StringEquals", ("a*",), "ab", False),
    ("StringEquals", ("a",), None, False),
    ("StringEqualsIfExists", ("a",), None, True),
    ("StringEqualsIfExists", ("a",), "b", False),
    ("StringEqualsIgnoreCase", ("A",), "a", True),
    ("StringNotEquals", ("a", "b"), "b", False),
    ("StringNotEquals", ("a", "b"), "c", True),
    ("StringNotEquals", ("a",), None, True),
    ("StringNotEqualsIgnoreCase", ("A",), "a", False),
    ("StringLike", ("runs/?*",), "runs/x", True),
    ("StringLike", ("runs/?*",), "runs/", False),
    ("StringLike", ("runs/*",), "Runs/x", False),
    ("StringLike", ("a.c",), "abc", False),
    ("StringLike", ("*",), "", True),
    ("StringNotLike", ("runs/*",), "raw/x", True),
    ("ArnEquals", ("arn:aws:sqs:*:1:queue",), "arn:aws:sqs:eu-west-1:1:queue", True),
    ("ArnLike", ("arn:aws:sqs:*:queue",), "arn:aws:sqs:eu-west-1:1:queue", False),
    ("ArnLike", ("arn:aws:sqs:*:1:queue",), "arn:aws:sqs:r:2:1:queue", False),
    ("ArnLike", ("arn:aws:events:*:*:rule/*",), "arn:aws:events:r:1:rule/bus/name", True),
    ("ArnNotLike", ("arn:aws:sqs:*:*:q",), "arn:aws:sqs:r:1:p", True),
    ("Bool", ("true",), "TRUE", True),
    ("Bool", ("false",), "true", False),
    ("Bool", ("false",), None, False),
    ("BoolIfExists", ("true",), None, True),
    ("Null", ("true",), None, True),
    ("Null", ("true",), "x", False),
    ("Null", ("false",), "x", True),
    ("NumericLessThan", ("10",), "9.5", True),
    ("NumericLessThanEquals", ("10",), "10", True),
    ("NumericGreaterThan", ("10",), "10", False),
    ("NumericGreaterThanEquals", ("10",), "10", True),
    ("NumericEquals", ("10",), "10.0", True),
    ("NumericNotEquals", ("10",), "11", True),
    ("NumericEquals", ("10",), "ten", False),
    ("DateLessThan", ("2026-01-02T00:00:00Z",), "2026-01-01T00:00:00Z", True),
    ("DateGreaterThan", ("2026-01-02T00:00:00Z",), "1767225600", False),
    ("IpAddress", ("10.0.0.0/8",), "10.1.2.3", True),
    ("NotIpAddress", ("10.0.0.0/8",), "10.1.2.3", False),
    ("ForAnyValue:StringEquals", ("a",), ("a", "b"), True),
    ("ForAnyValue:StringEquals", ("c",), ("a", "b"), False),
    ("ForAnyValue:StringEquals", ("a",), None, False),
    ("ForAnyValue:StringNotEquals", ("a",), None, False),
    ("ForAnyValue:StringNotEquals", ("a",), ("a", "b"), True),
    ("ForAllValues:StringEquals", ("a", "b"), ("a", "b"), True),
    ("ForAllValues:StringEquals", ("a",), ("a", "b"), False),
    ("ForAllValues:StringEquals", ("a",), None, True),
    ("ForAllValues:StringLike", ("team-*",), ("team-a", "team-b"), True),
]


@pytest.mark.parametrize(("operator", "expected", "actual", "met"), ROWS)
def test_condition_is_met_as_aws_documents(
    operator: str, expected: tuple[str, ...], actual: str | tuple[str, ...] | None, met: bool
) -> None:
    assert holds(operator, expected, actual) is met


def test_unknown_operator_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedConditionError, match="'StringMatches' is not one of IAM's"):
        holds("StringMatches", ("a",), "a")
