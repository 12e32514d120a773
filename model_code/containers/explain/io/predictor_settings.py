"""`predictor`: which model is asked, and in which form."""

from __future__ import annotations

from dataclasses import dataclass

from containers.explain.io.configuration_keys import CSV, JSON, JSONLINES, shown
from containers.explain.io.values import Reader

FORMATS = (CSV, JSONLINES, JSON)
MAX_CUSTOM_ATTRIBUTES = 1024


@dataclass(frozen=True)
class PredictorSettings:
    """How the model is reached, and how its requests and answers look."""

    endpoint_name: str | None = None
    """An endpoint that exists."""
    model_name: str | None = None
    """A model of which the job makes a shadow endpoint; with neither, the model channel is loaded."""
    instance_type: str | None = None
    initial_instance_count: int | None = None
    endpoint_name_prefix: str | None = None
    target_model: str | None = None
    custom_attributes: str | None = None
    content_type: str = CSV
    accept_type: str = CSV
    content_template: str | None = None
    record_template: str | None = None
    label: str | int | None = None
    """Where the answer has the predicted label: an index (CSV), or a JMESPath."""
    probability: str | int | None = None
    """Where it has the score or scores; they are what is explained."""
    label_headers: tuple[str | int, ...] | None = None
    """Names of the scores."""


def read_predictor(reader: Reader) -> PredictorSettings:
    """Read the section; what is wrong is noted."""
    content_type = (reader.text("content_type", CSV) or "").lower()
    accept_type = (reader.text("accept_type", content_type) or "").lower()
    for key, value in (("content_type", content_type), ("accept_type", accept_type)):
        if value not in FORMATS:
            reader.problem(key, f"{shown(value)} is not supported; use {', '.join(FORMATS)}")
    settings = PredictorSettings(
        endpoint_name=reader.text("endpoint_name", None),
        model_name=reader.text("model_name", None),
        instance_type=reader.text("instance_type", None),
        initial_instance_count=reader.positive("initial_instance_count"),
        endpoint_name_prefix=reader.text("endpoint_name_prefix", None),
        target_model=reader.text("target_model", None),
        custom_attributes=reader.text("custom_attributes", None),
        content_type=content_type,
        accept_type=accept_type,
        content_template=_template(reader, "content_template"),
        record_template=reader.text("record_template", None),
        label=reader.column("label"),
        probability=reader.column("probability"),
        label_headers=reader.columns("label_headers"),
    )
    _check_endpoint(reader, settings)
    _check_templates(reader, settings)
    for key in ("label", "probability"):
        value = getattr(settings, key)
        if accept_type == CSV and isinstance(value, str):
            reader.problem(key, f"{shown(value)} is not a column's index, as accept_type {CSV} needs")
    return settings


def _check_endpoint(reader: Reader, settings: PredictorSettings) -> None:
    if settings.endpoint_name is not None:
        for key in ("model_name", "instance_type", "initial_instance_count", "endpoint_name_prefix"):
            if getattr(settings, key) is not None:
                reader.problem(key, "contradicts endpoint_name: an endpoint that exists is used as it is")
    elif settings.model_name is not None:
        for key in ("instance_type", "initial_instance_count"):
            if getattr(settings, key) is None:
                reader.problem(key, "missing; the shadow endpoint of model_name needs it")
    else:
        for key in ("instance_type", "initial_instance_count", "endpoint_name_prefix", "target_model"):
            if getattr(settings, key) is not None:
                reader.problem(key, "needs model_name; without it the job loads its input `model` itself")
    if settings.custom_attributes is not None and len(settings.custom_attributes) > MAX_CUSTOM_ATTRIBUTES:
        reader.problem("custom_attributes", f"longer than {MAX_CUSTOM_ATTRIBUTES} characters")


def _template(reader: Reader, key: str) -> str | None:
    value = reader.document.get(key)
    if isinstance(value, dict):
        reader.problem(key, "templates by name are those of forecasts; give one text")
        return None
    return reader.text(key, None)


def _check_templates(reader: Reader, settings: PredictorSettings) -> None:
    content, record = settings.content_template or "", settings.record_template or ""
    if settings.content_type == JSONLINES and content.count("$features") != 1:
        reader.problem("content_template", f"{shown(content)} must have the placeholder $features once")
    if settings.content_type == JSON:
        if content.count("$record") != 1:
            reader.problem(
                "content_template", f"{shown(content)} must have one placeholder, $records or $record"
            )
        if not record:
            reader.problem("record_template", f"missing; content_type {JSON} needs it")
    if settings.content_type == CSV:
        for key in ("content_template", "record_template"):
            if getattr(settings, key) is not None:
                reader.problem(key, f"contradicts content_type {CSV}, which has no template")
