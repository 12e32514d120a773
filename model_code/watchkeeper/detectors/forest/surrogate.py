"""The forest that explains a model which cannot explain itself: read and walked without numpy.

SageMaker's built-in Random Cut Forest returns scores and nothing else, and its artifact can be read by its
own image only. A forest of the same kind, fitted on the same feature vectors
(`watchkeeper.detectors.forest.surrogate_fit`), gives a row nearly the same score and says which features
it comes from.
Its parts are scaled to the score that was served. Walking it takes milliseconds, and only anomalies need it.
"""

from __future__ import annotations

import json
import math
import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from watchkeeper.core.documents import plain, read_part
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.core.plan import FeaturePlan
from watchkeeper.features.contributions import ExplainedScore, Explanation, contributions_of
from watchkeeper.features.scales import Scales
from watchkeeper.features.schema import FEATURES_VERSION, feature_vector
from watchkeeper.telemetry.rows import Row
from watchkeeper.telemetry.series import parse_series_key

MAGIC = b"WKSF"
SURROGATE_VERSION = 1
SURROGATE_NAME = "surrogate.bin"

_LENGTH_BYTES = 4
_ARRAYS = (
    ("roots", "i"),
    ("left", "i"),
    ("right", "i"),
    ("cut_dimension", "i"),
    ("cut_value", "d"),
    ("mass", "d"),
    ("span", "d"),
    ("highest", "f"),
    ("lowest", "f"),
)
"""In the file's order, little-endian; see `SurrogateForest`."""


@dataclass(frozen=True)
class SurrogateForest:
    """A frozen random cut forest as flat arrays; a node is its position.

    Attributes
    ----------
    features : FeaturePlan
        Which features the vector has.
    names : list of str
        Names of its columns.
    scales : Scales
        Of the series that it was fitted on.
    roots, left, right, cut_dimension, cut_value, mass
        As of `watchkeeper.detectors.forest.kernel.Trees`.
    span : array of float
        Sum of the sides of each node's box.
    highest, lowest : array of float, n_nodes x n_features
        Corners of the boxes, row by row, in single precision.
    """

    features: FeaturePlan
    names: tuple[str, ...]
    scales: Scales
    roots: Sequence[int]
    left: Sequence[int]
    right: Sequence[int]
    cut_dimension: Sequence[int]
    cut_value: Sequence[float]
    mass: Sequence[float]
    span: Sequence[float]
    highest: Sequence[float]
    lowest: Sequence[float]

    def explain(self, row: Row, score: float, rank_agreement: float | None = None) -> ExplainedScore:
        """Return the parts of the score that a model gave to a row.

        Parameters
        ----------
        score
            At least 0; the contributions add up to it.
        rank_agreement
            Of the release, to be told with the contributions.

        Raises
        ------
        InvalidInputError
            If the row is of a measure that the forest was not fitted on.
        """
        shares = self.attribute(feature_vector(row, self.features, self.scales))
        measure = None if row.series is None else parse_series_key(row.series).measure
        return ExplainedScore(
            contributions_of(self.names, shares, measure, score),
            Explanation("forest", rank_agreement=rank_agreement, surrogate_score=sum(shares)),
        )

    def attribute(self, vector: Sequence[float]) -> list[float]:
        """Return each feature's part of the forest's own score: at least 0, and together the score.

        The rule is that of `FrozenForest.attribute`; a test holds the two together. The vector is rounded to
        single precision, in which the boxes are kept.
        """
        rounded = array("f", vector)
        total = [0.0] * len(rounded)
        for root in self.roots:
            self._walk(root, rounded, total)
        return total

    def _walk(self, root: int, vector: array[float], total: list[float]) -> None:
        """Add one tree's parts."""
        width = len(vector)
        remaining = math.log2(self.mass[root] + 1.0) / len(self.roots)
        node, depth = root, 1.0
        while True:
            box = slice(node * width, (node + 1) * width)
            gaps = [
                value - high if value > high else low - value if value < low else 0.0
                for value, high, low in zip(vector, self.highest[box], self.lowest[box], strict=True)
            ]
            outside = sum(gaps)
            cut = self.cut_dimension[node]
            if cut < 0:
                break
            if outside > 0.0:
                grown = outside + self.span[node]
                _add(total, gaps, remaining / grown / depth)
                remaining *= self.span[node] / grown
            node = self.left[node] if vector[cut] <= self.cut_value[node] else self.right[node]
            depth += 1.0
        if outside > 0.0:
            _add(total, gaps, remaining / depth / outside)
        else:
            damped = 1.0 - self.mass[node] / (2.0 * self.mass[root])
            share = remaining * damped / (depth - 1.0 + math.log2(self.mass[node] + 1.0)) / width
            _add(total, [1.0] * width, share)

    def to_bytes(self) -> bytes:
        """Write the forest; `from_bytes` reads it."""
        header = {
            "version": SURROGATE_VERSION,
            "features_version": FEATURES_VERSION,
            "features": plain(self.features),
            "names": self.names,
            "scales": plain(self.scales),
            "counts": {name: len(getattr(self, name)) for name, _ in _ARRAYS},
        }
        text = json.dumps(header, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
        arrays = b"".join(_little_endian(array(code, getattr(self, name))) for name, code in _ARRAYS)
        return MAGIC + len(text).to_bytes(_LENGTH_BYTES, "little") + text + arrays

    @classmethod
    def from_bytes(cls, content: bytes) -> SurrogateForest:
        """Read a forest.

        Raises
        ------
        ContractViolationError
            If the bytes are not a whole forest of this version.
        """
        start = len(MAGIC) + _LENGTH_BYTES
        if content[: len(MAGIC)] != MAGIC:
            raise ContractViolationError("not a surrogate forest")
        end = start + int.from_bytes(content[len(MAGIC) : start], "little")
        try:
            header = json.loads(content[start:end])
            if (header["version"], header["features_version"]) != (SURROGATE_VERSION, FEATURES_VERSION):
                raise ContractViolationError(
                    f"surrogate forest version {header['version']!r} of features "
                    f"{header['features_version']!r}, this release reads {SURROGATE_VERSION} and "
                    f"{FEATURES_VERSION}: train again"
                )
            return cls(
                features=read_part(FeaturePlan, header["features"], "features"),
                names=tuple(header["names"]),
                scales=read_part(Scales, header["scales"], "scales"),
                **_read_arrays(memoryview(content)[end:], header["counts"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ContractViolationError(f"surrogate forest: {error!r}") from error


def _add(total: list[float], gaps: Sequence[float], share: float) -> None:
    for feature, gap in enumerate(gaps):
        if gap > 0.0:
            total[feature] += gap * share


def _read_arrays(body: memoryview, counts: dict[str, int]) -> dict[str, Any]:
    arrays: dict[str, Any] = {}
    at = 0
    for name, code in _ARRAYS:
        values: array[Any] = array(code)
        size = counts[name] * values.itemsize
        values.frombytes(body[at : at + size])
        if sys.byteorder != "little":
            values.byteswap()
        if len(values) != counts[name]:
            raise ContractViolationError(f"surrogate forest: {name} is cut off")
        arrays[name] = values
        at += size
    if at != len(body):
        raise ContractViolationError(f"surrogate forest: {len(body) - at} bytes too many")
    return arrays


def _little_endian(values: array[Any]) -> bytes:
    if sys.byteorder != "little":
        values.byteswap()
    return values.tobytes()
