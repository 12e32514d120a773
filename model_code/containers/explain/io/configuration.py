"""Clarify's analysis configuration, typed. Everything that is wrong with it is reported at once."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from containers.explain.io.configuration_keys import CSV, Problems, check_keys, shown
from containers.explain.io.predictor_settings import PredictorSettings, read_predictor
from containers.explain.io.values import Reader
from containers.explain.measures.attribution import AGGREGATION_METHODS, AggregationMethod
from containers.explain.measures.bias import POST_TRAINING, PRE_TRAINING
from watchkeeper.core.errors import InvalidInputError

ColumnReference = str | int
"""A column's name, or its index from 0."""
Cell = str | int | float | None

MAX_SEED = 2**32 - 1
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class ShapSettings:
    """`methods.shap`."""

    baseline: tuple[tuple[Cell, ...], ...] | str | None
    """Rows of features, the S3 URI of a file that the job has as input `baseline`, or none: clusters."""
    num_clusters: int | None
    num_samples: int | None
    agg_method: AggregationMethod
    use_logit: bool
    seed: int | None
    save_local_shap_values: bool


@dataclass(frozen=True)
class PartialDependenceSettings:
    """`methods.pdp`."""

    features: tuple[ColumnReference, ...] | None
    grid_resolution: int
    top_k_features: int


@dataclass(frozen=True)
class Facet:
    """A column whose groups are compared."""

    column: ColumnReference
    values_or_threshold: tuple[Cell, ...] | None


@dataclass(frozen=True)
class BiasSettings:
    """What the bias metrics are about."""

    facets: tuple[Facet, ...]
    label_values_or_threshold: tuple[Cell, ...]
    group_variable: ColumnReference | None
    pre_training: str | tuple[str, ...] | None
    post_training: str | tuple[str, ...] | None
    """Names of metrics, or `all`; none: not computed."""


@dataclass(frozen=True)
class ReportSettings:
    """`methods.report`."""

    name: str
    title: str


@dataclass(frozen=True)
class AnalysisConfiguration:
    """The whole configuration."""

    headers: tuple[str, ...] | None
    label: ColumnReference | None
    predicted_label: ColumnReference | None
    join_source: ColumnReference | None
    excluded_columns: tuple[ColumnReference, ...]
    probability_threshold: float
    shap: ShapSettings | None
    partial_dependence: PartialDependenceSettings | None
    bias: BiasSettings | None
    report: ReportSettings | None
    predictor: PredictorSettings | None

    @property
    def needs_model(self) -> bool:
        """Whether something is computed that asks the model."""
        predicts = self.bias is not None and self.bias.post_training is not None
        return bool(self.shap or self.partial_dependence or (predicts and self.predicted_label is None))


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
    problems = Problems()
    check_keys("", document, problems)
    reader = Reader("", document, problems)
    if reader.text("version", "1.0") != "1.0":
        problems.add("version", f"{shown(document['version'])} is not known; use 1.0")
    kind = reader.text("dataset_type", None)
    if kind is None:
        problems.add("dataset_type", f"missing; use {CSV}")
    elif kind.lower() != CSV:
        problems.add("dataset_type", f"{shown(kind)} is not supported; use {CSV}")
    methods = reader.section("methods")
    if not set(methods.document) - {"report"}:
        problems.add("methods", "nothing to compute; give shap, pdp, pre_training_bias or post_training_bias")
    headers = reader.texts("headers")
    if headers is not None and len(set(headers)) != len(headers):
        twice = next(name for name in headers if headers.count(name) > 1)
        problems.add("headers", f"{shown(twice)} is there twice")
    shap = _read_shap(methods.section("shap"))
    predictor = read_predictor(reader.section("predictor")) if "predictor" in document else None
    configuration = AnalysisConfiguration(
        headers=headers,
        label=reader.column("label"),
        predicted_label=reader.column("predicted_label"),
        join_source=reader.column("joinsource_name_or_index"),
        excluded_columns=reader.columns("excluded_columns") or (),
        probability_threshold=reader.number("probability_threshold", 0.5),
        shap=shap if "shap" in methods.document else None,
        partial_dependence=_read_pdp(methods) if "pdp" in methods.document else None,
        bias=_read_bias(reader, methods),
        report=_read_report(methods.section("report")) if "report" in methods.document else None,
        predictor=predictor,
    )
    _check_columns(configuration, problems)
    problems.raise_if_any()
    return configuration


def _read_shap(reader: Reader) -> ShapSettings:
    baseline = reader.document.get("baseline")
    rows: tuple[tuple[Cell, ...], ...] | str | None = None
    if isinstance(baseline, str):
        rows = baseline
        if not baseline.startswith("s3://"):
            reader.problem("baseline", f"{shown(baseline)} is neither rows nor an S3 URI")
    elif isinstance(baseline, list) and baseline and all(isinstance(row, list) and row for row in baseline):
        rows = tuple(tuple(row) for row in baseline)
        if len({len(row) for row in rows}) > 1:
            reader.problem("baseline", "its rows differ in length")
        if not all(isinstance(cell, str | int | float | None) for row in rows for cell in row):
            reader.problem("baseline", "a cell is neither a number nor text")
    elif baseline is not None:
        reader.problem("baseline", f"{shown(baseline)} is neither a list of rows nor an S3 URI")
    clusters = reader.positive("num_clusters")
    if baseline is not None and clusters is not None:
        reader.problem("num_clusters", "contradicts baseline: give one of the two")
    seed = reader.integer("seed")
    if seed is not None and not 0 <= seed <= MAX_SEED:
        reader.problem("seed", f"{seed} is not between 0 and {MAX_SEED}")
    method = (reader.text("agg_method", "mean_abs") or "").lower()
    if method not in AGGREGATION_METHODS:
        reader.problem("agg_method", f"{shown(method)} is not known; use {', '.join(AGGREGATION_METHODS)}")
    return ShapSettings(
        baseline=rows,
        num_clusters=clusters,
        num_samples=reader.positive("num_samples"),
        agg_method=method,  # type: ignore[arg-type]  # checked above
        use_logit=reader.flag("use_logit", False),
        seed=seed,
        save_local_shap_values=reader.flag("save_local_shap_values", True),
    )


def _read_pdp(methods: Reader) -> PartialDependenceSettings:
    reader = methods.section("pdp")
    features = reader.columns("features")
    if features is None and "shap" not in methods.document:
        reader.problem("features", "missing; without methods.shap there are no top features to choose")
    return PartialDependenceSettings(
        features, reader.positive("grid_resolution") or 15, reader.positive("top_k_features") or 10
    )


def _read_bias(reader: Reader, methods: Reader) -> BiasSettings | None:
    chosen = {
        key: _read_metrics(methods.section(key), known) if key in methods.document else None
        for key, known in (("pre_training_bias", PRE_TRAINING), ("post_training_bias", POST_TRAINING))
    }
    facets = _read_facets(reader)
    values = reader.cells("label_values_or_threshold")
    if not any(chosen.values()):
        return None
    for key in ("label", "label_values_or_threshold", "facet"):
        if not reader.document.get(key) and reader.document.get(key) != 0:
            reader.problem(key, "missing; the bias metrics need it")
    return BiasSettings(
        facets=facets,
        label_values_or_threshold=values or (),
        group_variable=reader.column("group_variable"),
        pre_training=chosen["pre_training_bias"],
        post_training=chosen["post_training_bias"],
    )


def _read_metrics(reader: Reader, known: Mapping[str, object]) -> str | tuple[str, ...]:
    value = reader.document.get("methods", "all")
    names = [value] if isinstance(value, str) else value
    if names == ["all"]:
        return "all"
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        reader.problem("methods", f"{shown(value)} is neither all nor a list of names")
        return "all"
    for name in names:
        if name not in known:
            reader.problem("methods", f"metric {shown(name)} is not known; use all, or {', '.join(known)}")
    return tuple(names)


def _read_facets(reader: Reader) -> tuple[Facet, ...]:
    value = reader.document.get("facet")
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        reader.problem("facet", f"{shown(value)} is not a list of objects")
        return ()
    facets = []
    for item in value:
        part = reader.part("facet", item)
        column = part.column("name_or_index")
        if column is None:
            part.problem("name_or_index", "missing")
        else:
            facets.append(Facet(column, part.cells("value_or_threshold")))
    return tuple(facets)


def _read_report(reader: Reader) -> ReportSettings:
    name = reader.text("name", "report") or ""
    if not _FILE_NAME.fullmatch(name):
        reader.problem("name", f"{shown(name)} is not a file name of letters, digits and . _ -")
    return ReportSettings(name, reader.text("title", None) or "Analysis Report")


def _check_columns(configuration: AnalysisConfiguration, problems: Problems) -> None:
    """Columns can be looked up now where the headers are known; else it is done when the data are read."""
    headers = configuration.headers
    if headers is None:
        return
    bias, dependence = configuration.bias, configuration.partial_dependence
    references: list[tuple[str, ColumnReference | None]] = [
        ("label", configuration.label),
        ("predicted_label", configuration.predicted_label),
        ("joinsource_name_or_index", configuration.join_source),
        *(("excluded_columns", column) for column in configuration.excluded_columns),
        *(("facet.name_or_index", facet.column) for facet in (bias.facets if bias else ())),
        ("group_variable", bias.group_variable if bias else None),
        *(("methods.pdp.features", column) for column in (dependence.features or () if dependence else ())),
    ]
    for key, reference in references:
        if reference is not None:
            try:
                resolve_column(key, reference, headers)
            except InvalidInputError as error:
                problems.found.append(str(error))


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
