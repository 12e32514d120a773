"""The event of a decision: what goes over the alert bus, and what a person reads of a flagged transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from watchkeeper.anomalies.event import one_line
from watchkeeper.core.documents import Document
from watchkeeper.core.severity import MAX_SEVERITY, THRESHOLD_SEVERITY, severity_text
from watchkeeper.core.timestamps import in_zone

DECIDED_DETAIL_TYPE = "Transaction Decided"
DECIDED_VERSION = 1


@dataclass(frozen=True)
class DecidedTransaction(Document, name="decided transaction", refused_as="bad_event"):
    """A transaction that came through the API, and the answer that it got."""

    workload: str
    id: str
    time: float
    """Epoch seconds."""
    amount: float
    flag: bool
    pred_prob: float
    threshold: float
    severity: float
    """0 to 100; the limit is `THRESHOLD_SEVERITY`."""
    model_version: str
    reasons: tuple[dict[str, Any], ...] = ()
    version: int = DECIDED_VERSION

    @property
    def alert_id(self) -> str:
        """What a receiver of its alert removes repetitions by: the same each time the transaction is sent."""
        return f"{self.workload}|{self.id}"

    @property
    def at(self) -> int:
        """When it was: epoch seconds."""
        return int(self.time)

    @property
    def series(self) -> str:
        """What its alerts are throttled by: the entity that most speaks for fraud, or the transaction."""
        speaking = [reason for reason in self.reasons if reason.get("entity") and reason["contribution"] > 0]
        if not speaking:
            return f"transaction={self.id}"
        return f"{speaking[0]['relation']}={speaking[0]['entity']}"


def severity_of(pred_prob: float, threshold: float) -> float:
    """Return the severity of a probability of fraud: the threshold's at the threshold, 100 of certainty.

    Examples
    --------
    >>> severity_of(0.5, 0.5) == THRESHOLD_SEVERITY, severity_of(1.0, 0.5)
    (True, 100.0)
    """
    if pred_prob < threshold:
        return THRESHOLD_SEVERITY * pred_prob / threshold
    beyond = (pred_prob - threshold) / (1 - threshold) if threshold < 1 else 1.0
    return THRESHOLD_SEVERITY + (MAX_SEVERITY - THRESHOLD_SEVERITY) * beyond


def decided_subject(event: DecidedTransaction) -> str:
    """Return one line of at most 100 ASCII characters."""
    end = f", severity {severity_text(event.severity)}"
    return one_line(f"[{event.workload}] fraud suspected in {event.id}", end)


def decided_text(event: DecidedTransaction, timezone: str = "UTC") -> str:
    """Return the subject and what a person needs to judge the transaction, line by line.

    Parameters
    ----------
    timezone
        IANA name of the source's zone, in which its time is told.
    """
    lines = [
        decided_subject(event),
        "",
        f"Transaction: {event.id}",
        f"Time:        {in_zone(int(event.time), timezone)}",
        f"Amount:      {event.amount:.6g}",
        f"Probability: {event.pred_prob:.4f}, threshold {event.threshold:.4f}",
        f"Severity:    {severity_text(event.severity, of='of 100')}",
    ]
    for reason in event.reasons:
        shared = ", ".join(reason.get("transactions", ())) or "none before"
        lines.append(
            f"Because of:  {reason['relation']} {reason.get('entity')} ({reason['contribution']:+.3f}); "
            f"earlier transactions: {shared}"
        )
    return "\n".join([*lines, "", f"Model:       {event.model_version}"])
