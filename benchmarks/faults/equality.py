"""Do the objects of scores hold what was to be said of these records, to the bit?

What was to be said: of a streaming detector what `watchkeeper score` computes of the same intervals, before
it writes ten digits of it; of a model at an endpoint what the endpoint answers to the same rows.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from benchmarks.faults.killing import Killer, Victim
from benchmarks.faults.loop import Loop, Message, repeated, shuffled, timed
from cli.telemetry import Reading, read_telemetry
from lambdas.adapters.endpoint import SageMakerEndpoint
from watchkeeper.anomalies.score_line import Interval, ScoreLine
from watchkeeper.core import layout
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import format_instant
from watchkeeper.detectors.scorer import RowScorer
from watchkeeper.telemetry.context import rows_of
from watchkeeper.telemetry.intervals import interval_start
from watchkeeper.telemetry.rows import format_row
from watchkeeper.telemetry.series import measure_of, series_key

HEADER = (
    "workload",
    "delivery",
    "messages",
    "killed",
    "intervals",
    "lost",
    "twice",
    "other value",
    "other score",
    "s",
)
REPEATED = 0.3
KILLS: Sequence[tuple[float, Victim]] = (
    (10.0, "scoring"),
    (2.0, "container"),
    (1.0, "server"),
    (5.0, "scoring"),
    (1.0, "alerting"),
    (4.0, "server"),
)
SENDING_SECONDS = 60.0
"""So long messages are under way at least, for the kills to hit what carries them."""
_ROWS = 500

Values = Mapping[str, Sequence[tuple[int, float]]]
"""Start and value of each interval, in the order of time, by series."""


@dataclass(frozen=True)
class Said:
    """Numbers of an interval, as they are compared."""

    value: float
    numbers: tuple[float, ...]

    @classmethod
    def of(cls, line: ScoreLine, *, own: bool) -> Said:
        """Take them out of a line; of a streaming detector all of them, else the score."""
        numbers = [line.anomaly_score]
        if own:
            numbers += [line.severity, float(line.is_anomaly), line.expected, line.lower, line.upper]
        return cls(
            np.nan if line.value is None else line.value,
            tuple(np.nan if number is None else float(number) for number in numbers),
        )

    def same_numbers(self, other: Said) -> bool:
        """Tell whether the numbers are the same ones, to the bit; two that are none are."""
        return np.array(self.numbers).tobytes() == np.array(other.numbers).tobytes()


def values_of(readings: Iterable[Reading], plan: WorkloadPlan) -> dict[str, list[tuple[int, float]]]:
    """Return the averages of intervals, exact and rounded once; nothing of the loop's is used for them."""
    sums: dict[str, dict[int, list[Fraction]]] = {}
    for reading in readings:
        start = interval_start(reading.event_time, plan.interval_seconds)
        for name, value in reading.record.measures.items():
            if value is not None:
                series = series_key(name, reading.record.dimensions, plan)
                sums.setdefault(series, {}).setdefault(start, []).append(Fraction(value))
    return {
        series: [(start, float(sum(found) / len(found))) for start, found in sorted(of_series.items())]
        for series, of_series in sums.items()
    }


def closed(
    values: Values, readings: Sequence[Reading], plan: WorkloadPlan
) -> dict[str, list[tuple[int, float]]]:
    """Return the intervals that these readings close by themselves."""
    newest = max(reading.event_time for reading in readings).timestamp()
    over = plan.interval_seconds + plan.lateness_seconds
    return {
        series: [(start, value) for start, value in found if start + over <= newest]
        for series, found in values.items()
    }


def by_the_detector(before: Values, live: Values, plan: WorkloadPlan) -> dict[Interval, Said]:
    """Return what `watchkeeper score --interval` computes of the live intervals, the history before them."""
    said: dict[Interval, Said] = {}
    for series, found in live.items():
        history = before.get(series, ())
        rows = np.array([*history, *found], dtype=np.float64)
        fill = measure_of(series, plan).fill
        scorer = RowScorer("watchkeeper", interval_seconds=plan.interval_seconds, missing=fill)
        scores = scorer.score(rows[:, 0], rows[:, 1:])
        columns = (
            scores.anomaly_score,
            scores.severity,
            scores.is_anomaly.astype(np.float64),
            scores.expected,
            scores.lower,
            scores.upper,
        )
        numbers = np.stack([column.reshape(len(rows)) for column in columns], axis=1)[len(history) :]
        for (start, value), row in zip(found, numbers.tolist(), strict=True):
            said[series, format_instant(start)] = Said(value, tuple(row))
    return said


def by_the_endpoint(loop: Loop, live: Values, plan: WorkloadPlan) -> dict[Interval, Said]:
    """Return what the workload's endpoint answers to the rows of the live intervals."""
    endpoint = SageMakerEndpoint(loop.trained.session.client("sagemaker-runtime"))
    said: dict[Interval, Said] = {}
    for series, found in live.items():
        rows = list(rows_of(found, plan))
        for first in range(0, len(rows), _ROWS):
            part = rows[first : first + _ROWS]
            lines = [format_row(row.row(series)) for row in part]
            scores = endpoint.score(layout.endpoint_name(plan.workload), lines)
            for row, score in zip(part, scores, strict=True):
                said[series, format_instant(row.interval_start)] = Said(row.value, (float(score),))
    return said


def measure(
    loop: Loop, records: int | None, kills: Sequence[tuple[float, Victim]] = KILLS
) -> Iterator[tuple[object, ...]]:
    """Publish a workload's live records in order, then shuffled and repeated, with kills; see `HEADER`."""
    loop.shorten_waiting()
    plan = loop.spec.plan()
    live = loop.trained.material.live[:records]
    messages = [Message(reading.event_time, reading.message) for reading in live]
    order = random.Random(13)
    mixed = shuffled(repeated(messages, REPEATED, order), loop.spec.lateness, order)
    expected: dict[Interval, Said] = {}
    for delivery, sent in (("in order", messages), ("shuffled, repeated", mixed)):
        loop.begin_anew()
        hit = [kill for kill in kills if kill[1] != "container" or not loop.spec.is_streaming]
        killer = Killer(loop.trained.settings, hit)
        with timed() as seconds:
            loop.send([sent], killer, loses=False, seed=13, seconds=SENDING_SECONDS)
            if not expected:
                expected = _expected(loop, live, plan)
            loop.until(set(expected))
            loop.until_drained()
            yield (
                plan.workload,
                delivery,
                f"{len(sent):,}",
                sum(killer.killed.values()),
                f"{len(expected):,}",
                *compared(loop.said, expected, own=loop.spec.is_streaming),
                f"{seconds():.0f}",
            )


def compared(
    said: Mapping[Interval, Sequence[ScoreLine]], expected: Mapping[Interval, Said], *, own: bool
) -> tuple[int, int, int, int]:
    """Count the intervals that are lost, said twice, of another value, of another score."""
    found = {interval: [Said.of(line, own=own) for line in said.get(interval, ())] for interval in expected}
    return (
        sum(not lines for lines in found.values()),
        sum(len(lines) > 1 for lines in found.values()),
        sum(
            any(line.value != expected[interval].value for line in lines) for interval, lines in found.items()
        ),
        sum(
            any(not line.same_numbers(expected[interval]) for line in lines)
            for interval, lines in found.items()
        ),
    )


def _expected(loop: Loop, live: Sequence[Reading], plan: WorkloadPlan) -> dict[Interval, Said]:
    values = closed(values_of(live, plan), live, plan)
    if not loop.spec.is_streaming:
        return by_the_endpoint(loop, values, plan)
    history = read_telemetry(loop.trained.material.history_file, plan).readings
    return by_the_detector(values_of(history, plan), values, plan)
