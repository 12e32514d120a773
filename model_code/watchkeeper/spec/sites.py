"""Plans of private wireless sites: radio units, the devices below them, and what that needs and costs.

The limits are those that are told of AWS Private 5G, which AWS has withdrawn, and with it the pages that
named them. The term of 60 days is still in the reference of its API
(https://docs.aws.amazon.com/private-networks/latest/APIReference/API_CommitmentConfiguration.html);
throughput, SIMs and price could not be confirmed. They are parameters, so that the same plan is checked
against the radio units of whoever builds the network now.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator

from watchkeeper.spec.problems import Problem, WorkloadSpecError, explain, problem_at
from watchkeeper.spec.section import Section, refuse_repeats
from watchkeeper.spec.source import YamlSyntaxError, parse_yaml

Limit = Literal["throughput", "sims", "term", "budget"]
_MEGABIT = 1_000_000


class Limits(Section):
    """What a radio unit carries and costs; the defaults are those of AWS Private 5G, which is withdrawn."""

    megabits_per_second: float = Field(default=150.0, gt=0)
    """Of a radio unit, all its devices together."""
    sims: int = Field(default=100, ge=1)
    """Devices of a radio unit: each has a SIM."""
    usd_per_hour: float = Field(default=10.0, ge=0)
    """Of a radio unit."""
    least_days: int = Field(default=60, ge=0)
    """A radio unit is paid for so long at least."""
    source: str = "AWS Private 5G, withdrawn: the term by its API's reference, the rest not confirmed"
    """Where these figures are from."""


class Devices(Section):
    """Devices of one kind at a site; what they send is in megabits, or in messages."""

    name: str = Field(min_length=1, max_length=60)
    """For people."""
    count: int = Field(ge=1, le=1_000_000)
    """How many there are."""
    megabits_per_second: float | None = Field(default=None, ge=0)
    """What each sends and receives."""
    message_bytes: int | None = Field(default=None, ge=1)
    """Of each message, with what the protocols put around it."""
    messages_per_minute: float | None = Field(default=None, gt=0, validate_default=True)
    """How many messages each sends."""

    @field_validator("messages_per_minute")
    @classmethod
    def _says_one_rate(cls, messages: float | None, info: ValidationInfo) -> float | None:
        if "megabits_per_second" not in info.data or "message_bytes" not in info.data:
            return messages
        megabits, size = info.data["megabits_per_second"], info.data["message_bytes"]
        if (megabits is None) == (messages is None) or (messages is None) != (size is None):
            raise ValueError("name megabits_per_second, or message_bytes and messages_per_minute")
        return messages

    @property
    def rate(self) -> float:
        """Megabits a second of all of them."""
        if self.megabits_per_second is not None:
            return self.count * self.megabits_per_second
        bits = 8 * (self.message_bytes or 0) * (self.messages_per_minute or 0) / 60
        return self.count * bits / _MEGABIT


class Site(Section):
    """One place with radio units."""

    name: str = Field(min_length=1, max_length=60)
    """For people."""
    radio_units: int = Field(ge=1, le=1000)
    """How many there are."""
    days: int = Field(ge=1, le=3650)
    """For how long it is planned."""
    devices: list[Devices] = Field(min_length=1, max_length=200)
    """What is connected."""
    budget_usd: float | None = Field(default=None, ge=0)
    """What it may cost; without it, anything."""


class SitePlan(Section):
    """A file of sites."""

    limits: Limits = Limits()
    """What a radio unit carries and costs."""
    sites: list[Site] = Field(min_length=1, max_length=1000)
    """The places."""

    @field_validator("sites")
    @classmethod
    def _are_named_apart(cls, sites: list[Site]) -> list[Site]:
        refuse_repeats([site.name for site in sites], "name")
        return sites


@dataclass(frozen=True)
class SiteLoad:
    """What a site needs, has and costs."""

    name: str
    radio_units: int
    needed_units: int
    """So many radio units carry its devices."""
    megabits_per_second: float
    megabits_capacity: float
    sims: int
    sims_capacity: int
    days: int
    paid_days: int
    usd: float
    budget_usd: float | None
    over: tuple[Limit, ...]
    """Which limits it is over; of `term`, its days are fewer than are paid for."""

    @property
    def headroom(self) -> float:
        """Share of the tighter of throughput and SIMs that is free; below 0 where there is too little."""
        return 1 - max(self.megabits_per_second / self.megabits_capacity, self.sims / self.sims_capacity)


def loads(plan: SitePlan) -> Iterator[SiteLoad]:
    """Check each site against the limits."""
    limits = plan.limits
    for site in plan.sites:
        rate = sum(devices.rate for devices in site.devices)
        sims = sum(devices.count for devices in site.devices)
        paid = max(site.days, limits.least_days)
        usd = site.radio_units * limits.usd_per_hour * 24 * paid
        megabits, cards = site.radio_units * limits.megabits_per_second, site.radio_units * limits.sims
        checks: dict[Limit, bool] = {
            "throughput": rate > megabits,
            "sims": sims > cards,
            "term": site.days < paid,
            "budget": site.budget_usd is not None and usd > site.budget_usd,
        }
        yield SiteLoad(
            name=site.name,
            radio_units=site.radio_units,
            needed_units=math.ceil(max(rate / limits.megabits_per_second, sims / limits.sims)),
            megabits_per_second=rate,
            megabits_capacity=megabits,
            sims=sims,
            sims_capacity=cards,
            days=site.days,
            paid_days=paid,
            usd=usd,
            budget_usd=site.budget_usd,
            over=tuple(name for name, is_over in checks.items() if is_over),
        )


def checked(plan: SitePlan) -> dict[str, Any]:
    """Return a plan's limits, what each site needs, has and costs, and which are over, as JSON has it."""
    found = list(loads(plan))
    return {
        "limits": plan.limits.model_dump(),
        "sites": [{**asdict(site), "over": list(site.over), "headroom": site.headroom} for site in found],
        "usd": sum(site.usd for site in found),
        "over": [site.name for site in found if site.over],
    }


def load_site_plan(path: Path, text: str | None = None) -> SitePlan:
    """Read a file of sites.

    Parameters
    ----------
    text
        What is in the file, where it is not read from there.

    Raises
    ------
    WorkloadSpecError
        With every mistake in the file: its line, key, value and what is allowed.
    """
    file = str(path)
    try:
        source = parse_yaml(path.read_text(encoding="utf-8-sig") if text is None else text)
    except OSError as error:
        raise WorkloadSpecError([Problem(file, 1, "", "", f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        message = f"is not UTF-8: {error.reason} at byte {error.start}"
        raise WorkloadSpecError([Problem(file, 1, "", "", message)]) from error
    except YamlSyntaxError as error:
        raise WorkloadSpecError([Problem(file, error.line, "", "", str(error))]) from error
    problems = [
        problem_at(file, source, key, f"is there twice, first in line {first}; keep one")
        for key, _, first in source.duplicates
    ]
    if not isinstance(source.document, dict):
        raise WorkloadSpecError([Problem(file, 1, "", "", "must be a mapping with the key sites")])
    try:
        plan = SitePlan.model_validate(source.document)
    except ValidationError as error:
        found = [explain(file, source, detail, SitePlan) for detail in error.errors()]
        raise WorkloadSpecError([*problems, *found]) from error
    if problems:
        raise WorkloadSpecError(problems)
    return plan
