"""Processing job: telemetry in, rows out, split by time; what does not parse is quarantined.

Inputs `plan`, `history` (with `labels.json`, if there are labels) and `raw`; outputs `prepared` and
`quarantine`.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from containers.anomaly.partition import Partition, SeriesRow, partition
from containers.anomaly.telemetry import Telemetry, read_folder
from containers.runtime import job
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import epoch_seconds, format_instant, parse_instant
from watchkeeper.telemetry.labels import LABELS_NAME, Labels, read_labels

NO_VALUE = ("", "null", "None")
"""How the workflow writes an end of the window that was not given."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PrepareSettings:
    """The window of telemetry to learn from, in seconds since 1970; None where it is open."""

    start: int | None = None
    end: int | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> PrepareSettings:
        """Read `WATCHKEEPER_START` and `WATCHKEEPER_END`, ISO 8601; the end is not included.

        Raises
        ------
        InvalidInputError
            If one is not a timestamp, or the window is empty.
        """
        start, end = (_instant(environment, name) for name in ("WATCHKEEPER_START", "WATCHKEEPER_END"))
        if start is not None and end is not None and end <= start:
            window = f"{format_instant(start)} to {format_instant(end)}"
            raise InvalidInputError(f"the window of the run is empty: {window}", reason="bad_window")
        return cls(start, end)


def prepare() -> None:
    """Read, aggregate, split and write."""
    settings = PrepareSettings.from_environment()
    plan = job.read_plan(job.processing_input("plan"))
    history = job.processing_input("history")
    labels_file = history / LABELS_NAME
    labels = read_labels(labels_file) if labels_file.exists() else None
    telemetry = Telemetry(plan, settings.start, settings.end)
    quarantine = job.processing_output("quarantine")
    files = read_folder(history, telemetry, quarantine)
    files += read_folder(job.processing_input("raw"), telemetry, quarantine, delivered=True)
    if not telemetry.accepted:
        raise _nothing_accepted(telemetry, files)
    telemetry.history.check(plan.max_refused_share)
    values = telemetry.series_values()
    if labels is not None:
        starts = {series: [start for start, _ in of_series] for series, of_series in values.items()}
        labels, unmet = labels.fitted(
            starts, plan.interval_seconds, telemetry.files, within=(settings.start, settings.end)
        )
        telemetry.notes += [unmet] if unmet else []
    parts = partition(values, plan)
    prepared = job.processing_output("prepared")
    _write_rows(prepared / "train" / "rows.csv", parts.rows["train"])
    _write_holdback(prepared / "holdback", parts, labels, plan)
    summary = _summary(telemetry, parts, labels, plan)
    (prepared / "summary.json").write_text(json.dumps(summary, sort_keys=True, indent=2))
    logger.info("prepared", extra={"summary": {key: summary[key] for key in ("read", "accepted", "rows")}})


def main() -> None:
    """Run as the processing job."""
    job.run_job(prepare)


def _instant(environment: Mapping[str, str], name: str) -> int | None:
    text = environment.get(name, "").strip()
    if text in NO_VALUE:
        return None
    try:
        return epoch_seconds(parse_instant(text))
    except InvalidInputError as error:
        raise InvalidInputError(f"{name}: {error}", reason=error.reason) from error


def _nothing_accepted(telemetry: Telemetry, files: int) -> InvalidInputError:
    reasons = [f"{telemetry.outside} outside the window of the run"] if telemetry.outside else []
    reasons += [tally.sentence() for tally in (telemetry.history, telemetry.delivered) if tally.refused]
    return InvalidInputError(
        f"no telemetry to learn from: {files} files, {telemetry.read} records, none accepted: "
        + ("; ".join(reasons) or "upload history, or let the devices send first"),
        reason="too_few_rows",
    )


def _write_rows(path: Path, rows: list[SeriesRow]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{row.to_csv()}\n" for row in rows)


def _write_holdback(folder: Path, parts: Partition, labels: Labels | None, plan: WorkloadPlan) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (
        (folder / "rows.csv").open("w", encoding="utf-8") as rows,
        (folder / "index.jsonl").open("w", encoding="utf-8") as index,
    ):
        for row, indexed in parts.holdback(labels, plan):
            rows.write(f"{row.to_csv()}\n")
            index.write(f"{indexed.to_json()}\n")


def _summary(
    telemetry: Telemetry, parts: Partition, labels: Labels | None, plan: WorkloadPlan
) -> dict[str, Any]:
    return {
        "workload": plan.workload,
        "read": telemetry.read,
        "accepted": telemetry.accepted,
        "duplicates": telemetry.duplicates,
        "outside_window": telemetry.outside,
        "quarantined": dict(telemetry.history.refused + telemetry.delivered.refused),
        "first_refused": telemetry.history.first_refusal or telemetry.delivered.first_refusal,
        "notes": telemetry.notes,
        "labelled": labels is not None,
        "rows": {part: len(rows) for part, rows in parts.rows.items()},
        "ranges": {
            part: [
                format_instant(rows[0].context.interval_start),
                format_instant(rows[-1].context.interval_start + plan.interval_seconds),
            ]
            for part, rows in parts.rows.items()
        },
        "series": {series: {"step_scale": scale} for series, scale in parts.step_scales.items()},
    }


if __name__ == "__main__":
    main()
