"""Errors, classified by what the caller does about them."""


class WatchkeeperError(Exception):
    """The root of the project's own errors."""


class InvalidInputError(WatchkeeperError):
    """The input is wrong and will stay wrong: quarantine it, or answer 4xx. Retrying does not help.

    Parameters
    ----------
    message
        What is wrong, with the value and what is allowed.
    reason
        The same in one word for machines, such as `bad_timestamp`: quarantined records and metrics are
        counted by it.
    """

    def __init__(self, message: str, *, reason: str = "invalid_input") -> None:
        super().__init__(message)
        self.reason = reason


class UnavailableError(WatchkeeperError):
    """Something that we need does not answer now: retry with back-off."""


class ContractViolationError(WatchkeeperError):
    """Two parts of the system disagree about a contract: page someone."""
