"""What all answers have in common: nothing undescribed, every field there, and how far a list goes."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Generic, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

Item = TypeVar("Item")

Instant = Annotated[str, Field(description="ISO 8601, UTC.", examples=["2026-11-29T17:00:00Z"])]
Cursor = Annotated[str | None, Field(description="Ask with it for what follows; null where nothing does.")]


class Answer(BaseModel):
    """An answer: each of its fields is always there."""

    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)


class Listed(Answer, Generic[Item]):
    """A part of a list."""

    items: list[Item]
    next: Cursor = None


def fields_of(document: type[Any], parent: type[Answer] = Answer) -> type[Answer]:
    """Return a model with the fields of a document of the shared package, and those of `parent` beside."""
    types = get_type_hints(document)
    fields: dict[str, Any] = {each.name: (types[each.name], ...) for each in dataclasses.fields(document)}
    model: type[Answer] = create_model(document.__name__, __base__=parent, **fields)
    return model
