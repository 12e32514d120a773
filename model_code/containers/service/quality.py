"""How well labels and scores agree with the truth: scikit-learn's measures, with their undefined cases."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from containers.service.labels import Labels

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Quality:
    """Measures of one scored and labelled set of rows; those that need both kinds of rows are None without.

    `precision` is 0 where nothing is flagged, as in scikit-learn with `zero_division=0`.
    """

    n: int
    anomalies: int
    """Rows that are labelled as anomalies."""
    flagged: int
    """Rows that the detector calls anomalies."""
    precision: float | None
    recall: float | None
    f1: float | None
    pr_auc: float | None
    """Average precision of the raw scores."""
    roc_auc: float | None
    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int

    def to_dict(self) -> dict[str, float | int | None]:
        """Return the measures rounded to six digits, for answers and documents."""
        return {
            name: round(value, 6) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }


def measure(truth: Labels, flagged: Labels, scores: FloatArray) -> Quality:
    """Measure labels and scores of shape (n_rows,); higher scores are more anomalous."""
    from sklearn.metrics import (
        average_precision_score,
        confusion_matrix,
        precision_recall_fscore_support,
        roc_auc_score,
    )

    (true_negatives, false_positives), (false_negatives, true_positives) = confusion_matrix(
        truth, flagged, labels=[False, True]
    ).tolist()
    anomalies = int(truth.sum())
    precision: float | None = None
    recall: float | None = None
    f1: float | None = None
    if anomalies:
        precision, recall, f1, _ = precision_recall_fscore_support(
            truth, flagged, average="binary", zero_division=0
        )
    both = 0 < anomalies < len(truth)
    return Quality(
        n=len(truth),
        anomalies=anomalies,
        flagged=int(flagged.sum()),
        precision=None if precision is None else float(precision),
        recall=None if recall is None else float(recall),
        f1=None if f1 is None else float(f1),
        pr_auc=float(average_precision_score(truth, scores)) if anomalies else None,
        roc_auc=float(roc_auc_score(truth, scores)) if both else None,
        true_positives=true_positives,
        false_positives=false_positives,
        false_negatives=false_negatives,
        true_negatives=true_negatives,
    )


def precision_recall(truth: Labels, raw: FloatArray, points: int = 400) -> tuple[FloatArray, FloatArray]:
    """Return precision and recall along the curve, from high recall to low, thinned to so many points."""
    from sklearn.metrics import precision_recall_curve

    precision, recall, _ = precision_recall_curve(truth, raw, drop_intermediate=True)
    chosen = np.unique(np.linspace(0, len(precision) - 1, min(points, len(precision))).astype(int))
    return precision[chosen], recall[chosen]
