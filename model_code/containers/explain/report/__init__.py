"""The report: what a reader without statistics needs to know of an analysis, as a web page and as PDF."""

from __future__ import annotations

from pathlib import Path

from containers.explain.io.configuration import AnalysisConfiguration, ReportSettings
from containers.explain.io.dataset import Dataset
from containers.explain.report.findings import Findings

CHARTS = "charts"


def write_report(
    output: Path,
    settings: ReportSettings,
    configuration: AnalysisConfiguration,
    dataset: Dataset,
    findings: Findings,
) -> None:
    """Write the charts, `NAME.html` and `NAME.pdf`."""
    from containers.explain.report.document import build_document
    from containers.explain.report.page import render_page
    from containers.explain.report.pdf import write_pdf

    document = build_document(settings.title, configuration, dataset, findings)
    folder = output / CHARTS
    folder.mkdir(parents=True, exist_ok=True)
    for chart in document.charts:
        (folder / f"{chart.name}.png").write_bytes(chart.png)
    (output / f"{settings.name}.html").write_text(render_page(document), encoding="utf-8")
    write_pdf(document, output / f"{settings.name}.pdf")
