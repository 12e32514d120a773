"""Daily volumes of a stock that is not traded anywhere: what `stock_volume` is shown with.

Volumes of real stocks come under licences that forbid passing them on. These are made by a rule: the
logarithm wanders around a level, Mondays are quiet, and on some days there is news.
"""

from __future__ import annotations

import json
import math
from datetime import date, timedelta
from random import Random

FIRST_DAY = date(2014, 1, 2)
LAST_DAY = date(2023, 12, 29)
LABELS_KEY = "stock_volume"

_SEED = 20150714
_USUAL_VOLUME = 2_400_000
_PERSISTENCE = 0.55
_DAILY_SPREAD = 0.16
_WEEKDAYS = (-0.08, 0.0, 0.02, 0.02, 0.04)
_NEWS_SHARE = 0.012
_NEWS_RISE = (1.1, 1.9)
"""By how much news raise the logarithm: three to seven times the usual volume."""


def volumes_csv() -> bytes:
    """Return the table: `date,volume`, a row a trading day, the same bytes at every call."""
    rows = (f"{day},{volume}" for day, volume, _ in _days())
    return "\n".join(["date,volume", *rows, ""]).encode()


def news_windows() -> list[tuple[str, str]]:
    """Return the days with news: first and last second."""
    return [(f"{day}T00:00:00Z", f"{day}T23:59:59Z") for day, _, news in _days() if news]


def news_json() -> bytes:
    """Return the days with news as a file of labelled windows has them."""
    return json.dumps({LABELS_KEY: news_windows()}).encode()


def _days() -> list[tuple[date, int, bool]]:
    random = Random(_SEED)
    wandering, days = 0.0, []
    for number in range((LAST_DAY - FIRST_DAY).days + 1):
        day = FIRST_DAY + timedelta(days=number)
        if day.weekday() >= len(_WEEKDAYS):
            continue
        wandering = _PERSISTENCE * wandering + random.gauss(0.0, _DAILY_SPREAD)
        news = random.random() < _NEWS_SHARE
        rise = random.uniform(*_NEWS_RISE) if news else 0.0
        logarithm = _WEEKDAYS[day.weekday()] + wandering + rise
        days.append((day, round(_USUAL_VOLUME * math.exp(logarithm)), news))
    return days
