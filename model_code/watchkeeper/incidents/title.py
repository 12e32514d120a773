"""An incident in one line, as a person would write it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from watchkeeper.core.timestamps import parse_instant, time_zone
from watchkeeper.incidents.causes import NOTHING_KNOWN, Causes, Place, Surroundings
from watchkeeper.incidents.reasons import direction_of, is_inside, kind_of
from watchkeeper.incidents.touched import Touched
from watchkeeper.telemetry.series import parse_series_key

if TYPE_CHECKING:
    from watchkeeper.incidents.incident import Incident

_MOST_NAMES = 3


def title_of(incident: Incident, around: Surroundings = NOTHING_KNOWN) -> str:
    """Return what a person would call the incident.

    Measures and place are those of the first of its causes; where the workload's series are known, it says at
    how many of all values of a dimension something is anomalous. Times are in the source's zone.

    Examples
    --------
    `NO2 and SO2 high at B-101 since 14:05, 1 of 12 stations`
    """
    if incident.causes is None:
        return f"anomalies since {_time(incident, around)}"
    place = incident.causes.places[0]
    what = ", ".join(_phrases(place, [part for part in incident.touched if _is_at(part, place)]))
    where, extent = _where(place, incident.causes, around), _extent(place, incident.causes, around)
    return f"{what}{where} since {_time(incident, around)}{extent}"


def _time(incident: Incident, around: Surroundings) -> str:
    return f"{parse_instant(incident.opened_at).astimezone(time_zone(around.timezone)):%H:%M}"


def _is_at(part: Touched, place: Place) -> bool:
    key = parse_series_key(part.series)
    values = dict(key.dimensions)
    return key.measure in place.measures and all(
        values.get(name) in some for name, some in place.dimensions.items()
    )


def _state(parts: Sequence[Touched]) -> str:
    """Return `high`, `low`, `silent`, or `unusual`; the last with its kind inside the bands."""
    found = {direction_of(part) for part in parts}
    if len(found) == 1 and found != {"unusual"}:
        return found.pop()
    kinds = {kind[0] for part in parts if is_inside(part) and (kind := kind_of(part))}
    if found == {"unusual"} and all(map(is_inside, parts)) and len(kinds) == 1:
        return f"of unusual {kinds.pop()}"
    return "high and low" if found == {"high", "low"} else "unusual"


def _phrases(place: Place, parts: Sequence[Touched]) -> list[str]:
    """Return `NO2 and SO2 high`, `CO low`."""
    by_state: dict[str, list[str]] = {}
    for measure in place.measures:
        state = _state([part for part in parts if parse_series_key(part.series).measure == measure])
        by_state.setdefault(state, []).append(measure)
    return [f"{_listed(measures)} {state}" for state, measures in by_state.items()]


def _where(place: Place, causes: Causes, around: Surroundings) -> str:
    values = [value for some in place.dimensions.values() for value in some]
    if values:
        return f" at {', '.join(values) if len(place.dimensions) > 1 else _listed(values)}"
    counts = {name: sum(share.values for share in shares) for name, shares in causes.dimensions.items()}
    several = [name for name, count in counts.items() if count > 1]
    if len(several) != 1:
        return ""
    [name] = several
    count, known = counts[name], around.census.dimensions.get(name, 0)
    of = "" if count > known else "all " if count == known else f"{count} of "
    return f" at {of}{max(count, known)} {_plural(name)}"


def _extent(place: Place, causes: Causes, around: Surroundings) -> str:
    """Return how many values of a dimension are touched, the one that tells most: `, 3 of 12 stations`."""
    known = [
        name for name, count in around.census.dimensions.items() if count > 1 and name in place.dimensions
    ]
    if not known:
        return ""
    name = max(known, key=lambda each: (around.census.dimensions[each], each))
    touched = sum(share.values for share in causes.dimensions[name])
    return f", {touched} of {max(around.census.dimensions[name], touched)} {_plural(name)}"


def _listed(names: Sequence[str]) -> str:
    if len(names) > _MOST_NAMES:
        return f"{', '.join(names[:_MOST_NAMES])} and {len(names) - _MOST_NAMES} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _plural(dimension: str) -> str:
    """Return a dimension's name as a word for several: `LOCATION_ID` is `locations`."""
    word = re.sub(r"[_\W]*(id|name|key|code)$", "", dimension, flags=re.IGNORECASE) or dimension
    word = re.sub(r"[_\W]+", " ", word).strip().lower()
    if word.endswith(("s", "x", "ch", "sh")):
        return f"{word}es"
    return f"{word[:-1]}ies" if re.search(r"[^aeiou]y$", word) else f"{word}s"
