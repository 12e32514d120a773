"""Secrets that workload files name."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from lambdas.adapters.errors import translated
from watchkeeper.core.errors import ContractViolationError

CACHE_SECONDS = 300
"""An exchanged secret takes effect within it."""


class SecretsManagerClient(Protocol):
    """What is used of boto3's client."""

    def get_secret_value(self, *, SecretId: str) -> dict[str, Any]:  # AWS's name
        """Return a secret's current version."""


class SecretStore(Protocol):
    """Secrets by name."""

    def text(self, name: str) -> str:
        """Return a secret's text, without white space around it.

        Raises
        ------
        UnavailableError
            If it could not be asked.
        ContractViolationError
            If there is none, it may not be read, or it is not text.
        """


@dataclass
class SecretsManager:
    """`SecretStore` in Secrets Manager."""

    client: SecretsManagerClient
    clock: Callable[[], float] = time.monotonic
    _cache: dict[str, tuple[float, str]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        read_at, known = self._cache.get(name, (float("-inf"), ""))
        if self.clock() - read_at < CACHE_SECONDS:
            return known
        with translated(f"read secret {name}"):
            answer = self.client.get_secret_value(SecretId=name)
        found = str(answer.get("SecretString", "")).strip()
        if not found:
            raise ContractViolationError(f"secret {name} has no text: store the value as plain text")
        self._cache[name] = (self.clock(), found)
        return found
