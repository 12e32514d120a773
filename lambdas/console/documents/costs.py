"""What the month costs."""

from __future__ import annotations

from pydantic import Field

from lambdas.console.documents.answer import Answer, Instant


class ServiceCost(Answer):
    """What one service of AWS costs."""

    service: str
    used_usd: float = Field(description="Since the first of the month.")
    projected_usd: float = Field(description="The whole month, if it goes on like this.")


class MonthCost(Answer):
    """What a month costs: list prices, no free tiers, no taxes."""

    used_usd: float = Field(description="Since the first of the month.")
    projected_usd: float = Field(description="The whole month, if it goes on like this.")
    services: list[ServiceCost] = Field(description="The dearest first.")


class WorkloadCost(Answer):
    """What the month has used so far, and where that leads: as `watchkeeper cost --used`."""

    workload: str
    at: Instant = Field(description="When CloudWatch was asked.")
    passed: float = Field(description="Share of the month that has passed; a month has 30 days.")
    own: MonthCost = Field(description="What only this workload has: its stack, and its endpoint.")
    deployment: MonthCost = Field(description="Everything; most of it serves all workloads.")
    without_price: list[str] = Field(description="What the price list does not have: not counted.")
    unread: list[str] = Field(
        description="Workloads whose file is not kept or not read: without their endpoints and messages."
    )
    prices_region: str
    prices_as_of: str = Field(description="ISO 8601 day of the oldest price.")
