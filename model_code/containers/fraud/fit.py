"""Fits every model on the time that trains, and takes the simplest of the best on the validation time."""

from __future__ import annotations

import logging
import time
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from containers.fraud.encoding import Encoding
from containers.fraud.fit_network import Epoch, fit_network
from containers.fraud.fit_trees import fit_trees
from containers.fraud.hyperparameters import Hyperparameters
from containers.fraud.model import FraudModel, probability
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.fraud.features import AMOUNT, amount_of
from watchkeeper.fraud.manifest import CHOICES
from watchkeeper.fraud.measures import Ranking, simplest_of_the_best
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.fraud.schema import schema_of
from watchkeeper.fraud.split import TRAIN, VALIDATION
from watchkeeper.fraud.table import TransactionGraph
from watchkeeper.fraud.thresholds import fit_threshold

LEAST_FRAUDS = 10
"""Frauds that the training time has at least, and the validation time."""
_WEIGHTS = np.linspace(0.0, 1.0, 21)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Fitted:
    """A model, and what was seen while it was fitted."""

    model: FraudModel
    log: list[Epoch]
    validation_pr_auc: dict[str, float]
    seconds: dict[str, float]


def fit_model(
    graph: TransactionGraph, parts: NDArray[np.int8], plan: FraudPlan, hyperparameters: Hyperparameters
) -> Fitted:
    """Return a fitted model.

    Parameters
    ----------
    parts
        Of each transaction; see `watchkeeper.fraud.split`.

    Raises
    ------
    InvalidInputError
        If the time that trains, or that of the validation, has too few frauds, with reason `too_few_rows`.
    """
    train, validation = np.flatnonzero(parts == TRAIN), np.flatnonzero(parts == VALIDATION)
    fraud = graph.labels.verdicts > 0
    for name, rows in (("train", train), ("validation", validation)):
        _check(name, fraud[rows])
    begun = time.perf_counter()
    schema = schema_of(plan)
    encoding = Encoding.fitted(graph.vectors[train], fraud[train], schema)
    numbers = encoding.numbers(graph.vectors)
    row = fit_trees(numbers[:, : schema.n_row], fraud, train, validation, hyperparameters)
    as_of = fit_trees(numbers, fraud, train, validation, hyperparameters)
    trees_done = time.perf_counter()
    inputs = encoding.scaled(numbers)
    parameters, log = fit_network(
        inputs,
        graph,
        fraud,
        train,
        validation,
        hyperparameters,
        lambda epoch: logger.info("epoch", extra=asdict(epoch)),
    )
    network_done = time.perf_counter()
    with np.errstate(all="ignore"):
        typical = np.nanmedian(graph.vectors[train], axis=0)
    model = FraudModel(
        plan, encoding, row, as_of, parameters, typical, weight=0.5, choice="row", threshold=0.5
    )
    return _chosen(
        model,
        graph,
        validation,
        log,
        {
            "trees": round(trees_done - begun, 2),
            "network": round(network_done - trees_done, 2),
        },
    )


def _chosen(
    model: FraudModel,
    graph: TransactionGraph,
    validation: NDArray[np.int64],
    log: list[Epoch],
    seconds: dict[str, float],
) -> Fitted:
    """Return the model with the choice, the ensemble's weight and the threshold of the validation time."""
    fraud = graph.labels.verdicts[validation] > 0
    rows = graph.ego_rows(validation)
    logits = {name: model.logits(rows, name) for name in ("row", "as_of", "graph")}

    def pr_auc(scores: NDArray[np.float64]) -> float:
        return Ranking.of(fraud, scores).pr_auc()

    mixed = [weight * logits["graph"] + (1.0 - weight) * logits["as_of"] for weight in _WEIGHTS]
    best = int(np.argmax([pr_auc(each) for each in mixed]))
    logits["ensemble"] = mixed[best]
    areas = {name: pr_auc(logits[name]) for name in CHOICES}
    ordered = [logits[name] for name in CHOICES]
    choice = CHOICES[simplest_of_the_best(fraud, ordered, graph.times[validation])]
    threshold = fit_threshold(
        model.plan.threshold,
        fraud,
        probability(logits[choice]),
        graph.times[validation],
        amount_of(graph.vectors[validation, AMOUNT]),
    )
    chosen = replace(model, weight=float(_WEIGHTS[best]), choice=choice, threshold=threshold)
    return Fitted(chosen, log, {str(name): area for name, area in areas.items()}, seconds)


def _check(name: str, fraud: NDArray[np.bool_]) -> None:
    if LEAST_FRAUDS <= fraud.sum() < len(fraud):
        return
    raise InvalidInputError(
        f"the {name} time has {len(fraud)} labelled transactions, {fraud.sum()} of them fraud: at least "
        f"{LEAST_FRAUDS} are needed, and others; give more history, or change history.split or label.delay",
        reason="too_few_rows",
    )
