"""Private wireless sites."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body

from lambdas.console.access import PREFIX
from lambdas.console.asking import new_router
from lambdas.console.documents.sites import CheckedSites, SitePlanBody
from lambdas.http.openapi import answers

router = new_router()
PLAN = Path("plan.yaml")
"""What mistakes call the text that was sent."""


@router.post(
    f"{PREFIX}/sites",
    tags=["Sites"],
    summary="Check a plan of sites",
    responses=answers(CheckedSites, HTTPStatus.OK, body=True),
)
def check_sites(body: Annotated[SitePlanBody, Body()]) -> CheckedSites:
    """Return what private wireless sites need and cost, and which are over a limit; nothing is kept."""
    from watchkeeper.spec.sites import checked, load_site_plan  # the types of files take long to load

    return CheckedSites.model_validate(checked(load_site_plan(PLAN, body.text)))
