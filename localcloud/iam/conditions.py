"""Condition operators of IAM policies.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and
.../reference_policies_condition-single-vs-multi-valued-context-keys.html.
"""

import ipaddress
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from functools import lru_cache

# Values of the request's context by lower-case key; a key with several values is a tuple.
Context = Mapping[str, str | tuple[str, ...]]
Values = tuple[str, ...]
Test = Callable[[str, str], bool]


class UnsupportedConditionError(ValueError):
    """A policy has a condition operator that AWS does not document."""


@lru_cache(maxsize=8192)
def wildcard(pattern: str, *, ignore_case: bool = False) -> re.Pattern[str]:
    """Compile a pattern in which ``*`` is any text and ``?`` one character."""
    parts = (".*" if found == "*" else "." if found == "?" else re.escape(found) for found in pattern)
    return re.compile("".join(parts), re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def like(value: str, pattern: str) -> bool:
    """Whether a value matches a pattern; case counts."""
    return pattern == "*" or wildcard(pattern).fullmatch(value) is not None


def arn_like(value: str, pattern: str) -> bool:
    """Whether an ARN matches a pattern: each of the six parts on its own, so that ``*`` crosses no colon."""
    parts, patterns = value.split(":", 5), pattern.split(":", 5)
    if len(parts) != 6 or len(patterns) != 6:
        return pattern == "*"
    return all(map(like, parts, patterns))


def holds(name: str, expected: Values, actual: str | tuple[str, ...] | None) -> bool:
    """Whether one condition is met.

    Parameters
    ----------
    name
        Operator, with its prefix ``ForAnyValue:`` or ``ForAllValues:`` and its suffix ``IfExists``.
    expected
        Values in the policy, of which one must match (with a negated operator: none).
    actual
        Value of the key in the request's context; None where it is absent.

    Raises
    ------
    UnsupportedConditionError
        When there is no such operator.
    """
    plain, qualifier, if_exists = _parts(name)
    if plain == "null":
        return (actual is None) == (expected[0].lower() == "true")
    affirmative = _NEGATED.get(plain, plain)
    test = _TESTS.get(affirmative)
    if test is None:
        raise UnsupportedConditionError(f"condition operator {name!r} is not one of IAM's")
    values = (actual,) if isinstance(actual, str) else actual or ()
    negated = affirmative != plain

    def matches(value: str) -> bool:
        return any(_apply(test, value, wanted) for wanted in expected) != negated

    if qualifier == "forallvalues":
        return all(map(matches, values))
    if not values:
        return if_exists or (negated and qualifier != "foranyvalue")
    if qualifier == "foranyvalue" or not negated:
        return any(map(matches, values))
    return all(map(matches, values))


@lru_cache(maxsize=1024)
def _parts(name: str) -> tuple[str, str, bool]:
    text = name.lower()
    qualifier, colon, text = text.rpartition(":")
    plain = text.removesuffix("ifexists")
    return plain, qualifier if colon else "", plain != text


def _apply(test: Test, value: str, wanted: str) -> bool:
    try:
        return test(value, wanted)
    except ValueError:
        return False  # AWS: a value of another type does not match


def _ignore_case(value: str, wanted: str) -> bool:
    return value.casefold() == wanted.casefold()


def _numeric(compare: Callable[[float, float], bool]) -> Test:
    return lambda value, wanted: compare(float(value), float(wanted))


def _date(compare: Callable[[datetime, datetime], bool]) -> Test:
    return lambda value, wanted: compare(_moment(value), _moment(wanted))


def _moment(text: str) -> datetime:
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return datetime.fromtimestamp(float(text), timezone.utc)
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _address(value: str, wanted: str) -> bool:
    return ipaddress.ip_address(value) in ipaddress.ip_network(wanted, strict=False)


def _names(stem: str, comparisons: Iterable[str]) -> Iterable[tuple[str, str]]:
    return ((f"{stem}{name.lower()}", name) for name in comparisons)


_ORDER: dict[str, Callable[..., bool]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
}
_TESTS: dict[str, Test] = {
    "stringequals": operator.eq,
    "stringequalsignorecase": _ignore_case,
    "stringlike": like,
    "arnequals": arn_like,
    "arnlike": arn_like,
    "bool": _ignore_case,
    "binaryequals": operator.eq,
    "ipaddress": _address,
    **{key: _numeric(_ORDER[name]) for key, name in _names("numeric", _ORDER)},
    **{key: _date(_ORDER[name]) for key, name in _names("date", _ORDER)},
}
_NEGATED = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
    "numericnotequals": "numericequals",
    "datenotequals": "dateequals",
    "notipaddress": "ipaddress",
}
