"""Packages that the installed library does without until they are needed: a missing one is told by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from watchkeeper.core.errors import InvalidInputError


class MissingPackageError(InvalidInputError, ImportError):
    """An optional package is not installed."""


@contextmanager
def extra(package: str, purpose: str) -> Iterator[None]:
    """Surround the import of an optional package.

    Parameters
    ----------
    package
        As an installer knows it; the extra of the same name brings it.
    purpose
        What needs it, such as "reading Parquet".

    Raises
    ------
    MissingPackageError
        It is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"{purpose} needs {package}: `pip install {package}`, or install watchkeeper[{package}]",
            reason="missing_package",
        ) from error
