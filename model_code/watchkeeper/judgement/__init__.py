"""From scores to decisions: thresholds, severity, evaluation on held-back rows, and the gate.

Scores are made in `detectors`; what follows from an anomaly is in `anomalies`.
"""
