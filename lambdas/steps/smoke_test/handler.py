"""After a deployment: the endpoint answers known rows as in the evaluation, and refuses a malformed one."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from aws_lambda_powertools import Logger, Tracer

from lambdas.adapters.endpoint import RowRefusedError
from lambdas.adapters.run_documents import SmokeCase, read_smoke_case
from lambdas.runtime.workflow_payload import run_of
from lambdas.steps.smoke_test.effects import SmokeTestEffects
from lambdas.steps.smoke_test.environment import SmokeTestEnvironment
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.lifecycle.release import same_score

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
        If it refuses a known row, gives other answers, or takes a malformed row.
    """
    run = run_of(payload)
    case = read_smoke_case(run, world.objects)
    ask = {"anomaly": world.endpoint.score, "regression": world.endpoint.predict}[case.kind]
    try:
        answers = ask(run.names.endpoint, case.rows)
    except RowRefusedError as error:
        raise SmokeTestError(
            f"endpoint {run.names.endpoint} refuses a row of the test part: {error}"
        ) from error
    compare(case, answers)
    try:
        taken = ask(run.names.endpoint, [MALFORMED_ROW])
    except RowRefusedError:
        return {"rows": len(case.rows)}
    raise SmokeTestError(
        f"endpoint {run.names.endpoint} must answer 4xx to the malformed row {MALFORMED_ROW!r}, "
        f"it gave {taken[0]}"
    )


def compare(case: SmokeCase, answers: Sequence[float]) -> None:
    """Compare the endpoint's answers with those of the evaluation.

    Raises
    ------
    SmokeTestError
        Naming the first difference.
    """
    if len(answers) != len(case.answers):
        raise SmokeTestError(f"{len(answers)} answers for {len(case.answers)} rows")
    for row, answer, expected in zip(case.rows, answers, case.answers, strict=True):
        if not same_score(answer, expected, case.tolerance):
            raise SmokeTestError(
                f"row {row!r} has {answer}, in the evaluation it had {expected}; "
                f"the tolerance is {case.tolerance:g}"
            )
