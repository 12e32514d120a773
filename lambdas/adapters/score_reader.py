"""Scores of a series, by the function that has pyarrow."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from lambdas.adapters.errors import translated
from watchkeeper.core.errors import ContractViolationError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class ScoreReader(Protocol):
    """Reads the scores of a series."""

    def read(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer as `lambdas.history.read_scores.handle` does."""


@dataclass(frozen=True)
class FunctionScoreReader:
    """`ScoreReader` by the function that has pyarrow."""

    client: LambdaClient
    function: str

    def read(self, request: dict[str, Any]) -> dict[str, Any]:
        """Ask the function.

        Raises
        ------
        ContractViolationError
            If it failed.
        """
        with translated(f"ask {self.function}"):
            answer = self.client.invoke(FunctionName=self.function, Payload=json.dumps(request).encode())
        payload = json.loads(answer["Payload"].read())
        if answer.get("FunctionError"):
            raise ContractViolationError(f"{self.function} failed: {str(payload)[:500]}")
        found: dict[str, Any] = payload
        return found
