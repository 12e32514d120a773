"""What several services write in the same way: time patterns, receivers, names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import check_timestamp_format, time_zone
from watchkeeper.importing.draft import Left
from watchkeeper.importing.templates import open_values
from watchkeeper.spec.fields import duration_text

_JAVA = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+")
_LETTERS = {
    "yyyy": "%Y", "uuuu": "%Y", "yy": "%y",
    "MMMM": "%B", "MMM": "%b", "MM": "%m", "M": "%m",
    "dd": "%d", "d": "%d", "HH": "%H", "H": "%H", "hh": "%I", "h": "%I", "mm": "%M", "m": "%M",
    "ss": "%S", "s": "%S", "S": "%f", "SSS": "%f", "SSSSSS": "%f", "a": "%p",
    "Z": "%z", "X": "%z", "XX": "%z", "XXX": "%z", "EEE": "%a", "EEEE": "%A",
}  # fmt: skip
RARITY = "threshold: {rule: rarity, rarity: 3.75}; `watchkeeper init` finds the number from data"
"""What comes nearest to how wide a band, or how sensitive a detector is."""
_ISO = re.compile(r"%Y-%m-%d([T ]%H:%M(:%S([.,]%f)?)?( ?(%z|Z))?)?")


def timestamp_format(pattern: str) -> str | None:
    """Return the format of a workload file for a pattern of Java, as Lookout for Metrics has it.

    Returns
    -------
    str or None
        None if there is none.

    Examples
    --------
    >>> timestamp_format("dd/MM/yyyy HH:mm"), timestamp_format("yyyy-MM-dd'T'HH:mm:ss'Z'")
    ('%d/%m/%Y %H:%M', 'iso8601')
    >>> timestamp_format("EPOCH_MILLI"), timestamp_format("YYYY-'W'ww") is None
    ('epoch_milliseconds', True)
    """
    if "epoch" in pattern.lower():
        return "epoch_milliseconds" if "milli" in pattern.lower() else "epoch_seconds"
    parts = []
    for match in _JAVA.finditer(pattern):
        if match[1] is not None:
            parts.append(match[1].replace("%", "%%"))
        elif match[2] is not None:
            if match[0] not in _LETTERS:
                return None
            parts.append(_LETTERS[match[0]])
        else:
            parts.append(match[0].replace("%", "%%"))
    found = "".join(parts)
    if _ISO.fullmatch(found):
        return "iso8601"
    try:
        check_timestamp_format(found)
    except InvalidInputError:
        return None
    return found


def known_zone(name: object, left: list[Left], key: str) -> str:
    """Return a time zone of a workload file; what is none is left, and UTC."""
    try:
        time_zone(str(name))
    except InvalidInputError as error:
        left.append(Left(f"{key} {name}", str(error), "UTC; write source.timestamp.timezone"))
        return "UTC"
    return str(name)


def whole_number(value: object) -> int | None:
    """Return a number that may be written as text, as in templates; None for what is none."""
    try:
        return int(float(str(value)))
    except (ValueError, OverflowError):
        return None


def length(seconds: float) -> str:
    """Return a length of time as a workload file has it."""
    return duration_text(timedelta(seconds=max(1, round(seconds)) if seconds > 0 else 0))


def receiver_of(arn: str, key: str, channel: str, left: list[Left]) -> Mapping[str, str] | None:
    """Return who receives a channel's alerts for what an alert or alarm of AWS named.

    Returns
    -------
    mapping or None
        None where nobody can be named: the reason is among `left`.
    """
    if ":lambda:" in arn and ":function:" in arn and not open_values(arn):
        return {"protocol": "lambda", "endpoint": arn}
    if ":lambda:" in arn or ".Arn}" in arn:
        reason = "the ARN is known to its stack only"
    elif ":sns:" in arn or arn.startswith("${"):
        reason = "alerts have a topic of their own, and a topic cannot subscribe to another"
    else:
        reason = "an alert starts no action of AWS by itself"
    left.append(
        Left(
            f"{key} {arn}",
            reason,
            f"`watchkeeper subscribe NAME email you@example.com --channel {channel}` for who is subscribed "
            "there; a function by its ARN (subscription, protocol lambda), or event_bus in alerts.routes",
        )
    )
    return None


def tell_of_open_values(parts: Mapping[str, Any], left: list[Left]) -> None:
    """Add what a template leaves to its stack, and how it can be given."""
    for key, value in parts.items():
        for name in dict.fromkeys(open_values(value)):
            if name.startswith("AWS::") or "." in name:
                nearest = f"write it in the file, at what has ${{{name}}}"
            else:
                nearest = f"--parameter {name}=VALUE gives it"
            left.append(Left(f"{key}: ${{{name}}}", "it is known to the stack only", nearest))


def selections(measures: Sequence[str], where: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """Return what `only.series` of a route says for measures and dimension values."""
    chosen = {name: values[0] if len(values) == 1 else list(values) for name, values in where.items()}
    if measures:
        return [{"measure": name, **({"where": chosen} if chosen else {})} for name in measures]
    return [{"where": chosen}] if chosen else []
