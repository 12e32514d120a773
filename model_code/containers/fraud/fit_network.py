"""Fits the graph network with JAX and optax, and keeps the epoch that predicts the validation time best."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from containers.fraud import network
from containers.fraud.hyperparameters import Hyperparameters
from containers.fraud.network import MEAN_ENTITY
from watchkeeper.fraud.measures import Ranking, best_f1
from watchkeeper.fraud.table import TransactionGraph

_FOLLOW = 0.02
"""Share of a step's mean in the mean embedding that is followed."""
_PREDICT = 4096
"""Rows of a prediction, padded: one shape is compiled once."""
_RISE = 0.1
"""Share of the steps in which the learning rate rises."""

Report = Callable[["Epoch"], None]


@dataclass(frozen=True)
class Epoch:
    """A line of the training log."""

    number: int
    loss: float
    """Mean cross-entropy of the training, in nats."""
    f1: float
    """Highest on the validation time."""
    pr_auc: float
    """On the validation time."""
    seconds: float


def fit_network(
    inputs: NDArray[np.float32],
    graph: TransactionGraph,
    fraud: NDArray[np.bool_],
    train: NDArray[np.int64],
    validation: NDArray[np.int64],
    hyperparameters: Hyperparameters,
    report: Report,
) -> tuple[dict[str, NDArray[np.float32]], list[Epoch]]:
    """Return the parameters of the best epoch, and the log.

    Parameters
    ----------
    inputs
        Scaled vectors of all transactions, of shape (n, n_inputs).
    train, validation
        Positions of rows.
    report
        Is told of each epoch.
    """
    import jax
    import jax.numpy as jnp

    features, latest = jnp.asarray(inputs), jnp.asarray(np.maximum(graph.latest, 0).astype(np.int32))
    n_relations = graph.latest.shape[1]
    n_steps = -(-len(train) // hyperparameters.batch_size)
    parameters = {
        name: jnp.asarray(array)
        for name, array in network.initial_parameters(
            inputs.shape[1], n_relations, hyperparameters.embedding_size, hyperparameters.seed
        ).items()
    }
    optimizer = _optimizer(hyperparameters, n_steps * hyperparameters.n_epochs)
    state = optimizer.init(parameters)
    step, predict = _compiled(features, latest, optimizer, hyperparameters.dropout)
    edges, mask = graph.edges(train)
    target = fraud[train].astype(np.float32)
    held_out = [graph.edges(part) for part in _chunks(validation)]
    random, key = np.random.default_rng(hyperparameters.seed), jax.random.key(hyperparameters.seed)
    log: list[Epoch] = []
    best = parameters
    for number in range(1, hyperparameters.n_epochs + 1):
        begun, losses = time.perf_counter(), []
        for places in _batches(len(train), hyperparameters.batch_size, random):
            key, part = jax.random.split(key)
            batch = (train[places].astype(np.int32), edges[places], mask[places], target[places])
            parameters, state, loss = step(parameters, state, part, *batch)
            losses.append(loss)
        scores = np.concatenate(
            [
                np.asarray(predict(parameters, *_padded(rows, *held)))[: len(rows)]
                for rows, held in zip(_chunks(validation), held_out, strict=True)
            ]
        ).astype(np.float64)
        pr_auc = Ranking.of(fraud[validation], scores).pr_auc()
        if not log or pr_auc > max(epoch.pr_auc for epoch in log):
            best = parameters
        f1 = best_f1(fraud[validation], scores)[0]
        log.append(Epoch(number, float(np.mean(losses)), f1, pr_auc, round(time.perf_counter() - begun, 2)))
        report(log[-1])
    return {name: np.asarray(array) for name, array in best.items()}, log


def _compiled(features: Any, latest: Any, optimizer: Any, dropout: float) -> tuple[Any, Any]:
    """Return a step of the training, and the prediction."""
    import jax
    import jax.numpy as jnp
    import optax

    def loss_of(parameters: Any, key: Any, rows: Any, edges: Any, mask: Any, target: Any) -> Any:
        inputs, single, whole = jax.random.split(key, 3)
        x = features[rows]
        kept = jax.random.bernoulli(inputs, 1.0 - dropout, x.shape)
        seen = mask * jax.random.bernoulli(single, 1.0 - dropout, mask.shape)
        seen = seen * jax.random.bernoulli(whole, 1.0 - dropout / 2, (*mask.shape[:2], 1))
        messages = network.neighbour_messages(parameters, features[latest[rows]], edges, seen, jnp)
        count = seen.sum(axis=2)
        entities = network.entity_embeddings(parameters, messages.sum(axis=2), count, jnp)
        logits = network.readout(parameters, x * kept / (1.0 - dropout), entities, jnp)
        there = jnp.swapaxes(count > 0.0, 0, 1)[..., None]
        mean = (entities * there).sum(axis=1) / jnp.maximum(there.sum(axis=1), 1)
        followed = jnp.where(there.any(axis=1), mean, parameters[MEAN_ENTITY])
        return optax.sigmoid_binary_cross_entropy(logits, target).mean(), followed

    def step(parameters: Any, state: Any, key: Any, *batch: Any) -> Any:
        (loss, mean), gradient = jax.value_and_grad(loss_of, has_aux=True)(parameters, key, *batch)
        updates, state = optimizer.update(gradient, state, parameters)
        before = parameters[MEAN_ENTITY]
        parameters = optax.apply_updates(parameters, updates)
        return parameters | {MEAN_ENTITY: before + _FOLLOW * (mean - before)}, state, loss

    def predict(parameters: Any, rows: Any, edges: Any, mask: Any) -> Any:
        return network.logits(parameters, features[rows], features[latest[rows]], edges, mask, jnp)

    return jax.jit(step), jax.jit(predict)


def _optimizer(hyperparameters: Hyperparameters, n_steps: int) -> Any:
    import optax

    rise = max(1, int(_RISE * n_steps))
    schedule = optax.warmup_cosine_decay_schedule(0.0, hyperparameters.lr, rise, max(n_steps, rise + 1))
    kinds = {"adam": optax.adam, "adamw": optax.adamw, "sgd": optax.sgd}
    return optax.chain(optax.clip_by_global_norm(1.0), kinds[hyperparameters.optimizer](schedule))


def _batches(n: int, size: int, random: np.random.Generator) -> list[NDArray[np.int64]]:
    """Return positions in random order, in batches of one size: the last takes some again."""
    order = random.permutation(n)
    return [np.take(order, range(start, start + size), mode="wrap") for start in range(0, n, size)]


def _chunks(rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return [rows[start : start + _PREDICT] for start in range(0, len(rows), _PREDICT)]


def _padded(rows: NDArray[np.int64], *arrays: NDArray[Any]) -> list[NDArray[Any]]:
    """Return arrays with as many rows as a prediction has."""
    missing = _PREDICT - len(rows)
    return [
        np.pad(array, [(0, missing), *[(0, 0)] * (array.ndim - 1)])
        for array in (rows.astype(np.int32), *arrays)
    ]
