"""Published detectors behind the common interface: classes by algorithm.

scikit-learn is imported when one is fitted, or when one that looks for neighbours is used; the rest of the
package does without it.
"""

from __future__ import annotations

from watchkeeper.detectors.tabular.detector import KnownDetector
from watchkeeper.detectors.tabular.distributions import COPODDetector, ECODDetector, HBOSDetector
from watchkeeper.detectors.tabular.margins import EllipticEnvelopeDetector, OneClassSVMDetector, PCADetector
from watchkeeper.detectors.tabular.neighbours import DBSCANDetector, KNNDetector, LOFDetector
from watchkeeper.detectors.tabular.trees import IsolationForestDetector, RCFDetector

KNOWN: dict[str, type[KnownDetector]] = {
    detector.algorithm: detector
    for detector in (
        COPODDetector,
        DBSCANDetector,
        ECODDetector,
        EllipticEnvelopeDetector,
        HBOSDetector,
        IsolationForestDetector,
        KNNDetector,
        LOFDetector,
        OneClassSVMDetector,
        PCADetector,
        RCFDetector,
    )
}
KNOWN_ALGORITHMS = tuple(KNOWN)

__all__ = [
    "KNOWN",
    "KNOWN_ALGORITHMS",
    "COPODDetector",
    "DBSCANDetector",
    "ECODDetector",
    "EllipticEnvelopeDetector",
    "HBOSDetector",
    "IsolationForestDetector",
    "KNNDetector",
    "KnownDetector",
    "LOFDetector",
    "OneClassSVMDetector",
    "PCADetector",
    "RCFDetector",
]
