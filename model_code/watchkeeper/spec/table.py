"""Where a table's rows come from, and which of its columns a model takes."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from watchkeeper.spec.history import HistoryFiles, Window
from watchkeeper.spec.section import Section, refuse_repeats
from watchkeeper.spec.telemetry import Timestamp

ColumnName = Annotated[str, Field(min_length=1, max_length=128)]
MAX_COLUMNS = 500


class Columns(Section):
    """The columns that the model takes."""

    numeric: list[ColumnName] = Field(default_factory=list, max_length=MAX_COLUMNS)
    """Columns of numbers."""
    one_hot: list[ColumnName] = Field(default_factory=list, max_length=MAX_COLUMNS)
    """Columns of categories, each value a feature of its own; a value that training has not seen is none."""

    @field_validator("one_hot")
    @classmethod
    def _are_named_once(cls, one_hot: list[str], info: ValidationInfo) -> list[str]:
        numeric = info.data.get("numeric", [])
        refuse_repeats([*numeric, *one_hot], "column")
        if "numeric" in info.data and not numeric and not one_hot:
            raise ValueError("a model needs at least one column, numeric or one_hot")
        return one_hot


class TableSplit(Section):
    """Which rows train; the rest is held back to judge the model."""

    by: Literal["random", "time"] = "random"
    """random: by a row's content and the seed, so that a row stays in its part when history is added; time:
    the first rows in time order train."""
    train: float = Field(default=0.8, ge=0.1, le=0.95)
    """Fraction of the rows that the model is trained on."""
    seed: int = Field(default=0, ge=0)
    """Of the random split."""


class TableHistory(HistoryFiles):
    """What a training run learns from: the files under `history/NAME/`."""

    headers: list[ColumnName] | None = Field(default=None, min_length=1, max_length=MAX_COLUMNS)
    """Columns of CSV files without a header line; without a value, the first line is the header."""
    timestamp: Timestamp | None = None
    """Where a row's time is; needed for a window and for a split by time."""
    window: Window = None
    """How much of the newest history is read; without a value, all of it."""
    split: TableSplit = TableSplit()
    """Which rows train."""

    @field_validator("headers")
    @classmethod
    def _differ(cls, headers: list[str] | None) -> list[str] | None:
        refuse_repeats(headers or [], "header")
        return headers

    @field_validator("timestamp")
    @classmethod
    def _is_a_header(cls, timestamp: Timestamp | None, info: ValidationInfo) -> Timestamp | None:
        headers = info.data.get("headers")
        if timestamp is not None and headers is not None and timestamp.field not in headers:
            raise ValueError(f"field {timestamp.field!r} is not in headers")
        return timestamp

    @field_validator("window")
    @classmethod
    def _has_a_time(cls, window: timedelta | None, info: ValidationInfo) -> timedelta | None:
        if window is not None and "timestamp" in info.data and info.data["timestamp"] is None:
            raise ValueError("needs timestamp: without it rows have no time")
        return window

    @field_validator("split")
    @classmethod
    def _can_be_by_time(cls, split: TableSplit, info: ValidationInfo) -> TableSplit:
        if split.by == "time" and "timestamp" in info.data and info.data["timestamp"] is None:
            raise ValueError("by time needs history.timestamp; without it, use by: random")
        return split
