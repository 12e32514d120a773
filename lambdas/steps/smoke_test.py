"""After a deployment: the endpoint answers known rows as in the evaluation, and refuses a malformed one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from lambdas.adapters import clients
from lambdas.adapters.endpoint import Endpoint, RowRefusedError, SageMakerEndpoint
from lambdas.adapters.object_store import ObjectStore, S3ObjectStore
from lambdas.adapters.run_documents import SmokeCase, read_smoke_case
from lambdas.runtime.workflow_payload import run_of
from lambdas.runtime.workflow_step import RUN_KEYS, RUNS_PREFIX, AwsCalls, StepEnvironment, step_handler
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.lifecycle.release import same_score

MALFORMED_ROW = "not-a-time,not-a-number"


@dataclass(frozen=True, kw_only=True)
class SmokeTestEnvironment(StepEnvironment):
    """What `smoke_test` is told when it is deployed."""

    service: ClassVar[str] = "smoke_test"
    purpose: ClassVar[str] = "Compares the endpoint's scores of known rows"
    calls: ClassVar[AwsCalls] = AwsCalls(
        reads=(RUN_KEYS,), lists=(RUNS_PREFIX,), endpoints=("InvokeEndpoint",)
    )


@dataclass(frozen=True)
class SmokeTestEffects:
    """Everything outside of `smoke_test`."""

    objects: ObjectStore
    endpoint: Endpoint

    @classmethod
    def in_aws(cls, environment: SmokeTestEnvironment) -> SmokeTestEffects:
        """Return the effects in AWS."""
        return cls(S3ObjectStore(clients.s3()), SageMakerEndpoint(clients.sagemaker_runtime()))


class SmokeTestError(ContractViolationError):
    """The endpoint does not answer as the evaluated model does."""


def check(payload: dict[str, Any], effects: SmokeTestEffects) -> dict[str, Any]:
    """Ask the run's endpoint and compare.

    Raises
    ------
    SmokeTestError
        If it refuses a known row, gives other answers, or takes a malformed row.
    """
    run = run_of(payload)
    case = read_smoke_case(run, effects.objects)
    ask = _asking(case, effects.endpoint)
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


def _asking(case: SmokeCase, endpoint: Endpoint) -> Callable[[str, Sequence[str]], Sequence[float]]:
    match case.kind:
        case "anomaly":
            return endpoint.score
        case "regression":
            return endpoint.predict
        case "fraud":
            return endpoint.fraud_probabilities


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


handle = step_handler(check, SmokeTestEnvironment, SmokeTestEffects.in_aws)
