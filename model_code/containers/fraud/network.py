"""The relational graph network on ego rows, written once for numpy and for JAX.

A transaction's neighbours reach it over the entities that they share: the first layer makes an entity's
embedding of its latest transactions, with weights for each relation (Schlichtkrull et al., 2018); the
second brings the entities' embeddings to the transaction. An entity never seen has the mean embedding of
its relation. Nothing is learned of single entities, so a new one is no special case.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Parameters = Mapping[str, Any]
"""Arrays by name, of numpy or of JAX."""

MEAN_ENTITY = "mean_entity"
"""Mean embedding of each relation's entities, of shape (R, H): followed during training, not learned."""
_SLOPE = 0.1
_GAP_SCALE = 0.1
"""Brings log1p of seconds to the size of the other inputs."""


def initial_parameters(
    n_inputs: int, n_relations: int, size: int, seed: int
) -> dict[str, NDArray[np.float32]]:
    """Return parameters to start from.

    Parameters
    ----------
    n_inputs
        Numbers of a transaction, scaled.
    size
        H: of every embedding.
    """
    random = np.random.default_rng(seed)

    def weights(*shape: int, fan_in: int) -> NDArray[np.float32]:
        drawn = random.normal(size=shape) / np.sqrt(fan_in)
        return np.asarray(drawn, np.float32)

    def zeros(*shape: int) -> NDArray[np.float32]:
        return np.zeros(shape, np.float32)

    return {
        "input": weights(n_inputs, size, fan_in=n_inputs),
        "input_bias": zeros(size),
        "edge": weights(3, size, fan_in=3),
        "entity": weights(n_relations, size, size, fan_in=size),
        "entity_bias": zeros(n_relations, 1, size),
        "self_1": weights(size, size, fan_in=size),
        "self_1_bias": zeros(size),
        "self_2": weights(size, size, fan_in=size),
        "relation": weights(n_relations, size, size, fan_in=n_relations * size),
        "self_2_bias": zeros(size),
        "head": weights(size, size, fan_in=size),
        "head_bias": zeros(size),
        "output": weights(size, 1, fan_in=size),
        "output_bias": zeros(1),
        MEAN_ENTITY: zeros(n_relations, size),
    }


def logits(parameters: Parameters, x: Any, neighbours: Any, edges: Any, mask: Any, xp: Any = np) -> Any:
    """Return the log-odds of fraud, of shape (B,).

    Parameters
    ----------
    x, neighbours
        Scaled, of shape (B, n_inputs) and (B, R, K, n_inputs).
    edges, mask
        Of ego rows.
    xp
        `numpy`, or `jax.numpy`.
    """
    messages = neighbour_messages(parameters, neighbours, edges, mask, xp)
    entities = entity_embeddings(parameters, messages.sum(axis=2), mask.sum(axis=2), xp)
    return readout(parameters, x, entities, xp)


def neighbour_messages(parameters: Parameters, neighbours: Any, edges: Any, mask: Any, xp: Any = np) -> Any:
    """Return what each neighbour tells its entity, of shape (B, R, K, H)."""
    label = edges[..., 1:]
    known = xp.concatenate(
        [edges[..., :1] * _GAP_SCALE, xp.maximum(label, 0.0), xp.maximum(-label, 0.0)], axis=-1
    )
    inner = neighbours @ parameters["input"] + known @ parameters["edge"] + parameters["input_bias"]
    return _leaky(inner, xp) * mask[..., None]


def entity_embeddings(parameters: Parameters, total: Any, count: Any, xp: Any = np) -> Any:
    """Return the embeddings of the entities, of shape (R, B, H).

    Parameters
    ----------
    total, count
        Sum of the neighbours' messages, of shape (B, R, H), and how many there are, of shape (B, R).
    """
    mean = xp.swapaxes(total / xp.maximum(count, 1.0)[..., None], 0, 1)
    embedded = _leaky(mean @ parameters["entity"] + parameters["entity_bias"], xp)
    seen = xp.swapaxes(count, 0, 1)[..., None] > 0.0
    return xp.where(seen, embedded, parameters[MEAN_ENTITY][:, None, :])


def readout(parameters: Parameters, x: Any, entities: Any, xp: Any = np) -> Any:
    """Return the log-odds of transactions whose entities have these embeddings."""
    own = _leaky(x @ parameters["input"] + parameters["input_bias"], xp)
    own = _leaky(own @ parameters["self_1"] + parameters["self_1_bias"], xp)
    shared = (entities @ parameters["relation"]).sum(axis=0)
    own = _leaky(own @ parameters["self_2"] + shared + parameters["self_2_bias"], xp)
    own = _leaky(own @ parameters["head"] + parameters["head_bias"], xp)
    return (own @ parameters["output"] + parameters["output_bias"])[:, 0]


def _leaky(values: Any, xp: Any) -> Any:
    return xp.maximum(values, _SLOPE * values)
