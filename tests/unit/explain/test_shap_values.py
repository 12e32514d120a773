"""SHAP values: against shap, against the definition, and against each other."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd
import pytest
import shap
from scipy.stats import spearmanr
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesRegressor, GradientBoostingRegressor, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeRegressor

from containers.explain.measures.attribution import global_importance
from containers.explain.shap.coalitions import draw_coalitions
from containers.explain.shap.kernel import kernel_shap
from containers.explain.shap.trees import NotTraceableError, TreeModel, find_trees, tree_shap
from tests.unit.explain.conftest import NAMES, NUMBERS, Abalone
from watchkeeper.core.errors import InvalidInputError

ENOUGH = 254
"""2^8 - 2: all coalitions of eight features."""


def shap_row_by_row(predict, rows, baseline, num_samples: int, seed: int, link: str = "identity"):  # type: ignore[no-untyped-def]
    """Return what shap gives for each row at a seed."""
    explainer = shap.KernelExplainer(predict, baseline, link=link)
    found = []
    for row in rows:
        np.random.seed(seed)
        found.append(explainer.shap_values(row, nsamples=num_samples, l1_reg=0, silent=True))
    return np.array(found)


def by_definition(predict, row: pd.DataFrame, baseline: pd.DataFrame) -> np.ndarray:  # type: ignore[no-untyped-def]
    """Return Shapley values by their definition: the mean marginal contribution over all coalitions."""
    names = list(row.columns)
    worth = {}
    for size in range(len(names) + 1):
        for members in combinations(names, size):
            mixed = baseline.copy()
            for name in members:
                mixed[name] = row[name].iloc[0]
            worth[members] = predict(mixed).mean()
    values = []
    for name in names:
        total = 0.0
        for members, value in worth.items():
            if name not in members:
                joined = tuple(item for item in names if item in (*members, name))
                weight = factorial(len(members)) * factorial(len(names) - len(members) - 1)
                total += weight / factorial(len(names)) * (worth[joined] - value)
        values.append(total)
    return np.array(values)


def tree_values(abalone_rows: pd.DataFrame, baseline: pd.DataFrame, model, trees: TreeModel):  # type: ignore[no-untyped-def]
    return tree_shap(
        trees, abalone_rows, baseline, model.predict(abalone_rows)[:, None], model.predict(baseline)[:, None]
    )


@pytest.mark.parametrize("num_samples", [20, 100, ENOUGH])
@pytest.mark.parametrize("model", ["network", "forest"])
def test_kernel_values_are_those_of_shap_at_the_same_seed(
    abalone: Abalone, num_samples: int, model: str
) -> None:
    numbers = abalone.table[NUMBERS]
    target = abalone.table["Rings"]
    estimator = (
        MLPRegressor(hidden_layer_sizes=(8,), random_state=0, max_iter=60)
        if model == "network"
        else RandomForestRegressor(5, random_state=0)
    )
    estimator.fit(numbers[:500].to_numpy(), target[:500])
    rows, baseline = numbers[600:612].reset_index(drop=True), numbers[:3]

    expected = shap_row_by_row(estimator.predict, rows.to_numpy(), baseline.to_numpy(), num_samples, seed=3)
    found = kernel_shap(
        lambda table: estimator.predict(table.to_numpy())[:, None],
        rows,
        baseline,
        num_samples=num_samples,
        seed=3,
    )

    assert np.abs(found.values[:, :, 0] - expected).max() < 1e-9
    assert found.additivity_error < 1e-9
    assert found.method == ("exact" if num_samples == ENOUGH else "kernel")


def test_kernel_values_of_log_odds_are_those_of_shap() -> None:
    generator = np.random.default_rng(0)
    rows, baseline = generator.normal(size=(6, 5)), generator.normal(size=(4, 5))

    def predict(table: np.ndarray) -> np.ndarray:
        return 1.0 / (1.0 + np.exp(-(table @ np.arange(1.0, 6.0)) * np.tanh(table[:, 0])))

    found = kernel_shap(
        lambda table: predict(table.to_numpy())[:, None],
        pd.DataFrame(rows),
        pd.DataFrame(baseline),
        num_samples=18,
        seed=5,
        use_logit=True,
    )

    assert found.values[:, :, 0] == pytest.approx(
        shap_row_by_row(predict, rows, baseline, 18, seed=5, link="logit"), abs=1e-9
    )
    assert found.additivity_error < 1e-9


def test_log_odds_of_what_is_no_probability_are_refused() -> None:
    table = pd.DataFrame({"a": [1.0, 2.0], "b": [0.0, 1.0]})
    with pytest.raises(InvalidInputError, match=r"use_logit.*between 0 and 1"):
        kernel_shap(lambda rows: rows[["a"]].to_numpy(), table, table, seed=0, use_logit=True)


def test_exact_kernel_tree_and_definition_agree(abalone: Abalone) -> None:
    exact = kernel_shap(abalone.predict, abalone.rows, abalone.baseline, num_samples=1_000, seed=0)
    trees = tree_values(
        abalone.rows, abalone.baseline, abalone.pipeline, find_trees(abalone.pipeline, tuple(NAMES[:-1]))
    )
    definition = by_definition(abalone.predict, abalone.rows[:1], abalone.baseline)

    assert exact.method == "exact"
    assert trees.method == "tree"
    assert np.abs(exact.values - trees.values).max() < 1e-9
    assert np.abs(trees.values[0, :, 0] - definition).max() < 1e-9
    assert max(exact.additivity_error, trees.additivity_error) < 1e-9


def test_exact_values_are_those_of_shaps_interventional_trees(abalone: Abalone) -> None:
    # In whole numbers: shap compares at single precision, at which thresholds between close values are lost.
    numbers = (abalone.table[NUMBERS] * 10_000).round()
    forest = RandomForestRegressor(20, random_state=0).fit(
        numbers[:1_000].to_numpy(), abalone.table["Rings"][:1_000]
    )
    rows, baseline = numbers[1_000:1_040].reset_index(drop=True), numbers[:5]

    def predict(table: pd.DataFrame) -> np.ndarray:
        return forest.predict(table.to_numpy())[:, None]

    explainer = shap.TreeExplainer(forest, baseline.to_numpy(), feature_perturbation="interventional")
    expected = explainer.shap_values(rows.to_numpy())
    exact = kernel_shap(predict, rows, baseline, num_samples=126, seed=0)
    trees = tree_shap(find_trees(forest, tuple(NUMBERS)), rows, baseline, predict(rows), predict(baseline))

    assert np.abs(exact.values[:, :, 0] - expected).max() < 1e-6
    assert np.abs(trees.values[:, :, 0] - expected).max() < 1e-6


def test_twenty_samples_rank_the_important_features_as_the_exact_values_do(abalone: Abalone) -> None:
    few = kernel_shap(abalone.predict, abalone.rows, abalone.baseline, num_samples=20, seed=0)
    exact = kernel_shap(abalone.predict, abalone.rows, abalone.baseline, num_samples=ENOUGH, seed=0)

    ranks = spearmanr(*(global_importance(found.values)[:, 0] for found in (few, exact)))

    assert ranks.statistic > 0.7


@pytest.mark.parametrize(
    "ensemble",
    [
        RandomForestRegressor(5, random_state=0),
        ExtraTreesRegressor(5, random_state=0),
        DecisionTreeRegressor(random_state=0),
        GradientBoostingRegressor(n_estimators=20, random_state=0),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
@pytest.mark.parametrize(
    "encoder",
    [
        OneHotEncoder(),
        OneHotEncoder(drop="first"),
        OneHotEncoder(min_frequency=450, handle_unknown="infrequent_if_exist"),
        OrdinalEncoder(),
    ],
    ids=["all", "drop", "infrequent", "ordinal"],
)
def test_tree_values_are_exact_for_each_ensemble_and_encoder(abalone: Abalone, ensemble, encoder) -> None:  # type: ignore[no-untyped-def]
    preparation = ColumnTransformer(
        [
            ("drop", "drop", ["Diameter"]),
            ("sex", encoder, ["Sex"]),
            ("lengths", make_pipeline(SimpleImputer(), StandardScaler()), ["Length", "Height"]),
        ],
        remainder="passthrough",
    )
    features = abalone.table[NAMES[:-1]]
    model = make_pipeline(preparation, ensemble).fit(features[:300], abalone.table["Rings"][:300])

    trees = find_trees({"pipeline": model, "version": 3}, tuple(NAMES[:-1]))
    found = tree_values(abalone.rows[:10], abalone.baseline, model, trees)
    exact = kernel_shap(
        lambda rows: model.predict(rows)[:, None],
        abalone.rows[:10],
        abalone.baseline,
        num_samples=ENOUGH,
        seed=0,
    )

    assert np.abs(found.values - exact.values).max() < 1e-9
    assert (found.values[:, NAMES.index("Diameter")] == 0.0).all()


def test_trees_send_missing_values_where_scikit_learn_does(abalone: Abalone) -> None:
    numbers = abalone.table[NUMBERS].mask(np.random.default_rng(0).random((len(abalone.table), 7)) < 0.2)
    forest = RandomForestRegressor(5, random_state=0).fit(numbers[:400], abalone.table["Rings"][:400])
    rows, baseline = numbers[400:410].reset_index(drop=True), numbers[:2]

    found = tree_values(rows, baseline, forest, find_trees(forest, tuple(NUMBERS)))
    exact = kernel_shap(lambda table: forest.predict(table)[:, None], rows, baseline, num_samples=126, seed=0)

    assert np.abs(found.values - exact.values).max() < 1e-9


@pytest.mark.parametrize(
    ("steps", "missing", "why"),
    [
        ([LinearRegression()], False, "LinearRegression is not one of"),
        ([PCA(), RandomForestRegressor(2)], False, "the columns of PCA cannot be traced"),
        (
            [SimpleImputer(add_indicator=True), RandomForestRegressor(2)],
            True,
            "SimpleImputer cannot be traced",
        ),
    ],
)
def test_model_whose_columns_cannot_be_traced_says_why(
    abalone: Abalone, steps: list[object], missing: bool, why: str
) -> None:
    numbers = abalone.table[NUMBERS][:50]
    numbers = numbers.mask(numbers > 0.5) if missing else numbers
    model = make_pipeline(*steps).fit(numbers, abalone.table["Rings"][:50])

    with pytest.raises(NotTraceableError, match=why):
        find_trees(model, tuple(NUMBERS))


def test_transformer_that_only_has_a_known_name_is_not_trusted(abalone: Abalone) -> None:
    stranger = type("StandardScaler", (PCA,), {"__module__": "theirs"})()
    model = make_pipeline(stranger, RandomForestRegressor(2)).fit(
        abalone.table[NUMBERS][:50], abalone.table["Rings"][:50]
    )
    with pytest.raises(NotTraceableError, match=r"the columns of theirs\.StandardScaler cannot be traced"):
        find_trees(model, tuple(NUMBERS))


def test_model_that_changes_the_sum_of_its_trees_is_not_explained_by_them(abalone: Abalone) -> None:
    trees = find_trees(abalone.pipeline, tuple(NAMES[:-1]))
    with pytest.raises(NotTraceableError, match="not the sum of its trees"):
        tree_shap(
            trees,
            abalone.rows,
            abalone.baseline,
            np.exp(abalone.predict(abalone.rows)),
            np.exp(abalone.predict(abalone.baseline)),
        )


def test_objects_without_one_estimator_are_told() -> None:
    with pytest.raises(NotTraceableError, match="does not hold one scikit-learn estimator, but 0"):
        find_trees({"weights": [1, 2]}, ("a",))


def test_categories_and_missing_cells_are_explained(abalone: Abalone) -> None:
    rows = pd.DataFrame({"kind": ["a", "b", None, "c"], "size": [1.0, np.nan, 3.0, 4.0]}, dtype=object)
    rows["size"] = rows["size"].astype(float)
    baseline = pd.DataFrame({"kind": ["a"], "size": [0.0]})

    def predict(table: pd.DataFrame) -> np.ndarray:
        kind = table["kind"].map({"a": 1.0, "b": 5.0}).fillna(-2.0).to_numpy(dtype=float)
        return (kind + 2.0 * table["size"].fillna(10.0).to_numpy(dtype=float))[:, None]

    found = kernel_shap(predict, rows, baseline, seed=0)

    expected = [[0.0, 2.0], [4.0, 20.0], [-3.0, 6.0], [-3.0, 8.0]]
    assert found.values[:, :, 0] == pytest.approx(np.array(expected), abs=1e-12)


def test_equal_coalitions_are_asked_about_once() -> None:
    rows = pd.DataFrame({"a": [1.0] * 50, "b": [2.0] * 50, "c": np.arange(50) % 2.0 + 1.0})
    baseline = pd.DataFrame({"a": [0.0], "b": [0.0], "c": [0.0]})

    found = kernel_shap(lambda table: table.sum(axis=1).to_numpy()[:, None], rows, baseline, seed=0)

    # 51 rows at first; then 6 coalitions of 2 different rows, of which those without c are the same
    assert found.evaluations == 51 + 3 + 2 * 3
    assert np.allclose(found.values[:, :, 0], rows)


def test_too_few_samples_are_told_and_still_add_up(abalone: Abalone) -> None:
    found = kernel_shap(abalone.predict, abalone.rows[:5], abalone.baseline, num_samples=3, seed=0)

    assert found.undetermined
    assert found.additivity_error < 1e-9


@pytest.mark.parametrize("n_players", [2, 3, 4, 5, 8, 11, 12, 31, 40])
@pytest.mark.parametrize("num_samples", [3, 20, 61, 100, 600, None])
def test_coalitions_are_those_of_shap(n_players: int, num_samples: int | None) -> None:
    # With a baseline of zeros and a row of ones, the rows that the model is asked about are the coalitions.
    explainer = shap.KernelExplainer(lambda rows: rows.sum(axis=1), np.zeros((1, n_players)))
    for seed in (0, 7):
        np.random.seed(seed)
        explainer.shap_values(np.ones((1, n_players)), nsamples=num_samples or "auto", l1_reg=0, silent=True)
        members = explainer.maskMatrix[: explainer.nsamplesAdded] == 1.0
        weights = explainer.kernelWeights[: explainer.nsamplesAdded]

        drawn = draw_coalitions(n_players, num_samples, seed)

        assert np.array_equal(drawn.members, members)
        assert np.allclose(drawn.weights, weights, rtol=1e-12)


def test_seed_decides_the_coalitions_and_nothing_else_is_disturbed() -> None:
    np.random.seed(1)
    before = np.random.get_state()[1].copy()

    first, again, other = (draw_coalitions(12, 60, seed) for seed in (4, 4, 5))

    assert (first.members == again.members).all()
    assert (first.members != other.members).any()
    assert (np.random.get_state()[1] == before).all()
