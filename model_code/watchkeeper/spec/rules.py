"""Rules of a measure: what of it is an anomaly, and what is none, beside its score."""

from __future__ import annotations

from pydantic import Field, model_validator

from watchkeeper.core.plan import MeasureRules
from watchkeeper.core.severity import MAX_SEVERITY, THRESHOLD_SEVERITY
from watchkeeper.spec.section import Section


class IgnoreBelow(Section):
    """Deviations from the expected value that are too small to be an anomaly: by either amount."""

    absolute: float = Field(default=0.0, ge=0)
    """In the measure's unit."""
    relative: float = Field(default=0.0, ge=0)
    """As a share of the expected value: 0.1 is a tenth of it."""


class Allowed(Section):
    """The values that a measure may have; the ends belong to them."""

    lower: float | None = None
    """A value below it is an anomaly; without it, none is too low."""
    upper: float | None = None
    """A value above it is an anomaly; without it, none is too high."""
    severity: float = Field(default=80.0, ge=THRESHOLD_SEVERITY, le=MAX_SEVERITY)
    """Least severity of such an anomaly."""

    @model_validator(mode="after")
    def _is_a_range(self) -> Allowed:
        if self.lower is None and self.upper is None:
            raise ValueError("says nothing: name lower, upper or both")
        if self.lower is not None and self.upper is not None and self.lower > self.upper:
            raise ValueError(f"lower {self.lower:g} is above upper {self.upper:g}")
        return self

    def plan(self) -> MeasureRules:
        """Return the rules that it is alone."""
        return MeasureRules(allowed_from=self.lower, allowed_to=self.upper, allowed_severity=self.severity)
