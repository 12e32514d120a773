"""Global importance of features, as `analysis.json` of an explain job has it."""

from __future__ import annotations

import json

from watchkeeper.core.errors import ContractViolationError


def global_importance(analysis: str | bytes) -> dict[str, float]:
    """Return the importance of each feature in `analysis.json`, the largest first.

    Raises
    ------
    ContractViolationError
        If the document has no SHAP values of exactly one output.
    """
    try:
        (values,) = json.loads(analysis)["explanations"]["kernel_shap"].values()
        importance = {str(name): float(value) for name, value in values["global_shap_values"].items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ContractViolationError(f"analysis.json has no SHAP values of one output: {error!r}") from error
    if not importance:
        raise ContractViolationError("analysis.json has no feature")
    return dict(sorted(importance.items(), key=lambda item: (-abs(item[1]), item[0])))


def importance_sentence(importance: dict[str, float], *, most: int = 3) -> str:
    """Return what matters most, in one sentence.

    Examples
    --------
    >>> importance_sentence({"weight": 2.0, "height": 1.5, "sex": 0.5}, most=2)
    'It predicts mostly from weight (50 %), height (38 %).'
    """
    total = sum(map(abs, importance.values()))
    if not total:
        return "No feature makes a difference to what it predicts."
    shares = [f"{name} ({abs(value) / total:.0%})" for name, value in list(importance.items())[:most]]
    return f"It predicts mostly from {', '.join(shares).replace('%', ' %')}."
