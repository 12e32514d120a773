"""How files of history are read, whatever the kind of the workload."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import MAX_REFUSED_SHARE, Dialect
from watchkeeper.spec.fields import Duration
from watchkeeper.spec.section import Section


def _delimiter(value: str) -> str:
    try:
        Dialect(value)
    except InvalidInputError as error:
        raise ValueError(str(error).partition(": ")[2]) from error
    return value


def leaves_a_test_part(share: float, info: ValidationInfo) -> float:
    """Validate a share of the history that stands beside the field `train`.

    Raises
    ------
    ValueError
        If less than 0.05 is left after both.
    """
    train = info.data.get("train")
    if train is not None and train + share > 0.95:
        raise ValueError(f"must leave at least 0.05 for the test part: at most {0.95 - train:g} beside train")
    return share


def _is_positive(window: timedelta | None) -> timedelta | None:
    if window is not None and window <= timedelta(0):
        raise ValueError("must be longer than 0s")
    return window


Window = Annotated[Duration | None, AfterValidator(_is_positive)]


class HistoryFiles(Section):
    """How files of history are read."""

    delimiter: Annotated[str, Field(min_length=1, max_length=1), AfterValidator(_delimiter)] | None = None
    """What separates the cells of CSV files; without a value, what their header has most of."""
    decimal: Literal[".", ","] = "."
    """What separates a number's fraction in CSV files."""
    max_refused_share: float = Field(default=MAX_REFUSED_SHARE, ge=0, le=1)
    """Share of the records that may be unusable; above it, training refuses the history."""

    def dialect(self) -> Dialect:
        """Return what the reader of CSV files is told."""
        return Dialect(self.delimiter, self.decimal)
