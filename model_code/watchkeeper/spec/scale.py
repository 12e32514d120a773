"""Where the scoring loop of a workload runs: a function, or Spark beyond one machine."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from watchkeeper.spec.section import Section


class FunctionScale(Section):
    """A Lambda function: up to about 100,000 series."""

    engine: Literal["lambda"] = "lambda"
    """What runs the loop."""


class SparkScale(Section):
    """A streaming job of AWS Glue."""

    engine: Literal["spark"]
    """What runs the loop."""
    series: int = Field(ge=1, le=10_000_000)
    """How many series there will be, about: the shelves are laid out for them. Fixed by the first start."""
    worker_type: Literal["G.025X", "G.1X", "G.2X", "G.4X", "G.8X"] = "G.1X"
    """Size of a worker: G.1X has 4 vCPU and 16 GB, G.025X 2 vCPU and 4 GB, G.2X twice a G.1X, and so on."""
    workers: int = Field(default=2, ge=2, le=299)
    """How many; one of them leads."""


Scale = Annotated[FunctionScale | SparkScale, Field(discriminator="engine")]
