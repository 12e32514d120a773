"""A spec with ten mistakes: each is told once, with its place, its value and the remedy."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.local

SPEC = """\
name: press
kind: anomaly
source:
  topic: plant/#/press
  timestamp: {field: at, format: iso}
measures:
  - {field: bar, name: pressure, aggregate: mean}
dimensions: [line, line]
interval: 5 parsecs
lateness: -1m
detector:
  algorithm: rcf
  hyperparameters: {num_trees: 5}
threshold: {rule: mean_sigma, k: three}
gate: {max_alert_per_week: 3}
endpoint:
  instance_type: m5.large
"""
MISTAKES = [
    (4, "source.topic", "'plant/#/press'", "# is the whole last level"),
    (5, "source.timestamp.format", "'iso'", "must be iso8601, "),
    (7, "measures[0].aggregate", "'mean'", "must be 'avg', "),
    (8, "dimensions", "['line', 'line']", "each must be different"),
    (9, "interval", "'5 parsecs'", "such as 30s, 5m"),
    (10, "lateness", "'-1m'", "such as 30s, 5m"),
    (13, "detector.hyperparameters.num_trees", "5", "must be at least 50"),
    (14, "threshold.k", "'three'", "must be a number"),
    (15, "gate.max_alert_per_week", "3", "did you mean max_alerts_per_week?"),
    (17, "endpoint.instance_type", "'m5.large'", "such as ml.m5.large"),
]


def test_ten_mistakes_are_ten_errors(tmp_path: Path) -> None:
    file = tmp_path / "press.yaml"
    file.write_text(SPEC)

    command = Path(sys.executable).with_name("watchkeeper")
    done = subprocess.run([command, "validate", file], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    errors = done.stderr.strip().removeprefix("error: ").splitlines()
    assert len(errors) == len(MISTAKES)
    for error, (line, key, value, remedy) in zip(errors, MISTAKES, strict=True):
        assert error.startswith(f"{file}:{line}: {key}: {value}: ")
        assert remedy in error
