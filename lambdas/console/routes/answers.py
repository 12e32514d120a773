"""The page behind links of alerts. It knows no caller: what a link may do, its signature says."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from lambdas.alerting.links import NOT_OURS, TOKEN, Answer, answer_of
from lambdas.console import asking
from lambdas.console.access import ANSWERS
from lambdas.console.answers import HEADERS, UNDO, found_by, give, page_of, refused_page, take_back
from lambdas.console.effects import ConsoleEffects
from lambdas.http.problems import UNAVAILABLE, ServiceProblemError
from lambdas.incidents.keeping import send
from watchkeeper.core.errors import InvalidInputError, UnavailableError
from watchkeeper.core.plan import WorkloadPlan

router = asking.new_router()
HTML = "text/html; charset=utf-8"

Token = Annotated[str, Query(alias=TOKEN, description="What the link says, and its signature.")]


@router.get(ANSWERS, include_in_schema=False)
def show_answer(token: Token = "") -> Response[str]:
    """Show what a link would say, and change nothing."""

    def shown(answer: Answer, console: ConsoleEffects) -> Response[str]:
        page = page_of(answer, found_by(answer, console.incidents), token)
        return Response(HTTPStatus.OK, HTML, page, headers={**HEADERS})

    return _answered(token, shown)


@router.post(ANSWERS, include_in_schema=False)
def give_answer(token: Token = "", undo: Annotated[str | None, Query(alias=UNDO)] = None) -> Response[str]:
    """Say what a link says, or take it back; then its page is shown."""

    def done(answer: Answer, console: ConsoleEffects) -> Response[str]:
        found_by(answer, console.incidents)
        act = give if undo is None else take_back
        incident = act(answer, console.incidents, console.now())
        send(incident.workload, console)
        return Response(HTTPStatus.SEE_OTHER, HTML, "", headers={**HEADERS, "Location": f"?{TOKEN}={token}"})

    return _answered(token, done)


def _answered(token: str, act: Callable[[Answer, ConsoleEffects], Response[str]]) -> Response[str]:
    console = asking.effects()
    try:
        answer = answer_of(token, console.link_keys.accepted(), console.now())
        plan = console.plans().get(answer.workload)
        if not isinstance(plan, WorkloadPlan) or not plan.alerts.link_seconds:
            raise InvalidInputError(
                f"alerts of {answer.workload} are not answered by links any more", reason=NOT_OURS
            )
        return act(answer, console)
    except UnavailableError:
        problem = ServiceProblemError(UNAVAILABLE, "something does not answer: try again")
    except InvalidInputError as error:
        problem = ServiceProblemError.of(error)
    return Response(problem.status, HTML, refused_page(problem.detail), headers={**HEADERS})
