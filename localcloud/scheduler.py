"""EventBridge Scheduler's times: every occurrence fires once, and its target is told which it was.

Ministack fires a rate by the time since it fired last, so occurrences drift and are lost, and it sends an
input as it is written. On AWS a rate counts from the schedule's start, and `<aws.scheduler.…>` in the input
is replaced: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from localcloud.part import Part
from localcloud.seams import eventbridge, scheduler
from localcloud.seams.cloudformation import resource_handlers
from localcloud.seams.responses import request_scope

logger = logging.getLogger(__name__)

Schedule = dict[str, Any]

ZONE = "ScheduleExpressionTimezone"


class SchedulerPart(Part):
    """Fires schedules.

    Parameters
    ----------
    clock
        Seconds since 1970. Occurrences before the part began are not made good, as those of a time in which
        AWS itself was away would be: the laptop was off.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._swept_until = clock()

    def install(self) -> None:
        """Register with ministack."""
        scheduler.tick.replace(self.sweep)
        self._create = scheduler.create_schedule.replace(
            lambda name, body: self._checked(self._create, name, body)
        )
        self._update = scheduler.update_schedule.replace(
            lambda name, body: self._checked(self._update, name, body)
        )
        handlers = resource_handlers["AWS::Scheduler::Schedule"]
        for verb in ("create", "update"):
            handlers[verb] = _with_zone(handlers[verb])

    def sweep(self) -> None:
        """Fire what became due since the last sweep."""
        since, self._swept_until = self._swept_until, self._clock()
        for account, region, schedule in scheduler.schedules():
            if schedule.get("State") != "ENABLED":
                continue
            for occurrence in occurrences(schedule, since, self._swept_until):
                with request_scope(account, region):
                    self._fire(schedule, occurrence)

    def _fire(self, schedule: Schedule, occurrence: datetime) -> None:
        target = dict(schedule["Target"])
        if "Input" in target:
            target["Input"] = with_context(target["Input"], str(schedule["Arn"]), occurrence)
        event = {
            "EventId": str(uuid.uuid4()),
            "Source": "aws.scheduler",
            "DetailType": "Scheduled Event",
            "Detail": "{}",
            "Time": occurrence.timestamp(),
            "Resources": [schedule["Arn"]],
        }
        eventbridge.invoke_target.call(target, event, schedule)

    def _checked(self, original: Callable[..., Any], name: str, body: dict[str, Any]) -> Any:
        expression = str(body.get("ScheduleExpression"))
        if _zone(body) is None:
            problem = f"Invalid Schedule Expression Timezone {body[ZONE]}."
        elif body.get("FlexibleTimeWindow", {}).get("Mode", "OFF") != "OFF":
            problem = "a FlexibleTimeWindow is not supported by the local cloud"
        elif not _readable(expression):
            problem = f"Invalid Schedule Expression {expression}."
        else:
            return original(name, body)
        return scheduler.error(400, "ValidationException", problem)


def occurrences(schedule: Schedule, since: float, until: float) -> list[datetime]:
    """Return the times after `since`, up to `until`, at which a schedule fires, in seconds since 1970."""
    start, end = _instant(schedule.get("StartDate")), _instant(schedule.get("EndDate"))
    created = float(schedule["CreationDate"])
    after = max(since, created if start is None else start - 1)
    last = until if end is None else min(until, end)
    expression = schedule["ScheduleExpression"]
    zone = _zone(schedule) or timezone.utc
    once, rate = scheduler.at_epoch(expression), scheduler.rate_seconds(expression)
    found: list[datetime] = []
    if once is not None:
        found = list(_of_clock(_time(once), zone))
    elif rate is not None:
        begin = created if start is None else start
        number = max(int((after - begin) // rate) + 1, 1 if start is None else 0)
        while begin + number * rate <= last:
            found.append(_time(begin + number * rate))
            number += 1
    else:
        fields, until_clock = scheduler.cron_fields(expression), _clock(last, zone)
        following = None if fields is None else scheduler.next_of_cron(fields, _clock(after, zone))
        while following is not None and following <= until_clock:
            found += _of_clock(following, zone)
            following = scheduler.next_of_cron(fields, following)
    return [one for one in found if after < one.timestamp() <= last]


def _zone(schedule: Schedule) -> tzinfo | None:
    try:
        return ZoneInfo(schedule.get(ZONE) or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return None


def _clock(seconds: float, zone: tzinfo) -> datetime:
    """Return what the clocks of a zone show, as if it were UTC: expressions are read in that."""
    return _time(seconds).astimezone(zone).replace(tzinfo=timezone.utc)


def _of_clock(clock: datetime, zone: tzinfo) -> Iterator[datetime]:
    """Yield when clocks first show a time; none where they are put forward past it, as on AWS."""
    instant = clock.replace(tzinfo=zone).astimezone(timezone.utc)
    if _clock(instant.timestamp(), zone) == clock:
        yield instant


def _with_zone(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Let CloudFormation's handler keep the zone, which ministack's drops."""

    def handle(*arguments: Any) -> Any:
        properties = next(each for each in reversed(arguments) if isinstance(each, dict))
        answer = handler(*arguments)
        group = properties.get("GroupName", "default")
        scheduler.schedule(group, answer[0])[ZONE] = properties.get(ZONE, "UTC")
        return answer

    return handle


def with_context(text: str, arn: str, occurrence: datetime) -> str:
    """Return a target's input with the attributes of its occurrence."""
    attributes = {
        "schedule-arn": arn,
        "scheduled-time": f"{occurrence:%Y-%m-%dT%H:%M:%SZ}",
        "execution-id": uuid.uuid4().hex[:16],
        "attempt-number": "1",
    }
    for name, value in attributes.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def _readable(expression: str) -> bool:
    return (
        scheduler.at_epoch(expression) is not None
        or scheduler.rate_seconds(expression) is not None
        or scheduler.cron_fields(expression) is not None
    )


def _instant(value: Any) -> float | None:
    if value is None or isinstance(value, int | float):
        return value
    return datetime.fromisoformat(str(value)).timestamp()


def _time(seconds: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=seconds)
