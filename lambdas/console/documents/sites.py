"""Private wireless sites, checked."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from lambdas.console.documents.answer import Answer


class SitePlanBody(BaseModel):
    """A file of sites."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=200_000, description="YAML, as `watchkeeper sites` reads it.")


class SiteLimits(Answer):
    """What a radio unit carries and costs."""

    megabits_per_second: float
    sims: int
    usd_per_hour: float
    least_days: int = Field(description="A radio unit is paid for so long at least.")
    source: str = Field(description="Where these figures are from.")


class SiteItem(Answer):
    """What a site needs, has and costs."""

    name: str
    radio_units: int
    needed_units: int = Field(description="So many radio units carry its devices.")
    megabits_per_second: float
    megabits_capacity: float
    sims: int
    sims_capacity: int
    days: int
    paid_days: int
    usd: float
    budget_usd: float | None
    over: list[Literal["throughput", "sims", "term", "budget"]] = Field(
        description="Which limits it is over; of `term`, its days are fewer than are paid for."
    )
    headroom: float = Field(
        description="Share of the tighter of throughput and SIMs that is free; below 0: too little."
    )


class CheckedSites(Answer):
    """A plan of sites, checked: as `watchkeeper sites PLAN --json`."""

    limits: SiteLimits
    sites: list[SiteItem]
    usd: float = Field(description="Of all sites.")
    over: list[str] = Field(description="Names of the sites that are over a limit.")
