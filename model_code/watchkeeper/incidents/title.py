"""An incident in one line."""

from __future__ import annotations

from watchkeeper.incidents.incident import Incident
from watchkeeper.telemetry.series import parse_series_key


def title_of(incident: Incident) -> str:
    """Return what a person would call the incident."""
    keys = [parse_series_key(part.series) for part in incident.touched]
    measures = sorted({key.measure for key in keys})
    places = sorted({", ".join(value for _, value in key.dimensions) for key in keys} - {""})
    where = f" at {places[0]}" if len(places) == 1 else f" at {len(places)} places" if places else ""
    return f"{' and '.join(measures[:3])}{where} since {incident.opened_at}"
