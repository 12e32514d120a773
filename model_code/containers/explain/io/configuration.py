"""Clarify's analysis configuration, typed. Everything that is wrong with it is reported at once.

The keys are those of `ANALYSIS_CONFIG_SCHEMA_V1_0` in `sagemaker.clarify`: each is a field of a section here,
or is refused by name; a test compares the two.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar

from containers.explain.io.predictor_settings import CSV, PredictorSettings
from containers.explain.io.sections import (
    Cell,
    Cells,
    Column,
    ColumnReference,
    Columns,
    Flag,
    Integer,
    Number,
    Positive,
    Rule,
    Section,
    Text,
    Texts,
    listed,
    one_of,
    read_section,
    shown,
)
from containers.explain.measures.attribution import AGGREGATION_METHODS, AggregationMethod
from containers.explain.measures.bias import POST_TRAINING, PRE_TRAINING
from watchkeeper.core.errors import InvalidInputError

MAX_SEED = 2**32 - 1
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_IS_NAMES = listed(lambda name: isinstance(name, str))
_IS_ROWS = listed(lambda row: isinstance(row, list) and bool(row))

Baseline = Annotated[
    tuple[tuple[Cell, ...], ...] | str,
    Rule(
        "is neither a list of rows nor an S3 URI",
        lambda value: isinstance(value, str) or _IS_ROWS(value),
        lambda value: value if isinstance(value, str) else tuple(map(tuple, value)),
    ),
]
MetricNames = Annotated[
    str | tuple[str, ...],
    Rule(
        "is neither all nor a list of names",
        lambda value: isinstance(value, str) or _IS_NAMES(value),
        lambda value: (
            "all" if value in ("all", ["all"]) else ((value,) if isinstance(value, str) else tuple(value))
        ),
    ),
]
FileName = Annotated[
    str,
    Rule(
        "is not a file name of letters, digits and . _ -",
        lambda value: isinstance(value, str) and _FILE_NAME.fullmatch(value) is not None,
    ),
]

_ONLY_CSV = "this job reads text/csv only"
_OTHER_FILE = "this job reads one data set: add the column to it, and name it in {}"
REFUSED: Mapping[str, str] = {
    "dataset_uri": "this job reads its input channel `data`: give the data set there",
    "features": f"it locates features in JSON, and {_ONLY_CSV}",
    "facet_dataset_uri": _OTHER_FILE.format("`facet` and `excluded_columns`"),
    "facet_headers": _OTHER_FILE.format("`facet` and `excluded_columns`"),
    "predicted_label_dataset_uri": _OTHER_FILE.format("`predicted_label`"),
    "predicted_label_headers": _OTHER_FILE.format("`predicted_label`"),
    "segment_config": "metrics by segment are not computed: run the job on each segment's rows",
    "time_series_data_config": "explanations of forecasts are not computed",
    "methods.asymmetric_shapley_value": "explanations of forecasts are not computed",
    "methods.shap.text_config": "explanations of text are not computed; a column of categories is",
    "methods.shap.image_config": "explanations of images are not computed",
    "methods.shap.features_to_explain": "the values of some features do not add up to the prediction: all "
    "are explained; take the columns that you need from explanations_shap/out.csv",
    "predictor.accelerator_type": "AWS no longer sells Elastic Inference: choose an `instance_type`",
    "predictor.time_series_predictor_config": "explanations of forecasts are not computed",
}
"""Keys that are not honoured, by path, with the reason."""


@dataclass(frozen=True)
class ShapSettings(Section):
    """`methods.shap`."""

    baseline: Baseline | None = None
    """Rows of features, the S3 URI of a file that the job has as input `baseline`, or none: clusters."""
    num_clusters: Positive | None = None
    num_samples: Positive | None = None
    agg_method: Annotated[AggregationMethod, one_of(*AGGREGATION_METHODS)] = "mean_abs"
    use_logit: Flag = False
    seed: Integer | None = None
    save_local_shap_values: Flag = True

    def problems(self, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Say what is wrong with the baseline and the seed."""
        if isinstance(self.baseline, str) and not self.baseline.startswith("s3://"):
            yield "baseline", f"{shown(self.baseline)} is neither rows nor an S3 URI"
        rows = self.baseline if isinstance(self.baseline, tuple) else ()
        if len(set(map(len, rows))) > 1:
            yield "baseline", "its rows differ in length"
        if not all(isinstance(cell, str | int | float | None) for row in rows for cell in row):
            yield "baseline", "a cell is neither a number nor text"
        if given.get("baseline") is not None and self.num_clusters is not None:
            yield "num_clusters", "contradicts baseline: give one of the two"
        if self.seed is not None and not 0 <= self.seed <= MAX_SEED:
            yield "seed", f"{self.seed} is not between 0 and {MAX_SEED}"


@dataclass(frozen=True)
class PartialDependenceSettings(Section):
    """`methods.pdp`."""

    features: Columns | None = None
    grid_resolution: Positive = 15
    top_k_features: Positive = 10


@dataclass(frozen=True)
class BiasMetrics(Section):
    """`methods.pre_training_bias` and `methods.post_training_bias`: names of metrics, or `all`."""

    known: ClassVar[Mapping[str, object]]

    methods: MetricNames = "all"

    def problems(self, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Say which metrics are not known."""
        for name in () if self.methods == "all" else self.methods:
            if name not in self.known:
                allowed = f"use all, or {', '.join(self.known)}"
                yield "methods", f"metric {shown(name)} is not known; {allowed}"


class PreTrainingBias(BiasMetrics):
    """Metrics of the data."""

    known = PRE_TRAINING


class PostTrainingBias(BiasMetrics):
    """Metrics of the predictions."""

    known = POST_TRAINING


@dataclass(frozen=True)
class ReportSettings(Section):
    """`methods.report`."""

    name: FileName = "report"
    title: Text = "Analysis Report"


@dataclass(frozen=True)
class Methods(Section):
    """`methods`."""

    shap: ShapSettings | None = None
    pdp: PartialDependenceSettings | None = None
    pre_training_bias: PreTrainingBias | None = None
    post_training_bias: PostTrainingBias | None = None
    report: ReportSettings | None = None

    def problems(self, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Say what the partial dependence lacks."""
        if self.pdp is not None and self.pdp.features is None and self.shap is None:
            yield "pdp.features", "missing; without methods.shap there are no top features to choose"


@dataclass(frozen=True)
class Facet(Section):
    """A column whose groups are compared."""

    name_or_index: Column | None = None
    value_or_threshold: Cells | None = None

    def problems(self, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Say that the column is missing."""
        if given.get("name_or_index") is None:
            yield "name_or_index", "missing"


@dataclass(frozen=True)
class AnalysisConfiguration(Section):
    """The whole configuration."""

    version: Annotated[str, one_of("1.0")] = "1.0"
    dataset_type: Annotated[str, one_of(CSV, what="supported")] | None = None
    headers: Texts | None = None
    label: Column | None = None
    predicted_label: Column | None = None
    joinsource_name_or_index: Column | None = None
    excluded_columns: Columns = ()
    label_values_or_threshold: Cells = ()
    facet: tuple[Facet, ...] = ()
    group_variable: Column | None = None
    probability_threshold: Number = 0.5
    methods: Methods = field(default_factory=Methods)
    predictor: PredictorSettings | None = None

    @property
    def measures_bias(self) -> bool:
        """Whether bias metrics are computed."""
        return bool(self.methods.pre_training_bias or self.methods.post_training_bias)

    @property
    def needs_model(self) -> bool:
        """Whether something is computed that asks the model."""
        predicts = self.methods.post_training_bias is not None
        return bool(self.methods.shap or self.methods.pdp or (predicts and self.predicted_label is None))

    def problems(self, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Say what is missing, and which columns there are not."""
        if given.get("dataset_type") is None:
            yield "dataset_type", f"missing; use {CSV}"
        if not (self.measures_bias or self.methods.shap or self.methods.pdp):
            yield "methods", "nothing to compute; give shap, pdp, pre_training_bias or post_training_bias"
        for key in ("label", "label_values_or_threshold", "facet") if self.measures_bias else ():
            if not given.get(key) and given.get(key) != 0:
                yield key, "missing; the bias metrics need it"
        headers = self.headers
        if headers is None:
            return  # columns can be looked up only when the data are read
        if len(set(headers)) != len(headers):
            twice = next(name for name in headers if headers.count(name) > 1)
            yield "headers", f"{shown(twice)} is there twice"
        for key, reference in self._columns():
            if reference is not None:
                try:
                    resolve_column(key, reference, headers)
                except InvalidInputError as error:
                    yield key, str(error).removeprefix(f"{key}: ")

    def _columns(self) -> Iterator[tuple[str, ColumnReference | None]]:
        for key in ("label", "predicted_label", "joinsource_name_or_index", "group_variable"):
            yield key, getattr(self, key)
        yield from (("excluded_columns", column) for column in self.excluded_columns)
        yield from (("facet.name_or_index", facet.name_or_index) for facet in self.facet)
        pdp = self.methods.pdp
        yield from (("methods.pdp.features", column) for column in (pdp and pdp.features) or ())


def load_configuration(path: Path) -> AnalysisConfiguration:
    """Read a file; see `read_configuration`."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InvalidInputError(f"{path.name} is not JSON: {error}", reason="analysis_config") from error
    if not isinstance(document, dict):
        raise InvalidInputError(f"{path.name} is not a JSON object", reason="analysis_config")
    return read_configuration(document)


def read_configuration(document: Mapping[str, Any]) -> AnalysisConfiguration:
    """Read a configuration.

    Raises
    ------
    InvalidInputError
        If something is wrong (reason `analysis_config`): names every wrong key, its value, what is allowed,
        and of an unknown key the nearest known one.
    """
    found: list[str] = []
    configuration = read_section(AnalysisConfiguration, "", document, REFUSED, found)
    if found:
        raise InvalidInputError(f"analysis_config.json: {'; '.join(found)}", reason="analysis_config")
    return configuration


def resolve_column(key: str, reference: ColumnReference, headers: tuple[str, ...]) -> str:
    """Return a column's name.

    Raises
    ------
    InvalidInputError
        If there is no such column; names the key and the columns that there are.
    """
    if isinstance(reference, int):
        if 0 <= reference < len(headers):
            return headers[reference]
        raise InvalidInputError(f"{key}: there is no column {reference}; there are {len(headers)}, from 0")
    if reference in headers:
        return reference
    raise InvalidInputError(f"{key}: there is no column {reference!r}; headers: {', '.join(headers)}")
