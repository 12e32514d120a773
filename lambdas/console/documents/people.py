"""Who asks, and where the console finds what is live."""

from __future__ import annotations

from pydantic import Field

from lambdas.console.documents.answer import Answer
from lambdas.http.roles import Role


class Live(Answer):
    """Where events are published: AppSync Events."""

    http: str = Field(description="Host of the HTTP endpoint, which a subscription is authorised for.")
    realtime: str = Field(description="`wss://` or `ws://` address.")
    channel: str = Field(description="The caller's channel.")


class Me(Answer):
    """The caller."""

    user: str
    tenant: str
    role: Role
    region: str
    version: str = Field(description="Of the software.")
    live: Live | None = Field(description="Null where nothing is live.")
