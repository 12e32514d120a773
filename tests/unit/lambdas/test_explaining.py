"""Reasons of anomalies: where they come from, and what an event says where there are none."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

import numpy as np
import pytest

from lambdas.adapters.endpoint import ExplainedAnswer
from lambdas.adapters.object_store import ObjectUri
from lambdas.scoring import explaining
from tests.unit.lambdas.builders import (
    BEGIN,
    BUCKET,
    THRESHOLD,
    make_plan,
    make_release,
    reading,
)
from tests.unit.lambdas.fakes import ScoringFakes
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.core.errors import UnavailableError
from watchkeeper.core.plan import MeasurePlan, WorkloadPlan
from watchkeeper.detectors.forest.surrogate_fit import fit_surrogate
from watchkeeper.features.contributions import Explainer
from watchkeeper.lifecycle.release import Release
from watchkeeper.stream.findings import Finding
from watchkeeper.telemetry.context import ContextRow
from watchkeeper.telemetry.rows import Row

FOREST_URI = ObjectUri(BUCKET, "runs/pump/1/evaluation/surrogate.bin")
CLOSE = 10_000
FOREST = Explainer("forest", str(FOREST_URI), rank_agreement=0.93, rows=2000)


@cache
def forest() -> bytes:
    values = np.random.default_rng(0).normal(10.0, 1.0, 300)
    rows = [
        Row(BEGIN + timedelta(minutes=at), "pressure|device=a", values[at], (values[at - 1], values[at - 2]))
        for at in range(2, 300)
    ]
    return fit_surrogate(rows, make_plan()).portable().to_bytes()


def fakes_of(explainer: Explainer, plan: WorkloadPlan | None = None, **changes: object) -> ScoringFakes:
    release = make_release(explainer=explainer, **changes)
    fakes = ScoringFakes(plan or make_plan(), release)
    fakes.objects.objects[FOREST_URI] = forest()
    return fakes


def deliver(fakes: ScoringFakes, *lines: str, name: str = "1") -> list[AnomalyEvent]:
    fakes.deliver(name, *lines)
    return fakes.anomalies.puts


def test_forest_explains_the_served_score_by_measure_and_lag() -> None:
    (event,) = deliver(fakes_of(FOREST), reading(0, 10), reading(60, 11), reading(120, 90), reading(CLOSE, 1))

    assert sum(part.score for part in event.contributions) == pytest.approx(event.score, abs=1e-12)
    assert {(part.feature, part.lag) for part in event.contributions[:2]} == {("value", 0), ("difference", 0)}
    assert {part.measure for part in event.contributions} == {"pressure"}
    assert (event.explanation.method, event.explanation.rank_agreement) == ("forest", 0.93)
    assert event.explanation.surrogate_score is not None


def test_ordinary_intervals_do_not_read_the_forest() -> None:
    fakes = fakes_of(FOREST)
    del fakes.objects.objects[FOREST_URI]

    assert deliver(fakes, reading(0, 10), reading(60, 11), reading(CLOSE, 1)) == []
    assert fakes.effects.explainers._forests == {}


def test_forest_is_read_once() -> None:
    fakes = fakes_of(FOREST)
    deliver(fakes, reading(0, 90), reading(CLOSE, 1))
    del fakes.objects.objects[FOREST_URI]

    first, second = deliver(fakes, reading(CLOSE + 60, 90), reading(3 * CLOSE, 1), name="2")

    assert first.contributions
    assert second.contributions


@pytest.mark.parametrize("content", [None, b"not a forest"])
def test_anomaly_is_raised_with_the_reason_where_the_forest_cannot_be_read(content: bytes | None) -> None:
    fakes = fakes_of(FOREST)
    del fakes.objects.objects[FOREST_URI]
    if content is not None:
        fakes.objects.objects[FOREST_URI] = content

    (event,) = deliver(fakes, reading(0, 90), reading(CLOSE, 1))

    assert event.contributions == ()
    assert event.explanation.method == "none"
    assert event.explanation.reason
    assert fakes.alerts.puts == [event]


def test_release_of_older_software_says_that_it_does_not_explain() -> None:
    (event,) = deliver(fakes_of(Explainer("none")), reading(0, 90), reading(CLOSE, 1))

    assert "did not explain" in str(event.explanation.reason)


def test_detector_is_asked_for_its_own_reasons_and_only_for_anomalies() -> None:
    fakes = fakes_of(Explainer("detector"))
    (event,) = deliver(fakes, reading(0, 10), reading(60, 90), reading(CLOSE, 1))

    assert [(part.feature, part.score) for part in event.contributions] == [("range", 4.5), ("pattern", 4.5)]
    assert event.explanation.method == "detector"
    assert [len(request) for request in fakes.endpoint.requests] == [
        3,
        1,
    ]  # two rows and a probe; the anomaly


def test_answer_of_another_model_does_not_explain() -> None:
    fakes = fakes_of(Explainer("detector"))
    fakes.endpoint.explain = lambda endpoint, rows: (ExplainedAnswer(8.0, ()),)  # type: ignore[method-assign]

    (event,) = deliver(fakes, reading(0, 90), reading(CLOSE, 1))

    assert "another model answered" in str(event.explanation.reason)
    assert event.score == 9.0


def test_anomaly_is_raised_where_the_detector_does_not_answer() -> None:
    fakes = fakes_of(Explainer("detector"))

    def busy(endpoint: str, rows: object) -> tuple[ExplainedAnswer, ...]:
        raise UnavailableError("the model is busy")

    fakes.endpoint.explain = busy  # type: ignore[method-assign, assignment]
    (event,) = deliver(fakes, reading(0, 90), reading(CLOSE, 1))

    assert event.explanation.reason == "the model is busy"


def test_of_too_many_anomalies_the_strongest_are_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explaining, "MAX_EXPLAINED", 2)
    fakes = fakes_of(FOREST)
    values = (60, 90, 70, 80)
    lines = [reading(60 * minute, value) for minute, value in enumerate(values)]

    events = deliver(fakes, *lines, reading(CLOSE, 1))

    assert {event.observed for event in events if event.contributions} == {90.0, 80.0}
    assert {event.explanation.reason for event in events if not event.contributions} == {
        "more than 2 anomalies at once"
    }


def test_event_names_the_other_measures_that_are_anomalous_at_the_same_place_and_time() -> None:
    plan = make_plan(measures=(MeasurePlan("pressure", "pressure"), MeasurePlan("flow", "flow")))
    release = make_release()
    known = {f"{measure}|device={device}": 1.0 for measure in ("pressure", "flow") for device in "ab"}
    fakes = fakes_of(Explainer("none"), plan, step_scales=known)
    lines = [
        reading(0, 90, flow=80),
        reading(60, 90, flow=1),
        reading(0, 90, device="b", flow=2),
        reading(CLOSE, 1, flow=1),
        reading(CLOSE, 1, device="b", flow=1),
    ]

    events = {(event.series, event.interval_start[14:16]): event for event in deliver(fakes, *lines)}

    severity = release.severity.severity
    assert events["pressure|device=a", "00"].also_anomalous == {"flow": severity(8.0)}
    assert events["flow|device=a", "00"].also_anomalous == {"pressure": severity(9.0)}
    assert events["pressure|device=a", "01"].also_anomalous == {}
    assert events["pressure|device=b", "00"].also_anomalous == {}


def test_row_of_a_measure_that_the_forest_does_not_know_is_not_explained() -> None:
    plan = make_plan(measures=(MeasurePlan("flow", "flow"),))
    fakes = fakes_of(FOREST, plan, step_scales={"flow|device=a": 1.0})

    (event,) = deliver(fakes, reading(0, 0, flow=90), reading(CLOSE, 0, flow=1))

    assert "knows no measure 'flow'" in str(event.explanation.reason)
    assert event.score > THRESHOLD


def test_findings_of_several_releases_are_explained_each_by_its_own() -> None:
    fakes = fakes_of(FOREST)
    other: Release = make_release(1, explainer=Explainer("none"))
    findings = [
        Finding("pressure|device=a", _context_row(minute), 9.0, THRESHOLD, 85.0, release)
        for minute, release in enumerate((make_release(explainer=FOREST), other))
    ]

    first, second = fakes.effects.explainers.reasons(findings).values()

    assert (first.explained.explanation.method, second.explained.explanation.method) == ("forest", "none")


def _context_row(minute: int) -> ContextRow:
    return ContextRow(int(BEGIN.timestamp()) + 60 * minute, 90.0, (10.0, 10.0), 10.0)
