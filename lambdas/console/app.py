"""All routes of the console's API in one application, and the document that describes them."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from lambdas.console.access import PREFIX
from lambdas.console.routes import (
    answers,
    backtests,
    devices,
    digests,
    incidents,
    labels,
    models,
    people,
    runs,
    series,
    sites,
    workloads,
)
from lambdas.http.openapi import publish

app = APIGatewayHttpResolver(enable_validation=True)
for _room in (
    people,
    workloads,
    incidents,
    series,
    labels,
    runs,
    models,
    backtests,
    digests,
    devices,
    sites,
    answers,
):
    app.include_router(_room.router)

publish(
    app,
    title="Watchkeeper console",
    purpose="What is watched, how it goes, what is wrong, and what people do about it.",
    prefix=PREFIX,
)
