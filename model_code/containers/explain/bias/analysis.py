"""Bias metrics of every facet in the configuration, before and after training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from containers.explain.bias.outcomes import Selection, categories, select
from containers.explain.io.configuration import AnalysisConfiguration, Methods, resolve_column
from containers.explain.io.dataset import Dataset, is_number
from containers.explain.io.model import Model
from containers.explain.measures.bias import POST_TRAINING, PRE_TRAINING, BiasMetric, measure_bias
from containers.explain.measures.bias_sample import BiasSample, Outcomes
from watchkeeper.core.errors import InvalidInputError


@dataclass(frozen=True)
class FacetBias:
    """Metrics of one group of a facet."""

    group: Selection
    members: Outcomes
    """Counts of the group."""
    others: Outcomes
    """Counts of all other rows."""
    pre_training: list[BiasMetric] | None
    post_training: list[BiasMetric] | None
    """None: not asked for."""


@dataclass(frozen=True)
class BiasAnalysis:
    """Metrics of all facets."""

    favourable: Selection
    facets: list[FacetBias]


def analyse_bias(configuration: AnalysisConfiguration, dataset: Dataset, model: Model | None) -> BiasAnalysis:
    """Compute the configured metrics.

    Raises
    ------
    InvalidInputError
        If a facet or label does not have the configured values, or a group is empty; names the key.
    """
    if dataset.label is None:
        raise InvalidInputError("label: missing; the bias metrics need it", reason="analysis_config")
    label = dataset.table[dataset.label]
    if label.isna().any():
        raise InvalidInputError(f"label: {dataset.label} has missing cells", reason="outcome")
    favourable = select("label_values_or_threshold", label, configuration.label_values_or_threshold)
    labelled = favourable.of(label)
    predicted = None
    if configuration.methods.post_training_bias is not None:
        predicted = _predicted(configuration, dataset, favourable, model)
    group_name = None
    if configuration.group_variable is not None:
        group_name = resolve_column("group_variable", configuration.group_variable, dataset.names)
    facets = []
    for facet in configuration.facet:
        assert facet.name_or_index is not None  # the configuration was checked
        name = resolve_column("facet.name_or_index", facet.name_or_index, dataset.names)
        column = dataset.table[name]
        key = f"facet.value_or_threshold of {name}"
        groups = (
            categories(key, column)
            if facet.value_or_threshold is None
            else [select(key, column, facet.value_or_threshold)]
        )
        features, no_features = _comparable(dataset, name)
        for group in groups:
            try:
                sample = BiasSample(
                    sensitive=group.of(column),
                    labelled=labelled,
                    predicted=predicted,
                    group=None if group_name is None else dataset.table[group_name].astype(str).to_numpy(),
                    features=features,
                    no_features=no_features,
                )
            except InvalidInputError as error:
                raise InvalidInputError(f"{key}: {group.words}: {error}", reason="outcome") from error
            facets.append(_measure(configuration.methods, group, sample))
    return BiasAnalysis(favourable, facets)


def _measure(methods: Methods, group: Selection, sample: BiasSample) -> FacetBias:
    pre, post = methods.pre_training_bias, methods.post_training_bias
    return FacetBias(
        group,
        sample.d,
        sample.a,
        None if pre is None else measure_bias(sample, PRE_TRAINING, pre.methods),
        None if post is None else measure_bias(sample, POST_TRAINING, post.methods),
    )


def _predicted(
    configuration: AnalysisConfiguration, dataset: Dataset, favourable: Selection, model: Model | None
) -> NDArray[np.bool_]:
    """Return which rows have a favourable prediction."""
    if dataset.predicted_label is not None:
        return favourable.of(dataset.table[dataset.predicted_label])
    if model is None:
        raise InvalidInputError(
            "methods.post_training_bias: needs predictor, or predicted_label", reason="analysis_config"
        )
    answers = model.predict(dataset.rows)
    if answers.labels is not None:
        return _favourable_labels(pd.Series(answers.labels), favourable)
    headers = model.settings.label_headers
    if answers.scores.shape[1] > 1:
        if headers is None or len(headers) != answers.scores.shape[1]:
            raise InvalidInputError(
                f"predictor.label_headers: the model gives {answers.scores.shape[1]} scores; name the label "
                "of each",
                reason="analysis_config",
            )
        labels = np.array(headers, dtype=object)[answers.scores.argmax(axis=1)]
        return _favourable_labels(pd.Series(labels), favourable)
    scores = answers.scores[:, 0]
    if favourable.threshold is not None:
        return favourable.of(pd.Series(scores))
    known = pd.unique(dataset.table[dataset.label or ""])
    if np.isin(scores, known).all():
        return _favourable_labels(pd.Series(scores), favourable)
    if scores.min() < 0.0 or scores.max() > 1.0:
        raise InvalidInputError(
            f"label_values_or_threshold: the model's scores, such as {scores[0]:g}, are neither labels nor "
            "probabilities of the favourable one; say where the label is in predictor.label",
            reason="outcome",
        )
    return scores > configuration.probability_threshold


def _favourable_labels(labels: pd.Series, favourable: Selection) -> NDArray[np.bool_]:
    numbers = pd.to_numeric(labels, errors="coerce")
    return favourable.of(labels.astype(str) if numbers.isna().any() else numbers)


def _comparable(dataset: Dataset, facet: str) -> tuple[NDArray[np.float64] | None, str]:
    """Return the features that the flip test compares rows by, or why there are none."""
    names = [name for name in dataset.features if name != facet]
    text = [name for name in names if not is_number(dataset.table[name])]
    if text:
        return None, f"the flip test compares numbers, and {text[0]} is text"
    if not names:
        return None, "the flip test needs features beside the facet"
    return dataset.table[names].to_numpy(dtype=np.float64), ""
