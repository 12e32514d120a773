"""Detectors of the catalogue's algorithms: made anew, from what they wrote, or with what a search tries."""

from __future__ import annotations

import dataclasses
import difflib
import importlib
import itertools
from typing import Any

import numpy as np

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.detectors.catalogue import ALGORITHMS, Algorithm, algorithm_of
from watchkeeper.detectors.protocol import persistence
from watchkeeper.detectors.protocol.detector import Detector


def detector_class(algorithm: Algorithm) -> type[Detector]:
    """Import the class of an algorithm."""
    module, _, name = algorithm.implementation.partition(":")
    found: type[Detector] = getattr(importlib.import_module(module), name)
    return found


def new_detector(algorithm: str, **hyperparameters: Any) -> Detector:
    """Return a detector that has learned nothing, with these hyperparameters and else its defaults.

    Raises
    ------
    InvalidInputError
        Unknown algorithm or hyperparameter. Values are checked by `fit`.
    """
    entry = algorithm_of(algorithm)
    allowed = default_hyperparameters(algorithm)
    for key in hyperparameters:
        if key not in allowed:
            near = difflib.get_close_matches(key, allowed, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise InvalidInputError(
                f"{entry.name} has no hyperparameter {key!r}{hint}: allowed are {', '.join(allowed)}",
                reason="unknown_hyperparameter",
            )
    return detector_class(entry)(**hyperparameters)


def default_hyperparameters(algorithm: str) -> dict[str, Any]:
    """Return an algorithm's hyperparameters with their defaults."""
    fields = dataclasses.fields(detector_class(algorithm_of(algorithm)))
    return {field.name: field.default for field in fields if field.init}


def detector_from_bytes(content: bytes) -> Detector:
    """Return the detector that any detector's `to_bytes` wrote.

    Raises
    ------
    InvalidInputError
        The bytes are not the state of one of these detectors.
    ContractViolationError
        Another version of this package wrote them.
    """
    written = persistence.kind_of(content)
    for detector in map(detector_class, ALGORITHMS.values()):
        if detector.format == written:
            return detector.from_bytes(content)
    raise InvalidInputError(f"{written!r} is not the state of a detector that this package knows")


def candidates(algorithm: str, limit: int = 12, random_state: int = 0) -> list[dict[str, Any]]:
    """Return at most `limit` different points of an algorithm's space, the documented defaults (`{}`) first.

    The others are drawn without replacement; the same arguments give the same list. A point may not suit the
    rows, such as fewer columns than components: `fit` then raises InvalidInputError.

    Raises
    ------
    InvalidInputError
        There is no such algorithm.
    """
    space, defaults = algorithm_of(algorithm).search_space, default_hyperparameters(algorithm)
    grid = [dict(zip(space, point, strict=True)) for point in itertools.product(*space.values())]
    others = [point for point in grid if {**defaults, **point} != defaults]
    order = np.random.default_rng(random_state).permutation(len(others))
    return [{}, *(others[place] for place in order[: limit - 1])]
