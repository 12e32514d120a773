"""EventBridge Scheduler: the sweep that fires what is due, its schedules, and how expressions are read."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ministack.services import eventbridge as _eventbridge
from ministack.services import scheduler as _scheduler

from localcloud.seams.replacing import Replaceable

tick = Replaceable(_scheduler, "_tick_schedules")
"""Called every ten seconds."""
create_schedule = Replaceable(_scheduler, "_create_schedule")
update_schedule = Replaceable(_scheduler, "_update_schedule")
error: Callable[..., Any] = _scheduler._error
rate_seconds: Callable[[str], int | None] = _eventbridge._parse_rate_seconds
at_epoch: Callable[[str], float | None] = _scheduler._at_time_epoch
cron_fields: Callable[[str], Any] = _eventbridge._parse_cron_fields
next_of_cron: Callable[[Any, datetime], datetime | None] = _eventbridge._cron_next_fire


def schedules() -> list[tuple[str, str, dict[str, Any]]]:
    """Return account, region and record of every schedule."""
    return [(account, region, record) for (account, region, _), record in _scheduler._schedules._data.items()]


def schedule(group: str, name: str) -> dict[str, Any]:
    """Return the record of a schedule of the caller's account and region."""
    record: dict[str, Any] = _scheduler._schedules[f"{group}/{name}"]
    return record
