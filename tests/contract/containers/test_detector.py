"""The streaming detector as the image's processes run it: trained, stored, served."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambdas.adapters.endpoint import explained_scores_in
from tests.contract.containers.conftest import Pipeline
from tests.contract.containers.laptop import (
    Container,
    run_processing,
    serve_detector,
)
from tests.unit.lambdas.builders import make_release
from watchkeeper.core.plan import DetectorPlan, FeaturePlan
from watchkeeper.features.contributions import EXPLAINED_JSON
from watchkeeper.lifecycle.release import StreamModel

CONTEXT = 32
SMOKE = Path("candidate", "smoke.json")


@dataclasses.dataclass(frozen=True)
class Served:
    """A trained detector behind its container."""

    plan_file: Path
    prepared: Path
    archive: Path
    holdback: list[str]
    container: Container
    warmed: Path
    """Outputs of the warm-up."""

    def scores(self, rows: list[str]) -> list[float]:
        reply = self.container.post("\n".join(rows), "text/csv")
        assert reply.status == 200, reply.text
        return [answer["score"] for answer in json.loads(reply.body)["scores"]]


def warmed_up(root: Path, prepared: Path, plan_file: Path) -> Path:
    """Warm the detector up; return the folder of the job's outputs."""
    champion = root / "champion"
    champion.mkdir(parents=True)
    (champion / "release.json").write_text("null")
    inputs = {"plan": plan_file, "prepared": prepared, "champion": champion}
    return run_processing(root / "job", "anomaly.warm_up", inputs, {"WATCHKEEPER_RUN_ID": "20261129170000-a"})


@pytest.fixture(scope="module")
def served(pipeline: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("detector")
    plan = dataclasses.replace(
        pipeline.plan,
        features=FeaturePlan(shingle=CONTEXT, differences=False),
        detector=DetectorPlan("watchkeeper", {"context": CONTEXT}),
    )
    plan_file = root / "plan.json"
    plan_file.write_text(plan.to_json())
    inputs = {"plan": plan_file, "history": pipeline.history}
    prepared = run_processing(root / "prepare", "anomaly.prepare", inputs, {}) / "prepared"
    warmed = warmed_up(root / "warm-up", prepared, plan_file)
    archive = warmed / "model" / "model.tar.gz"
    holdback = (prepared / "holdback" / "rows.csv").read_text().splitlines()
    with serve_detector(root / "serve", archive) as container:
        yield Served(plan_file, prepared, archive, holdback, container, warmed)


def test_one_score_a_row_whatever_is_beside_it_and_in_whatever_order(served: Served) -> None:
    rows = served.holdback[-300:]

    together = served.scores(rows)

    assert len(together) == len(rows)
    assert served.scores(rows[::-1]) == together[::-1]
    assert [served.scores([row])[0] for row in rows[::25]] == together[::25]
    assert all(0.0 <= score <= 1.0 for score in together)
    assert max(together) > 0.0


def test_contributions_pass_the_image_and_are_those_of_the_scores(served: Served) -> None:
    rows = served.holdback[-5:]

    reply = served.container.post("\n".join(rows), "text/csv", EXPLAINED_JSON)

    assert (reply.status, reply.content_type) == (200, "application/json")
    explained = explained_scores_in(reply.body, "watchkeeper-water-flow")
    assert [answer.score for answer in explained] == served.scores(rows)
    assert any(answer.contributions for answer in explained)


def test_a_second_instance_gives_the_same_scores(served: Served, pipeline: Pipeline, tmp_path: Path) -> None:
    rows = served.holdback[::20]
    with serve_detector(tmp_path, served.archive) as second:
        reply = second.post("\n".join(rows), "text/csv", "application/jsonlines")

    assert reply.content_type == "application/jsonlines"
    assert [json.loads(line)["score"] for line in reply.text.split("\n")] == served.scores(rows)


def test_the_endpoint_gives_the_scores_that_the_pages_give_to_rows_that_could_follow(
    served: Served, tmp_path: Path
) -> None:
    smoke = json.loads((warmed_up(tmp_path, served.prepared, served.plan_file) / SMOKE).read_text())

    assert smoke["rows"]
    assert served.scores(smoke["rows"]) == smoke["scores"]


def test_scores_are_the_same_whatever_the_content_type(served: Served) -> None:
    rows = served.holdback[-5:]
    cells = [row.split(",") for row in rows]
    records = [
        {"timestamp": time, "series": series, "value": float(value), "lags": [float(lag) for lag in lags]}
        for time, series, value, *lags in cells
    ]
    for body, content_type in [
        (json.dumps({"instances": records}), "application/json"),
        (json.dumps({"instances": [{"features": row} for row in cells]}), "application/json"),
        ("\n".join(map(json.dumps, records)) + "\n", "application/jsonlines"),
    ]:
        reply = served.container.post(body, content_type)
        assert [answer["score"] for answer in json.loads(reply.body)["scores"]] == served.scores(rows)


def test_csv_is_accepted_and_answered_with_json_as_by_the_built_in_algorithm(served: Served) -> None:
    row = served.holdback[-1]
    reply = served.container.post(row, "text/csv", "text/csv")

    assert (reply.status, reply.content_type) == (200, "application/json")
    assert [answer["score"] for answer in json.loads(reply.body)["scores"]] == served.scores([row])


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "status", "said"),
    [
        ("2013-12-02,1\n2013-12-03,nan", "text/csv", None, 400, "record 2: value: 'nan' is not finite"),
        ("2013-12-02,1\n2013-12-02,pressure,1", "text/csv", None, 400, "record 2: series 'pressure'"),
        ("", "text/csv", None, 400, "no record"),
        ("x", "image/png", None, 415, "image/png"),
        ("2013-12-02,1", "text/csv", "text/html", 406, "text/html"),
    ],
)
def test_refuses_a_bad_request_and_names_the_record(
    served: Served, body: str, content_type: str, accept: str | None, status: int, said: str
) -> None:
    reply = served.container.post(body, content_type, accept)

    assert reply.status == status, reply.text
    assert said in reply.text
    assert len(reply.text.splitlines()) == 1


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, None),
        ({"tolerance": 9.0}, "the detector of run {} learned with other parameters (tolerance 9, here 0.02)"),
        (None, "run {} is another kind of detector"),
    ],
)
def test_a_live_release_that_cannot_be_compared_is_not_and_the_evaluation_says_why(
    served: Served, tmp_path: Path, changed: dict[str, float] | None, reason: str | None
) -> None:
    said = json.loads((served.warmed / "candidate" / "stream.json").read_text())
    parameters = None if changed is None else {**said["parameters"], **changed}
    stream = None if parameters is None else StreamModel(parameters, 1e-4)
    release = make_release(stream=stream)
    champion = tmp_path / "champion"
    champion.mkdir()
    (champion / "release.json").write_text(release.to_json())
    inputs = {
        "plan": served.plan_file,
        "prepared": served.prepared,
        "candidate": served.warmed / "candidate",
        "champion": champion,
    }

    outputs = run_processing(
        tmp_path / "job", "anomaly.evaluate", inputs, {"WATCHKEEPER_RUN_ID": "20261129170000-a"}
    )

    found = json.loads((outputs / "evaluation" / "evaluation.json").read_text())
    assert found["not_compared"] == (reason and reason.format(release.run_id))
    assert (found["champion"] is None) == (reason is not None)
