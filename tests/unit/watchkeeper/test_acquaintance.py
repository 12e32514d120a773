"""Series that the model has not seen: judged at once, by themselves and what is usual for the fleet."""

from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.watchkeeper.shelves import PLAN, reading, readings, source, streaming_release
from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.features.contributions import Explanation
from watchkeeper.judgement.acquaintance import Acquaintance
from watchkeeper.judgement.thresholds import Threshold
from watchkeeper.stream.asking import asked
from watchkeeper.stream.findings import Reasons, explained_by_rule
from watchkeeper.stream.intake import take_in
from watchkeeper.stream.judging import UNKNOWN_MEASURE, unasked, with_events
from watchkeeper.stream.page import Page, new_page
from watchkeeper.stream.page_format import from_bytes, to_bytes

RELEASE = dataclasses.replace(
    streaming_release(),
    stream=None,
    threshold=Threshold("mean_sigma", 1.5, {}, 100),
    step_scales={f"m|device=press {number}": 1.0 for number in range(4)},
)
FLOATS = st.floats(-1e300, 1e300)


def scored(values: dict[str, list[float]], page: Page | None = None) -> tuple[list[ScoreLine], Page]:
    """Deliver consecutive intervals of series that the release does not know, one object for each."""
    page = page or new_page("w", "", PLAN.interval_seconds)
    lines: list[ScoreLine] = []
    for interval in range(max(map(len, values.values())) + 3):
        sent = [
            reading(60 * interval, of_device[min(interval, len(of_device) - 1)], device)
            for device, of_device in values.items()
        ]
        page = take_in(page, readings(sent), source(str(interval)), PLAN).page
        waiting = asked(page, PLAN)
        answers = [unasked(row.series, RELEASE) for row in waiting.rows]
        found = waiting.judged([answer for answer in answers if answer is not None], PLAN)
        reasons = {one.key: Reasons(explained_by_rule(one), {}) for one in found.findings.values()}
        lines += with_events(found.lines, found.findings, reasons, PLAN)
        page = from_bytes(to_bytes(found.page))
    return lines, page


def test_none_of_1500_new_machines_is_an_anomaly_because_it_is_new() -> None:
    chosen = np.random.default_rng(5)
    level = chosen.choice([50.0, 60.0, 70.0, 80.0, 5000.0], 1500)
    values = level[:, None] + chosen.normal(0.0, 1.0, (1500, 12))

    lines, _ = scored({f"m{number:05}": row.tolist() for number, row in enumerate(values)})

    assert len(lines) >= 1500 * 12
    assert not any(line.is_anomaly for line in lines)
    assert {(line.expected, line.lower, line.confidence) for line in lines if line.start == 0} == {
        (None, None, 0.0)
    }


def test_a_new_machine_that_breaks_is_an_anomaly_with_a_stated_confidence() -> None:
    values = [50.0 + 0.5 * (-1) ** number for number in range(20)] + [90.0]

    lines, _ = scored({"new": values})

    found = next(line for line in lines if line.is_anomaly)
    assert found.start == 20 * 60
    assert found.anomaly is not None
    assert found.confidence == found.anomaly.confidence
    assert 0.6 < (found.confidence or 0.0) < 0.8
    assert found.run_id == RELEASE.run_id
    assert found.anomaly.explanation == Explanation("rule")
    assert [part.score for part in found.anomaly.contributions] == [found.anomaly_score]


def test_a_series_that_the_model_knows_is_asked_for_and_a_measure_that_it_does_not_know_says_so() -> None:
    assert unasked("m|device=press 1", RELEASE) is None
    answer = unasked("other|device=press 1", RELEASE)
    assert answer is not None
    assert answer.reason == UNKNOWN_MEASURE


@given(st.lists(FLOATS, min_size=1, max_size=30), st.floats(1e-9, 1e9))
def test_a_judgement_is_a_number_in_its_range_whatever_the_values(values: list[float], scale: float) -> None:
    known, expected = Acquaintance(), None
    for value in values:
        found = known.judge(value, expected, scale)
        assert 0.0 <= found.anomaly_score <= 1e6
        assert 0.0 <= found.severity <= 100.0
        assert found.is_anomaly == (found.severity >= 70.0)
        following = known.after(value, expected)
        assert following.confidence >= known.confidence
        known, expected = following, value


def test_what_a_series_does_again_and_again_becomes_usual() -> None:
    jumps = [50.0 + 30.0 * (number % 12 == 11) for number in range(120)]

    lines, _ = scored({"new": jumps})

    assert not any(line.is_anomaly for line in lines if line.start >= 60 * 60)
