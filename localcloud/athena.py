"""Athena: a query that was started by a token is not started again, and its result is where it says.

Ministack runs queries by DuckDB. It does not look at `ClientRequestToken`, writes the result below a folder
of the name of the file, and keeps values in its state that have no form on disk.
https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html
"""

import json
from typing import Any

from localcloud.part import Part
from localcloud.seams import athena
from localcloud.seams.responses import error_response_json, json_response

Response = tuple[int, dict[str, str], bytes]
_TOKEN_CHARACTERS = range(32, 129)


class AthenaPart(Part):
    """Stands before the start of a query and the end of it."""

    def __init__(self) -> None:
        self._started: dict[str, tuple[dict[str, Any], str]] = {}

    def install(self) -> None:
        """Register with ministack."""
        self._start = athena.start_query.replace(self._start_once)
        self._run = athena.run_query.replace(self._run_to_texts)
        self._save = athena.save_results.replace(self._save_at_its_place)

    def _start_once(self, request: dict[str, Any]) -> Response:
        token = request.get("ClientRequestToken")
        if token is None:
            started: Response = self._start(request)
            return started
        if len(token) not in _TOKEN_CHARACTERS:
            return _refuse("ClientRequestToken must have 32 to 128 characters")
        before, query_id = self._started.get(token, (request, ""))
        if before != request:
            return _refuse("Idempotent parameters do not match")
        if query_id:
            answer: Response = json_response({"QueryExecutionId": query_id})
            return answer
        response: Response = self._start(request)
        if response[0] == 200:
            self._started[token] = (request, json.loads(response[2])["QueryExecutionId"])
        return response

    async def _run_to_texts(self, *arguments: Any) -> dict[str, Any]:
        found: dict[str, Any] = await self._run(*arguments)
        rows = [[None if value is None else athena.text_of(value) for value in row] for row in found["rows"]]
        return {**found, "rows": rows}

    async def _save_at_its_place(self, query_id: str) -> None:
        place = athena.executions[query_id]["ResultConfiguration"]
        file = place["OutputLocation"]
        place["OutputLocation"] = file.rpartition("/")[0]
        try:
            await self._save(query_id)
        finally:
            place["OutputLocation"] = file


def _refuse(message: str) -> Response:
    refused: Response = error_response_json("InvalidRequestException", message, 400)
    return refused
