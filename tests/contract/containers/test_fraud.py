"""The real processes of the fraud jobs, on a small generated world."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from pipeline.packaging import (
    FRAUD_CLASSIFIER,
    build_fraud_code,
    script_mode_hyperparameters,
    serving_environment,
)
from tests.contract.containers.laptop import (
    PROJECT,
    SKLEARN,
    Container,
    run_processing,
    run_training,
    serving,
)
from tests.unit.fraud.worlds import WORLD_PLAN, world_rows, write_prepared
from watchkeeper.fraud.evaluation import FraudEvaluation

HYPERPARAMETERS = {"embedding_size": "8", "n_epochs": "1", "n_trees": "10", "least_leaf": "10"}


@dataclass(frozen=True)
class Trained:
    evaluated: Path
    container: Container


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    root = tmp_path_factory.mktemp("fraud")
    plan = root / "plan.json"
    plan.write_text(WORLD_PLAN.to_json())
    write_prepared(root / "processed", world_rows(30))
    code = build_fraud_code("here", PROJECT / "build")
    model = run_training(
        root / "train",
        SKLEARN,
        {"processed": root / "processed", "plan": plan, "code": code},
        {**script_mode_hyperparameters(FRAUD_CLASSIFIER, code.name), **HYPERPARAMETERS},
    )
    evaluated = run_processing(
        root / "evaluate",
        "fraud.evaluate",
        {"plan": plan, "processed": root / "processed", "candidate": model},
        {"WATCHKEEPER_RUN_ID": "r1"},
    )
    environment = serving_environment(FRAUD_CLASSIFIER, "us-east-1", accept="application/jsonlines")
    with serving(root / "serve", SKLEARN, model, environment) as container:
        yield Trained(evaluated / "evaluation", container)


def test_the_endpoint_answers_as_the_evaluation_did(trained: Trained) -> None:
    case = json.loads((trained.evaluated / "smoke.json").read_text())
    reply = trained.container.post("\n".join(case["rows"]), "text/csv", "application/jsonlines")
    assert reply.status == 200, reply.text
    answers = [json.loads(line) for line in reply.text.splitlines()]
    np.testing.assert_allclose([each["pred_prob"] for each in answers], case["probabilities"], atol=1e-6)
    evaluation = FraudEvaluation.from_json((trained.evaluated / "evaluation.json").read_bytes())
    assert {(each["model"], each["threshold"]) for each in answers} == {
        (evaluation.choice, evaluation.threshold)
    }


def test_rows_may_be_sent_as_an_array(trained: Trained) -> None:
    case = json.loads((trained.evaluated / "smoke.json").read_text())
    rows = [[float(cell or "nan") for cell in row.split(",")] for row in case["rows"]]
    content = io.BytesIO()
    np.save(content, np.array(rows, np.float32))
    reply = trained.container.post(content.getvalue(), "application/x-npy", "text/csv")
    assert reply.status == 200, reply.text
    np.testing.assert_allclose(
        [float(line) for line in reply.text.splitlines()], case["probabilities"], atol=1e-6
    )


def test_a_row_that_is_none_is_refused_with_what_the_model_takes(trained: Trained) -> None:
    reply = trained.container.post("not,a,row", "text/csv", "application/jsonlines")
    assert reply.status == 400
    short = trained.container.post("1,2,3", "text/csv", "application/jsonlines")
    assert (short.status, "3 relations, 4 neighbours" in short.text) == (400, True)
