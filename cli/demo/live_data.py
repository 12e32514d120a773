"""The demo's telemetry: what is trained on, what is then published, and what is labelled."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from cli.datasets import DataFile, Dataset, located
from cli.failures import StepFailedError
from cli.telemetry import Reading, Telemetry, read_telemetry
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import parse_instant
from watchkeeper.telemetry.labels import Labels, read_labels


@dataclass(frozen=True)
class DemoData:
    """Files to upload and readings to publish."""

    history_file: Path
    labels_file: Path | None
    live: tuple[Reading, ...]
    labels: Labels


def prepared(dataset: Dataset, plan: WorkloadPlan, folder: Path) -> DemoData:
    """Split a dataset and write the part to upload into a folder.

    Raises
    ------
    StepFailedError
        If a file cannot be had, or a part of it is empty.
    """
    folder.mkdir(parents=True, exist_ok=True)
    source = located(dataset.history)
    telemetry = read_telemetry(source, plan)
    split = parse_instant(dataset.live_from) if dataset.live_from else None
    history = telemetry.between(None, split)
    live = (
        _arriving(dataset.live, dataset.live_header, plan, folder)
        if dataset.live
        else telemetry.between(split, None)
    )
    if not history.readings or not live.readings:
        raise StepFailedError(f"{source}: no readings before or after {dataset.live_from}")
    history_file = folder / f"{source.name.partition('.')[0]}.jsonl"
    history.write(history_file)
    labels_file = _labels_file(dataset, folder)
    return DemoData(
        history_file, labels_file, live.readings, read_labels(labels_file) if labels_file else Labels({})
    )


def _arriving(file: DataFile, header: str | None, plan: WorkloadPlan, folder: Path) -> Telemetry:
    source = located(file)
    if header is None:
        return read_telemetry(source, plan)
    with_header = folder / f"live-{source.name}"
    with_header.write_text(f"{header}\n{source.read_text('utf-8-sig')}")
    return read_telemetry(with_header, plan)


def _labels_file(dataset: Dataset, folder: Path) -> Path | None:
    if dataset.labels is None or dataset.labels_key is None:
        return None
    windows = json.loads(located(dataset.labels).read_text())[dataset.labels_key]
    path = folder / "labels.json"
    path.write_text(json.dumps(windows))
    return path
