"""The fraud jobs in this process: what is fitted, what is served, and why."""

from __future__ import annotations

import io
import itertools
import json
import math
import tarfile
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path

import jax.numpy as jnp
import lightgbm
import numpy as np
import pytest
from numpy.typing import NDArray

from containers.fraud import evaluate, network, serve, train
from containers.fraud.encoding import Encoding
from containers.fraud.explain import explain
from containers.fraud.fit import fit_model
from containers.fraud.hyperparameters import Hyperparameters
from containers.fraud.model import FraudModel, load_model, probability
from containers.fraud.prepared import read_prepared
from containers.fraud.trees import Trees
from containers.runtime.requests import Refusal
from tests.unit.fraud.test_table import online
from tests.unit.fraud.worlds import WORLD_PLAN, prepared_world, world_rows, write_prepared
from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.fraud.ego import EgoRows
from watchkeeper.fraud.evaluation import FraudEvaluation
from watchkeeper.fraud.manifest import CHOICES, Choice, FraudManifest
from watchkeeper.fraud.schema import schema_of
from watchkeeper.fraud.split import TEST, TRAIN
from watchkeeper.fraud.table import TransactionGraph

HYPERPARAMETERS = {
    "embedding_size": "16",
    "n_epochs": "2",
    "batch_size": "256",
    "n_trees": "15",
    "least_leaf": "10",
}


@dataclass(frozen=True)
class Job:
    """A training job's root after it has run."""

    root: Path
    graph: TransactionGraph
    parts: NDArray[np.int8]
    rows: EgoRows
    """Of the test time."""

    @property
    def model(self) -> FraudModel:
        return load_model(self.root / "model")[0]


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    root, rows = tmp_path_factory.mktemp("train"), world_rows()
    graph, parts = prepared_world(rows)
    write_prepared(root / "input" / "data" / "processed", rows)
    for folder, name, text in (
        ("data/plan", "plan.json", WORLD_PLAN.to_json()),
        ("config", "hyperparameters.json", json.dumps(HYPERPARAMETERS)),
    ):
        (root / "input" / folder).mkdir(parents=True)
        (root / "input" / folder / name).write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAGEMAKER_BASE_DIR", str(root))
        # the entry file is beside the packages only in the archive
        patch.setattr(train, "copy_serving_code", lambda *_: None)
        train.train()
    return Job(root, graph, parts, graph.ego_rows(np.flatnonzero(parts == TEST)))


def test_what_spark_wrote_is_the_graph_of_the_table(job: Job) -> None:
    read = read_prepared(job.root / "input" / "data" / "processed", WORLD_PLAN)
    np.testing.assert_array_equal(read.graph.latest, job.graph.latest)
    np.testing.assert_array_equal(read.graph.vectors, job.graph.vectors)
    np.testing.assert_array_equal(read.graph.labels.verdicts, job.graph.labels.verdicts)
    every = np.arange(len(read.ids))
    np.testing.assert_array_equal(read.graph.ego_rows(every).to_flat(), job.graph.ego_rows(every).to_flat())


def test_prepared_rows_of_another_plan_are_refused(job: Job) -> None:
    other = replace(WORLD_PLAN, numeric=("dist1",))
    with pytest.raises(ContractViolationError, match="prepare again"):
        read_prepared(job.root / "input" / "data" / "processed", other)
    with pytest.raises(InvalidInputError, match="nothing was prepared"):
        read_prepared(job.root / "nowhere", WORLD_PLAN)


def test_the_manifest_says_what_was_chosen_and_by_what(job: Job) -> None:
    manifest = FraudManifest.from_json((job.root / "model" / "manifest.json").read_bytes())
    areas = manifest.validation_pr_auc
    assert set(areas) == set(CHOICES)
    assert areas[manifest.choice] > max(areas.values()) - 0.1
    assert areas["ensemble"] >= max(areas["as_of"], areas["graph"])
    assert manifest.hyperparameters["embedding_size"] == 16
    assert 0.0 < manifest.threshold < 1.0


def test_the_log_has_loss_f1_and_area_of_every_epoch(job: Job) -> None:
    log = json.loads((job.root / "model" / "training.json").read_text())
    assert [epoch["number"] for epoch in log["epochs"]] == [1, 2]
    assert log["epochs"][1]["loss"] < log["epochs"][0]["loss"]
    assert all(0.0 <= epoch[key] <= 1.0 for epoch in log["epochs"] for key in ("f1", "pr_auc"))
    assert log["peak_memory_bytes"] > 50e6


@pytest.mark.parametrize("choice", CHOICES)
def test_every_model_finds_more_than_chance(job: Job, choice: Choice) -> None:
    logits = job.model.logits(job.rows, choice)
    tested = job.parts == TEST
    fraud = job.graph.labels.verdicts[tested] > 0
    metrics = evaluate.measured(fraud, probability(logits), job.graph.times[tested], 0.5)
    assert (metrics.roc_auc or 0.0) > 0.55


def test_numpy_answers_as_jax_does(job: Job) -> None:
    model, rows = job.model, job.rows
    arrays = model.scaled(rows.x), model.scaled(rows.neighbours), rows.edges, rows.mask
    parameters = {name: jnp.asarray(array) for name, array in model.parameters.items()}
    x, neighbours, edges, mask = map(jnp.asarray, arrays)
    theirs = np.asarray(network.logits(parameters, x, neighbours, edges, mask, jnp), np.float64)
    assert np.abs(model.probabilities(rows, "graph") - probability(theirs)).max() < 1e-6


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_trees_answer_as_lightgbm_does(missing: float) -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(1500, 6)).astype(np.float32)
    fraud = rows[:, 0] + rows[:, 1] * (rows[:, 2] > 0) + random.normal(size=1500) > 1.5
    rows[random.random(rows.shape) < missing] = np.nan
    booster = lightgbm.train(
        {"objective": "binary", "verbosity": -1, "num_threads": 1}, lightgbm.Dataset(rows, fraud), 20
    )
    asked = np.vstack([rows, np.full((1, 6), np.nan, np.float32)])
    ours = probability(Trees.of(booster.dump_model()).logits(asked))
    np.testing.assert_allclose(ours, booster.predict(asked), atol=1e-12)


def test_a_row_has_the_answer_that_it_has_among_others(job: Job) -> None:
    together = job.model.probabilities(job.rows)
    alone = [
        job.model.probabilities(EgoRows(*(part[at : at + 1] for part in vars(job.rows).values())))[0]
        for at in range(5)
    ]
    np.testing.assert_allclose(together[:5], alone, atol=1e-6)


def test_transactions_that_come_one_by_one_have_the_probabilities_of_the_table(job: Job) -> None:
    rows = world_rows()[:1000]
    one_by_one = online(rows, WORLD_PLAN)
    table = prepared_world(rows)[0].ego_rows(np.arange(len(rows)))
    for choice in CHOICES:
        difference = job.model.probabilities(one_by_one, choice) - job.model.probabilities(table, choice)
        assert np.abs(difference).max() < 1e-5, choice


def test_a_transaction_whose_entities_were_never_seen_has_an_answer(job: Job) -> None:
    x = job.rows.x[:1].copy()
    for features in schema_of(WORLD_PLAN).as_of:
        x[0, features] = np.nan
        x[0, features.start : features.start + 2] = 0.0
    none = EgoRows(x, *(np.zeros_like(part[:1]) for part in list(vars(job.rows).values())[1:]))
    for choice in CHOICES:
        assert 0.0 < job.model.probabilities(none, choice)[0] < 1.0


def test_a_category_never_seen_has_the_mean_and_a_rare_one_is_near_it() -> None:
    schema = schema_of(WORLD_PLAN)
    vectors = np.zeros((1000, len(schema.names)), np.float32)
    column = schema.categorical.start
    vectors[:, column] = np.arange(1000) % 2
    vectors[0, column] = 7.0
    fraud = (vectors[:, column] == 1.0) | (vectors[:, column] == 7.0)
    numbers = Encoding.fitted(vectors, fraud, schema).numbers(np.tile(vectors[:1], (4, 1)))
    asked = np.tile(vectors[:1], (4, 1))
    asked[:, column] = 0.0, 7.0, 99.0, 1.0
    legitimate, rare, unseen, common = Encoding.fitted(vectors, fraud, schema).numbers(asked)[:, column]
    assert legitimate < unseen < rare < common
    assert abs(rare - unseen) < 0.2
    assert np.isfinite(numbers).all()


@pytest.mark.parametrize("choice", ["as_of", "graph", "ensemble"])
def test_what_relations_add_is_their_shapley_value(job: Job, choice: Choice) -> None:
    model = replace(job.model, choice=choice, weight=0.4)
    row = EgoRows(*(part[3:4] for part in vars(job.rows).values()))

    def value(included: frozenset[int]) -> float:
        x, mask = row.x.copy(), row.mask.copy()
        for at, features in enumerate(schema_of(WORLD_PLAN).as_of):
            if at not in included:
                x[0, features], mask[0, at] = model.typical[features], 0.0
        return float(model.logits(EgoRows(x, row.neighbours, row.edges, mask))[0])

    reasons = explain(model, row)[0]
    orders = list(itertools.permutations(range(3)))
    expected = np.zeros(3)
    for order in orders:
        for place, at in enumerate(order):
            before = frozenset(order[:place])
            expected[at] += (value(before | {at}) - value(before)) / len(orders)
    np.testing.assert_allclose(reasons.relations, expected, atol=1e-5)
    assert math.isclose(sum(reasons.relations), value(frozenset(range(3))) - value(frozenset()), abs_tol=1e-5)


def test_what_a_neighbour_moves_is_the_difference_that_leaving_it_out_makes(job: Job) -> None:
    model = replace(job.model, choice="graph")
    at = int(np.argmax(job.rows.mask.sum(axis=(1, 2))))
    row = EgoRows(*(part[at : at + 1] for part in vars(job.rows).values()))
    moved = explain(model, row)[0].moved
    assert len(moved) == 5
    assert [abs(each[2]) for each in moved] == sorted((abs(each[2]) for each in moved), reverse=True)
    for relation, place, difference in moved:
        mask = row.mask.copy()
        mask[0, relation, place] = 0.0
        left = model.logits(EgoRows(row.x, row.neighbours, row.edges, mask))[0]
        assert model.logits(row)[0] - left == pytest.approx(difference, abs=1e-5)


def served(job: Job, body: bytes | str, kind: str, accept: str = "application/jsonlines") -> tuple[str, str]:
    model = serve.model_fn(str(job.root / "model"))
    answered = serve.output_fn(serve.predict_fn(serve.input_fn(body, kind), model), accept, None)
    return answered[0], answered[1]


def test_npy_and_csv_get_the_offline_probabilities(job: Job) -> None:
    flat = job.rows.to_flat()[:7]
    content = io.BytesIO()
    np.save(content, flat)
    lines = "\n".join(",".join("" if np.isnan(cell) else repr(cell) for cell in row) for row in flat.tolist())
    offline = job.model.probabilities(job.rows)[:7]
    for body, kind in ((content.getvalue(), "application/x-npy"), (lines, "text/csv")):
        answers = [json.loads(line) for line in served(job, body, kind)[0].splitlines()]
        np.testing.assert_allclose([answer["pred_prob"] for answer in answers], offline, atol=1e-6)
        assert all(len(answer["reasons"]) == 3 for answer in answers)
        assert {(answer["model"], answer["threshold"]) for answer in answers} == {
            (job.model.choice, job.model.threshold)
        }
        plain, content_type = served(job, body, kind, "text/csv")
        assert content_type == "text/csv"
        np.testing.assert_allclose([float(line) for line in plain.splitlines()], offline, atol=1e-6)


@pytest.mark.parametrize(
    ("body", "kind", "status", "said"),
    [
        (b"abc", "application/x-npy", HTTPStatus.BAD_REQUEST, "is not application/x-npy"),
        (b"1,2\n1", "text/csv", HTTPStatus.BAD_REQUEST, "1 to 2 cells"),
        (b"not,a,row", "text/csv", HTTPStatus.BAD_REQUEST, "is not text/csv"),
        (b"", "text/csv", HTTPStatus.BAD_REQUEST, "no row"),
        (b"{}", "application/json", HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "application/x-npy or text/csv"),
        (b"1,2,3", "text/csv", HTTPStatus.BAD_REQUEST, "3 relations, 4 neighbours"),
    ],
)
def test_a_wrong_request_is_refused(job: Job, body: bytes, kind: str, status: HTTPStatus, said: str) -> None:
    refused = serve.predict_fn(serve.input_fn(body, kind), job.model)
    assert isinstance(refused, Refusal)
    assert refused.status == status
    assert said in refused.message


def test_an_artifact_that_was_changed_is_refused(job: Job, tmp_path: Path) -> None:
    for path in (job.root / "model").glob("*.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with (tmp_path / "arrays.npz").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ContractViolationError, match="not the one that was trained"):
        load_model(tmp_path)


@pytest.fixture(scope="module")
def evaluated(job: Job, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("evaluate")
    inputs = root / "processing" / "input"
    write_prepared(inputs / "processed", world_rows())
    (inputs / "plan").mkdir()
    (inputs / "plan" / "plan.json").write_text(WORLD_PLAN.to_json())
    for name in ("candidate", "champion"):
        (inputs / name).mkdir()
        with tarfile.open(inputs / name / "model.tar.gz", "w:gz") as archive:
            archive.add(job.root / "model", ".")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAGEMAKER_BASE_DIR", str(root))
        patch.setenv("WATCHKEEPER_RUN_ID", "r1")
        evaluate.evaluate()
    return root / "processing" / "output" / "evaluation"


def test_the_evaluation_has_a_row_for_every_model_and_the_chosen_one_is_the_candidate(
    evaluated: Path,
) -> None:
    evaluation = FraudEvaluation.from_json((evaluated / "evaluation.json").read_bytes())
    assert set(evaluation.rows) == set(CHOICES)
    assert evaluation.candidate == evaluation.rows[evaluation.choice] == evaluation.champion
    low, high = evaluation.candidate.pr_auc_interval or (1.0, 0.0)
    assert low <= evaluation.candidate.pr_auc <= high
    assert evaluation.baseline.roc_auc == 0.5
    assert evaluation.baseline.pr_auc == pytest.approx(evaluation.baseline.prevalence)


def test_the_smoke_test_has_rows_and_the_answers_to_them(job: Job, evaluated: Path) -> None:
    case = json.loads((evaluated / "smoke.json").read_text())
    answers = served(job, "\n".join(case["rows"]), "text/csv", "text/csv")[0].splitlines()
    np.testing.assert_allclose(
        [float(each) for each in answers], case["probabilities"], atol=case["tolerance"]
    )


def test_charts_and_statistics_are_written(evaluated: Path) -> None:
    assert {path.name for path in (evaluated / "charts").iterdir()} == {
        "learning.png",
        "precision-recall.png",
    }
    statistics = json.loads((evaluated / "statistics.json").read_text())["binary_classification_metrics"]
    matrix = statistics["confusion_matrix"]
    n = sum(count for row in matrix.values() for count in row.values())
    assert n == json.loads((evaluated / "statistics.json").read_text())["dataset"]["item_count"]


def test_too_few_frauds_to_learn_from_are_refused(job: Job) -> None:
    graph, parts = job.graph, job.parts
    few = np.where((graph.labels.verdicts > 0) & (parts == TRAIN), 0, parts).astype(np.int8)
    with pytest.raises(InvalidInputError, match=r"the train time has .* 0 of them fraud"):
        fit_model(graph, few, WORLD_PLAN, Hyperparameters())


@pytest.mark.parametrize(
    ("field", "value"), [("n_layers", 3), ("optimizer", "lion"), ("lr", 0.0), ("dropout", 1.0)]
)
def test_hyperparameters_that_cannot_be_are_refused(field: str, value: object) -> None:
    with pytest.raises(InvalidInputError, match=field):
        Hyperparameters(**{field: value})  # type: ignore[arg-type]  # as a user may give them
