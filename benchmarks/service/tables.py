"""The tables that the requests read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from watchkeeper.client import Client

KEY = "benchmark/load/table"
ROWS = 500
FIRST_SECOND = 1_700_000_000
LARGE_KEY = "benchmark/load/large"


def upload_table(client: Client, folder: Path, key: str, rows: int) -> None:
    """Upload a table of a time and two measures.

    Parameters
    ----------
    folder
        Where the file is made.
    """
    numbers = np.random.default_rng(0)
    table = np.column_stack(
        [
            FIRST_SECOND + 60 * np.arange(rows),
            numbers.normal(50, 5, rows).round(3),
            numbers.normal(20, 2, rows).round(3),
        ]
    )
    file = folder / "table.csv"
    np.savetxt(
        file, table, fmt=["%d", "%.3f", "%.3f"], delimiter=",", header="time,load,ambient", comments=""
    )
    client.upload(file, f"{key}.csv")
