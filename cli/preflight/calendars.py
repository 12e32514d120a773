"""Whether the dates of calendars are known for long enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from cli.preflight.finding import Finding, Level
from watchkeeper.judgement.calendars import runs_out
from watchkeeper.spec import AnomalyWorkload, WorkloadSpec


def check_calendars(workloads: Sequence[WorkloadSpec], today: date) -> Iterator[Finding]:
    """Tell each calendar whose dates run out soon."""
    for spec in workloads:
        for calendar in spec.plan().calendars if isinstance(spec, AnomalyWorkload) else ():
            if told := runs_out(calendar, today):
                yield Finding(
                    "calendars", Level.YELLOW, f"{spec.name}: {told}", figures={"calendar": calendar.name}
                )
