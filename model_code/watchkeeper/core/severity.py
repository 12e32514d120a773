"""The one scale of severity, 0 to 100: what the threshold is on it, for detectors, workloads and the service.

`judgement.severity` puts a model's scores on it, `detectors.protocol.calibration` a detector's rarities.
"""

from __future__ import annotations

import math
from typing import Any

THRESHOLD_SEVERITY = 70.0
"""Of what just is an anomaly."""
SCORE_RARITY = 10.0
"""The rarity whose anomaly_score is 1: -log10 of how often an unlabelled row gets at least as much."""
MAX_SEVERITY = 100.0
"""Never exceeded."""
BELOW_THRESHOLD = THRESHOLD_SEVERITY - 1e-4
"""Most that what is no anomaly gets: less than the threshold in the digits that files have, too."""


def severity_text(severity: float, limit: float | None = None, *, of: str = "") -> str:
    """Return a severity for people, with the limit from which it is one of an anomaly.

    It is a limit in every text: what is called a threshold there is that of a score.

    Parameters
    ----------
    limit
        Where people's feedback has moved it; None: `THRESHOLD_SEVERITY`.

    Examples
    --------
    >>> severity_text(83.2), severity_text(83.2, of="of 100")
    ('83 (limit 70)', '83 of 100 (limit 70)')
    >>> severity_text(83.2, 80.0)
    '83 (limit 80 by feedback)'
    """
    said = f"{THRESHOLD_SEVERITY:.0f}" if limit is None else f"{limit:.0f} by feedback"
    return " ".join([f"{severity:.0f}", *filter(None, [of]), f"(limit {said})"])


def severity_cell(severity: float, limit: float | None = None) -> str:
    """Return a severity below `severity_heading`: with its limit where that is another one.

    Examples
    --------
    >>> severity_cell(83.2), severity_cell(83.2, 80.0)
    ('83', '83 (limit 80 by feedback)')
    """
    return f"{severity:.0f}" if limit is None else severity_text(severity, limit)


def severity_heading(limit: float = THRESHOLD_SEVERITY) -> str:
    """Return what stands above a column or a panel of severities.

    Examples
    --------
    >>> severity_heading()
    'severity (limit 70)'
    """
    return f"severity (limit {limit:.0f})"


def score_below(rarity: float) -> float:
    """Return the largest anomaly_score that is less than that of a rarity: the threshold it stands for, since
    an anomaly has at least the rarity and a score above the threshold."""
    return math.nextafter(rarity / SCORE_RARITY, 0.0)


def severity_above(decay: Any) -> Any:
    """Return the severity of what is beyond the threshold.

    Parameters
    ----------
    decay
        `exp(-distance)`, a number or an array: the distance is in those from the median to the threshold.
    """
    return MAX_SEVERITY - (MAX_SEVERITY - THRESHOLD_SEVERITY) * decay
