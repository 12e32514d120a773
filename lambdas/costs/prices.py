"""The price list, as the tree has it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

FILE = Path(__file__).with_name("prices.json")


@dataclass(frozen=True)
class Price:
    """What one unit costs."""

    usd: float
    unit: str
    as_of: str
    """ISO 8601 day on which it was read."""
    source: str
    service: str
    """Service code in the Price List API."""
    usage_type: str
    """Usage type there, without the region that stands before it outside us-east-1."""


@dataclass(frozen=True)
class Prices:
    """Prices of one region."""

    region: str
    units: Mapping[str, Price]
    instance_hour_usd: Mapping[str, float]
    """Of SageMaker's instance types, as endpoints."""
    instances_as_of: str
    instances_source: str

    @classmethod
    def read(cls, path: Path = FILE) -> Prices:
        """Read a list, the checkout's by default."""
        document = json.loads(path.read_text())
        units = {name: Price(**price) for name, price in document.pop("units").items()}
        return cls(units=units, **document)

    def write(self, path: Path = FILE) -> None:
        """Write the list, a price a line, so that a change of one is a change of its line."""
        document = asdict(self)
        units = ",\n".join(
            f"  {json.dumps(name)}: {json.dumps(price)}" for name, price in document.pop("units").items()
        )
        rest = "".join(f" {json.dumps(name)}: {json.dumps(value)},\n" for name, value in document.items())
        path.write_text(f'{{\n{rest} "units": {{\n{units}\n }}\n}}\n')

    def with_instances(self, hour_usd: Mapping[str, float]) -> Prices:
        """Return the list with instances' prices of a better source."""
        return replace(self, instance_hour_usd={**self.instance_hour_usd, **hour_usd})

    @property
    def as_of(self) -> str:
        """The day of the oldest price."""
        return min([self.instances_as_of, *(price.as_of for price in self.units.values())])
