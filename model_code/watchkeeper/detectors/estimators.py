"""The detectors as scikit-learn estimators: for pipelines, searches and what else takes an outlier detector.

Only who has scikit-learn imports this module. It follows scikit-learn's direction, which is the opposite of
ours: `score_samples` is minus the raw score, lower is more anomalous, and `decision_function` is negative for
an anomaly. NaN is refused; the detectors themselves take it as a missing value.

Works with scikit-learn 1.4 (the SageMaker image's) to 1.9.
"""

from __future__ import annotations

import dataclasses
import inspect
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.extras import extra
from watchkeeper.detectors.catalogue import ALGORITHMS, Algorithm
from watchkeeper.detectors.factory import detector_class
from watchkeeper.detectors.protocol.detector import Detector

with extra("scikit-learn", "watchkeeper.detectors.estimators"):
    from sklearn.base import BaseEstimator, OutlierMixin
    from sklearn.utils.validation import check_is_fitted

if TYPE_CHECKING:
    from typing import Self

FloatArray = npt.NDArray[np.float64]


class OutlierEstimator(OutlierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A detector as an outlier estimator; its parameters are those of the detector.

    A subclass is made of each entry of the catalogue: `KNN`, `IsolationForest`, `RCF`, `Watchkeeper`.

    Attributes
    ----------
    detector_ : Detector
        The fitted detector, with severity and `to_bytes`.
    offset_ : float
        `decision_function` is `score_samples` minus this.
    n_features_in_ : int
    """

    algorithm: ClassVar[str]
    detector_class: ClassVar[type[Detector]]

    def __init_subclass__(cls, algorithm: Algorithm, **other: Any) -> None:
        """Give the class the constructor of the algorithm's detector."""
        super().__init_subclass__(**other)
        cls.algorithm = algorithm.name
        cls.detector_class = detector_class(algorithm)
        cls.__init__ = _constructor(cls.detector_class)  # type: ignore[method-assign]

    def fit(self, X: npt.ArrayLike, y: object = None) -> Self:
        """Learn from rows, shape (n_samples, n_features).

        Raises
        ------
        ValueError
            Rows or parameters are not as described.
        """
        rows = self._rows(X, reset=True)
        if len(rows) < 2:
            raise ValueError(f"n_samples={len(rows)}: give at least 2")
        try:
            self.detector_ = self.detector_class(**self.get_params()).fit(rows)
        except InvalidInputError as error:
            raise ValueError(str(error)) from error
        self.offset_ = -self.detector_.threshold_
        return self

    def score_samples(self, X: npt.ArrayLike) -> FloatArray:
        """Return minus the raw score of each row, shape (n_samples,): lower is more anomalous."""
        check_is_fitted(self)
        scores: FloatArray = -self.detector_.raw_scores(self._rows(X, reset=False))
        return scores

    def decision_function(self, X: npt.ArrayLike) -> FloatArray:
        """Return how far each row is from being an anomaly, shape (n_samples,): negative is one."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return -1 for an anomaly and 1 for the rest, shape (n_samples,)."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def _rows(self, X: npt.ArrayLike, *, reset: bool) -> FloatArray:
        try:
            from sklearn.utils.validation import validate_data
        except ImportError:  # before scikit-learn 1.6
            rows: FloatArray = self._validate_data(X, reset=reset, dtype=np.float64)
            return rows
        checked: FloatArray = validate_data(self, X, reset=reset, dtype=np.float64)
        return checked


def _constructor(detector: type[Detector]) -> Any:
    """Return an `__init__` that stores the detector's parameters; its signature says which they are."""
    parameters = {one.name: one for one in dataclasses.fields(detector) if one.init}

    def __init__(self: OutlierEstimator, **values: Any) -> None:  # noqa: N807
        for name in values:
            if name not in parameters:
                raise TypeError(f"{type(self).__name__} has no parameter {name!r}")
        for name, field in parameters.items():
            setattr(self, name, values.get(name, field.default))

    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    others = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=field.default)
        for name, field in parameters.items()
    ]
    __init__.__signature__ = inspect.Signature([own, *others])  # type: ignore[attr-defined]
    return __init__


def _estimator(algorithm: Algorithm) -> type[OutlierEstimator]:
    class Estimator(OutlierEstimator, algorithm=algorithm):
        __doc__ = f"For {algorithm.summary}."

    Estimator.__name__ = Estimator.__qualname__ = algorithm.title[0].upper() + algorithm.title[1:]
    return Estimator


ESTIMATORS: dict[str, type[OutlierEstimator]] = {
    name: _estimator(algorithm) for name, algorithm in ALGORITHMS.items()
}
"""By the algorithm's name; each is also an attribute of this module, by its own name: `estimators.KNN`."""

_BY_CLASS_NAME = {estimator.__name__: estimator for estimator in ESTIMATORS.values()}
_BY_CLASS_NAME |= {
    alias: ESTIMATORS[algorithm.name] for algorithm in ALGORITHMS.values() for alias in algorithm.aliases
}


def __getattr__(name: str) -> type[OutlierEstimator]:
    """Return the estimator of that name, such as `IsolationForest`; aliases of the catalogue count."""
    if name not in _BY_CLASS_NAME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _BY_CLASS_NAME[name]


def __dir__() -> list[str]:
    return sorted([*globals(), *_BY_CLASS_NAME])
