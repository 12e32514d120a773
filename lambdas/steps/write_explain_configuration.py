"""Before the explain job: write what it is asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar

from aws_lambda_powertools import Logger

from lambdas.adapters import clients
from lambdas.adapters.object_store import ObjectStore, ObjectUri, S3ObjectStore
from lambdas.adapters.run_documents import read_plan_of
from lambdas.runtime.workflow_payload import run_of, text_of
from lambdas.runtime.workflow_step import (
    RUN_KEYS,
    RUNS_PREFIX,
    WORKLOAD,
    AwsCalls,
    StepEnvironment,
    step_handler,
)
from watchkeeper.core import layout
from watchkeeper.regression.analysis_configuration import FILE_NAME, analysis_configuration
from watchkeeper.regression.plan import RegressionPlan


@dataclass(frozen=True, kw_only=True)
class WriteExplainConfigurationEnvironment(StepEnvironment):
    """What `write_explain_configuration` is told when it is deployed."""

    service: ClassVar[str] = "write_explain_configuration"
    purpose: ClassVar[str] = "Writes what an explain job is asked for"
    calls: ClassVar[AwsCalls] = AwsCalls(
        reads=(RUN_KEYS,),
        lists=(RUNS_PREFIX,),
        writes=(f"{layout.run_prefix(WORKLOAD, '*')}explain/config/{FILE_NAME}",),
    )


logger = Logger(service=WriteExplainConfigurationEnvironment.service)


def write(payload: dict[str, Any], objects: ObjectStore) -> dict[str, Any]:
    """Write `analysis_config.json` of the run's plan and model; done again, it is the same file."""
    run = run_of(payload)
    configuration = analysis_configuration(
        read_plan_of(RegressionPlan, run, objects),
        model=run.names.model,
        instance_type=text_of(payload, "instance_type"),
    )
    uri = f"{run.uris.explain_config}{FILE_NAME}"
    objects.write(ObjectUri.parse(uri), json.dumps(configuration, indent=2).encode())
    logger.info("wrote the configuration", extra={"run_id": run.run_id, "uri": uri})
    return {"uri": uri}


handle = step_handler(write, WriteExplainConfigurationEnvironment, lambda _: S3ObjectStore(clients.s3()))
