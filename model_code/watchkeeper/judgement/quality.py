"""When a feed is broken: one rule for every share that tells how records come.

A share (of rows that are late, of devices that are heard, …) is judged against the most extreme one of the
weeks before: the highest where a rise is bad, the lowest where a fall is. What a feed does each night or each
weekend is usual after the first time. The extreme moves to the mean with the time that passes, so that one
bad day is not what everything is measured by for ever. Only sums, products and quotients: every processor
gives the same bits.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

from watchkeeper.core.plan import QualityPlan
from watchkeeper.core.severity import MAX_SEVERITY, THRESHOLD_SEVERITY, severity_above

SignalName = Literal["late", "duplicated", "refused", "clock", "missing", "silent"]
"""What can be wrong with a feed. Of rows, those that are late, that came before, that are refused, and whose
clock or delivery is off; of a measure's values, those that are missing; of devices, the silent ones."""
FALLS: frozenset[SignalName] = frozenset({"missing", "silent"})
"""Signals of which the share is of what is there: less of it is bad."""
DAY, WEEK = 86_400, 604_800
LEAST_JUDGEMENTS = 12
LEAST_SECONDS = 2 * DAY
"""Before both, nothing is known of what is usual: each hour has been there twice."""
LEAST_USUAL = 0.5
"""What is usually there less often is not missed."""
_MEAN_OF = 256


@dataclass(frozen=True)
class Signal:
    """What is known of one share: what has come of it since it was judged, and what is usual."""

    hits: int = 0
    of: int = 0
    rounds: int = 0
    """How often something was added since."""
    judgements: int = 0
    first: int = 0
    """When the first one was, in seconds since 1970."""
    at: int = 0
    """When the last one was."""
    mean: float = 0.0
    extreme: float = 0.0
    since: int | None = None
    """When it became unusual; None while it is usual."""


@dataclass(frozen=True)
class Finding:
    """A share that became unusual, or usual again."""

    began: bool
    share: float
    of: int
    """How many rows, values or devices the share is of."""
    usual: float
    """The extreme of what is usual."""
    severity: float
    """0 to 100; of what is over, that of the threshold."""
    since: int


def limit_of(name: SignalName, plan: QualityPlan) -> float:
    """Return by how much a share has to be beyond what is usual."""
    limits = {"late": plan.late, "duplicated": plan.duplicated, "refused": plan.refused}
    limits |= {"clock": plan.clock, "missing": plan.missing, "silent": plan.silent}
    return limits[name]


def signal_in_words(key: str) -> str:
    """Return how a signal of a shelf is called: a measure's with its name, the devices' once.

    Examples
    --------
    >>> signal_in_words("missing|heat"), signal_in_words("silent|4")
    ('missing heat', 'silent')
    """
    name, _, of_what = key.partition("|")
    return f"{name} {of_what}" if of_what and name == "missing" else name


def excess(share: float, usual: float, *, falls: bool) -> float:
    """Return how far a share is beyond what is usual, in [0, 1].

    A rise counts in the share itself; a fall as the part that is gone of what is usual.

    Examples
    --------
    >>> excess(0.5, 0.25, falls=False), excess(0.5, 1.0, falls=True), excess(0.1, 0.25, falls=False)
    (0.25, 0.5, 0.0)
    """
    if not falls:
        return max(share - usual, 0.0)
    return max(1.0 - share / usual, 0.0) if usual >= LEAST_USUAL else 0.0


def severity_of(beyond: float, limit: float) -> float:
    """Return the severity of an excess: the threshold's at the limit, more above it.

    Examples
    --------
    >>> severity_of(0.2, 0.2), severity_of(1.0, 0.2)
    (70.0, 94.0)
    """
    if beyond <= limit:
        return THRESHOLD_SEVERITY
    return float(min(severity_above(limit / beyond), MAX_SEVERITY))


def judged(
    signal: Signal,
    hits: int,
    of: int,
    at: int,
    *,
    added: int = 1,
    limit: float,
    falls: bool,
    least: int,
    rounds: int,
    forgets_seconds: int,
) -> tuple[Signal, Finding | None]:
    """Add to a share, and judge it where that is enough.

    Parameters
    ----------
    hits, of
        What came: `hits` of so many.
    at
        Event time, in seconds since 1970.
    added
        How many rounds it is that came.
    least, rounds
        It is judged when it is of so many, and something was added so often.
    forgets_seconds
        What has been unusual for so long is usual from then on.

    Returns
    -------
    Signal, Finding or None
        None where it is as before.
    """
    signal = dataclasses.replace(
        _faded(signal, at - signal.at),
        hits=signal.hits + hits,
        of=signal.of + of,
        rounds=signal.rounds + added,
        at=max(signal.at, at),
    )
    if signal.of < least or signal.rounds < rounds:
        return signal, None
    share, weighed, at = signal.hits / signal.of, signal.of, signal.at
    signal = dataclasses.replace(signal, hits=0, of=0, rounds=0)
    known = signal.judgements >= LEAST_JUDGEMENTS and at - signal.first >= LEAST_SECONDS
    beyond = excess(share, signal.extreme, falls=falls) if known else 0.0
    since = signal.since
    # the last bits of a share that is just at the limit are no reason for an alert
    if beyond > limit * (1 + 1e-9):
        if since is None:
            found = Finding(True, share, weighed, signal.extreme, severity_of(beyond, limit), at)
            return dataclasses.replace(signal, since=at), found
        if at - since < forgets_seconds:
            return signal, None
        after = Signal()
    else:
        after = dataclasses.replace(signal, since=None)
    over = (
        None if since is None else Finding(False, share, weighed, signal.extreme, THRESHOLD_SEVERITY, since)
    )
    return _learned(after, share, at, falls=falls), over


def _learned(signal: Signal, share: float, at: int, *, falls: bool) -> Signal:
    if not signal.judgements:
        return dataclasses.replace(signal, judgements=1, first=at, at=at, mean=share, extreme=share)
    mean = signal.mean + (share - signal.mean) / min(signal.judgements + 1, _MEAN_OF)
    return dataclasses.replace(
        signal,
        judgements=signal.judgements + 1,
        at=at,
        mean=mean,
        extreme=min(signal.extreme, share) if falls else max(signal.extreme, share),
    )


def _faded(signal: Signal, seconds: int) -> Signal:
    """Return a signal whose extreme has moved to the mean: to a third of the distance in a week."""
    if seconds <= 0 or not signal.judgements or signal.since is not None:
        return signal
    moved = (signal.mean - signal.extreme) * (seconds / (seconds + WEEK))
    return dataclasses.replace(signal, extreme=signal.extreme + moved)
