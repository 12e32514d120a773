"""EventBridge's schedule expressions: `rate(7 days)`, `cron(0 3 ? * MON *)`."""

from __future__ import annotations

import re
from dataclasses import dataclass

_RATE = re.compile(r"rate\((\d+) (minute|minutes|hour|hours|day|days)\)")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


@dataclass(frozen=True)
class _Field:
    """A field of a cron expression: the numbers that it may have, and what stands for them."""

    name: str
    least: int
    most: int
    words: tuple[str, ...] = ()
    """Names of the numbers from `least` on."""
    also: str = r"(?!)"
    """Pattern of what else an item may be."""

    def check(self, text: str) -> None:
        for item in text.split(","):
            if re.fullmatch(self.also, item):
                continue
            span, slash, step = item.partition("/")
            ends = [] if span == "*" else [self._number(end) for end in span.split("-")]
            right_step = not slash or (step.isdecimal() and 1 <= int(step) <= self.most)
            if None in ends or len(ends) > 2 or not right_step:
                raise ValueError(
                    f"cron: {text!r} is not allowed as {self.name}: {self.least} to {self.most}, *, "
                    "lists with commas, ranges with -, steps with /"
                )

    def count(self, text: str) -> int:
        """Return how many numbers a checked text stands for."""
        found: set[int | str] = set()
        for item in text.split(","):
            if re.fullmatch(self.also, item):
                found.add(item)
                continue
            span, _, step = item.partition("/")
            ends = [self.least, self.most] if span == "*" else [self._number(end) for end in span.split("-")]
            first = self.least if ends[0] is None else ends[0]
            last = ends[-1] if len(ends) > 1 else self.most if step else first
            found.update(range(first, (self.most if last is None else last) + 1, int(step or 1)))
        return len(found)

    def _number(self, text: str) -> int | None:
        if text in self.words:
            return self.least + self.words.index(text)
        return int(text) if text.isdecimal() and self.least <= int(text) <= self.most else None


_ONE_DAY = rf"([1-7]|{'|'.join(_DAYS)})"
_DAY_OF_MONTH, _DAY_OF_WEEK = 2, 4
_FIELDS = (
    _Field("minutes", 0, 59),
    _Field("hours", 0, 23),
    _Field("day of month", 1, 31, also=r"\?|L|LW|([1-9]|[12]\d|3[01])W"),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 1, 7, _DAYS, also=rf"\?|{_ONE_DAY}?L|{_ONE_DAY}#[1-5]"),
    _Field("year", 1970, 2199),
)


def check_schedule(value: str) -> str:
    """Return an expression that EventBridge takes.

    Raises
    ------
    ValueError
        If it is none; the message says what is allowed.
    """
    if (rate := _RATE.fullmatch(value)) is not None:
        count, unit = int(rate[1]), rate[2]
        if count < 1 or (count == 1) == unit.endswith("s"):
            raise ValueError("must be rate(1 day) or rate(2 days): at least 1, singular for 1 only")
        return value
    if not (value.startswith("cron(") and value.endswith(")")):
        raise ValueError("must be an EventBridge schedule: rate(7 days), or cron(0 3 ? * MON *) in UTC")
    parts = value[len("cron(") : -1].split(" ")
    if len(parts) != len(_FIELDS):
        raise ValueError(f"cron has six fields, {', '.join(each.name for each in _FIELDS)}; got {len(parts)}")
    for part, each in zip(parts, _FIELDS, strict=True):
        each.check(part)
    if (parts[_DAY_OF_MONTH] == "?") == (parts[_DAY_OF_WEEK] == "?"):
        raise ValueError("cron: exactly one of day of month and day of week must be ?")
    return value


def runs_a_month(value: str) -> float:
    """Return how often a checked expression starts something in a month of 30 days, on average.

    Examples
    --------
    >>> runs_a_month("rate(12 hours)")
    60.0
    >>> round(runs_a_month("cron(0 3 ? * MON,THU *)"), 2)
    8.57
    """
    if (rate := _RATE.fullmatch(value)) is not None:
        minutes = int(rate[1]) * {"minute": 1, "hour": 60, "day": 1440}[rate[2].removesuffix("s")]
        return 30 * 1440 / minutes
    parts = value[len("cron(") : -1].split(" ")
    minutes, hours, day, months, weekday = (
        each.count(part) for part, each in zip(parts[:5], _FIELDS[:5], strict=True)
    )
    if parts[_DAY_OF_WEEK] == "?":
        days = min(30.0, day)
    elif "#" in parts[_DAY_OF_WEEK] or parts[_DAY_OF_WEEK].endswith("L"):
        days = float(weekday)
    else:
        days = weekday * 30 / 7
    return minutes * hours * days * months / 12
