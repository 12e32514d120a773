"""Rows of a file by the rules of a workload's measure, as the scoring loop has them."""

from __future__ import annotations

import dataclasses
from collections import defaultdict, deque

import numpy as np
import numpy.typing as npt

from watchkeeper.command.series_file import Piece
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import MeasurePlan, WorkloadPlan
from watchkeeper.detectors.streaming.scores import SeriesScores
from watchkeeper.judgement.rules import RuleBook
from watchkeeper.telemetry.expectation import EXPECTATION_LAGS, expected_value
from watchkeeper.telemetry.series import key_of

Texts = npt.NDArray[np.str_]


class RuledRows:
    """The rules of one measure, which remember of each series what is expected next.

    Parameters
    ----------
    dimensions
        Columns whose values tell series apart.
    """

    def __init__(self, plan: WorkloadPlan, measure: MeasurePlan, dimensions: tuple[str, ...]) -> None:
        self._book, self._measure, self._dimensions = RuleBook(plan), measure, dimensions
        self._before: defaultdict[tuple[str, ...], deque[float]] = defaultdict(
            lambda: deque(maxlen=EXPECTATION_LAGS)
        )

    def judge(self, piece: Piece, scores: SeriesScores) -> tuple[SeriesScores, Texts]:
        """Return the scores as the rules have them, and the rule that decided each row, if one did."""
        anomalous, severity = scores.is_anomaly.copy(), scores.severity.copy()
        decided = np.full(len(scores), "", dtype=object)
        for series, rows in piece.series.items():
            rules = self._book.of(key_of(self._measure.name, self._dimensions, series))
            if rules is None:
                continue
            before = self._before[series]
            for row in rows.tolist():
                value, expected = float(piece.values[row, 0]), float(scores.expected[row])
                if value != value:
                    continue
                known = expected_value(tuple(before)) if expected != expected else expected
                found = rules.judge(int(piece.seconds[row]), value, known, bool(anomalous[row]))
                before.appendleft(value)
                if found.rule is not None:
                    decided[row], anomalous[row] = found.rule, found.is_anomaly
                    severity[row] = max(severity[row], found.severity_at_least)
        return dataclasses.replace(scores, is_anomaly=anomalous, severity=severity), decided


def measure_in(plan: WorkloadPlan, value: str, file: str) -> MeasurePlan:
    """Return the measure of a workload that a column has.

    Raises
    ------
    InvalidInputError
        If it has none, or several.
    """
    found = [one for one in plan.measures if value in (one.field, one.name)]
    exact = [one for one in found if one.name == value] or found
    if len(exact) != 1:
        names = ", ".join(dict.fromkeys(one.field for one in plan.measures))
        raise InvalidInputError(
            f"--value {value}: {'several measures' if exact else 'no measure'} of {file} "
            f"{'have' if exact else 'has'} this field; its fields: {names}"
        )
    return exact[0]
