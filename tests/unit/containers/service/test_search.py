"""Splits, measures and the search."""

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.service.quality import measure
from containers.service.search import LIMIT, Tried, best_of, measure_held_out, share_of, try_candidates
from containers.service.splits import split_rows
from containers.service.tables import Table
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.detectors.catalogue import ALGORITHMS


def labelled_rows(n_rows=400, share=0.05, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n_rows, 3))
    labels = np.zeros(n_rows, dtype=bool)
    labels[rng.choice(n_rows, int(share * n_rows), replace=False)] = True
    values[labels] += rng.choice([-5.0, 5.0], size=(labels.sum(), 3))
    return Table(0, ("a", "b", "c"), values, None), labels


@given(
    labels=st.lists(st.booleans(), min_size=40, max_size=200).filter(lambda found: sum(found) >= 8),
    timed=st.booleans(),
    seed=st.integers(0, 99),
)
@settings(max_examples=60)
def test_no_row_is_in_two_parts_and_nothing_learns_from_the_future(labels, timed, seed):
    labels = np.array(labels)
    times = np.random.default_rng(seed).permutation(len(labels)).astype(float) if timed else None
    if timed and not labels[np.argsort(times)][len(labels) // 2 : len(labels) - round(len(labels) / 4)].any():
        with pytest.raises(InvalidInputError, match="no anomaly in the part"):
            split_rows(labels, times)
        return
    split = split_rows(labels, times)
    everything = np.sort(np.concatenate((split.search, split.held_out)))
    assert everything.tolist() == list(range(len(labels)))
    for fold in split.folds:
        assert not set(fold.learn) & set(fold.judge)
        assert set(fold.learn) | set(fold.judge) <= set(split.search)
        if times is not None:
            assert times[fold.learn].max() < times[fold.judge].min() < times[split.held_out].min()
    if times is None:
        judged = np.concatenate([fold.judge for fold in split.folds])
        assert np.sort(judged).tolist() == split.search.tolist()
        counts = [int(labels[fold.judge].sum()) for fold in split.folds]
        assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize(("n_rows", "labelled"), [(30, 5), (100, 0)])
def test_a_search_says_why_it_cannot_be(n_rows, labelled):
    labels = np.arange(n_rows) < labelled
    with pytest.raises(InvalidInputError, match="train without labels"):
        split_rows(labels, None)


def test_measures_are_those_of_scikit_learn():
    rng = np.random.default_rng(3)
    truth, scores = rng.random(300) < 0.1, rng.random(300)
    flagged = scores > 0.8
    found = measure(truth, flagged, scores)
    assert found.f1 == pytest.approx(sklearn.metrics.f1_score(truth, flagged))
    assert found.precision == pytest.approx(sklearn.metrics.precision_score(truth, flagged))
    assert found.pr_auc == pytest.approx(sklearn.metrics.average_precision_score(truth, scores))
    assert found.roc_auc == pytest.approx(sklearn.metrics.roc_auc_score(truth, scores))
    assert found.true_positives + found.false_negatives == truth.sum()
    assert found.true_positives + found.false_positives == flagged.sum()


def test_measures_that_labels_cannot_give_are_absent():
    found = measure(np.zeros(5, dtype=bool), np.array([1, 0, 0, 0, 0], dtype=bool), np.arange(5.0))
    assert (found.precision, found.recall, found.f1, found.pr_auc, found.roc_auc) == (None,) * 5
    assert (found.false_positives, found.true_negatives) == (1, 4)


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_shares_are_the_candidates_and_the_defaults_are_the_first(algorithm):
    shares = [share_of(algorithm, chunk, 3) for chunk in range(3)]
    places = sorted(place for share in shares for place, _ in share)
    assert places == list(range(len(places)))
    assert 1 <= len(places) <= LIMIT
    assert shares[0][0] == (0, {})
    points = [point for share in shares for _, point in share]
    assert len({str(sorted(point.items())) for point in points}) == len(points)


def test_the_search_finds_more_than_the_defaults_and_the_held_out_part_confirms_it():
    table, labels = labelled_rows()
    split = split_rows(labels, None)
    tried = try_candidates("isolation forest", share_of("isolation forest", 0, 4), table, labels, split)
    best, defaults = best_of(tried), tried[0]
    assert defaults.place == 0
    assert best.f1 >= defaults.f1
    assert best.f1 > 0.8
    held_out = measure_held_out("isolation forest", best.hyperparameters, table, labels, split)
    of_defaults = measure_held_out("isolation forest", {}, table, labels, split)
    assert held_out.f1 > of_defaults.f1


def test_a_contamination_found_by_its_threshold_gives_the_same_labels_when_fitted():
    table, labels = labelled_rows()
    split = split_rows(labels, np.arange(float(len(labels))))
    (tried,) = try_candidates("ecod", [(0, {})], table, labels, split)
    (again,) = try_candidates("ecod", [(0, tried.hyperparameters)], table, labels, split)
    assert tried.hyperparameters["contamination"] is not None
    assert again.f1 >= tried.f1


def test_a_candidate_that_cannot_be_fitted_is_told_and_passed_over():
    table, labels = labelled_rows()
    split = split_rows(labels, None)
    impossible, possible = try_candidates(
        "DBSCAN", [(0, {"eps": 1e-9, "min_samples": 20}), (1, {"eps": 2.0})], table, labels, split
    )
    assert impossible.f1 is None
    assert "eps" in impossible.error
    assert best_of([impossible, possible]) == possible
    with pytest.raises(InvalidInputError, match="no candidate could be fitted"):
        best_of([impossible])


def test_of_equal_candidates_the_first_is_chosen():
    tried = [Tried(place, {}, f1=0.5, pr_auc=0.5) for place in (2, 0, 1)]
    assert best_of(tried).place == 0
