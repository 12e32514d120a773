"""Series keys: the name of one watched sequence of numbers, a measure and one value of each dimension.

A key is `measure` or `measure|dimension=value|…` in the plan's order of dimensions. Keys are cells of CSV
rows, sort keys of tables and lines of logs, so what would break any of those is percent-encoded.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import unquote

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import MeasurePlan, WorkloadPlan

Known = TypeVar("Known")

MAX_KEY_BYTES = 1024
"""The limit of a DynamoDB sort key."""

_RESERVED = re.compile(r"[%|=,\"]|[^\S ]|[\x00-\x1f\x7f-\x9f]|^ +| +$")


@dataclass(frozen=True)
class SeriesKey:
    """A series key, taken apart.

    Examples
    --------
    >>> str(SeriesKey("co", (("location", "hall 1|a"),)))
    'co|location=hall 1%7Ca'
    """

    measure: str
    dimensions: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return "|".join(
            [_encode(self.measure), *(f"{_encode(name)}={_encode(value)}" for name, value in self.dimensions)]
        )


def series_key(measure: str, dimensions: Mapping[str, str], plan: WorkloadPlan) -> str:
    """Return the key of a measure at one value of each of the plan's dimensions.

    Raises
    ------
    InvalidInputError
        If a dimension is missing (reason `missing_dimension`), is not encodable as UTF-8, or the key is
        longer than 1024 bytes (reason `bad_dimension`).
    """
    try:
        values = tuple([dimensions[name] for name in plan.dimensions])
    except KeyError as error:
        raise InvalidInputError(f"dimension {error} is missing", reason="missing_dimension") from error
    return key_of(measure, plan.dimensions, values)


@functools.lru_cache(maxsize=32_768)
def key_of(measure: str, names: tuple[str, ...], values: tuple[str, ...]) -> str:
    """Return the key of a measure at one value of each dimension; see `series_key`."""
    try:
        key = str(SeriesKey(measure, tuple(zip(names, values, strict=True))))
        size = len(key.encode())
    except UnicodeEncodeError as error:
        raise InvalidInputError(
            f"a dimension's value is not valid Unicode: {error}", reason="bad_dimension"
        ) from error
    if size > MAX_KEY_BYTES:
        raise InvalidInputError(
            f"the series key would have {size} bytes, {MAX_KEY_BYTES} are allowed: "
            "shorten the dimensions' values",
            reason="bad_dimension",
        )
    return key


@functools.lru_cache(maxsize=32_768)
def parse_series_key(key: str) -> SeriesKey:
    """Take a series key apart; the inverse of `series_key`.

    Raises
    ------
    InvalidInputError
        If the text is not a series key (reason `bad_series`).
    """
    measure, *pairs = key.split("|")
    dimensions = []
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise InvalidInputError(
                f"series {key!r}: {pair!r} is not of the form dimension=value", reason="bad_series"
            )
        dimensions.append((unquote(name), unquote(value)))
    if not measure:
        raise InvalidInputError(f"series {key!r} names no measure", reason="bad_series")
    return SeriesKey(unquote(measure), tuple(dimensions))


def measure_of(series: str, plan: WorkloadPlan) -> MeasurePlan:
    """Return the plan's measure that a series key names.

    Raises
    ------
    InvalidInputError
        If the plan has no such measure (reason `bad_series`).
    """
    name = parse_series_key(series).measure
    for measure in plan.measures:
        if measure.name == name:
            return measure
    raise InvalidInputError(
        f"series {series!r}: the workload {plan.workload} has no measure {name!r}, "
        f"it has {', '.join(measure.name for measure in plan.measures)}",
        reason="bad_series",
    )


def _encode(text: str) -> str:
    return _RESERVED.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), text)


def known_of(name: str | None, series: Mapping[str, Known], measures: Mapping[str, Known]) -> Known:
    """Return what a model knows of a series; of an unknown series of a known measure, what of the measure.

    Parameters
    ----------
    name
        Series key; None where a row names none.
    series
        By series key; an empty key where the model's rows named no series.
    measures
        By measure.

    Raises
    ------
    InvalidInputError
        If the measure is unknown, or the row names no series and the model has several (reason `bad_series`).
    """
    if name is None:
        if len(series) != 1:
            raise InvalidInputError(
                f"the row names no series, and this model has {len(series)}: "
                f"write timestamp,series,value with a series such as {min(series)}",
                reason="bad_series",
            )
        return next(iter(series.values()))
    if name in series:
        return series[name]
    measure = parse_series_key(name).measure
    if measure not in measures:
        raise InvalidInputError(
            f"series {name!r}: the model knows no measure {measure!r}, "
            f"it knows {', '.join(sorted(measures))}",
            reason="bad_series",
        )
    return measures[measure]
