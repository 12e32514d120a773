"""What every part of a spec is: immutable, strict, without unknown keys."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of the spec: immutable, strict, without unknown keys."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


def refuse_repeats(values: list[Any], what: str) -> None:
    """Raise if a value is there more than once."""
    for value in values:
        if values.count(value) > 1:
            raise ValueError(
                f"the {what} {value!r} is there {values.count(value)} times; each must be different"
            )
