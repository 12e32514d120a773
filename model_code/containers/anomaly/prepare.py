"""Processing job: telemetry in, rows out, split by time; what does not parse is quarantined.

Inputs `plan`, `history` (with `labels.json`, if there are labels), `raw` and `feedback` (`labels.json`: what
people said was real); outputs `prepared` and
`quarantine`. Of a streaming detector the rows are what the scoring loop would have closed, and the whole
history is written as pages that nothing has learned yet.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from containers.anomaly.pages import write_page
from containers.anomaly.partition import Partition, partition
from containers.anomaly.telemetry import Telemetry, read_folder
from containers.runtime import job
from containers.runtime.processing import PrepareSettings, nothing_accepted, write_lines
from watchkeeper.core.documents import plain
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import format_instant
from watchkeeper.features.correlation import Values, relations_of
from watchkeeper.stream.warming import pages_of
from watchkeeper.telemetry.census import census_of
from watchkeeper.telemetry.labels import LABELS_NAME, Labels, read_labels, with_feedback

logger = logging.getLogger(__name__)


def prepare() -> None:
    """Read, aggregate, split and write."""
    settings = PrepareSettings.from_environment()
    plan = job.read_plan(job.processing_input("plan"), WorkloadPlan)
    history = job.processing_input("history")
    labels_file = history / LABELS_NAME
    labels = read_labels(labels_file) if labels_file.exists() else None
    telemetry = Telemetry(plan, settings.start, settings.end)
    quarantine = job.processing_output("quarantine")
    files = read_folder(history, telemetry, quarantine)
    files += read_folder(job.processing_input("raw"), telemetry, quarantine, delivered=True)
    if not telemetry.accepted:
        tallies = (telemetry.history, telemetry.delivered)
        raise nothing_accepted(
            "telemetry",
            f"{files} files, {telemetry.read} records",
            outside=telemetry.outside,
            refused=[tally.sentence() for tally in tallies if tally.refused],
            remedy="upload history, or let the devices send first",
        )
    telemetry.history.check(plan.max_refused_share)
    streaming = plan.detector.is_streaming
    values = telemetry.closed_values() if streaming else telemetry.series_values()
    starts = {series: [start for start, _ in of_series] for series, of_series in values.items()}
    if labels is not None:
        labels, unmet = labels.fitted(
            starts, plan.interval_seconds, telemetry.files, within=(settings.start, settings.end)
        )
        telemetry.notes += [unmet] if unmet else []
    feedback_file = job.processing_input("feedback") / LABELS_NAME
    said = read_labels(feedback_file) if feedback_file.exists() else Labels({})
    labels, of_feedback = with_feedback(labels, said, starts, plan.interval_seconds)
    parts = partition(values, plan)
    prepared = job.processing_output("prepared")
    write_lines(prepared / "train" / "rows.csv", (row.to_csv() for row in parts.rows["train"]))
    _write_holdback(prepared / "holdback", parts, labels, plan)
    if streaming:
        for page in pages_of(telemetry.histories(), plan):
            write_page(prepared / "pages", page)
    summary = {**_summary(telemetry, parts, values, labels, plan), "feedback": of_feedback}
    (prepared / "summary.json").write_text(json.dumps(summary, sort_keys=True, indent=2))
    told = ("read", "accepted", "rows", "left_out")
    logger.info("prepared", extra={"summary": {key: summary[key] for key in told}})


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
    telemetry: Telemetry,
    parts: Partition,
    values: Mapping[str, Values],
    labels: Labels | None,
    plan: WorkloadPlan,
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
        "left_out": parts.left_out,
        "census": plain(census_of(values)),
        "relations": plain(relations_of(values, plan.interval_seconds)),
    }


if __name__ == "__main__":
    job.run_job(prepare)
