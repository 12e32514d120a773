"""The parameters of the univariate rules: names, defaults and what is allowed.

Standard library only: the anomaly service's API reads them too.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from watchkeeper.core.errors import InvalidInputError

_LARGEST_MARGIN = 1e6


@dataclass(frozen=True)
class RuleParameter:
    """A parameter of a rule, and what it may be."""

    what: str
    default: float | int | None
    least: float
    most: float
    whole: bool = False
    above_least: bool = False
    """`least` itself is not allowed."""

    @property
    def optional(self) -> bool:
        """Whether it may be null."""
        return self.default is None

    @property
    def allowed(self) -> str:
        """What is allowed, in words."""
        kind = "a whole number" if self.whole else "a number"
        lower = f"above {self.least:g}" if self.above_least else f"from {self.least:g}"
        return f"{kind} {lower} to {self.most:.15g}{', or null' if self.optional else ''}"

    def takes(self, value: object) -> bool:
        """Whether it may have this value."""
        if value is None:
            return self.optional
        if isinstance(value, bool) or not isinstance(value, int if self.whole else (int, float)):
            return False
        in_range = self.least < value if self.above_least else self.least <= value
        return in_range and value <= self.most and math.isfinite(value)


def _range_parameters(low: float, high: float, margin: float) -> dict[str, RuleParameter]:
    return {
        "low": RuleParameter("quantile of the column that the lower bound begins at", low, 0.0, 1.0),
        "high": RuleParameter("quantile that the upper bound begins at, above low", high, 0.0, 1.0),
        "margin": RuleParameter(
            "how far the bounds are moved outwards, in distances of the two quantiles",
            margin,
            0.0,
            _LARGEST_MARGIN,
        ),
    }


RULE_PARAMETERS: dict[str, dict[str, RuleParameter]] = {
    "iqr": _range_parameters(0.25, 0.75, 1.5),
    "quantile": _range_parameters(0.005, 0.995, 0.0),
    "persist": {
        "window": RuleParameter("rows of the median that a value is compared with", 12, 1, 10_000, True),
        "margin": RuleParameter(
            "how many interquartile ranges of a column's differences are usual",
            3.0,
            0.0,
            _LARGEST_MARGIN,
            above_least=True,
        ),
        "max_gap": RuleParameter(
            "usual steps of time without a value after which a column begins anew; null: `window`",
            None,
            1,
            1_000_000_000,
            True,
        ),
    },
}
"""By rule and parameter."""


def default_of(rule: str, parameter: str) -> Any:
    """Return a parameter's default."""
    return RULE_PARAMETERS[rule][parameter].default


def checked_parameters(rule: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that are given for a rule, if they may be.

    Raises
    ------
    InvalidInputError
        A parameter that the rule does not have (reason `unknown_hyperparameter`), or a value that is not
        allowed (`bad_hyperparameter`); names parameter, value and what is allowed.

    Examples
    --------
    >>> checked_parameters("iqr", {"margin": 3})
    {'margin': 3}
    """
    allowed = RULE_PARAMETERS[rule]
    for name, value in given.items():
        if name not in allowed:
            near = difflib.get_close_matches(name, allowed, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise InvalidInputError(
                f"{rule} has no parameter {name[:60]!r}{hint}: allowed are {', '.join(allowed)}",
                reason="unknown_hyperparameter",
            )
        if not allowed[name].takes(value):
            raise InvalidInputError(
                f"{name} of {rule} is {repr(value)[:60]}: give {allowed[name].allowed}",
                reason="bad_hyperparameter",
            )
    whole = {name: given.get(name, parameter.default) for name, parameter in allowed.items()}
    if "low" in whole and not whole["low"] < whole["high"]:
        raise InvalidInputError(
            f"low of {rule} is {whole['low']!r} and high {whole['high']!r}: give a low below high",
            reason="bad_hyperparameter",
        )
    return dict(given)
