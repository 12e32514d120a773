"""What an analysis found, as the report and the files need it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from containers.explain.bias.analysis import BiasAnalysis
from containers.explain.shap.analysis import ShapAnalysis
from containers.explain.shap.partial_dependence import PartialDependence


@dataclass(frozen=True)
class Findings:
    """Results of all analyses of one configuration."""

    labels: Sequence[str]
    """Names of the model's scores."""
    shap: ShapAnalysis | None
    dependence: Sequence[PartialDependence]
    bias: BiasAnalysis | None
    model: str | None
    """How the model was reached, in words."""
    rows_asked: int
