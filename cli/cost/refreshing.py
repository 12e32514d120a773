"""The price list brought up to date by AWS's Price List API."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import boto3

from lambdas.costs.prices import Price, Prices

PRICING_REGION = "us-east-1"
"""One of the few that answer the Price List API; it knows all regions."""

_REGION_CODE = "(?:US|EU|AP|CA|SA|AF|ME|IL|MX)[A-Z]{0,2}[0-9]?"
"""Such as `USE2`, `EU` or `APS3`."""


def refreshed(prices: Prices, session: boto3.Session, day: date) -> tuple[Prices, list[str]]:
    """Ask the Price List API for every price of the session's region.

    Returns
    -------
    Prices
        With the prices that were found, and the old ones of the rest.
    list of str
        What was not found, and so keeps its old price and date; of another region's list everything must be.
    """
    region = str(session.region_name)
    client = session.client("pricing", region_name=PRICING_REGION)
    found: dict[str, Price] = {}
    for service in sorted({price.service for price in prices.units.values()}):
        offered = _offered(client, service, region)
        for name, price in prices.units.items():
            if price.service == service and price.usage_type in offered:
                usd, source = offered[price.usage_type], f"Price List API, {service}, {region}"
                found[name] = replace(price, usd=usd, as_of=day.isoformat(), source=source)
    hours = {kind: _hour(client, kind, region) for kind in prices.instance_hour_usd}
    instances = {kind: usd for kind, usd in hours.items() if usd is not None}
    missing = sorted(prices.units.keys() - found.keys()) + sorted(hours.keys() - instances.keys())
    kept = prices.region == region
    return (
        Prices(
            region=region,
            units={**(prices.units if kept else {}), **found},
            instance_hour_usd={**(prices.instance_hour_usd if kept else {}), **instances},
            instances_as_of=day.isoformat() if instances else prices.instances_as_of,
            instances_source=f"Price List API, AmazonSageMaker, {region}"
            if instances
            else prices.instances_source,
        ),
        missing,
    )


def on_demand(product: Mapping[str, Any]) -> Iterator[float]:
    """Give the prices of a product's units on demand, the cheapest amount first; free ones are left out."""
    dimensions = [
        dimension
        for offer in product["terms"].get("OnDemand", {}).values()
        for dimension in offer["priceDimensions"].values()
    ]
    for dimension in sorted(dimensions, key=lambda each: float(each.get("beginRange", 0))):
        usd = float(dimension["pricePerUnit"].get("USD", 0))
        if usd:
            yield usd


def products(client: Any, service: str, **attributes: str) -> Iterator[dict[str, Any]]:
    """Give the products of a service that have these attributes."""
    filters = [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in attributes.items()]
    for page in client.get_paginator("get_products").paginate(ServiceCode=service, Filters=filters):
        yield from map(json.loads, page["PriceList"])


def _offered(client: Any, service: str, region: str) -> dict[str, float]:
    """Return the price of the first units that cost something, by usage type without its region."""
    offered: dict[str, float] = {}
    for product in products(client, service, regionCode=region):
        usage_type = str(product["product"]["attributes"].get("usagetype", ""))
        usd = next(on_demand(product), None)
        if usd is not None:
            offered[re.sub(rf"^({region}|{_REGION_CODE})-", "", usage_type)] = usd
    return offered


def _hour(client: Any, kind: str, region: str) -> float | None:
    for product in products(client, "AmazonSageMaker", regionCode=region, instanceName=kind):
        if str(product["product"]["attributes"].get("component", "")).lower() == "hosting":
            return next(on_demand(product), None)
    return None
