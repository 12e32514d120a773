"""What an anomaly's score is made of: parts by feature, measure and time lag that add up to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Method = Literal["forest", "detector", "rule", "none"]
"""`forest`: attribution of a forest that was fitted on the same feature vectors as the model
(`watchkeeper.detectors.forest.surrogate`). `detector`: the model itself says it. `rule`: the series is new to
the model, its own last intervals are all that the score is made of; or a rule of the measure decided in place
of the score. `none`: there are no contributions."""

EXPLAINED_JSON = "application/json;contributions=true"
"""What a request accepts that wants contributions with its scores: `{"scores":[{"score":…,
"contributions":[{"feature","measure","lag","score"},…]},…]}`. Only the streaming detector gives them."""

_CYCLES = {"time_of_day": "time of day", "day_of_week": "day of week"}
_OF_MEASURE = {
    "value": "{measure}",
    "difference": "change of {measure}",
    "range": "{measure} outside its range",
    "profile": "{measure} off its usual hour",
    "pattern": "pattern of {measure}",
    "calm": "{measure} moving less than ever",
    "level": "course of {measure} over the last hours",
    "aftermath": "earlier break of {measure}",
    "allowed": "{measure} outside its allowed range",
}
Kind = Literal["level", "shape"]
"""What is unusual of a value that is inside its band. (Correlation is judged of tables only.)"""
_UNUSUAL: dict[str, tuple[Kind, str]] = {
    "range": ("level", "nearly outside of all values before"),
    "value": ("level", "unusual after the values before"),
    "profile": ("level", "unusual for this hour"),
    "time_of_day": ("level", "unusual for this hour"),
    "day_of_week": ("level", "unusual for this day of the week"),
    "level": ("level", "the last hours together are off their usual level"),
    "aftermath": ("level", "it follows a break"),
    "pattern": ("shape", "the last intervals look different from all before"),
    "difference": ("shape", "an unusual change from the interval before"),
    "calm": ("shape", "it moves less than ever"),
    "allowed": ("level", "outside its allowed range"),
}
MEANINGS = {
    "value": "the value itself, at that interval",
    "difference": "the change from the interval before",
    "time_of_day": "the hour: the value is usual at another one",
    "day_of_week": "the day of the week: the value is usual on another one",
    "range": "how far the value is outside of all values before",
    "profile": "how far the value is from what is usual at its hour",
    "pattern": "the shape of the last intervals: how different it is from every shape before",
    "calm": "the last values change less than ever before, as those of a stuck sensor",
    "level": "how far the values of the last hours, taken together, have moved away from where they were",
    "aftermath": "a sudden change shortly before, after which the values are not usual yet",
    "allowed": "the value is outside the allowed range in the workload file, whatever its score",
}
"""What each feature of a contribution is, for people."""
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


@dataclass(frozen=True)
class Contribution:
    """One part of a score.

    Attributes
    ----------
    feature : str
        What of the input: `value`, `difference` (to the interval before), `time_of_day`, `day_of_week`; of
        the streaming detector its channels `range`, `profile`, `pattern`, `calm`, `level` and
        `aftermath`; `allowed`, the measure's allowed range.
    measure : str or None
        None where the feature is of no measure, such as the time of day, or the row names none.
    lag : int or None
        Intervals before the scored one, which has lag 0; None where the feature has no place in time.
    score : float
        The part, in units of the anomaly_score; above 0.
    """

    feature: str
    measure: str | None
    lag: int | None
    score: float

    @property
    def key(self) -> str:
        """Feature, measure and lag in short, such as `temperature[lag 2]`; no other part has the same."""
        name = " ".join(part for part in (self.measure, self.feature) if part and part != "value")
        return name if self.lag is None else f"{name}[lag {self.lag}]"

    def in_words(self, interval_seconds: int) -> str:
        """Return what a person reads, such as `temperature 10 minutes earlier`."""
        if self.measure is None:
            return _CYCLES.get(self.feature, self.feature)
        name = _OF_MEASURE.get(self.feature, "{measure} " + self.feature).format(measure=self.measure)
        if self.lag is None:
            return name
        return f"{name} now" if self.lag == 0 else f"{name} {_duration(self.lag * interval_seconds)} earlier"


@dataclass(frozen=True)
class Explanation:
    """Where the contributions of an anomaly come from, or why there are none."""

    method: Method
    reason: str | None = None
    """Why there are no contributions, or the rule of the measure that decided; else None."""
    rank_agreement: float | None = None
    """Of `forest`: Spearman's correlation of its scores with the model's on held-back rows."""
    surrogate_score: float | None = None
    """Of `forest`: its own score of the row, which the contributions were scaled from."""


@dataclass(frozen=True)
class Explainer:
    """How the anomalies of a model are explained: a part of its evaluation and of its release."""

    method: Method
    uri: str | None = None
    """Where the surrogate forest is, once the run has it in S3."""
    rank_agreement: float | None = None
    """None where it cannot be measured: all scores are equal."""
    rows: int = 0
    """Held-back rows that the agreement was measured on."""


@dataclass(frozen=True)
class ExplainedScore:
    """The contributions of one score, the largest first."""

    contributions: tuple[Contribution, ...]
    explanation: Explanation


NO_EXPLAINER = Explainer("none")
NOT_EXPLAINED = Explanation("none", reason="not explained")


def unexplained(reason: str) -> ExplainedScore:
    """Return no contributions, and why."""
    return ExplainedScore((), Explanation("none", reason=reason))


def contributions_of(
    features: Sequence[str], shares: Sequence[float], measure: str | None, score: float
) -> tuple[Contribution, ...]:
    """Turn shares of a feature vector into parts of a score that add up to it.

    Sine and cosine of a cycle are one feature; parts of nothing are left out.

    Parameters
    ----------
    features
        Names of the vector's columns; see `watchkeeper.features.schema.feature_names`.
    shares
        At least 0 and not all 0, in any unit.
    """
    total = sum(shares)
    parts: dict[tuple[str, str | None, int | None], float] = {}
    for name, share in zip(features, shares, strict=True):
        place = _place(name, measure)
        parts[place] = parts.get(place, 0.0) + share
    return largest_first(Contribution(*place, part / total * score) for place, part in parts.items())


def largest_first(parts: Iterable[Contribution]) -> tuple[Contribution, ...]:
    """Order parts by their size and leave out those of nothing."""
    return tuple(sorted((part for part in parts if part.score > 0), key=lambda part: -part.score))


def mostly_by(contributions: Sequence[Contribution], interval_seconds: int, count: int = 3) -> str:
    """Return the largest contributions in words with their percentage of the score."""
    total = sum(part.score for part in contributions)
    return ", ".join(
        f"{part.in_words(interval_seconds)} {100 * part.score / total:.0f} %"
        for part in contributions[:count]
    )


def unusual_in(weights: Mapping[str, float]) -> tuple[Kind, str] | None:
    """Return what is unusual, by the feature with the largest weight; None where none of them says it."""
    known = [(-weight, feature) for feature, weight in weights.items() if feature in _UNUSUAL]
    return _UNUSUAL[min(known)[1]] if known else None


def inside_because(found: tuple[Kind, str] | None) -> str:
    """Return why a value inside its band is anomalous, in words."""
    return f"by its {found[0]}: {found[1]}" if found else "why is not known: the model does not explain"


def _place(name: str, measure: str | None) -> tuple[str, str | None, int | None]:
    for cycle in _CYCLES:
        if name.startswith(cycle):
            return cycle, None, None
    kind, _, number = name.rpartition("_")
    if kind == "lag":
        return "value", measure, int(number)
    if kind == "difference":
        return "difference", measure, int(number) - 1  # difference_1 leads from lag 1 to the value itself
    return name, measure, 0


def _duration(seconds: int) -> str:
    for size, unit in _UNITS:
        if seconds % size == 0:
            count = seconds // size
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    return f"{seconds} seconds"
