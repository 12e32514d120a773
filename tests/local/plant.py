"""What a plant engineer exports from a spreadsheet: three machines, two measures, three known faults."""

import math
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")
MACHINES = ("Presse 1", "Presse 2", "Presse 3")
FIRST = datetime(2024, 3, 27, tzinfo=BERLIN)
"""Clocks go forward on 31 March."""
INTERVAL = timedelta(minutes=10)
DAYS = 16
LIVE_DAYS = 2


@dataclass(frozen=True)
class Fault:
    """One machine is odd for a while."""

    machine: str
    begin: datetime
    hours: float
    temperature: float = 0.0
    """What is added, in °C."""
    pressure: float = 0.0
    """What is added, in mbar."""


_LIVE = FIRST + timedelta(days=DAYS - LIVE_DAYS)
FAULTS = (
    Fault("Presse 1", _LIVE + timedelta(hours=9), 2, temperature=18.0),
    Fault("Presse 3", _LIVE + timedelta(hours=22), 2, pressure=-260.0),
    Fault("Presse 2", _LIVE + timedelta(hours=37), 2, temperature=-15.0, pressure=180.0),
)
"""All in the last two days."""


def spreadsheet(days: int = DAYS, *, speed: bool = False) -> str:
    """Return the file: `;`, decimal comma, points between thousands, local time without a zone.

    Parameters
    ----------
    days
        A longer file begins as a shorter one.
    speed
        Whether there is a third measure.
    """
    noise, turning = random.Random(11), random.Random(12)
    lines = ["Zeitpunkt;Maschine;Temperatur [°C];Druck [mbar]" + ";Drehzahl [1/min]" * speed]
    start, end = FIRST.timestamp(), (FIRST + timedelta(days=days)).timestamp()
    for step in range(int((end - start) // INTERVAL.total_seconds())):
        at = datetime.fromtimestamp(start, BERLIN).astimezone(ZoneInfo("UTC")) + step * INTERVAL
        local = at.astimezone(BERLIN)
        day = math.sin(2 * math.pi * (local.hour * 60 + local.minute) / 1440)
        for number, machine in enumerate(MACHINES):
            temperature = 60 + 5 * number + 4 * day + noise.gauss(0, 0.6)
            pressure = 1500 + 100 * number + 30 * day + noise.gauss(0, 9)
            for fault in FAULTS:
                if fault.machine == machine and 0 <= (at - fault.begin).total_seconds() < 3600 * fault.hours:
                    temperature += fault.temperature
                    pressure += fault.pressure
            cells = [f"{local:%d.%m.%Y %H:%M:%S}", machine, german(temperature), german(pressure)]
            if speed:
                cells.append(german(1200 + 20 * day + turning.gauss(0, 5)))
            lines.append(";".join(cells))
    return "\n".join(lines) + "\n"


def german(number: float) -> str:
    """Return a number as German spreadsheets write it.

    Examples
    --------
    >>> german(1234.5)
    '1.234,50'
    """
    return f"{number:,.2f}".translate(str.maketrans(",.", ".,"))
