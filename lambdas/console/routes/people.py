"""Who asks."""

from __future__ import annotations

import json
from http import HTTPStatus

from lambdas.console.access import PREFIX
from lambdas.console.asking import asked, new_router
from lambdas.console.documents.people import Live, Me
from lambdas.http.openapi import answers
from lambdas.live.channels import channel_of
from watchkeeper import __version__
from watchkeeper.core.layout import LIVE_PARAMETER

router = new_router()


@router.get(
    f"{PREFIX}/me", tags=["People"], summary="Who the caller is", responses=answers(Me, HTTPStatus.OK)
)
def show_caller() -> Me:
    """Return the caller's name, tenant and role, and where live events are."""
    request = asked(router)
    caller, said = request.caller, request.effects.live_parameter(LIVE_PARAMETER)
    return Me(
        user=caller.user,
        tenant=caller.tenant,
        role=caller.role,
        region=request.effects.region,
        version=__version__,
        live=None if said is None else Live(**json.loads(said), channel=channel_of(caller)),
    )
