"""The evaluation of a workload of any kind: a document without `kind` is of an anomaly workload."""

from __future__ import annotations

import json

from watchkeeper.evaluation import Evaluation
from watchkeeper.regression.evaluation import RegressionEvaluation
from watchkeeper.regression.plan import REGRESSION

AnyEvaluation = Evaluation | RegressionEvaluation


def evaluation_from_json(text: str | bytes) -> AnyEvaluation:
    """Read an evaluation of any kind.

    Raises
    ------
    ContractViolationError
        If it is not of this release.
    """
    document = json.loads(text)
    if document.get("kind") == REGRESSION:
        return RegressionEvaluation.from_dict(document)
    return Evaluation.from_json(text)
