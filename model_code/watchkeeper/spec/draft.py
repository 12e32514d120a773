"""A workload file from what files of telemetry say of themselves, every line with its reason."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import timedelta

from watchkeeper.spec.discovery import UNIT, Discovery, FoundMeasure
from watchkeeper.spec.fields import NAME_CHARACTERS, duration_text
from watchkeeper.spec.tuning import tuned_rarity
from watchkeeper.telemetry.rows import NUMBER_WORDS

USUAL_ALERTS = 7.0
"""A week, where nobody says how many are wanted."""
_WEEK_SECONDS = 604_800
_MISSING = 0.005
_TEST_SHARE = 0.17
"""Of the files: the test part of what `watchkeeper up` trains on."""


def draft(found: Discovery, *, name: str, alerts_per_week: float | None, files: Sequence[str] = ()) -> str:
    """Return the text of a workload file.

    Parameters
    ----------
    name
        Of the workload.
    alerts_per_week
        Wanted alerts of all its series together; more than 0. The threshold follows them; without, it is one
        with which these files raise `USUAL_ALERTS` at most.
    files
        Where they are: `watchkeeper up` reads them there.
    """
    interval = duration_text(timedelta(seconds=found.interval_seconds))
    n_series = found.n_series * len(found.measures)
    timestamp = [f"field: {json.dumps(found.timestamp.field, ensure_ascii=False)}"]
    timestamp.append(f"format: {json.dumps(found.timestamp.format)}")
    timestamp.append(f"timezone: {found.timestamp.timezone}")
    names = distinct_names(each.field for each in found.measures)
    measures = [_measure(measure, name) for measure, name in zip(found.measures, names, strict=True)]
    rhythms = ", ".join(f"{period} ({strength:.2f})" for period, strength in found.rhythms.items())
    lines = [
        "# yaml-language-server: $schema=schema.json",
        f"name: {name}",
        "kind: anomaly",
        f"# {found.n_rows:,} rows of {n_series} series, {found.first:%Y-%m-%d %H:%M} to "
        f"{found.last:%Y-%m-%d %H:%M} UTC",
        "",
        "source:",
        "  # where devices publish: + in place of a level takes every device",
        f"  topic: {name}/telemetry",
        f"  timestamp: {{{', '.join(timestamp)}}}",
        "",
        "measures:",
        *measures,
        "",
    ]
    if found.dimensions:
        counts = ", ".join(
            f"{' '.join(column.split())}: {count}" for column, count in found.dimensions.items()
        )
        lines += [
            f"# a series for each value of these columns ({counts})",
            f"dimensions: {json.dumps(list(found.dimensions), ensure_ascii=False)}",
            "",
        ]
    lines += [
        f"# {found.gaps:.1%} of the intervals have no reading",
        f"interval: {interval}",
        "# how long late readings are still taken",
        f"lateness: {interval}",
        "",
    ]
    lines += _history(found, files)
    lines += [
        f"# the values come again each {rhythms}; the detector learns that by itself"
        if rhythms
        else "# no daily or weekly rhythm was seen",
        "detector:",
        "  algorithm: watchkeeper",
        "",
        *_threshold(found, alerts_per_week),
        "",
        "gate:",
        "  # all series together; a model that alerts more often on the newest part of its history is not",
        "  # deployed: twice what is wanted, or what chance may do in so short a part",
        f"  max_alerts_per_week: {budget_of(found, alerts_per_week or USUAL_ALERTS):g}",
        "",
        "alerts:",
        "  # the same series alerts once in this time",
        "  throttle: 1h",
        "  routes:",
        "    - channel: operators",
        "      # to whom; without it, whoever subscribes to the alert topic",
        "      # subscription: {protocol: email, endpoint: you@example.com}",
        "",
    ]
    return "\n".join(lines)


def _threshold(found: Discovery, alerts_per_week: float | None) -> list[str]:
    if alerts_per_week is not None:
        return [
            "# so many alerts a week over all series are wanted: each training looks for the lowest",
            "# threshold that raises no more of them",
            f"threshold: {{rule: alert_budget, per_week: {alerts_per_week:g}}}",
        ]
    rarity = tuned_rarity(found.lines, found.interval_seconds, USUAL_ALERTS)
    return [
        f"# at most {USUAL_ALERTS:g} alerts a week over all series, as the detector scores these files;",
        "# a usual interval is above the threshold once in 10^rarity, so a higher rarity means fewer alerts.",
        "# Instead, each training can look for a number of alerts:",
        f"# {{rule: alert_budget, per_week: {USUAL_ALERTS:g}}}",
        f"threshold: {{rule: rarity, rarity: {rarity:g}}}",
    ]


def _history(found: Discovery, files: Sequence[str]) -> list[str]:
    lines = []
    if found.dialect.decimal == ",":
        lines += ["  # numbers of CSV files have a decimal comma; points stand between thousands"]
        lines += ['  decimal: ","']
    if files:
        lines += ["  # `watchkeeper up` trains on the older part of them and replays the newest"]
        lines += ["  files:", *(f"    - {json.dumps(file, ensure_ascii=False)}" for file in files)]
    return ["history:", *lines, ""] if lines else []


def _measure(measure: FoundMeasure, name: str) -> str:
    line = f"  - {{field: {json.dumps(measure.field, ensure_ascii=False)}, name: {name}, aggregate: avg}}"
    notes = [measure.unit] if measure.unit else []
    if measure.missing >= _MISSING:
        notes.append(f"{measure.missing:.0%} of the rows have no value")
    return f"{line}  # {'; '.join(notes)}" if notes else line


def budget_of(found: Discovery, alerts_per_week: float) -> float:
    """Return the alerts a week from which a model is refused.

    They are counted in the test part of the history, which may be days: of a Poisson count with the wanted
    mean, three standard deviations more are no reason to refuse.
    """
    weeks = max((found.last - found.first).total_seconds() / _WEEK_SECONDS * _TEST_SHARE, 1 / 7)
    return float(
        max(2 * alerts_per_week, math.ceil(alerts_per_week + 3 * math.sqrt(alerts_per_week / weeks)))
    )


def slug(text: str) -> str:
    """Return a name as a spec takes it from any text; a unit in brackets at its end is left out.

    Examples
    --------
    >>> slug("Temperatur Öl [°C]"), slug("2nd flow"), slug("nan")
    ('temperatur_ol', 'm_2nd_flow', 'm_nan')
    """
    plain = unicodedata.normalize("NFKD", UNIT.sub("", text)).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    if not name[:1].isalpha() or name in NUMBER_WORDS:
        name = f"m_{name}".rstrip("_")
    return name[:NAME_CHARACTERS].rstrip("_")


def distinct_names(texts: Iterable[str]) -> list[str]:
    """Return a name for each text; those that would be the same get a number.

    Examples
    --------
    >>> distinct_names(["flow [l/s]", "flow [m3]"])
    ['flow', 'flow_2']
    """
    names: list[str] = []
    for text in texts:
        name, number = slug(text), 1
        while name in names:
            number += 1
            name = f"{slug(text)[: NAME_CHARACTERS - 4]}_{number}"
        names.append(name)
    return names
