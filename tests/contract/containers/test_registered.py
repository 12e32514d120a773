"""A model of the anomaly service in the image's processes: trained, adopted by a workload, served."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from tests.contract.containers.conftest import Pipeline
from tests.contract.containers.laptop import (
    adopt_detector,
    serve_registered_detector,
    serve_service_detector,
    train_service_detector,
)
from watchkeeper.core.plan import DetectorPlan, WorkloadPlan
from watchkeeper.features.matrix import feature_names, row_arrays, unscaled_feature_matrix
from watchkeeper.telemetry.rows import parse_rows


def vectors(rows: list[str], plan: WorkloadPlan) -> np.ndarray:
    """The workload's features of rows, in the units of the data."""
    return unscaled_feature_matrix(row_arrays(list(parse_rows(rows)), plan), plan)


def table_of(rows: list[str], plan: WorkloadPlan, path: Path) -> Path:
    lines = [",".join(map(repr, map(float, vector))) for vector in vectors(rows, plan)]
    path.write_text("\n".join([",".join(feature_names(plan)), *lines]) + "\n")
    return path


@pytest.fixture(scope="module")
def adopting(pipeline: Pipeline) -> WorkloadPlan:
    return dataclasses.replace(pipeline.plan, detector=DetectorPlan("registered", {"version": 7}))


def test_an_adopted_model_scores_rows_as_its_own_endpoint_scores_their_features(
    pipeline: Pipeline, adopting: WorkloadPlan, tmp_path: Path
) -> None:
    train = (pipeline.prepared / "train" / "rows.csv").read_text().splitlines()
    holdback = (pipeline.prepared / "holdback" / "rows.csv").read_text().splitlines()[:200]
    (plan_file := tmp_path / "plan.json").write_text(adopting.to_json())
    table = table_of(train, adopting, tmp_path / "table.csv")
    model = train_service_detector(tmp_path / "service", table, "KNN")
    adopted = adopt_detector(tmp_path / "adopt", model, pipeline.prepared / "train" / "rows.csv", plan_file)

    with serve_registered_detector(tmp_path / "rows", adopted) as container:
        reply = container.post("\n".join(holdback), "text/csv")
        refused = container.post(f"{holdback[0]}\n{holdback[0].split(',')[0]},other,1", "text/csv")
    body = "\n".join(",".join(map(repr, map(float, vector))) for vector in vectors(holdback, adopting))
    with serve_service_detector(tmp_path / "vectors", model) as container:
        own = container.post(body, "text/csv")

    assert (reply.status, reply.content_type) == (200, "application/json")
    scores = [answer["score"] for answer in json.loads(reply.body)["scores"]]
    assert len(scores) == len(holdback)
    assert len(set(scores)) > 50
    assert scores == pytest.approx([answer["score"] for answer in json.loads(own.body)["scores"]])
    assert refused.status == 400
    assert "record 2: series 'other'" in refused.text
