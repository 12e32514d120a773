"""The frozen forest against the published formula and against an independent implementation."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.detectors.forest import compiled
from watchkeeper.detectors.forest import kernel as forest_kernel
from watchkeeper.detectors.forest.forest import FrozenForest
from watchkeeper.detectors.forest.kernel import Trees

GOLDEN_ROWS = np.concatenate(
    [
        np.random.default_rng(1).normal(size=(40, 8)),
        np.random.default_rng(2).normal(size=(10, 8)) * 6,
        np.random.default_rng(0).normal(size=(3000, 8))[:10],
    ]
)


@pytest.fixture(scope="module")
def forest() -> FrozenForest:
    rows = np.random.default_rng(0).normal(size=(3000, 8))
    return FrozenForest(n_trees=20, random_state=5).fit(np.concatenate([rows, rows[:2000]]))


def reference_score(trees: Trees, row: np.ndarray) -> float:
    """The published recursion, one tree after the other, as plainly as it can be written."""

    def below(node: int, depth: int, tree_mass: float) -> float:
        highest, lowest = trees.box[node]
        if trees.left[node] < 0:
            if (row == highest).all():
                damped = 1 - trees.mass[node] / (2 * tree_mass)
                return float(damped / (depth + np.log2(trees.mass[node] + 1)))
            return 1 / (depth + 1)
        grown = np.maximum(highest, row) - np.minimum(lowest, row)
        separated = 1 - (highest - lowest).sum() / grown.sum()
        goes_left = row[trees.cut_dimension[node]] <= trees.cut_value[node]
        child = trees.left[node] if goes_left else trees.right[node]
        return float(separated / (depth + 1) + (1 - separated) * below(child, depth + 1, tree_mass))

    scores = [below(root, 0, trees.mass[root]) * np.log2(trees.mass[root] + 1) for root in trees.roots]
    return float(np.mean(scores))


def trees_of_krcf(forest: Any, features: int) -> Trees:
    """Read the trees out of krcf's own JSON state."""
    state = json.loads(forest.to_json())["rcf"]
    points = state["point_store"]
    values = np.array(points["store"], dtype=np.float32).astype(float)
    nodes: dict[str, list[Any]] = {name: [] for name in Trees.__dataclass_fields__ if name != "roots"}

    def add(store: dict[str, Any], index: int) -> int:
        node = len(nodes["mass"])
        for column in nodes.values():
            column.append(-1)
        if index >= store["capacity"]:
            start = points["location"][index - store["capacity"]] * features
            point = values[start : start + features]
            nodes["cut_value"][node], nodes["box"][node] = 0.0, (point, point)
            nodes["mass"][node] = 1.0 + store["hash_mass_leaves"].get(str(index), 0)
            return node
        left, right = add(store, store["left_index"][index]), add(store, store["right_index"][index])
        nodes["left"][node], nodes["right"][node] = left, right
        nodes["cut_dimension"][node] = store["cut_dimension"][index]
        nodes["cut_value"][node] = float(np.float32(store["cut_value"][index]))
        nodes["mass"][node] = nodes["mass"][left] + nodes["mass"][right]
        boxes = [nodes["box"][left], nodes["box"][right]]
        nodes["box"][node] = (
            np.maximum(boxes[0][0], boxes[1][0]),
            np.minimum(boxes[0][1], boxes[1][1]),
        )
        return node

    roots = [add(part["tree"]["node_store"], part["tree"]["root"]) for part in state["sampler_plus_trees"]]
    whole = ("left", "right", "cut_dimension")
    arrays = {name: np.array(column, np.int32 if name in whole else float) for name, column in nodes.items()}
    return Trees(roots=np.array(roots, np.int32), **arrays)


def test_scores_are_those_of_the_published_formula(forest: FrozenForest) -> None:
    expected = [reference_score(forest.trees_, row) for row in GOLDEN_ROWS]
    np.testing.assert_allclose(forest.score_samples(GOLDEN_ROWS), expected, rtol=0, atol=1e-12)


def test_scores_are_those_of_krcf_on_its_own_trees() -> None:
    from krcf import RandomCutForest

    rows = np.random.default_rng(0).normal(size=(1500, 8)).astype(np.float32)
    options = {"dimensions": 8, "shingle_size": 1, "num_trees": 30, "sample_size": 128, "random_seed": 7}
    other = RandomCutForest({**options, "output_after": 1, "internal_shingling": False})
    for row in rows:
        other.update(row.tolist())
    queries = GOLDEN_ROWS.astype(np.float32).astype(float)
    ours = FrozenForest.from_trees(trees_of_krcf(other, 8))
    # krcf computes in single precision, which is what the difference is.
    expected = [other.score(row.tolist()) for row in queries]
    np.testing.assert_allclose(ours.score_samples(queries), expected, rtol=0, atol=2e-7)
    attributions = [other.attribution(row.tolist()) for row in queries[40:50]]
    parts = np.array([np.add(one["high"], one["low"]) for one in attributions])
    np.testing.assert_allclose(ours.attribute(queries[40:50]), parts, rtol=0, atol=0.05)


def test_numpy_gives_the_scores_that_compiled_code_gives(
    forest: FrozenForest, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled, parts = forest.score_samples(GOLDEN_ROWS), forest.attribute(GOLDEN_ROWS)
    monkeypatch.setattr(forest_kernel, "HAVE_NUMBA", False)
    np.testing.assert_allclose(forest.score_samples(GOLDEN_ROWS), compiled, rtol=0, atol=1e-12)
    np.testing.assert_allclose(forest.attribute(GOLDEN_ROWS), parts, rtol=0, atol=1e-12)


def test_rows_however_far_outside_score_as_the_formula_says(forest: FrozenForest) -> None:
    far = np.concatenate([GOLDEN_ROWS[:4] * scale for scale in (1e6, 1e25, 1e60, 1e300)])
    expected = [reference_score(forest.trees_, row) for row in far]
    np.testing.assert_allclose(forest.score_samples(far), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("features", [3, 17])
def test_any_number_of_features_scores_as_the_formula_says(features: int) -> None:
    rows = np.random.default_rng(features).normal(size=(400, features))
    forest = FrozenForest(n_trees=5, sample_size=64).fit(rows[:300])
    expected = [reference_score(forest.trees_, row) for row in rows[250:]]
    np.testing.assert_allclose(forest.score_samples(rows[250:]), expected, rtol=0, atol=1e-12)


def test_attribution_adds_up_to_the_score_and_names_the_odd_feature(forest: FrozenForest) -> None:
    rows = GOLDEN_ROWS.copy()
    rows[0, 3] = 40.0
    parts = forest.attribute(rows)
    np.testing.assert_allclose(parts.sum(axis=1), forest.score_samples(rows), atol=1e-12)
    assert (parts >= 0).all()
    assert parts[0].argmax() == 3


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 60), st.sampled_from([1, 3]))
def test_any_sample_grows_trees_whose_boxes_and_masses_fit(seed: int, rows: int, features: int) -> None:
    generator = np.random.default_rng(seed)
    sample = np.round(generator.normal(size=(rows, features)) * 10.0 ** generator.integers(-3, 9), 1)
    forest = FrozenForest(n_trees=3, sample_size=32, random_state=seed).fit(sample)
    trees = forest.trees_
    inner = np.flatnonzero(trees.left >= 0)
    np.testing.assert_array_equal(
        trees.mass[inner], trees.mass[trees.left[inner]] + trees.mass[trees.right[inner]]
    )
    assert (trees.mass[trees.roots] == min(rows, 32)).all()
    assert (trees.mass > 0).all()
    scores = forest.score_samples(sample)
    assert np.isfinite(scores).all()
    assert (scores >= 0).all()


def test_same_random_state_same_forest_and_a_round_trip_keeps_it(forest: FrozenForest) -> None:
    rows = np.random.default_rng(0).normal(size=(500, 3))
    first, second = (FrozenForest(random_state=3).fit(rows) for _ in range(2))
    np.testing.assert_array_equal(first.score_samples(rows), second.score_samples(rows))
    restored = FrozenForest.from_bytes(forest.to_bytes())
    np.testing.assert_array_equal(restored.score_samples(GOLDEN_ROWS), forest.score_samples(GOLDEN_ROWS))
    assert restored.to_bytes() == forest.to_bytes()
    assert restored.get_params() == forest.get_params()


def test_says_what_is_wrong_with_rows(forest: FrozenForest) -> None:
    with pytest.raises(InvalidInputError, match=r"shape \(1, 3\)"):
        forest.score_samples([[1.0, 2.0, 3.0]])
    with pytest.raises(InvalidInputError, match="row 0 has a value that is not finite"):
        forest.score_samples(np.full((1, 8), np.nan))
    with pytest.raises(InvalidInputError, match="no rows to fit"):
        FrozenForest().fit(np.empty((0, 2)))


def test_compiled_code_is_kept_only_while_no_module_of_the_forest_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = compiled._stamp(tmp_path)
    (tmp_path / "kernel.py").write_text("a = 1\n")
    second = compiled._stamp(tmp_path)
    (tmp_path / "kernel.py").write_text("a = 2\n")
    assert len({first, second, compiled._stamp(tmp_path)}) == 3
    kept = compiled.compiled_reassociating(compiled._stamp)
    assert kept._cache._cache_file._source_stamp == compiled._stamp(Path(compiled.__file__).parent)


def test_a_read_only_folder_does_not_stop_compilation(monkeypatch: pytest.MonkeyPatch) -> None:
    class ReadOnlyNumba:
        @staticmethod
        def njit(*, cache: bool = False, **options: object) -> Callable[[object], object]:
            if cache:
                raise RuntimeError("no locator available")
            return lambda function: (function, options["nogil"])

    monkeypatch.setattr(compiled, "numba", ReadOnlyNumba)
    assert compiled.compiled_reassociating(compiled._stamp) == (compiled._stamp, True)
