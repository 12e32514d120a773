"""An AWS that answers what a test says, keeps what was asked, and sends nothing: real clients, no network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

import boto3
from botocore.model import ListShape, OperationModel

Answer = dict[str, Any] | Callable[[dict[str, Any]], dict[str, Any]]


@dataclass
class AnsweringAws:
    """Answers operations by their name; one without an answer has empty lists."""

    answers: dict[str, Answer] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    """Error code by operation."""
    asked: list[str] = field(default_factory=list)

    def session(self, region: str | None = "eu-west-1") -> boto3.session.Session:
        """Return a session whose clients ask this AWS."""
        session = boto3.session.Session(
            aws_access_key_id="testing", aws_secret_access_key="testing", region_name=region
        )
        session.events.register("provide-client-params.*.*", self._keep)
        session.events.register("before-call.*.*", self._answer)
        return session

    def _keep(self, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["asked"] = params

    def _answer(self, model: OperationModel, context: dict[str, Any], **_: Any) -> Any:
        self.asked.append(f"{model.service_model.service_name}:{model.name}")
        if model.name in self.refused:
            error = {"Code": self.refused[model.name], "Message": "refused"}
            return SimpleNamespace(status_code=HTTPStatus.BAD_REQUEST, headers={}), {"Error": error}
        answer = self.answers.get(model.name, {})
        members = model.output_shape.members if model.output_shape else {}
        empty: dict[str, Any] = {name: [] for name, shape in members.items() if isinstance(shape, ListShape)}
        given = answer(context["asked"]) if callable(answer) else answer
        return SimpleNamespace(status_code=HTTPStatus.OK, headers={}), empty | given
