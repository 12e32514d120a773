"""Secrets that workload files name, and the key that signs links."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from lambdas.adapters.errors import translated, unless
from watchkeeper.core.errors import ContractViolationError

CACHE_SECONDS = 300
"""An exchanged secret takes effect within it."""
KEY_CACHE_SECONDS = 60
OLD_KEY_SECONDS = 30 * 86_400
"""So long after a key was exchanged, what it has signed is accepted: as long as the longest link is good."""


class SecretsManagerClient(Protocol):
    """What is used of boto3's client."""

    def get_secret_value(self, *, SecretId: str, VersionStage: str = ...) -> dict[str, Any]:  # AWS's names
        """Return a version of a secret, without a stage the current one."""


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


class LinkKeys(Protocol):
    """The keys that sign links."""

    def signing(self) -> bytes:
        """Return the key by which links are signed now."""

    def accepted(self) -> tuple[bytes, ...]:
        """Return the keys whose signatures are accepted: that one, and for a while the one before."""


@dataclass
class SecretLinkKeys:
    """`LinkKeys` of one secret: its version `AWSCURRENT`, and for `OLD_KEY_SECONDS` `AWSPREVIOUS`.

    A key that is exchanged takes effect within `KEY_CACHE_SECONDS`; exchanged twice, no link of before is
    accepted.
    """

    client: SecretsManagerClient
    secret_id: str
    clock: Callable[[], float] = time.time
    _known: tuple[float, tuple[bytes, ...]] | None = None

    def signing(self) -> bytes:
        return self.accepted()[0]

    def accepted(self) -> tuple[bytes, ...]:
        now = self.clock()
        if self._known is None or now - self._known[0] >= KEY_CACHE_SECONDS:
            self._known = (now, tuple(self._read(now)))
        return self._known[1]

    def _read(self, now: float) -> list[bytes]:
        doing = f"read secret {self.secret_id}"
        with translated(doing):
            current = self.client.get_secret_value(SecretId=self.secret_id)
        keys = [str(current["SecretString"]).encode()]
        exchanged: datetime = current["CreatedDate"]
        if now < exchanged.timestamp() + OLD_KEY_SECONDS:
            before = unless(
                ("ResourceNotFoundException",),
                doing,
                lambda: self.client.get_secret_value(SecretId=self.secret_id, VersionStage="AWSPREVIOUS"),
            )
            keys += [] if before is None else [str(before["SecretString"]).encode()]
        return keys
