"""Bias metrics of the report: what was compared, and each value with its meaning."""

from __future__ import annotations

from containers.explain.bias.analysis import BiasAnalysis, FacetBias
from containers.explain.measures.bias import BiasMetric
from containers.explain.report.blocks import Block, Section, Table
from containers.explain.report.numbers import number, percent


def bias_sections(bias: BiasAnalysis) -> list[Section]:
    """Return a section for each group."""
    return [_section(bias, facet) for facet in bias.facets]


def _section(bias: BiasAnalysis, facet: FacetBias) -> Section:
    favourable = bias.favourable.words
    n_rows = facet.members.n + facet.others.n
    rates = Table(
        ["", "Rows", f"Label: {favourable}", *(["Prediction"] if facet.post_training else [])],
        [
            [name, f"{group.n:,} ({percent(group.n / n_rows)})", percent(group.labelled / group.n)]
            + ([percent(group.predicted / group.n)] if facet.post_training else [])
            for name, group in ((facet.group.words, facet.members), ("all others", facet.others))
        ],
        frozenset({1, 2, 3}),
    )
    blocks: list[Block] = [
        f"The group is {facet.group.words}; it is compared with all other rows. The favourable outcome is "
        f"{favourable}.",
        rates,
    ]
    for title, metrics in (
        ("In the data, before any model:", facet.pre_training),
        ("In the model's predictions:", facet.post_training),
    ):
        if metrics is not None:
            blocks += [title, _table(metrics)]
    return Section(f"Fairness: {facet.group.words}", blocks)


def _table(metrics: list[BiasMetric]) -> Table:
    rows = []
    for metric in metrics:
        value = "–" if metric.value is None else number(metric.value)
        reading = metric.reading if metric.error is None else f"Not computed: {metric.error}."
        rows.append([metric.description, value, reading])
    return Table(["Metric", "Value", "How to read it"], rows, frozenset({1}))
