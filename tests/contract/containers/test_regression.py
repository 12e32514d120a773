"""The real processes of the regression jobs, on UCI's abalones."""

from __future__ import annotations

import csv
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.metrics import root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from tests.contract.containers.laptop import Container, JobFailedError, Reply, run_processing
from tests.contract.containers.table import (
    HEADERS,
    HYPERPARAMETERS,
    PLAN,
    Prepared,
    abalone,
    copied,
    folder_with,
    prepare,
    serve,
    train,
)
from watchkeeper.kinds import evaluation_from_json
from watchkeeper.regression.evaluation import RegressionEvaluation
from watchkeeper.regression.manifest import RegressionManifest

ROW = "M,0.455,0.365,0.095,0.514,0.2245,0.101,0.15"


@dataclass(frozen=True)
class Trained:
    prepared: Prepared
    model: Path
    container: Container
    evaluation: RegressionEvaluation
    evaluated: Path

    def ask(self, body: str, content_type: str = "text/csv", accept: str = "application/json") -> Reply:
        return self.container.post(body, content_type, accept)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    root = tmp_path_factory.mktemp("abalone")
    prepared = prepare(root, copied(root, abalone(), "abalone.csv"), PLAN)
    model = train(root / "train", prepared, HYPERPARAMETERS)
    with serve(root / "serve", model) as container:
        candidate = root / "candidate"
        candidate.mkdir()
        rows = (prepared.prepared / "holdback" / "rows.csv").read_bytes()
        answer = container.post(rows, "text/csv", "application/jsonlines")
        (candidate / "rows.csv.out").write_bytes(answer.body)
        inputs = {"plan": prepared.plan_file, "prepared": prepared.prepared, "candidate": candidate}
        output = run_processing(
            root / "evaluate",
            "regression.evaluate",
            {**inputs, "champion": candidate},
            {"WATCHKEEPER_RUN_ID": "r1"},
        )
        evaluated = output / "evaluation"
        evaluation = evaluation_from_json((evaluated / "evaluation.json").read_bytes())
        assert isinstance(evaluation, RegressionEvaluation)
        yield Trained(prepared, model, container, evaluation, evaluated)


def table(path: Path) -> pd.DataFrame:
    names = ["rings", *PLAN.feature_names]
    return pd.read_csv(path, header=None, names=names)


def test_error_is_within_two_percent_of_the_same_model_trained_by_hand(trained: Trained) -> None:
    rows = pd.read_csv(abalone(), header=None, names=list(HEADERS))
    ours = table(trained.prepared.prepared / "train" / "rows.csv")
    keys = ["rings", *PLAN.feature_names]
    assert len(rows) == 4177
    held_back = pd.concat([rows[keys], ours]).drop_duplicates(keep=False)
    assert len(ours) + len(held_back) == 4177
    columns = list(PLAN.feature_names)
    by_hand = make_pipeline(
        ColumnTransformer([("sex", OneHotEncoder(), ["sex"])], remainder="passthrough"),
        RandomForestRegressor(n_estimators=40, min_samples_leaf=5, random_state=1),
    ).fit(ours[columns], ours["rings"])

    expected = root_mean_squared_error(held_back["rings"], by_hand.predict(held_back[columns]))

    assert trained.evaluation.candidate.rmse == pytest.approx(expected, rel=0.02)
    assert trained.evaluation.candidate.n == len(held_back)
    assert trained.evaluation.baseline.rmse > 1.3 * trained.evaluation.candidate.rmse
    assert trained.evaluation.champion == trained.evaluation.candidate, "the same answers were given for both"


def test_every_form_of_request_gets_the_same_answer(trained: Trained) -> None:
    lines = (trained.prepared.prepared / "holdback" / "rows.csv").read_text().splitlines()[:7]
    cells = list(csv.reader(lines))
    expected = [entry["score"] for entry in json.loads(trained.ask("\n".join(lines)).body)["predictions"]]
    named = [dict(zip(PLAN.feature_names, row, strict=True)) for row in cells]
    requests = [
        ("\n".join(lines) + "\n", "text/csv; charset=utf-8"),
        (json.dumps({"instances": named}), "application/json"),
        (json.dumps({"instances": [{"features": row} for row in cells]}), "application/json"),
        ("\n".join(json.dumps({"features": row}) for row in cells), "application/jsonlines"),
    ]

    for body, content_type in requests:
        reply = trained.ask(body, content_type, "application/jsonlines")
        assert (reply.status, reply.content_type) == (200, "application/jsonlines"), reply.text
        assert [json.loads(line)["score"] for line in reply.text.split("\n")] == expected
    assert [
        float(line) for line in trained.ask("\n".join(lines), accept="text/csv").text.split("\n")
    ] == expected
    assert len(set(expected)) > 1


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "status", "said"),
    [
        (f"{ROW}\nM,1,2", "text/csv", "*/*", 400, "record 2: 3 cells, the model takes 8: sex,length"),
        (
            f"{ROW}\n{ROW.replace('0.455', 'long')}",
            "text/csv",
            "*/*",
            400,
            "record 2: column 'length': 'long'",
        ),
        (ROW.replace("0.15", "nan"), "text/csv", "*/*", 400, "record 1: column 'shell_weight'"),
        ('{"instances": [{"sex": "M"}]}', "application/json", "*/*", 400, "record 1: no field 'length'"),
        ('{"instances": ["M"]}', "application/json", "*/*", 400, "record 1: M is not an object"),
        ("", "text/csv", "*/*", 400, "no record"),
        (ROW, "application/xml", "*/*", 415, "not supported"),
        (ROW, "text/csv", "image/png", 406, "not supported; use application/json"),
    ],
)
def test_a_bad_request_is_refused_with_its_record(
    trained: Trained, body: str, content_type: str, accept: str, status: int, said: str
) -> None:
    reply = trained.ask(body, content_type, accept)

    assert reply.status == status
    assert said in reply.text
    assert len(reply.text.splitlines()) == 1


def test_a_category_that_training_has_not_seen_is_none_of_the_known(trained: Trained) -> None:
    reply = trained.ask(ROW.replace("M,", "X,"))

    assert reply.status == 200
    assert 5 < json.loads(reply.body)["predictions"][0]["score"] < 15


def test_the_artifact_says_what_it_was_made_from(trained: Trained) -> None:
    with tarfile.open(trained.model) as tar:
        names = set(tar.getnames())
        manifest = RegressionManifest.from_json(tar.extractfile("./manifest.json").read())  # type: ignore[union-attr]
        plan = tar.extractfile("./plan.json").read()  # type: ignore[union-attr]

    assert {"./estimator.joblib", "./code/serve_regressor.py"} <= names
    assert not [name for name in names if "/vendor/" in name]
    assert plan == PLAN.to_json().encode(), "the configuration channel is saved beside the model"
    assert manifest.categories == {"sex": ["F", "I", "M"]}
    assert manifest.hyperparameters["max_features"] == 1.0
    assert manifest.n_rows == trained.evaluation.n_train


def test_a_model_that_was_changed_is_not_served(trained: Trained, tmp_path: Path) -> None:
    with tarfile.open(trained.model) as tar:
        tar.extractall(tmp_path / "model", filter="data")
    with (tmp_path / "model" / "estimator.joblib").open("ab") as file:
        file.write(b"more")
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "model", ".")

    with pytest.raises(JobFailedError), serve(tmp_path / "serve", tmp_path / "model.tar.gz"):
        pass


def test_the_evaluation_has_what_the_registry_the_smoke_test_and_people_read(trained: Trained) -> None:
    statistics = json.loads((trained.evaluated / "statistics.json").read_bytes())
    smoke = json.loads((trained.evaluated / "smoke.json").read_bytes())
    answer = json.loads(trained.ask("\n".join(smoke["rows"])).body)["predictions"]

    assert statistics["regression_metrics"]["rmse"]["value"] == trained.evaluation.candidate.rmse
    assert statistics["dataset"]["item_count"] == trained.evaluation.candidate.n
    assert smoke["kind"] == "regression"
    assert [entry["score"] for entry in answer] == smoke["predictions"]
    assert {path.name for path in (trained.evaluated / "charts").glob("*.png")} == {
        "predicted-vs-actual.png",
        "residuals.png",
    }


def test_the_rows_to_explain_are_held_back_rows(trained: Trained) -> None:
    folder = trained.prepared.prepared
    explained = (folder / "explain" / "rows.csv").read_text().splitlines()
    held_back = {
        f"{target},{row}"
        for target, row in zip(
            (folder / "holdback" / "targets.csv").read_text().splitlines(),
            (folder / "holdback" / "rows.csv").read_text().splitlines(),
            strict=True,
        )
    }

    assert set(explained) <= held_back
    assert len(explained) == min(PLAN.explain.rows, len(held_back))


def test_what_does_not_parse_is_quarantined_with_its_reason(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    good = [f"M,{','.join(f'{value:.3f}' for value in rng.random(7))},{n % 9}" for n in range(200)]
    bad = [good[0].replace("M,", ","), f"{good[1]},1", good[2].rpartition(",")[0] + ",old"]
    history = folder_with(tmp_path, "some.csv", "\n".join([",".join(HEADERS), *good, *bad]))

    prepared = prepare(tmp_path, history, PLAN)

    summary = json.loads((prepared.prepared / "summary.json").read_bytes())
    (file,) = prepared.quarantine.glob("*.jsonl")
    refused = [json.loads(line) for line in file.read_text().splitlines()]
    assert summary["read"] == 203
    assert summary["accepted"] == 200
    assert summary["quarantined"] == {"missing_value": 1, "not_a_number": 1, "wrong_width": 1}
    assert [entry["line"] for entry in refused] == [202, 203, 204]
    assert [entry["text"] for entry in refused] == bad
    assert refused[2]["message"] == (
        "column 'rings': 'old' is not a number; "
        "write digits with a point, or leave the cell empty where a value is missing"
    )


@pytest.mark.parametrize(
    ("content", "environment", "said"),
    [
        ("sex,length\nM,1\n", {}, "the header has no column 'rings'"),
        (ROW + ",15\n", {"WATCHKEEPER_START": "2024-01-01T00:00:00Z"}, "rows of this workload have no time"),
    ],
)
def test_a_history_that_cannot_train_fails_the_job_with_the_reason(
    tmp_path: Path, content: str, environment: dict[str, str], said: str
) -> None:
    with pytest.raises(JobFailedError, match=said):
        prepare(tmp_path, folder_with(tmp_path, "some.csv", content), PLAN, **environment)


def test_an_unknown_hyperparameter_fails_the_training(trained: Trained, tmp_path: Path) -> None:
    with pytest.raises(JobFailedError, match="unknown hyperparameter 'depth'; allowed: n_estimators"):
        train(tmp_path, trained.prepared, {"depth": 3})
