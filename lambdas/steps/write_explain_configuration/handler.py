"""Before the explain job: write what it is asked for."""

from __future__ import annotations

import functools
import json
from typing import Any

from aws_lambda_powertools import Logger, Tracer

from lambdas.adapters.object_store import ObjectUri
from lambdas.adapters.run_documents import read_regression_plan
from lambdas.runtime.workflow_payload import run_of, text_of
from lambdas.steps.write_explain_configuration.effects import ConfigurationEffects
from lambdas.steps.write_explain_configuration.environment import WriteExplainConfigurationEnvironment
from watchkeeper.regression.analysis_configuration import FILE_NAME, analysis_configuration

logger = Logger(service=WriteExplainConfigurationEnvironment.service)
tracer = Tracer(service=WriteExplainConfigurationEnvironment.service)


@functools.cache
def effects() -> ConfigurationEffects:
    """Return the effects of this process."""
    return ConfigurationEffects.in_aws()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Lambda entry point."""
    return write(event, effects())


def write(payload: dict[str, Any], world: ConfigurationEffects) -> dict[str, Any]:
    """Write `analysis_config.json` of the run's plan and model; done again, it is the same file."""
    run = run_of(payload)
    configuration = analysis_configuration(
        read_regression_plan(run, world.objects),
        model=run.names.model,
        instance_type=text_of(payload, "instance_type"),
    )
    uri = f"{run.uris.explain_config}{FILE_NAME}"
    world.objects.write(ObjectUri.parse(uri), json.dumps(configuration, indent=2).encode())
    logger.info("wrote the configuration", extra={"run_id": run.run_id, "uri": uri})
    return {"uri": uri}
