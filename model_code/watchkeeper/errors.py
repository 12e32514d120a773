"""Errors, classified by what the caller does about them."""


class WatchkeeperError(Exception):
    """The root of the project's own errors."""


class InvalidInputError(WatchkeeperError):
    """The input is wrong and will stay wrong: quarantine it, or answer 4xx. Retrying does not help."""


class UnavailableError(WatchkeeperError):
    """Something that we need does not answer now: retry with back-off."""


class ContractViolationError(WatchkeeperError):
    """Two parts of the system disagree about a contract: page someone."""
