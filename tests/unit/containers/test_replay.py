"""The streaming detector behind rows: one row, one score, and how it is related to the stream's own."""

from __future__ import annotations

import dataclasses
import json
import random
from datetime import timedelta
from functools import cache
from pathlib import Path

import flask
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.anomaly import serve_detector
from containers.anomaly.replay import ReplayScorer
from containers.anomaly.snapshots import PLAN_NAME, SNAPSHOTS_NAME, Snapshots, load_snapshots
from containers.anomaly.snapshots import save_snapshots as save
from tests.unit.containers.plans import HOUR, hourly
from watchkeeper.core.documents import read_part
from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.core.plan import FeaturePlan, WorkloadPlan
from watchkeeper.core.timestamps import EPOCH, epoch_seconds
from watchkeeper.detectors.streaming.detector import WatchkeeperDetector
from watchkeeper.features.contributions import Contribution
from watchkeeper.lifecycle.manifest import MANIFEST_NAME, ArtifactManifest
from watchkeeper.telemetry.context import rows_of
from watchkeeper.telemetry.rows import Row, format_row

CONTEXT = 16
BLOCK = CONTEXT // 2
TRAINED = 300
PLAN = hourly(features=FeaturePlan(shingle=CONTEXT, differences=False), max_gap_intervals=2)
Values = list[tuple[int, float]]


def series_values(count: int, seed: int = 1) -> Values:
    noise = random.Random(seed)
    return [(HOUR * at, float(np.sin(at / 4)) + noise.gauss(0, 0.2)) for at in range(count)]


def rows(values: Values, series: str = "flow") -> list[Row]:
    return [row.row(series) for row in rows_of(values, PLAN)]


@cache
def trained() -> tuple[Snapshots, list[Row]]:
    """The model of a series' first rows, and the rows that follow."""
    everything = rows(series_values(TRAINED + 120))
    return snapshots_of(everything[:TRAINED]), everything[TRAINED:]


def snapshots_of(learned: list[Row]) -> Snapshots:
    """What a detector of each series knows after its rows."""
    detectors = {}
    for series in sorted({row.series or "" for row in learned}):
        own = [row for row in learned if row.series == series]
        times = [float(epoch_seconds(row.timestamp)) for row in own]
        known = WatchkeeperDetector(interval_seconds=HOUR).partial_fit(
            [row.value for row in own], timestamps=np.array(times)
        )
        detectors[series] = WatchkeeperDetector.of_states(known.states_)
    return Snapshots(detectors)


def scorer(snapshots: Snapshots, **changes: int) -> ReplayScorer:
    return ReplayScorer(snapshots, interval_seconds=HOUR, context=CONTEXT, **changes)


def streamed(values: Values) -> list[float]:
    """What the detector itself says of the values after training, as it learns them."""
    detector = WatchkeeperDetector(interval_seconds=HOUR)
    return [detector.update(value, float(time)).anomaly_score for time, value in values][TRAINED:]


def saved(folder: Path, snapshots: Snapshots, plan: WorkloadPlan = PLAN) -> Path:
    manifest = ArtifactManifest.of(
        plan, training_start="1970-01-01T00:00:00Z", training_end="1970-01-13T12:00:00Z", n_rows=TRAINED
    )
    save(snapshots, plan, manifest, folder)
    return folder


def test_scores_are_the_streams_own_until_the_context_has_left_training() -> None:
    snapshots, following = trained()

    scores = scorer(snapshots).score(following)

    assert scores[: BLOCK + 1] == streamed(series_values(TRAINED + 120))[: BLOCK + 1]
    assert any(scores)


@settings(max_examples=25)
@given(st.randoms(use_true_random=False), st.integers(0, 40))
def test_a_rows_score_depends_neither_on_other_rows_nor_on_their_order(
    chooser: random.Random, remembered: int
) -> None:
    snapshots, following = trained()
    chosen = chooser.choices(following, k=12)
    together = scorer(snapshots, remembered=remembered)

    scores = together.score(chosen)

    assert scores == [scorer(snapshots).score([row])[0] for row in chosen]
    assert together.score(chosen[::-1]) == scores[::-1]


@settings(max_examples=25)
@given(
    st.integers(0, 119),
    st.floats(-1e30, 1e30),
    st.lists(st.floats(-1e30, 1e30), max_size=CONTEXT - 1),
    st.sampled_from(["flow", "flow|pipe=9"]),
)
def test_any_row_has_a_finite_score_from_zero_to_one(
    at: int, value: float, lags: list[float], series: str
) -> None:
    snapshots, following = trained()

    (score,) = scorer(snapshots).score([Row(following[at].timestamp, series, value, tuple(lags))])

    assert 0.0 <= score <= 1.0


def test_other_rows_between_two_requests_change_nothing() -> None:
    snapshots, following = trained()
    model = scorer(snapshots)
    before = model.score(following[50:60])
    model.score([dataclasses.replace(row, value=1e6) for row in following])

    assert model.score(following[50:60]) == before


def test_lags_beyond_the_context_are_not_looked_at() -> None:
    snapshots, following = trained()
    longer = dataclasses.replace(following[60], lags=(*following[60].lags, 1e6, -1e6))

    assert scorer(snapshots).score([longer]) == scorer(snapshots).score([following[60]])


def test_a_value_far_outside_scores_more_than_the_row_had() -> None:
    snapshots, following = trained()
    outside = dataclasses.replace(following[60], value=50.0)

    ordinary, anomalous = scorer(snapshots).score([following[60], outside])

    assert anomalous > 0.3 > ordinary


def test_a_row_of_long_ago_or_of_years_later_is_scored_against_what_training_knew() -> None:
    snapshots, following = trained()
    moved = [
        dataclasses.replace(following[60], timestamp=following[60].timestamp + timedelta(days=days))
        for days in (-4, 0, 8, 8000)  # a multiple of the context's blocks and of a day
    ]

    scores = scorer(snapshots).score(moved)

    assert scores[1:] == [scores[1]] * 3
    assert 0.0 <= scores[0] <= 1.0


@pytest.mark.parametrize("missing", [1, 2, 3, 40])
def test_after_a_gap_the_context_is_what_the_row_shows(missing: int) -> None:
    values = series_values(TRAINED + 120)
    values = values[: TRAINED + 60] + values[TRAINED + 60 + missing :]
    snapshots, _ = trained()
    after = rows(values)[TRAINED + 60]

    assert len(after.lags) == (CONTEXT - 1 if missing <= PLAN.max_gap_intervals else 0)
    ordinary, anomalous = scorer(snapshots).score([after, dataclasses.replace(after, value=50.0)])
    assert anomalous > 0.3 > ordinary


@pytest.mark.parametrize("missing", [1, 2, 3, 40])
def test_a_gap_right_after_training_ends_neither_scoring_nor_memory(missing: int) -> None:
    values = series_values(TRAINED + 120)
    following = rows(values[:TRAINED] + values[TRAINED + missing :])[TRAINED]
    snapshots, _ = trained()

    ordinary, anomalous = scorer(snapshots).score([following, dataclasses.replace(following, value=50.0)])

    assert anomalous > 0.3 > ordinary


def test_an_unknown_series_of_a_known_measure_is_scored_by_a_detector_that_knows_its_lags_only() -> None:
    snapshots, following = trained()
    row = dataclasses.replace(following[60], series="flow|pipe=9")
    fresh = WatchkeeperDetector()
    shown = [*reversed(row.lags), row.value]
    hour = (row.timestamp - EPOCH) // timedelta(hours=1)
    count = hour - (hour - BLOCK) // BLOCK * BLOCK + 1
    times = np.array([float(HOUR * (hour - age)) for age in range(count - 1, -1, -1)])

    (score,) = scorer(snapshots).score([row])

    assert score == fresh.update_all(shown[-count:], timestamps=times).anomaly_score[-1]


@pytest.mark.parametrize("series", ["pressure", "pressure|pipe=1"])
def test_an_unknown_measure_is_refused_and_the_record_named(series: str) -> None:
    snapshots, following = trained()
    unknown = dataclasses.replace(following[1], series=series)

    with pytest.raises(InvalidInputError, match=r"record 2: .*no measure 'pressure', it knows flow"):
        scorer(snapshots).score([following[0], unknown])


def test_a_row_without_series_is_answered_by_a_model_of_one_series_only() -> None:
    part = rows(series_values(TRAINED))
    one, two = (
        snapshots_of(part),
        snapshots_of([*part, *rows(series_values(200), "flow|pipe=2")]),
    )
    nameless = Row(part[-1].timestamp + timedelta(hours=1), None, 0.5)

    assert scorer(one).score([nameless]) == scorer(one).score([dataclasses.replace(nameless, series="flow")])
    with pytest.raises(InvalidInputError, match=r"record 1: .*this model has 2"):
        scorer(two).score([nameless])


def test_snapshots_survive_storage_bit_for_bit(tmp_path: Path) -> None:
    part = rows(series_values(TRAINED)) + rows(series_values(250, seed=2), "flow|pipe=2")
    snapshots = snapshots_of(part)

    loaded, plan = load_snapshots(saved(tmp_path, snapshots))

    assert plan == PLAN
    assert list(loaded.detectors) == ["flow", "flow|pipe=2"]
    for series, detector in snapshots.detectors.items():
        assert loaded.of(series).states_.tobytes() == detector.states_.tobytes()
    assert scorer(loaded).score(part[-9:]) == scorer(snapshots).score(part[-9:])


@pytest.mark.parametrize("name", [SNAPSHOTS_NAME, PLAN_NAME, MANIFEST_NAME])
def test_a_folder_without_the_whole_artifact_is_refused(tmp_path: Path, name: str) -> None:
    (saved(tmp_path, trained()[0]) / name).unlink()

    with pytest.raises(ContractViolationError, match=f"{name} is missing"):
        load_snapshots(tmp_path)


def test_an_artifact_of_another_context_is_refused(tmp_path: Path) -> None:
    saved(tmp_path, trained()[0])
    other = dataclasses.replace(PLAN, features=FeaturePlan(shingle=CONTEXT + 1, differences=False))
    (tmp_path / PLAN_NAME).write_text(other.to_json())

    with pytest.raises(ContractViolationError, match="feature schema"):
        load_snapshots(tmp_path)


def test_states_of_another_release_are_refused(tmp_path: Path) -> None:
    (saved(tmp_path, trained()[0]) / SNAPSHOTS_NAME).write_bytes(b"PK something else")

    with pytest.raises(ContractViolationError, match=r"snapshots.npz: .*train again"):
        load_snapshots(tmp_path)


def answered(body: str, content_type: str = "text/csv", accept: str = "application/json"):  # type: ignore[no-untyped-def]
    model = scorer(trained()[0])
    return serve_detector.output_fn(
        serve_detector.predict_fn(serve_detector.input_fn(body, content_type), model), accept
    )


@pytest.mark.parametrize("accept", ["", "*/*", "application/json", "text/html, application/json;q=0.9"])
def test_answers_in_json_by_default(accept: str) -> None:
    following = trained()[1][:3]

    body, content_type = answered("\n".join(map(format_row, following)), accept=accept)

    assert content_type == "application/json"
    assert [answer["score"] for answer in json.loads(body)["scores"]] == scorer(trained()[0]).score(following)


def test_answers_json_lines_when_asked() -> None:
    following = trained()[1][:3]

    body, content_type = answered("\n".join(map(format_row, following)), accept="application/jsonlines")

    assert content_type == "application/jsonlines"
    assert [json.loads(line)["score"] for line in body.split("\n")] == scorer(trained()[0]).score(following)


@pytest.mark.parametrize("kind", ["application/json", "application/jsonlines"])
def test_contributions_come_when_asked_for_and_add_up_to_the_score(kind: str) -> None:
    following = [dataclasses.replace(row, value=row.value + 9.0) for row in trained()[1][40:43]]

    body, _ = answered("\n".join(map(format_row, following)), accept=f"{kind}; contributions=true")

    document = json.loads(body) if kind.endswith("json") else {"scores": map(json.loads, body.split("\n"))}
    for answer, score in zip(document["scores"], scorer(trained()[0]).score(following), strict=True):
        parts = [read_part(Contribution, part, "contribution") for part in answer["contributions"]]
        assert answer["score"] == score
        assert sum(part.score for part in parts) == pytest.approx(score, abs=1e-12)
        assert parts[0].measure == "flow"
        assert {part.lag for part in parts} & {0}


def test_explaining_changes_no_score() -> None:
    snapshots, following = trained()
    model = scorer(snapshots)
    before = model.score(following)

    model.explain(following[::-1])

    assert model.score(following) == before == scorer(snapshots).score(following)


def test_what_lies_before_the_context_has_no_lag() -> None:
    snapshots, following = trained()
    row = dataclasses.replace(following[60], value=9.0, lags=following[60].lags[:1])

    (parts,) = scorer(snapshots).explain([row])

    assert {part.lag for part in parts} <= {0, 1, None}


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "status", "said"),
    [
        ("2013-12-02,1\n2013-12-03,nan", "text/csv", "application/json", 400, "record 2: value: 'nan'"),
        ("2013-12-02,1\n2013-12-03,pressure,1", "text/csv", "*/*", 400, "record 2: series 'pressure'"),
        ("x", "image/png", "application/json", 415, "image/png"),
        ("2013-12-02,1", "text/csv", "text/html", 406, "text/html"),
    ],
)
def test_refuses_what_it_cannot_answer(
    body: str, content_type: str, accept: str, status: int, said: str
) -> None:
    with flask.Flask("test").test_request_context():
        response = answered(body, content_type, accept)

    assert response.status_code == status
    assert said in response.get_data(as_text=True)
