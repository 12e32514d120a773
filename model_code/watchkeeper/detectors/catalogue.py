"""Every algorithm, once. A new detector is its class and its entry here: all else reads this list.

Nothing is imported that the service's functions do not have, such as numpy: `factory` makes detectors of the
entries.

A search tries DBSCAN's radius as quantiles of the k-distance graph of the rows that are learned (Ester et al.
1996), because a distance that suits three columns is none that sixty-four have. `contamination` decides where
the threshold is and not how rows are ranked.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from watchkeeper.core.errors import InvalidInputError

WATCHKEEPER = "watchkeeper"
MOST_FIT_ROWS = 1_000_000

SearchSpace = Mapping[str, tuple[Any, ...]]

_CONTAMINATION = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
_STREAMING = "watchkeeper.detectors.streaming."
_TABULAR = "watchkeeper.detectors.tabular."


@dataclass(frozen=True)
class Algorithm:
    """What is known of an algorithm without its code."""

    name: str
    """In commands, hyperparameters and states."""
    title: str
    """In the service's requests, and of the scikit-learn estimator."""
    family: Literal["streaming", "rule", "tabular"]
    """`streaming` takes rows in the order of time, `rule` each column alone, `tabular` all together."""
    implementation: str
    """Module and class."""
    summary: str
    """For which rows it is made, and how it tells an anomaly."""
    search_space: SearchSpace
    """By hyperparameter the values that a search tries, the default first; others keep their default."""
    aliases: tuple[str, ...] = ()
    """Other names that people use."""
    fit_rows: int = MOST_FIT_ROWS
    """Most rows that it learns, evenly spaced ones: fewer where the cost grows faster than the rows."""

    @property
    def is_streaming(self) -> bool:
        """Whether it scores each row with those before it, and goes on learning."""
        return self.family == "streaming"


_ENTRIES = (
    Algorithm(
        WATCHKEEPER,
        "watchkeeper",
        "streaming",
        _STREAMING + "series_detector:SeriesDetector",
        "rows in the order of time, each scored before it is learned: what is new in a series",
        {"alert_rarity": (3.75, 2.75, 3.0, 3.25, 3.5, 4.0, 4.25)},
    ),
    Algorithm(
        "iqr",
        "IQR",
        "rule",
        _TABULAR + "rules:IQRRule",
        "values around one level: Tukey's rule, by quartiles",
        {"margin": (1.5, 1.0, 2.0, 3.0, 5.0)},
        ("InterquartileRange",),
    ),
    Algorithm(
        "quantile",
        "Quantile",
        "rule",
        _TABULAR + "rules:QuantileRule",
        "values around one level: what a column's values rarely leave",
        {"low": (0.005, 0.0, 0.001, 0.01, 0.05), "high": (0.995, 1.0, 0.999, 0.99, 0.95)},
    ),
    Algorithm(
        "persist",
        "Persist",
        "rule",
        _TABULAR + "persist_rule:PersistRule",
        "a series in the order of time: the distance to the median of the values before",
        {"window": (12, 3, 6, 24, 48), "margin": (3.0, 1.5, 2.0, 5.0, 8.0)},
    ),
    Algorithm(
        "dbscan",
        "DBSCAN",
        "tabular",
        _TABULAR + "neighbours:DBSCANDetector",
        "rows in clusters: what no dense region reaches",
        {"eps_quantile": (0.95, 0.5, 0.6, 0.7, 0.8, 0.9, 0.98), "min_samples": (5, 3, 10, 20)},
        fit_rows=50_000,
    ),
    Algorithm(
        "isolation_forest",
        "IsolationForest",
        "tabular",
        _TABULAR + "trees:IsolationForestDetector",
        "rows of many columns: what few random cuts isolate",
        {
            "n_estimators": (100, 50, 200),
            "max_samples": (256, 64, 1024),
            "max_features": (1.0, 0.5),
            "contamination": _CONTAMINATION,
        },
        ("iForest", "IsolationTrees"),
    ),
    Algorithm(
        "lof",
        "LOF",
        "tabular",
        _TABULAR + "neighbours:LOFDetector",
        "rows in clusters of different density: what is sparser than its neighbours",
        {"n_neighbors": (20, 5, 10, 35, 50), "contamination": _CONTAMINATION},
        ("LocalOutlierFactor",),
        fit_rows=50_000,
    ),
    Algorithm(
        "one_class_svm",
        "OneClassSVM",
        "tabular",
        _TABULAR + "margins:OneClassSVMDetector",
        "rows inside a curved boundary: the support of their distribution",
        {"nu": (0.05, 0.005, 0.01, 0.02, 0.1, 0.2), "gamma": ("scale", 0.01, 0.1, 1.0)},
        ("OCSVM", "SVM"),
        fit_rows=20_000,
    ),
    Algorithm(
        "elliptic_envelope",
        "EllipticEnvelope",
        "tabular",
        _TABULAR + "margins:EllipticEnvelopeDetector",
        "rows of one Gaussian cloud: Mahalanobis distance by the robust covariance",
        {"support_fraction": (None, 0.6, 0.75, 0.9), "contamination": _CONTAMINATION},
        ("Elliptic", "EllipticalEnvelope", "RobustCovariance", "MCD"),
    ),
    Algorithm(
        "ecod",
        "ECOD",
        "tabular",
        _TABULAR + "distributions:ECODDetector",
        "rows whose columns are far out by themselves: empirical cumulative distributions",
        {"contamination": _CONTAMINATION},
    ),
    Algorithm(
        "hbos",
        "HBOS",
        "tabular",
        _TABULAR + "distributions:HBOSDetector",
        "many rows whose columns are independent: histograms of the columns",
        {"n_bins": (10, 5, 20, 40), "alpha": (0.1, 0.5), "contamination": _CONTAMINATION},
        ("HistogramBasedOutlierScore",),
    ),
    Algorithm(
        "copod",
        "COPOD",
        "tabular",
        _TABULAR + "distributions:COPODDetector",
        "rows whose columns are far out by themselves: the empirical copula",
        {"contamination": _CONTAMINATION},
    ),
    Algorithm(
        "knn",
        "KNN",
        "tabular",
        _TABULAR + "neighbours:KNNDetector",
        "rows in clusters: the distance to the nearest rows",
        {
            "n_neighbors": (5, 3, 10, 20, 50),
            "method": ("largest", "mean", "median"),
            "contamination": _CONTAMINATION,
        },
        ("KNearestNeighbors", "NearestNeighbors"),
        fit_rows=100_000,
    ),
    Algorithm(
        "pca",
        "PCA",
        "tabular",
        _TABULAR + "margins:PCADetector",
        "rows whose columns go together: weighted distances along principal components",
        {"n_selected_components": (None, 1, 2), "contamination": _CONTAMINATION},
        ("PrincipalComponentAnalysis",),
    ),
    Algorithm(
        "rcf",
        "RCF",
        "tabular",
        _TABULAR + "trees:RCFDetector",
        "rows of many columns: a frozen random cut forest",
        {"n_trees": (50, 100), "sample_size": (256, 64, 512), "contamination": _CONTAMINATION},
        ("RandomCutForest",),
    ),
)

ALGORITHMS: Mapping[str, Algorithm] = {entry.name: entry for entry in _ENTRIES}
"""By name."""
RULES: Mapping[str, Algorithm] = {entry.name: entry for entry in _ENTRIES if entry.family == "rule"}
"""By name: the service's `method_name`."""
TABULAR: Mapping[str, Algorithm] = {entry.name: entry for entry in _ENTRIES if entry.family == "tabular"}
"""By name."""
MODELS: Mapping[str, Algorithm] = {entry.title: entry for entry in _ENTRIES if entry.family != "rule"}
"""By title: the service's `model_name`."""


def algorithm_of(name: str) -> Algorithm:
    """Return the algorithm that a name stands for, whatever its case, spaces, hyphens and underscores.

    Raises
    ------
    InvalidInputError
        There is none (reason `unknown_algorithm`); names those that there are and the nearest one.

    Examples
    --------
    >>> algorithm_of("One-Class SVM").name, algorithm_of("nearest neighbors").name
    ('one_class_svm', 'knn')
    """
    return ALGORITHMS[chosen_name(name, ALGORITHMS, "algorithm")]


def chosen_name(name: str, among: Mapping[str, Algorithm], asked: str) -> str:
    """Return the key of the algorithm that a name stands for among some; see `algorithm_of`.

    Parameters
    ----------
    asked
        What the refusal calls the name.

    Examples
    --------
    >>> chosen_name("isolation_forest", MODELS, "model_name")
    'IsolationForest'
    """
    spellings = {
        _folded(spelling): key
        for key, entry in among.items()
        for spelling in (entry.name, entry.title, *entry.aliases)
    }
    folded = _folded(name)
    if folded in spellings:
        return spellings[folded]
    near = difflib.get_close_matches(folded, spellings, n=1)
    hint = f" (did you mean {spellings[near[0]]}?)" if near else ""
    raise InvalidInputError(
        f"{asked} is {name[:60]!r}{hint}: allowed are {', '.join(among)}", reason="unknown_algorithm"
    )


def _folded(name: str) -> str:
    return re.sub(r"[\s_\-]+", "", name).lower()
