"""Sentences of the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from containers.explain.io.configuration import AnalysisConfiguration
from containers.explain.io.dataset import Dataset, is_number
from containers.explain.measures.attribution import AggregationMethod
from containers.explain.report.findings import Findings
from containers.explain.report.importance import importances
from containers.explain.report.numbers import cell, listing, number, percent
from containers.explain.shap.analysis import ShapAnalysis

READ_BEESWARM = (
    "Each dot is one row. How far right it is says how much the feature raised that row's prediction; "
    "left of "
    "zero, it lowered it. Orange dots have high values of the feature, blue ones low values, grey ones "
    "categories."
)
READ_EXAMPLE = (
    "A prediction starts at the mean prediction of the baseline; each bar adds what one feature of that row "
    "contributes, and the bars end at the prediction. Rows are numbered from 0."
)
READ_DEPENDENCE = (
    "Each point is the mean prediction over all rows when the feature is set to that value in every row and "
    "all else stays as it is. Grey: how many rows have such a value. Values far from the data are guesses of "
    "the model."
)
SHOWN_REASONS = 3


@dataclass(frozen=True)
class Example:
    """One row, its prediction and what it is made of."""

    row: int
    label_name: str | None
    label: Any
    features: list[str]
    cells: list[Any]
    values: list[float]
    """SHAP values."""
    expected: float
    prediction: float
    """On the scale of the values: the score, or its log-odds."""
    score: float

    @classmethod
    def of(cls, dataset: Dataset, shap: ShapAnalysis, row: int, output: int) -> Example:
        """Take a row out of an analysis."""
        return cls(
            row=row,
            label_name=dataset.label,
            label=None if dataset.label is None else dataset.table[dataset.label].iloc[row],
            features=list(dataset.features),
            cells=[dataset.table[name].iloc[row] for name in dataset.features],
            values=shap.attribution.values[row, :, output].tolist(),
            expected=float(shap.attribution.expected[output]),
            prediction=float(shap.attribution.linked[row, output]),
            score=float(shap.attribution.scores[row, output]),
        )


def summary(dataset: Dataset, findings: Findings) -> list[str]:
    """Return the points that come first."""
    points: list[str] = []
    if findings.shap is not None:
        found = importances(dataset, findings.shap, 0)
        first = found[0]
        points.append(
            f"{first.feature} drives the predictions most: it moves them by {number(first.mean_absolute)} on "
            f"average, {percent(first.share)} of what all features move together; {first.direction}."
        )
        others = [f"{item.feature} ({percent(item.share)})" for item in found[1:4] if item.share >= 0.01]
        if others:
            points.append(f"Then {listing(others)}.")
        idle = [item.feature for item in found if item.share < 0.01]
        if idle:
            points.append(f"Hardly used by the model (less than 1 %): {listing(sorted(idle))}.")
        scores = findings.shap.attribution.scores[:, 0]
        points.append(
            f"Predictions of these rows go from {number(float(scores.min()))} to "
            f"{number(float(scores.max()))}, "
            f"{number(float(scores.mean()))} on average; the baseline's is "
            f"{number(float(findings.shap.attribution.expected[0]))}."
        )
        points += _quality(dataset, scores)
    if findings.bias is not None:
        favourable = findings.bias.favourable.words
        for facet in findings.bias.facets:
            rates = (
                f"{percent(facet.members.labelled / facet.members.n)} against "
                f"{percent(facet.others.labelled / facet.others.n)} of all others"
            )
            sentence = f"{facet.group.words} ({facet.members.n:,} rows): {rates} have {favourable}"
            if facet.post_training is not None:
                sentence += (
                    f"; the model says so of {percent(facet.members.predicted / facet.members.n)} against "
                    f"{percent(facet.others.predicted / facet.others.n)}"
                )
            points.append(sentence + ".")
    return points


def read_importance(method: AggregationMethod) -> str:
    """Say what an importance is."""
    meaning = {
        "mean_abs": "The importance of a feature is how much it moves a prediction, up or down, on average "
        "over all rows.",
        "mean_sq": "The importance of a feature is the mean square of how much it moves a prediction: rows "
        "that it moves far count more.",
        "median": "The importance of a feature is the median of how much it moves a prediction, with its "
        "sign: "
        "half of the rows are moved by more.",
    }[method]
    return f"{meaning} The share compares the mean movement, up or down, of all features."


def describe_example(example: Example) -> str:
    """Say in a sentence or two what a prediction is made of."""
    difference = example.prediction - example.expected
    direction = "above" if difference >= 0 else "below"
    order = np.argsort(-np.abs(example.values), kind="stable")
    parts: dict[bool, list[str]] = {True: [], False: []}
    for index in order[: 2 * SHOWN_REASONS]:
        value = example.values[index]
        if value and len(parts[value > 0]) < SHOWN_REASONS:
            name = f"{example.features[index]} = {cell(example.cells[index])}"
            parts[value > 0].append(f"{name} ({number(value, signed=True)})")
    text = (
        f"Example {example.row}: the model predicts {number(example.score)}, {number(abs(difference))} "
        f"{direction} the baseline's {number(example.expected)}."
    )
    if parts[True]:
        text += f" Raised by {listing(parts[True])}."
    if parts[False]:
        text += f" Lowered by {listing(parts[False])}."
    if example.label_name is not None:
        text += f" The data have {example.label_name} = {cell(example.label)}."
    return text


def method(configuration: AnalysisConfiguration, dataset: Dataset, findings: Findings) -> list[str]:
    """Say how the values were computed, on which data and with which model."""
    paragraphs = []
    if findings.model is not None:
        paragraphs.append(f"Model: {findings.model}. It was asked about {findings.rows_asked:,} rows.")
    text = [name for name in dataset.features if not is_number(dataset.table[name])]
    categories = f" Categories: {listing(text)}." if text else ""
    paragraphs.append(
        f"Data: {len(dataset.table):,} rows. Given to the model: "
        f"{listing(list(dataset.features))}.{categories}"
    )
    shap = findings.shap
    if shap is not None and configuration.methods.shap is not None:
        attribution = shap.attribution
        how = {
            "tree": "The SHAP values are exact: they were computed from the model's trees (interventional "
            "TreeSHAP).",
            "exact": f"The SHAP values are exact: Kernel SHAP looked at all coalitions of the features that "
            f"differ from the baseline ({attribution.coalitions:,} at most).",
            "kernel": f"The SHAP values are estimates: Kernel SHAP looked at {attribution.coalitions:,} "
            f"coalitions of each row's features (seed {attribution.seed}).",
        }[attribution.method]
        paragraphs.append(
            f"{how} They are relative to {shap.baseline_origin}. With the baseline's prediction they add "
            "up to "
            f"the model's own prediction; the largest difference is {attribution.additivity_error:.1e}."
        )
        if configuration.methods.shap.use_logit:
            paragraphs.append("Contributions are in log-odds of the model's probability.")
    return paragraphs


def limits(findings: Findings) -> list[str]:
    """Say what the results do not mean."""
    points = []
    if findings.shap is not None:
        points += [
            "A contribution says what the model does with a feature, not what the feature does in the "
            "world: it is no cause.",
            "Contributions are relative to the baseline; another baseline gives other ones.",
            "Features that move together share their effect; to replace one alone makes rows that may "
            "not occur.",
        ]
        if findings.shap.attribution.undetermined:
            points.append(
                "There were fewer coalitions than the features need (methods.shap.num_samples): the "
                "values add up, but they are not unique. Take more samples before you use them."
            )
    if findings.bias is not None:
        points.append(
            "A difference between groups is a question, not an answer: groups may differ for reasons "
            "that are not the model's. Small groups give unsure numbers."
        )
    return points


def _quality(dataset: Dataset, scores: np.ndarray) -> list[str]:
    """Say how far the predictions are from a label of numbers: an explanation is worth what its model is."""
    if dataset.label is None or not is_number(dataset.table[dataset.label]):
        return []
    label = dataset.table[dataset.label].to_numpy(dtype=np.float64)
    deviation = float(np.abs(label - label.mean()).mean())
    if not np.isfinite(label).all() or len(np.unique(label)) <= 2 or deviation == 0.0:
        return []
    error = float(np.abs(scores - label).mean())
    return [
        f"On these rows the predictions are off by {number(error)} on average; to say the mean for all "
        f"would be off by {number(deviation)}."
    ]
