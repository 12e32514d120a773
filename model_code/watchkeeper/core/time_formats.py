"""How times are written: the units since 1970, and guesses at what a user meant, for messages only.

Nothing is read by a guess: a guess is named in an error, and the user decides.
"""

from __future__ import annotations

import difflib
import functools
import re
import zoneinfo
from datetime import datetime

EPOCH_UNITS = {
    "epoch_seconds": 1,
    "epoch_milliseconds": 1_000,
    "epoch_microseconds": 1_000_000,
    "epoch_nanoseconds": 1_000_000_000,
}
"""Parts of a second by the name of the format."""

_OUR_AGE = (100_000_000, 10_000_000_000)
"""Seconds since 1970, from 1973 to 2286: in it the units' numbers do not overlap."""
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")
_DAYS = (
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y%m%d",
    "%d %b %Y",
    "%d-%b-%Y",
    "%d/%b/%Y",
    "%b %d, %Y",
    "%d/%m/%y",
    "%m/%d/%y",
)
_CLOCKS = (
    " %H:%M",
    " %H:%M:%S",
    " %H:%M:%S.%f",
    "",
    " %I:%M %p",
    " %I:%M:%S %p",
    "T%H:%M:%S",
    "T%H%M%S",
    "%H%M%S",
    ", %H:%M",
    ", %H:%M:%S",
    ":%H:%M:%S %z",
    " %H:%M:%S %z",
    " %H.%M.%S",
    " %H.%M",
)
_ISO8601 = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?")
_MAX_SUGGESTIONS = 2
_DIGIT = re.compile(r"\d")
_PARTS = {
    **dict.fromkeys(("%d", "%m", "%y", "%H", "%I", "%M", "%S"), r"\d{1,2}"),
    **{"%Y": r"\d{4}", "%f": r"\d{1,6}", "%b": r"[^\W\d_]+\.?", "%p": r"\S+", "%z": r"\S+", " ": r"\s*"},
}
"""What `strptime` takes for a part, or more."""
_ABBREVIATIONS = {
    "CEST": "Europe/Berlin",
    "MESZ": "Europe/Berlin",
    "MEZ": "Europe/Berlin",
    "EEST": "Europe/Helsinki",
    "WEST": "Europe/Lisbon",
    "BST": "Europe/London",
    "MSK": "Europe/Moscow",
    "EDT": "America/New_York",
    "ET": "America/New_York",
    "CST": "America/Chicago",
    "CDT": "America/Chicago",
    "MDT": "America/Denver",
    "PST": "America/Los_Angeles",
    "PDT": "America/Los_Angeles",
    "PT": "America/Los_Angeles",
    "BRT": "America/Sao_Paulo",
    "IST": "Asia/Kolkata",
    "JST": "Asia/Tokyo",
    "KST": "Asia/Seoul",
    "SGT": "Asia/Singapore",
    "HKT": "Asia/Hong_Kong",
    "AEST": "Australia/Sydney",
    "AEDT": "Australia/Sydney",
    "NZST": "Pacific/Auckland",
    "NZDT": "Pacific/Auckland",
    "Z": "UTC",
}
_OFFSET = re.compile(r"(?:UTC|GMT)? ?([+-])0?(\d{1,2})(?::?00)?", re.IGNORECASE)


def suggested_formats(value: object) -> list[str]:
    """Return the names of formats that a value has, the likeliest first; at most two.

    Examples
    --------
    >>> suggested_formats(1709251200000), suggested_formats("13/01/2024 00:00")
    (['epoch_milliseconds'], ['%d/%m/%Y %H:%M'])
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _units(float(value)) if abs(value) < 1e30 else []
    if not isinstance(value, str) or len(value) > 40:
        return []
    text = value.strip()
    if _NUMBER.fullmatch(text) and (units := _units(float(text))):
        return units
    if _ISO8601.fullmatch(text):
        return ["iso8601"]
    likely = _likely_formats(_DIGIT.sub("0", text))
    return [name for name in likely if _reads(text, name)][:_MAX_SUGGESTIONS]


def suggested_zones(name: str) -> list[str]:
    """Return IANA names near to one that does not exist; at most two.

    Examples
    --------
    >>> suggested_zones("CEST"), suggested_zones("europe/berlin"), suggested_zones("UTC+2")
    (['Europe/Berlin'], ['Europe/Berlin'], ['Etc/GMT-2'])
    """
    text = name.strip()
    if text.upper() in _ABBREVIATIONS:
        return [_ABBREVIATIONS[text.upper()]]
    offset = _OFFSET.fullmatch(text)
    if offset is not None:
        # POSIX counts west of Greenwich as positive.
        return [f"Etc/GMT{'-' if offset[1] == '+' else '+'}{offset[2]}"]
    known = sorted(zoneinfo.available_timezones())
    wanted = text.lower().replace(" ", "_")
    by_name = {zone.lower(): zone for zone in known}
    by_city = {zone.lower().rpartition("/")[2]: zone for zone in known}
    if wanted in by_name or wanted in by_city:
        return [by_name.get(wanted) or by_city[wanted]]
    near = [by_name[zone] for zone in difflib.get_close_matches(wanted, by_name, _MAX_SUGGESTIONS, 0.7)]
    return near or [by_city[city] for city in difflib.get_close_matches(wanted, by_city, 1, 0.7)]


@functools.lru_cache(maxsize=1024)
def _likely_formats(shape: str) -> tuple[str, ...]:
    """Return the formats that a text of a shape, its digits written as 0, can have; the likeliest first.

    A file's times are of a few shapes, and every refused one is asked for: `strptime` of all the formats
    takes milliseconds.
    """
    return tuple(name for name, pattern in _patterns().items() if pattern.fullmatch(shape))


@functools.cache
def _patterns() -> dict[str, re.Pattern[str]]:
    def pattern(name: str) -> str:
        return "".join(_PARTS.get(part) or re.escape(part) for part in re.findall(r"%.|.", name))

    names = [day + clock for clock in _CLOCKS for day in _DAYS]
    return {name: re.compile(pattern(name), re.IGNORECASE) for name in names}


def _units(number: float) -> list[str]:
    return [name for name, parts in EPOCH_UNITS.items() if _OUR_AGE[0] <= number / parts < _OUR_AGE[1]]


def _reads(text: str, name: str) -> bool:
    try:
        return 1900 <= datetime.strptime(text, name).year < 2200
    except ValueError:
        return False
