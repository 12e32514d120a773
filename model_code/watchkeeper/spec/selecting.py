"""Which series a workload leaves out, and which raise no alert for a while."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from difflib import get_close_matches
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from watchkeeper.core.plan import MutePlan, SeriesSelection, TimestampPlan
from watchkeeper.core.timestamps import epoch_seconds, parse_iso8601, parse_timestamp
from watchkeeper.spec.section import Section

Values = Annotated[
    list[str],
    BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
    Field(min_length=1, max_length=1000),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


def _moment(value: object) -> str:
    if isinstance(value, date):  # what YAML makes of a time that is not in quotes
        value = value.isoformat()
    try:
        parse_iso8601(value if isinstance(value, str) else "")
    except ValueError as error:
        raise ValueError(
            "must be a time in ISO 8601, such as 2026-12-24T06:00; without an offset it is in the time "
            "zone of source.timestamp"
        ) from error
    return str(value)


Moment = Annotated[
    str,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "examples": ["2026-12-24T06:00", "2026-12-24T06:00:00+01:00"]}),
]


class Selection(Section):
    """Series of a measure, of dimension values, or of both."""

    measure: str | None = None
    """Name of a measure; without it, all."""
    where: dict[str, Values] = Field(default_factory=dict)
    """Dimensions, each with one value or a list of values; without it, all."""

    @model_validator(mode="after")
    def _says_which(self) -> Selection:
        if self.measure is None and not self.where:
            raise ValueError("says nothing: name a measure, or where with a dimension and its values")
        return self

    def check(self, measures: Sequence[str], dimensions: Sequence[str]) -> None:
        """Refuse the name of a measure or dimension that the workload does not have.

        Raises
        ------
        ValueError
            With the names that it has.
        """
        if self.measure is not None:
            _refuse_unknown(self.measure, "measure", measures)
        for name in self.where:
            _refuse_unknown(name, "dimension", dimensions)

    def plan(self) -> SeriesSelection:
        """Return what the running parts know of it."""
        return SeriesSelection(self.measure, {name: tuple(values) for name, values in self.where.items()})


class Mute(Selection):
    """Series whose anomalies raise no alert until an end."""

    until: Moment
    """The end, in event time, ISO 8601; without an offset, in the time zone of source.timestamp."""
    reason: str = Field(default="", max_length=200)
    """For people."""

    @field_validator("reason")
    @classmethod
    def _is_one_line(cls, reason: str) -> str:
        if not reason.isprintable():
            raise ValueError("must be one line")
        return reason

    def until_in(self, timezone: str) -> MutePlan:
        """Return what the running parts know of it.

        Parameters
        ----------
        timezone
            IANA name of the zone of an end that has none.
        """
        end = parse_timestamp(self.until, TimestampPlan(field="until", timezone=timezone))
        return MutePlan(self.plan(), epoch_seconds(end), self.reason)


def _refuse_unknown(name: str, what: str, known: Sequence[str]) -> None:
    if name in known:
        return
    close = get_close_matches(name, known, n=1)
    meant = f"; did you mean {close[0]}?" if close else ""
    raise ValueError(
        f"no {what} {name!r}: the workload has {', '.join(known) if known else f'no {what}s'}{meant}"
    )
