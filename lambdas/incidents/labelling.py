"""Stretches of series that people mark as anomalies, for the next training and its evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lambdas.adapters.incident_store import IncidentStore
from lambdas.incidents.responding import under_lock
from lambdas.runtime.retrying import Pause, pause_with_jitter
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import format_instant
from watchkeeper.incidents.feedback import Label
from watchkeeper.incidents.progress import Change
from watchkeeper.incidents.summary import Told

MOST_LABELS = 5000
"""Of a workload."""


def mark(store: IncidentStore, label: Label, pause: Pause = pause_with_jitter) -> Label:
    """Mark a stretch, and return its label; the same again changes nothing.

    Raises
    ------
    InvalidInputError
        If the workload has `MOST_LABELS` already.
    UnavailableError
        If others write all the time.
    """

    def change(standing: Mapping[str, Label]) -> tuple[Label, Change]:
        if label.label_id in standing:
            return standing[label.label_id], Change()
        if len(standing) >= MOST_LABELS:
            raise InvalidInputError(
                f"workload {label.workload} has {len(standing)} labels, the most that are kept: take some "
                "back"
            )
        return label, Change(labels=(label,), told=(_told(label, "marked", label.who),))

    return _changed(store, label.workload, change, pause)


def unmark(
    store: IncidentStore, workload: str, label_id: str, who: str, pause: Pause = pause_with_jitter
) -> Label:
    """Take a label back, and return it.

    Raises
    ------
    InvalidInputError
        If there is none (reason `label_not_found`).
    UnavailableError
        If others write all the time.
    """

    def change(standing: Mapping[str, Label]) -> tuple[Label, Change]:
        found = standing.get(label_id)
        if found is None:
            raise InvalidInputError(
                f"workload {workload} has no label {label_id[:64]!r}", reason="label_not_found"
            )
        return found, Change(unlabelled=(found,), told=(_told(found, "taken back", who),))

    return _changed(store, workload, change, pause)


def _changed(
    store: IncidentStore,
    workload: str,
    change: Callable[[Mapping[str, Label]], tuple[Label, Change]],
    pause: Pause,
) -> Label:
    def made() -> tuple[Label, Change]:
        return change({each.label_id: each for each in store.labels(workload)})

    return under_lock(store, workload, made, pause)


def _told(label: Label, what: str, who: str) -> Told:
    detail: dict[str, Any] = {
        "label": label.label_id,
        "what": what,
        "who": who,
        "series": label.series,
        "start": format_instant(label.start),
        "end": format_instant(label.end),
    }
    return Told("label", label.label_id, detail)
