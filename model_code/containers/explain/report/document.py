"""The report's content, in its order: the web page and the PDF show the same."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from containers.explain.bias.outcomes import is_continuous
from containers.explain.io.configuration import AnalysisConfiguration
from containers.explain.io.dataset import Dataset
from containers.explain.report import figures, words
from containers.explain.report.bias_tables import bias_sections
from containers.explain.report.blocks import Block, Chart, Document, Section, Table
from containers.explain.report.findings import Findings
from containers.explain.report.importance import Importance, importances
from watchkeeper.charts.style import file_name
from watchkeeper.core.errors import InvalidInputError

EXAMPLES_VARIABLE = "WATCHKEEPER_EXAMPLES"
"""Numbers of the rows that are explained one by one, from 0, with commas between."""
MAX_OUTPUTS = 3
"""Of a model with many scores, so many are drawn; the files have all."""


def build_document(
    title: str, configuration: AnalysisConfiguration, dataset: Dataset, findings: Findings
) -> Document:
    """Put the report together.

    Raises
    ------
    InvalidInputError
        If `$WATCHKEEPER_EXAMPLES` names a row that is not there.
    """
    subtitle = f"{len(dataset.table):,} rows, {len(dataset.features)} features"
    if dataset.label is not None:
        subtitle += f", label {dataset.label}"
    sections = [Section("Summary", [words.summary(dataset, findings)])]
    shap = findings.shap
    if shap is not None and configuration.methods.shap is not None:
        for output in range(min(MAX_OUTPUTS, len(findings.labels))):
            suffix = f" of {findings.labels[output]}" if len(findings.labels) > 1 else ""
            found = importances(dataset, shap, output)
            sections += _shap_sections(configuration, dataset, findings, output, found, suffix)
    if findings.dependence:
        sections.append(_dependence_section(findings))
    if findings.bias is not None:
        sections += bias_sections(findings.bias)
    sections.append(Section("How it was done", [*words.method(configuration, dataset, findings)]))
    sections.append(Section("What to keep in mind", [words.limits(findings)]))
    return Document(title, subtitle, sections)


def chosen_examples(scores: Sequence[float]) -> list[int]:
    """Return the rows that are explained one by one: those asked for, else the lowest, middle and highest.

    Raises
    ------
    InvalidInputError
        If one that is asked for is not there.
    """
    asked = os.environ.get(EXAMPLES_VARIABLE, "").strip()
    if not asked:
        order = np.argsort(scores, kind="stable")
        return sorted({int(order[0]), int(order[len(order) // 2]), int(order[-1])})
    numbers = [part.strip() for part in asked.split(",")]
    for part in numbers:
        if not part.isdigit() or int(part) >= len(scores):
            raise InvalidInputError(
                f"{EXAMPLES_VARIABLE}={asked!r}: {part!r} is not a row's number from 0 to {len(scores) - 1}"
            )
    return [int(part) for part in numbers]


def _shap_sections(
    configuration: AnalysisConfiguration,
    dataset: Dataset,
    findings: Findings,
    output: int,
    found: list[Importance],
    suffix: str,
) -> list[Section]:
    shap = findings.shap
    assert shap is not None
    name = f"_{findings.labels[output]}" if suffix else ""
    settings = configuration.methods.shap
    assert settings is not None
    unit = "log-odds" if settings.use_logit else _unit(dataset, findings)
    values = shap.attribution.values[:, :, output]
    bar = Chart(
        f"bar{name}", figures.importance_bars(found, settings.agg_method, unit), "Importance by feature"
    )
    swarm = Chart(
        f"beeswarm{name}",
        figures.beeswarm(found, dataset.rows, values, unit),
        "Each row's contribution of each feature",
    )
    examples: list[Block] = [words.READ_EXAMPLE]
    for row in chosen_examples(shap.attribution.scores[:, output].tolist()):
        example = words.Example.of(dataset, shap, row, output)
        examples += [
            words.describe_example(example),
            Chart(
                f"local_explanation_{row}{name}",
                figures.example_steps(example, unit),
                f"Contributions to the prediction of example {row}",
            ),
        ]
    table = Table(
        ["Feature", "Importance", "Share", "How it acts"],
        [[item.feature, item.text, item.share_text, item.direction] for item in found],
        frozenset({1, 2}),
    )
    return [
        Section(
            f"What drives the predictions{suffix}", [words.read_importance(settings.agg_method), bar, table]
        ),
        Section(f"How each feature acts{suffix}", [words.READ_BEESWARM, swarm]),
        Section(f"Single predictions{suffix}", examples),
    ]


def _unit(dataset: Dataset, findings: Findings) -> str:
    """Say what one unit of a score is: one of the label's, where the label is a number that is predicted."""
    if (
        len(findings.labels) == 1
        and dataset.label is not None
        and is_continuous(dataset.table[dataset.label])
    ):
        return dataset.label
    return "the score's unit"


def _dependence_section(findings: Findings) -> Section:
    charts = [
        Chart(
            f"partial_dependence_{file_name(item.feature)}",
            figures.dependence(item, findings.labels[:MAX_OUTPUTS]),
            f"Mean prediction by {item.feature}",
        )
        for item in findings.dependence
    ]
    return Section("The mean prediction as one feature changes", [words.READ_DEPENDENCE, *charts])
