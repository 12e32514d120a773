"""Makes what explains the candidate's anomalies, and measures how well it knows the candidate.

The built-in Random Cut Forest cannot be asked for attributions, so a forest of the same kind stands in for it
(`watchkeeper.detectors.forest.surrogate`). The streaming detector says itself what its scores are made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.detectors.forest.surrogate import SURROGATE_NAME
from watchkeeper.detectors.forest.surrogate_fit import fit_surrogate, rank_agreement
from watchkeeper.features.contributions import Explainer
from watchkeeper.telemetry.rows import parse_rows

COMPARED_ROWS = 2000


def make_explainer(
    train_rows: Path, holdback: Sequence[str], scores: Sequence[float], plan: WorkloadPlan, output: Path
) -> Explainer:
    """Write what explains the candidate into `output`, and return how good it is.

    Parameters
    ----------
    train_rows
        The rows that the candidate was trained on.
    holdback, scores
        The held-back rows and the candidate's scores of them; up to `COMPARED_ROWS` of them, spread evenly,
        are compared.
    """
    if plan.detector.algorithm == "watchkeeper":
        return Explainer("detector")
    max_lags = plan.features.shingle - 1
    with train_rows.open(encoding="utf-8") as file:
        surrogate = fit_surrogate(list(parse_rows(file, max_lags=max_lags)), plan)
    (output / SURROGATE_NAME).write_bytes(surrogate.portable().to_bytes())
    step = -(-len(scores) // COMPARED_ROWS)
    compared = list(parse_rows(holdback[::step], max_lags=max_lags))
    agreement = rank_agreement(surrogate.score(compared), scores[::step])
    return Explainer("forest", rank_agreement=agreement, rows=len(compared))
