"""The demo's transactions as files: a generated world in the two tables of the IEEE-CIS format."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from watchkeeper.fraud.generator import (
    IDENTITY_COLUMNS,
    LABEL_COLUMN,
    TRANSACTION_COLUMNS,
    Columns,
    World,
)


def write_history(world: World, days: int, folder: Path) -> list[Path]:
    """Write the first days of a world, with labels, and return the files.

    The same world and days are the same bytes.
    """
    table = world.table(days)
    folder.mkdir(parents=True, exist_ok=True)
    transactions, identities = folder / "transactions.csv", folder / "identity.csv"
    _write(table, [*TRANSACTION_COLUMNS, LABEL_COLUMN], transactions)
    told = table["DeviceType"] != ""
    _write({name: values[told] for name, values in table.items()}, IDENTITY_COLUMNS, identities)
    return [transactions, identities]


def _write(table: Columns, names: Sequence[str], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(zip(*(table[name].tolist() for name in names), strict=True))
