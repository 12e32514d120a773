"""The environment of a function as a dataclass: who deploys it and who runs it name the same variables."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from watchkeeper.core.errors import InvalidInputError

METRICS_NAMESPACE = "Watchkeeper"

SelfEnvironment = TypeVar("SelfEnvironment", bound="TypedEnvironment")


@dataclass(frozen=True, kw_only=True)
class TypedEnvironment:
    """Variables of one function: the field `data_bucket` is the variable `DATA_BUCKET`, always text.

    Examples
    --------
    >>> @dataclass(frozen=True, kw_only=True)
    ... class Example(TypedEnvironment):
    ...     service: ClassVar[str] = "example"
    ...     data_bucket: str
    >>> Example(data_bucket="b").variables()["DATA_BUCKET"]
    'b'
    """

    service: ClassVar[str]
    """Name of the function in its logs, traces and metrics."""

    def variables(self) -> dict[str, str]:
        """Return the Lambda function's environment variables, Powertools' own included."""
        own = {field.name.upper(): str(getattr(self, field.name)) for field in dataclasses.fields(self)}
        return {
            **own,
            "POWERTOOLS_SERVICE_NAME": self.service,
            "POWERTOOLS_METRICS_NAMESPACE": METRICS_NAMESPACE,
            "AWS_XRAY_CONTEXT_MISSING": "IGNORE_ERROR",  # worker threads have no segment of their own
        }

    @classmethod
    def from_environ(cls: type[SelfEnvironment], environ: Mapping[str, str] = os.environ) -> SelfEnvironment:
        """Read the variables.

        Raises
        ------
        InvalidInputError
            If variables are missing or empty; the message names all of them.
        """
        names = {field.name: field.name.upper() for field in dataclasses.fields(cls)}
        missing = sorted(variable for variable in names.values() if not environ.get(variable))
        if missing:
            raise InvalidInputError(
                f"{cls.service}: environment variables not set: {', '.join(missing)}; "
                f"deploy the function with {cls.__name__}(…).variables()"
            )
        return cls(**{name: environ[variable] for name, variable in names.items()})
