"""What the anomalies of the live telemetry are made of, as the demo shows it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.features.contributions import mostly_by

SHOWN_PARTS = 8


def reason_of(score: ScoreLine) -> str:
    """Return in one line what an anomaly is made of, or why that is not known."""
    if score.anomaly is None:
        return ""
    if not score.anomaly.contributions:
        return f"not explained: {score.anomaly.explanation.reason}"
    return f"mostly by: {mostly_by(score.anomaly.contributions, score.anomaly.interval_seconds)}"


def strongest(scores: Iterable[ScoreLine]) -> ScoreLine | None:
    """Return the most severe anomaly, the earliest of equals; None where there is none."""
    anomalies = [score for score in scores if score.anomaly is not None]
    return max(anomalies, key=lambda score: (score.severity or 0.0, -score.start), default=None)


def mean_shares(scores: Sequence[ScoreLine]) -> list[tuple[str, float]]:
    """Return each part's mean share of the explained anomalies' scores, in words, the largest first.

    Of more than `SHOWN_PARTS`, the smaller ones are counted together.
    """
    events = [score.anomaly for score in scores if score.anomaly is not None]
    explained = [event for event in events if event.contributions]
    shares: dict[str, float] = defaultdict(float)
    for event in explained:
        total = sum(part.score for part in event.contributions)
        for part in event.contributions:
            shares[part.in_words(event.interval_seconds)] += part.score / total / len(explained)
    ranked = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    rest = sum(share for _, share in ranked[SHOWN_PARTS:])
    return ranked[:SHOWN_PARTS] + ([("everything else", rest)] if rest else [])
