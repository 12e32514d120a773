"""What became of the lines that were read: nothing is dropped without being counted here."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import MAX_REFUSED_SHARE


@dataclass
class Tally:
    """Records by what became of them.

    Examples
    --------
    >>> tally = Tally()
    >>> tally.accept()
    >>> tally.refuse(InvalidInputError("no time", reason="bad_timestamp"), "history.csv", 3)
    >>> tally.sentence()
    '2 records, 1 refused (1 bad_timestamp), first: history.csv, line 3: no time'
    """

    read: int = 0
    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """Number of refused records by reason."""
    first_refusal: str = ""
    """File, line and message of the first refused record."""

    @property
    def n_refused(self) -> int:
        """Number of refused records."""
        return self.refused.total()

    @property
    def refused_share(self) -> float:
        """Refused records as a share of those that were read, in [0, 1]."""
        return self.n_refused / self.read if self.read else 0.0

    def accept(self) -> None:
        """Count a record that is used."""
        self.read += 1
        self.accepted += 1

    def refuse(self, error: InvalidInputError, file: str, line: int) -> None:
        """Count a record that is not."""
        self.read += 1
        self.refused[error.reason] += 1
        self.first_refusal = self.first_refusal or f"{file}, line {line}: {error}"

    def sentence(self, what: str = "records") -> str:
        """Say how many were read and refused by reason, and the first refused one."""
        said = f"{self.read:,} {what}, {self.n_refused:,} refused"
        if not self.refused:
            return said
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in self.refused.most_common(5))
        return f"{said} ({reasons}), first: {self.first_refusal}"

    def check(self, allowed: float = MAX_REFUSED_SHARE, what: str = "records") -> None:
        """Refuse a history of which too much is unusable.

        Raises
        ------
        InvalidInputError
            If a larger share than `allowed` was refused (reason `too_many_refused`), or nothing is usable
            (`too_few_rows`).
        """
        if self.read and not self.accepted:
            raise InvalidInputError(f"nothing is usable: {self.sentence(what)}", reason="too_few_rows")
        if self.refused_share > allowed:
            raise InvalidInputError(
                f"{self.refused_share:.0%} of the history are unusable, {allowed:.0%} are allowed "
                f"(history.max_refused_share): {self.sentence(what)}",
                reason="too_many_refused",
            )
