"""`predictor`: which model is asked, and in which form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from containers.explain.io.sections import Column, Columns, Positive, Rule, Section, Text, one_of, shown

CSV, JSONLINES, JSON = "text/csv", "application/jsonlines", "application/json"
FORMATS = (CSV, JSONLINES, JSON)
MAX_CUSTOM_ATTRIBUTES = 1024

Format = Annotated[str, one_of(*FORMATS, what="supported")]
Template = Annotated[
    str,
    Rule(
        "is not text; templates by name are those of forecasts",
        lambda value: isinstance(value, str) and value != "",
    ),
]


@dataclass(frozen=True)
class PredictorSettings(Section):
    """How the model is reached, and how its requests and answers look."""

    endpoint_name: Text | None = None
    """An endpoint that exists."""
    model_name: Text | None = None
    """A model of which the job makes a shadow endpoint; with neither, the model channel is loaded."""
    instance_type: Text | None = None
    initial_instance_count: Positive | None = None
    endpoint_name_prefix: Text | None = None
    target_model: Text | None = None
    custom_attributes: Text | None = None
    content_type: Format = CSV
    accept_type: Format = ""
    """None is given: as `content_type`."""
    content_template: Template | None = None
    record_template: Text | None = None
    label: Column | None = None
    """Where the answer has the predicted label: an index (CSV), or a JMESPath."""
    probability: Column | None = None
    """Where it has the score or scores; they are what is explained."""
    label_headers: Columns | None = None
    """Names of the scores."""

    def __post_init__(self) -> None:
        if not self.accept_type:
            object.__setattr__(self, "accept_type", self.content_type)

    def problems(self, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Say what contradicts or lacks what."""
        yield from self._endpoint_problems()
        if given.get("content_type") is None or self.content_type == str(given["content_type"]).lower():
            yield from self._template_problems()
        for key in ("label", "probability"):
            value = getattr(self, key)
            if self.accept_type == CSV and isinstance(value, str):
                yield key, f"{shown(value)} is not a column's index, as accept_type {CSV} needs"

    def _endpoint_problems(self) -> Iterator[tuple[str, str]]:
        of_shadow = ("instance_type", "initial_instance_count", "endpoint_name_prefix")
        if self.endpoint_name is not None:
            for key in self._given("model_name", *of_shadow):
                yield key, "contradicts endpoint_name: an endpoint that exists is used as it is"
        elif self.model_name is not None:
            for key in of_shadow[:2]:
                if getattr(self, key) is None:
                    yield key, "missing; the shadow endpoint of model_name needs it"
        else:
            for key in self._given(*of_shadow, "target_model"):
                yield key, "needs model_name; without it the job loads its input `model` itself"
        if len(self.custom_attributes or "") > MAX_CUSTOM_ATTRIBUTES:
            yield "custom_attributes", f"longer than {MAX_CUSTOM_ATTRIBUTES} characters"

    def _template_problems(self) -> Iterator[tuple[str, str]]:
        content = self.content_template or ""
        if self.content_type == JSONLINES and content.count("$features") != 1:
            yield "content_template", f"{shown(content)} must have the placeholder $features once"
        if self.content_type == JSON and content.count("$record") != 1:
            yield "content_template", f"{shown(content)} must have one placeholder, $records or $record"
        if self.content_type == JSON and not self.record_template:
            yield "record_template", f"missing; content_type {JSON} needs it"
        if self.content_type == CSV:
            for key in self._given("content_template", "record_template"):
                yield key, f"contradicts content_type {CSV}, which has no template"

    def _given(self, *keys: str) -> list[str]:
        return [key for key in keys if getattr(self, key) is not None]
