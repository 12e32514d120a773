"""After a deployment: the endpoint scores known rows as the evaluation did, and refuses a malformed one."""

from __future__ import annotations

import functools
from typing import Any

from aws_lambda_powertools import Logger, Tracer

from lambdas.endpoint import EndpointAnswer, RowRefusedError
from lambdas.run_documents import SmokeCase, read_smoke_case
from lambdas.smoke_test.effects import SmokeTestEffects
from lambdas.smoke_test.environment import SmokeTestEnvironment
from lambdas.workflow_payload import run_of
from watchkeeper.errors import ContractViolationError

MALFORMED_ROW = "not-a-time,not-a-number"

logger = Logger(service=SmokeTestEnvironment.service)
tracer = Tracer(service=SmokeTestEnvironment.service)


class SmokeTestError(ContractViolationError):
    """The endpoint does not answer as the evaluated model does."""


@functools.cache
def effects() -> SmokeTestEffects:
    """Return the effects of this process."""
    return SmokeTestEffects.in_aws()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Lambda entry point."""
    return check(event, effects())


def check(payload: dict[str, Any], world: SmokeTestEffects) -> dict[str, Any]:
    """Ask the run's endpoint and compare.

    Raises
    ------
    SmokeTestError
        If it refuses a known row, gives other scores, is another variant, or takes a malformed row.
    """
    run = run_of(payload)
    case = read_smoke_case(run, world.objects)
    try:
        answer = world.endpoint.score(run.names.endpoint, case.rows)
    except RowRefusedError as error:
        raise SmokeTestError(
            f"endpoint {run.names.endpoint} refuses a row of the test part: {error}"
        ) from error
    compare(case, answer, run.names.variant)
    try:
        taken = world.endpoint.score(run.names.endpoint, [MALFORMED_ROW])
    except RowRefusedError:
        return {"rows": len(case.rows)}
    raise SmokeTestError(
        f"endpoint {run.names.endpoint} must answer 4xx to the malformed row {MALFORMED_ROW!r}, "
        f"it gave the score {taken.scores[0]}"
    )


def compare(case: SmokeCase, answer: EndpointAnswer, variant: str) -> None:
    """Compare an answer with what the evaluation found.

    Raises
    ------
    SmokeTestError
        Naming the first difference.
    """
    if answer.variant != variant:
        raise SmokeTestError(f"variant {answer.variant!r} answered, deployed was {variant!r}")
    if len(answer.scores) != len(case.scores):
        raise SmokeTestError(f"{len(answer.scores)} scores for {len(case.scores)} rows")
    for row, score, expected in zip(case.rows, answer.scores, case.scores, strict=True):
        if abs(score - expected) > case.tolerance * max(1.0, abs(expected)):
            raise SmokeTestError(
                f"row {row!r} has score {score}, in the evaluation it had {expected}; "
                f"the tolerance is {case.tolerance:g}"
            )
