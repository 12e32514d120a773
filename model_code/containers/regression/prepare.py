"""Processing job: a table in, rows out, split into what trains and what is held back.

Inputs `plan` and `history`; outputs `prepared` and `quarantine`. `prepared` has

- `train/rows.csv`: the target, then the features, one row a line, no header;
- `holdback/rows.csv`: request rows, and `holdback/targets.csv`, their targets;
- `explain/rows.csv`: the held-back rows to explain, as those of `train`;
- `summary.json`.
"""

from __future__ import annotations

import json
import logging
import math
from datetime import datetime, timezone
from typing import Any

from containers.regression.table import Table, read_table
from containers.runtime import job
from containers.runtime.processing import PrepareSettings, nothing_accepted, write_lines
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.regression.plan import RegressionPlan
from watchkeeper.regression.split import LabelledRow, TableParts, drawn, split_rows

logger = logging.getLogger(__name__)


def prepare() -> None:
    """Read, split and write."""
    window = PrepareSettings.from_environment()
    plan = job.read_plan(job.processing_input("plan"), RegressionPlan)
    if plan.history.timestamp is None and (window.start is not None or window.end is not None):
        raise InvalidInputError(
            "the run has a window, but the rows of this workload have no time: leave start and end out, or "
            "name the column in history.timestamp",
            reason="bad_window",
        )
    table = Table(plan, _instant(window.start), _instant(window.end))
    files = read_table(job.processing_input("history"), table, job.processing_output("quarantine"))
    rows = table.newest()
    if not rows:
        raise nothing_accepted(
            "rows",
            f"{files} files, {table.tally.read} rows",
            outside=table.outside,
            refused=[table.tally.sentence("rows")] if table.tally.refused else [],
            remedy="upload history",
        )
    table.tally.check(plan.history.max_refused_share, "rows")
    parts = split_rows(rows, plan)
    explained = drawn(parts.holdback, plan.explain.rows, plan.history.split.seed)
    prepared = job.processing_output("prepared")
    write_lines(prepared / "train" / "rows.csv", (row.to_csv() for row in parts.train))
    write_lines(prepared / "holdback" / "rows.csv", (row.request() for row in parts.holdback))
    write_lines(prepared / "holdback" / "targets.csv", (repr(row.target) for row in parts.holdback))
    write_lines(prepared / "explain" / "rows.csv", (row.to_csv() for row in explained))
    summary = _summary(table, parts, explained)
    (prepared / "summary.json").write_text(json.dumps(summary, sort_keys=True, indent=2))
    logger.info("prepared", extra={"summary": summary})


def _instant(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc)


def _summary(table: Table, parts: TableParts, explained: list[LabelledRow]) -> dict[str, Any]:
    return {
        "workload": table.plan.workload,
        "read": table.tally.read,
        "accepted": len(table.rows),
        "outside_window": table.outside,
        "quarantined": dict(table.tally.refused),
        "rows": {
            "train": len(parts.train),
            "holdback": len(parts.holdback),
            "explain": len(explained),
        },
        "train_mean": math.fsum(row.target for row in parts.train) / len(parts.train),
    }


if __name__ == "__main__":
    job.run_job(prepare)
