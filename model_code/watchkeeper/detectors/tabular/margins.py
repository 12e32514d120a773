"""Detectors that describe where ordinary rows lie: one-class SVM, elliptic envelope, principal components."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.extras import extra
from watchkeeper.detectors.tabular.detector import TabularDetector
from watchkeeper.detectors.tabular.parameters import require_one_of, require_whole, require_within

FloatArray = npt.NDArray[np.float64]
Kernel = Literal["rbf", "linear", "poly", "sigmoid"]
_ROWS_AT_ONCE = 1024
_SMALLEST_WEIGHT = 1e-12


@dataclass(kw_only=True, eq=False)
class OneClassSVMDetector(TabularDetector):
    """Support of a distribution (Schölkopf et al. 2001), fitted by scikit-learn's OneClassSVM.

    The score is the distance to the boundary, in the kernel's units: above 0 is outside. Fitting takes time
    with the square of the rows.

    Parameters
    ----------
    nu : float, default 0.05
        About the share of the fit's rows that are outside; above 0 and at most 1.
    gamma : {"scale", "auto"} or float, default "scale"
    kernel : {"rbf", "linear", "poly", "sigmoid"}, default "rbf"
    degree : int, default 3
        Of "poly".
    coef0 : float, default 0
        Of "poly" and "sigmoid".
    """

    algorithm: ClassVar[str] = "one_class_svm"
    learned: ClassVar[tuple[str, ...]] = ("support_rows_", "weights_", "offset_", "gamma_")

    nu: float = 0.05
    gamma: float | str = "scale"
    kernel: Kernel = "rbf"
    degree: int = 3
    coef0: float = 0.0

    def _check_parameters(self) -> None:
        super()._check_parameters()
        require_within(self.nu, "nu", 0.0, 1.0)
        require_one_of(self.kernel, "kernel", get_args(Kernel))
        require_whole(self.degree, "degree")
        if self.gamma not in ("scale", "auto") and (isinstance(self.gamma, str) or not self.gamma > 0):
            raise InvalidInputError(f'gamma is {self.gamma!r}: give "scale", "auto" or a number above 0')

    def _fit_columns(self, rows: FloatArray) -> FloatArray:
        with extra("scikit-learn", "OCSVM"):
            from sklearn.svm import OneClassSVM

        self.gamma_ = self._gamma(rows)
        fitted = OneClassSVM(
            nu=self.nu, gamma=self.gamma_, kernel=self.kernel, degree=self.degree, coef0=self.coef0
        ).fit(rows)
        self.support_rows_ = fitted.support_vectors_
        self.weights_ = fitted.dual_coef_[0]
        self.offset_ = float(fitted.offset_[0])
        return self._score_columns(rows)

    def _score_columns(self, rows: FloatArray) -> FloatArray:
        return np.concatenate(
            [
                self.offset_ - self._similarity(rows[first : first + _ROWS_AT_ONCE]) @ self.weights_
                for first in range(0, len(rows), _ROWS_AT_ONCE)
            ]
        )

    def _own_threshold(self) -> float:
        return 0.0

    def _gamma(self, rows: FloatArray) -> float:
        columns = float(rows.shape[1])
        if self.gamma == "auto":
            return 1.0 / columns
        if self.gamma == "scale":
            variance = float(rows.var())
            return 1.0 / (columns * variance) if variance > 0 else 1.0
        return float(self.gamma)

    def _similarity(self, rows: FloatArray) -> FloatArray:
        product: FloatArray = rows @ self.support_rows_.T
        if self.kernel == "rbf":
            squares = (rows**2).sum(axis=1)[:, np.newaxis] + (self.support_rows_**2).sum(axis=1)
            product = np.exp(-self.gamma_ * np.maximum(squares - 2.0 * product, 0.0))
        elif self.kernel == "poly":
            product = (self.gamma_ * product + self.coef0) ** self.degree
        elif self.kernel == "sigmoid":
            product = np.tanh(self.gamma_ * product + self.coef0)
        return product


@dataclass(kw_only=True, eq=False)
class EllipticEnvelopeDetector(TabularDetector):
    """Robust covariance (Rousseeuw & Van Driessen 1999), fitted by scikit-learn's MinCovDet.

    The score is the squared Mahalanobis distance.

    Parameters
    ----------
    support_fraction : float, optional
        Share of the rows that the location and the covariance are of, above 0 and at most 1. Without it,
        (n_rows + n_features + 1) / 2 of them.
    random_state : int, default 0
    """

    algorithm: ClassVar[str] = "elliptic_envelope"
    learned: ClassVar[tuple[str, ...]] = ("location_", "precision_")

    support_fraction: float | None = None
    random_state: int = 0

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if self.support_fraction is not None:
            require_within(self.support_fraction, "support_fraction", 0.0, 1.0)

    def _fit_columns(self, rows: FloatArray) -> FloatArray:
        with extra("scikit-learn", "MCD"):
            from sklearn.covariance import MinCovDet

        fitted = MinCovDet(support_fraction=self.support_fraction, random_state=self.random_state).fit(rows)
        self.location_ = fitted.location_
        self.precision_ = fitted.precision_
        return self._score_columns(rows)

    def _score_columns(self, rows: FloatArray) -> FloatArray:
        centred = rows - self.location_
        distance: FloatArray = np.einsum("ij,jk,ik->i", centred, self.precision_, centred, optimize=True)
        return distance


@dataclass(kw_only=True, eq=False)
class PCADetector(TabularDetector):
    """Weighted distances to principal components (Shyu et al. 2003), as PyOD's PCA.

    The score is the sum, over the components, of the distance from the row to the component's vector divided
    by the component's share of the variance.

    Parameters
    ----------
    n_components : int, optional
        Without it, all.
    n_selected_components : int, optional
        How many of them, from those of least variance, count; without it, all.
    weighted : bool, default True
        Divide by the share of the variance.
    """

    algorithm: ClassVar[str] = "pca"
    learned: ClassVar[tuple[str, ...]] = ("components_", "shares_")

    n_components: int | None = None
    n_selected_components: int | None = None
    weighted: bool = True

    def _check_parameters(self) -> None:
        super()._check_parameters()
        for name in ("n_components", "n_selected_components"):
            if getattr(self, name) is not None:
                require_whole(getattr(self, name), name)

    def _fit_columns(self, rows: FloatArray) -> FloatArray:
        with extra("scikit-learn", "PCA"):
            from sklearn.decomposition import PCA

        with np.errstate(invalid="ignore"):  # rows that are all equal have no variance to share out
            fitted = PCA(n_components=self.n_components, svd_solver="full").fit(rows)
        count = len(fitted.components_)
        chosen = count if self.n_selected_components is None else self.n_selected_components
        if chosen > count:
            raise InvalidInputError(f"n_selected_components is {chosen}: there are {count} components")
        shares = np.nan_to_num(fitted.explained_variance_ratio_) if self.weighted else np.ones(count)
        self.components_ = fitted.components_[-chosen:]
        self.shares_ = np.maximum(shares[-chosen:], _SMALLEST_WEIGHT)
        return self._score_columns(rows)

    def _score_columns(self, rows: FloatArray) -> FloatArray:
        score = np.zeros(len(rows))
        for component, share in zip(self.components_, self.shares_, strict=True):
            score += np.linalg.norm(rows - component, axis=1) / share
        return score
