"""The model that serves a workload, as the commands that ask it need it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import boto3

from cli.failures import StepFailedError
from lambdas.adapters.sagemaker_resources import SageMakerControlPlane
from watchkeeper.core import layout
from watchkeeper.core.errors import UnavailableError


def no_model_serves(workload: str) -> StepFailedError:
    """Return the error of a question to a workload that was not trained yet."""
    return StepFailedError(f"no model serves workload {workload}: run `watchkeeper train {workload}`")


@contextmanager
def asking(session: boto3.Session, workload: str) -> Iterator[str]:
    """Give the name of a workload's endpoint to a block that asks it.

    Raises
    ------
    StepFailedError
        If there is no endpoint.
    """
    name = layout.endpoint_name(workload)
    try:
        yield name
    except UnavailableError as error:
        # an invocation says the same of an absent endpoint as of a request that is too large
        if SageMakerControlPlane(session.client("sagemaker")).endpoint(name) is None:
            raise no_model_serves(workload) from error
        raise
