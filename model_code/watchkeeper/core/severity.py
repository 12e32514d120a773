"""The one scale of severity, 0 to 100: what the threshold is on it, for detectors, workloads and the service.

`judgement.severity` puts a model's scores on it, `detectors.protocol.calibration` a detector's rarities.
"""

from __future__ import annotations

THRESHOLD_SEVERITY = 70.0
"""Of what just is an anomaly."""
MAX_SEVERITY = 100.0
"""Never exceeded."""
BELOW_THRESHOLD = 69.9999
"""Most that what is no anomaly gets: less than the threshold in the digits that files have, too."""
